//! Removing a trace: its record at once, so that it is there no more; its blocks are left to whoever
//! finds the mark that it leaves.

use super::write::{BODY_PARTS, put_follow_due};
use crate::{
    engine::Batch,
    model::TraceId,
    store::{
        Store, StoreError, StoreResult, Touched, codec, index,
        key::Key,
        keyspace::{self, Deleted, DeletedWith},
        tx,
    },
};

impl Store {
    /// Removes a trace's record, its index entries and its large fields, and marks it as deleted
    /// with something. Answers whether there was such a trace. Writers of the trace wait for their turn meanwhile.
    pub async fn remove_trace(&self, id: TraceId, with: Deleted) -> StoreResult<bool> {
        for _ in 1..tx::ATTEMPTS {
            match self.try_remove_trace(id, with).await {
                Err(StoreError::Conflict) => {}
                result => return result,
            }
        }
        self.try_remove_trace(id, with).await
    }

    async fn try_remove_trace(&self, id: TraceId, with: Deleted) -> StoreResult<bool> {
        let place = self.committer().place(0)?;
        let slot = self.traces().slot(id);
        let mut held = slot.state.lock().await;
        let state = match held.take().filter(|state| state.row.is_some()) {
            Some(state) => Some(state),
            None => self.load_state(id).await?,
        };
        self.traces().resized(&slot, 0);
        let Some(state) = state else { return Ok(false) };
        let mut batch = Batch::default();
        let tree = self.tree(keyspace::TRACE.name);
        batch.require(&tree, id.encode(), state.row);
        batch.delete(&tree, id.encode());
        index::write_diff(self, &mut batch, Some(&state.trace), None)?;
        for part in BODY_PARTS {
            batch.delete(&self.tree(keyspace::TRACE_BODY.name), (id, part).encode());
        }
        let mark = codec::encode(keyspace::DELETION.name, &DeletedWith(with))?;
        batch.put(&self.tree(keyspace::DELETION.name), Deleted::Trace(id).encode(), mark);
        let mut gone = state.trace;
        gone.revision += 1;
        put_follow_due(self, &mut batch, &gone)?;
        let touched = Touched::Trace { id, revision: gone.revision };
        let pending = place.submit(batch, vec![touched]);
        drop(held);
        pending.durable().await?;
        Ok(true)
    }
}
