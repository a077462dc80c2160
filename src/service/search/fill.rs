//! Putting traces into the index: all texts of one in place of those that were there before.

use super::{Search, documents::Documents};
use crate::{
    model::TraceId,
    search::{Document, Index},
    service::{ServiceResult, followers::Followed},
};

impl Search {
    /// Puts traces into the index in place of what is there of them; one that is not over is only removed. Durable
    /// when it returns. A trace that is put again comes to the same.
    ///
    /// # Errors
    /// When the store or the index fails.
    pub(super) async fn put(&self, traces: &[Followed]) -> ServiceResult<()> {
        self.write(traces.iter().map(|trace| trace.id).collect(), Vec::new()).await?;
        for spans in traces.iter().filter_map(Followed::over) {
            let mut documents = Documents::of(self, spans.clone());
            while let Some(some) = documents.next().await? {
                self.write(Vec::new(), some).await?;
            }
        }
        self.ask("text", Index::commit).await
    }

    async fn write(&self, removed: Vec<TraceId>, documents: Vec<Document>) -> ServiceResult<()> {
        if removed.is_empty() && documents.is_empty() {
            return Ok(());
        }
        self.ask("text", move |index| index.replace(&removed, &documents)).await
    }
}
