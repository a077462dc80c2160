//! Texts in conditions: asked of the index of texts before everything else, so that what has them is known by its id.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{Queries, choices::Started};
use crate::{
    model::{
        Refusal, Timestamp, TraceId,
        query::{TextCondition, TraceCondition},
    },
    search::Place,
    service::{ServiceError, ServiceResult},
};

/// When traces started, of which that is known before their rows are read.
pub(super) type Starts = HashMap<TraceId, Timestamp>;

impl Queries {
    /// The condition with the traces in which its texts are found in place of the texts, and when those started.
    pub(super) async fn with_texts_found(
        &self,
        condition: TraceCondition,
    ) -> ServiceResult<(TraceCondition, Starts)> {
        let started = Started::of(&condition.required());
        let (mut found, mut starts) = (Vec::new(), Starts::new());
        for text in condition.texts() {
            let hits = self.traces_with(text, &started).await?;
            let ids: BTreeSet<_> = hits.iter().map(|(id, _)| *id).collect();
            found.push(TraceCondition::Among(Arc::new(ids)));
            starts.extend(hits);
        }
        let mut found = found.into_iter();
        let condition = condition.try_map::<ServiceError>(&mut |leaf| {
            Ok(match leaf {
                TraceCondition::Text(_) => found.next().unwrap_or(TraceCondition::Any(Vec::new())),
                leaf => leaf,
            })
        })?;
        Ok((condition, starts))
    }

    /// The traces that have a text, of those that started when they must have.
    async fn traces_with(
        &self,
        text: &TextCondition,
        started: &Started,
    ) -> ServiceResult<Vec<(TraceId, Timestamp)>> {
        let asked = self.search.asked("where.text.query", &text.query, text.kinds.clone())?;
        let most = self.context.query.texts;
        // Places go from the newest trace to the oldest.
        let behind = started.before.map(|before| Place {
            started: before,
            trace: TraceId::from_bytes([0; 16]),
            number: u32::MAX,
        });
        let hits = self.search.find_traces(&asked, behind, started.from, most + 1).await?;
        if hits.len() > most {
            let message = format!(
                "more than {most} traces have this text; add words to it, or ask for less time (`startTime`)"
            );
            return Err(Refusal::limit("where.text.query", message).into());
        }
        Ok(hits.into_iter().map(|hit| (hit.place.trace, hit.place.started)).collect())
    }
}
