//! Texts in conditions: asked of the index of texts before everything else, so that what has them is known by its id.

use std::{collections::BTreeSet, sync::Arc};

use super::{Queries, choices::Started};
use crate::{
    model::{
        Refusal, TraceId,
        query::{TextCondition, TraceCondition},
    },
    search::Place,
    service::{ServiceError, ServiceResult},
};

impl Queries {
    /// The condition with the traces in which its texts are found in place of the texts.
    pub(super) async fn with_texts_found(&self, condition: TraceCondition) -> ServiceResult<TraceCondition> {
        let started = Started::of(&condition.required());
        let mut found = Vec::new();
        for text in condition.texts() {
            found.push(self.traces_with(text, &started).await?);
        }
        let mut found = found.into_iter();
        condition.try_map::<ServiceError>(&mut |leaf| {
            Ok(match leaf {
                TraceCondition::Text(_) => found.next().unwrap_or(TraceCondition::Any(Vec::new())),
                leaf => leaf,
            })
        })
    }

    /// The traces that have a text, of those that started when they must have.
    async fn traces_with(&self, text: &TextCondition, started: &Started) -> ServiceResult<TraceCondition> {
        let asked = self.search.asked("where.text.query", &text.query, text.kinds.clone())?;
        let most = self.context.query.texts;
        // Places go from the newest trace to the oldest.
        let behind = started.before.map(|before| Place {
            started: before,
            trace: TraceId::from_bytes([0; 16]),
            number: u32::MAX,
        });
        let mut hits = self.search.find_traces(&asked, behind, most + 1).await?;
        hits.retain(|hit| started.from.is_none_or(|from| hit.place.started >= from));
        if hits.len() > most {
            let message = format!(
                "more than {most} traces have this text; add words to it, or ask for less time (`startTime`)"
            );
            return Err(Refusal::limit("where.text.query", message).into());
        }
        let ids: BTreeSet<_> = hits.iter().map(|hit| hit.place.trace).collect();
        Ok(TraceCondition::Among(Arc::new(ids)))
    }
}
