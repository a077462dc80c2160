//! Building the index anew from all traces.

use super::{Search, follow};
use crate::{
    search::Index,
    service::{ServiceError, ServiceResult, followers::Followed},
    store::{
        KeyRange,
        key::Key,
        keyspace::{self, FollowerState},
    },
};

/// Traces that are looked at at a time.
const AT_ONCE: usize = 256;

/// Spans whose heads are read at a time, unless one trace has more.
const SPANS_AT_ONCE: u64 = 20_000;

impl Search {
    /// Builds the index anew, and tells after each step how many traces are in it. Cut short, the index is begun anew
    /// when the database is opened next.
    ///
    /// # Errors
    /// When there is no index, or it or the store fails.
    pub async fn rebuild(&self, mut progress: impl FnMut(u64)) -> ServiceResult<u64> {
        self.ask("text", Index::clear).await?;
        let (mut range, mut count) = (KeyRange::all(), 0);
        loop {
            let found = self.context.store.chunk_keys(keyspace::TRACE_BY_START, range, AT_ONCE).await?;
            let Some(last) = found.items.last() else { break };
            range = KeyRange::all().after(&last.encode());
            let ids: Vec<_> = found.items.iter().map(|(_, id)| *id).collect();
            let traces: Vec<_> = self.tracing.traces(&ids).await?.into_iter().flatten().collect();
            let mut over: Vec<_> = traces.iter().filter(|trace| trace.status.is_final()).collect();
            while !over.is_empty() {
                let mut spans = 0_u64;
                let fit = over.iter().take_while(|trace| {
                    spans = spans.saturating_add(trace.summary.span_count);
                    spans <= SPANS_AT_ONCE
                });
                let fit = fit.count().max(1);
                let ids: Vec<_> = over.drain(..fit).map(|trace| trace.id).collect();
                let spans = self.context.store.trace_spans(&ids).await?;
                let over =
                    ids.into_iter().zip(spans).map(|(id, spans)| Followed { id, spans, changed: false });
                self.put(&over.collect::<Vec<_>>()).await?;
                count += fit as u64;
                progress(count);
            }
        }
        self.remember().await?;
        self.ask("text", Index::finish).await?;
        Ok(count)
    }

    /// Has the database know the index as one that has all traces: what changes has marks.
    async fn remember(&self) -> ServiceResult<()> {
        let state = &FollowerState { format: self.index("text")?.generation(), marked: None };
        let remembered = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move { Ok(tx.put(keyspace::FOLLOWER, &follow::CODE, state)?) })
        });
        remembered.await
    }
}
