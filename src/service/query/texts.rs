//! Texts in conditions: asked of the index of texts before everything else, so that what has them is known by its id.

use std::{collections::BTreeSet, sync::Arc};

use super::Queries;
use crate::{
    model::{
        Refusal,
        query::{TextCondition, TraceCondition},
    },
    service::{ServiceError, ServiceResult},
};

impl Queries {
    /// The condition with the traces in which its texts are found in place of the texts.
    pub(super) async fn with_texts_found(&self, condition: TraceCondition) -> ServiceResult<TraceCondition> {
        let mut found = Vec::new();
        for text in condition.texts() {
            found.push(self.traces_with(text).await?);
        }
        let mut found = found.into_iter();
        condition.try_map::<ServiceError>(&mut |leaf| {
            Ok(match leaf {
                TraceCondition::Text(_) => found.next().unwrap_or(TraceCondition::Any(Vec::new())),
                leaf => leaf,
            })
        })
    }

    async fn traces_with(&self, text: &TextCondition) -> ServiceResult<TraceCondition> {
        let asked = self.search.asked("where.text.query", &text.query, text.kinds.clone())?;
        let most = self.context.query.texts;
        let hits = self.search.find_traces(&asked, None, most + 1).await?;
        if hits.len() > most {
            let message =
                format!("more than {most} traces have this text; add words to it, or leave it to `search`");
            return Err(Refusal::limit("where.text.query", message).into());
        }
        let ids: BTreeSet<_> = hits.iter().map(|hit| hit.place.trace).collect();
        Ok(TraceCondition::Among(Arc::new(ids)))
    }
}
