//! Reading spans: all heads of a trace, what changed since a revision, and bodies.

use std::collections::HashMap;

use super::block::HeadBlock;
use crate::{
    engine::{Direction, KeyRange},
    model::{
        SpanId, TraceId,
        span::{SpanBody, SpanHead},
        trace::Trace,
    },
    store::{Store, StoreError, StoreResult, key::Key, keyspace, read::prefix},
};

/// A trace with its heads, all of one moment: no head is newer than the row's revision.
#[derive(Debug, Clone)]
pub struct StoredSpans {
    /// The row.
    pub trace: Trace,
    /// The heads, in no particular order.
    pub heads: Vec<SpanHead>,
}

/// What changed in a trace after a revision.
#[derive(Debug, Clone)]
pub struct SpanDelta {
    /// The row; its revision is where the next delta starts.
    pub trace: Trace,
    /// The spans that changed, as they stand, by revision.
    pub heads: Vec<SpanHead>,
}

/// Spans of one trace whose bodies are wanted, with where they are: see [`SpanHead::body_blocks`].
#[derive(Debug, Clone)]
pub struct BodyRequest {
    /// The trace.
    pub trace_id: TraceId,
    /// The spans with their blocks.
    pub spans: Vec<(SpanId, Vec<u64>)>,
}

impl Store {
    /// The heads of these traces, in their order: two calls to the engine, however many.
    pub async fn trace_spans(&self, ids: &[TraceId]) -> StoreResult<Vec<Option<StoredSpans>>> {
        // Rows first: a head may then be newer than its row, which can be seen and left out, but never
        // older.
        let rows = self.get_many(keyspace::TRACE, ids).await?;
        let range = |id: &TraceId| (prefix(id), Direction::Forward, usize::MAX);
        let pages = self.scan_many(keyspace::SPAN_HEAD, ids.iter().map(range).collect()).await?;
        let spans = rows.into_iter().zip(pages).map(|(row, page)| {
            let trace = row?;
            let heads = latest(page.items.into_iter().map(|found| found.record), 0, trace.revision);
            Some(StoredSpans { trace, heads })
        });
        Ok(spans.collect())
    }

    /// The spans that changed after a revision.
    pub async fn trace_spans_after(&self, id: TraceId, revision: u64) -> StoreResult<Option<SpanDelta>> {
        let Some(trace) = self.get(keyspace::TRACE, &id).await? else { return Ok(None) };
        let range = prefix(&id).after(&(id, revision).encode());
        let page = self.scan(keyspace::SPAN_HEAD, range, Direction::Forward, usize::MAX).await?;
        let mut heads = latest(page.items.into_iter().map(|found| found.record), revision, trace.revision);
        heads.sort_unstable_by_key(|head| (head.revision, head.id));
        Ok(Some(SpanDelta { trace, heads }))
    }

    /// The bodies of these spans: one call to the engine. A span without a body is left out.
    pub async fn span_bodies(
        &self,
        requests: &[BodyRequest],
    ) -> StoreResult<HashMap<(TraceId, SpanId), SpanBody>> {
        let mut keys: Vec<(TraceId, u64)> = requests
            .iter()
            .flat_map(|request| {
                request.spans.iter().flat_map(|(_, blocks)| blocks.iter().map(|at| (request.trace_id, *at)))
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let blocks = self.get_many(keyspace::SPAN_BODY, &keys).await?;
        let mut parts: HashMap<(TraceId, u64, SpanId), Vec<SpanBody>> = HashMap::new();
        for ((trace_id, at), block) in keys.into_iter().zip(blocks) {
            // Merged or deleted since the head was read.
            let block = block.ok_or(StoreError::Conflict)?;
            for (span, body) in block.0 {
                parts.entry((trace_id, at, span)).or_default().push(body);
            }
        }
        let mut bodies: HashMap<(TraceId, SpanId), SpanBody> = HashMap::new();
        for request in requests {
            for (span, blocks) in &request.spans {
                for at in blocks {
                    for part in parts.remove(&(request.trace_id, *at, *span)).unwrap_or_default() {
                        bodies.entry((request.trace_id, *span)).or_default().merge(part);
                    }
                }
            }
        }
        Ok(bodies)
    }
}

/// The last head of each span with a revision above `after` and at most `upto`.
pub(super) fn latest(blocks: impl Iterator<Item = HeadBlock>, after: u64, upto: u64) -> Vec<SpanHead> {
    let mut heads: Vec<SpanHead> = Vec::new();
    let mut places: HashMap<SpanId, usize> = HashMap::new();
    for head in blocks.flat_map(|block| block.0) {
        if head.revision <= after || head.revision > upto {
            continue;
        }
        match places.get(&head.id).and_then(|place| heads.get_mut(*place)) {
            Some(known) => {
                if known.revision <= head.revision {
                    *known = head;
                }
            }
            None => {
                places.insert(head.id, heads.len());
                heads.push(head);
            }
        }
    }
    heads
}

/// All keys of a trace in a table whose keys begin with the trace.
pub(super) fn of_trace(id: TraceId) -> KeyRange {
    prefix(&id)
}
