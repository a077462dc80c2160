//! Reading spans: all heads of a trace, what changed since a revision, and bodies.

use std::{
    collections::{HashMap, HashSet},
    ops::Bound,
};

use bytes::Bytes;

use super::block::HeadBlock;
use crate::{
    engine::{Entry, KeyRange, ScanPage, ScanRequest},
    model::{
        SpanId, TraceId,
        span::{PartBlocks, SpanBody, SpanHead},
        trace::Trace,
    },
    store::{Store, StoreError, StoreResult, codec, key::Key, keyspace, read::prefix},
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

/// Spans of one trace whose bodies are wanted, with where they are: see [`SpanHead::part_blocks`].
#[derive(Debug, Clone)]
pub struct BodyRequest {
    /// The trace.
    pub trace_id: TraceId,
    /// The spans with their blocks.
    pub spans: Vec<(SpanId, PartBlocks)>,
}

/// Blocks of bodies that are fetched with one call: what a call brings is held before it is counted.
const BLOCKS_AT_ONCE: usize = 1_000;

impl Store {
    /// The heads of these traces, in their order: one call to the engine, however many.
    pub async fn trace_spans(&self, ids: &[TraceId]) -> StoreResult<Vec<Option<StoredSpans>>> {
        let wanted: Vec<_> = ids.iter().map(|id| (*id, 0)).collect();
        let found = self.read_spans(&wanted).await?.into_iter();
        Ok(found.map(|found| found.map(|(_, spans)| spans)).collect())
    }

    /// The spans that changed after a revision.
    pub async fn trace_spans_after(&self, id: TraceId, revision: u64) -> StoreResult<Option<SpanDelta>> {
        let found = self.read_spans(&[(id, revision)]).await?.pop().flatten();
        Ok(found.map(|(_, StoredSpans { trace, mut heads })| {
            heads.sort_unstable_by_key(|head| (head.revision, head.id));
            SpanDelta { trace, heads }
        }))
    }

    /// The bytes of each trace's row, and the trace with the heads that changed after a revision.
    ///
    /// Row and heads come from one call, because they must be of one moment: between two, a write could
    /// change a span and a merge take away how it stood before, and the span would not be found at all.
    pub(super) async fn read_spans(
        &self,
        wanted: &[(TraceId, u64)],
    ) -> StoreResult<Vec<Option<(Bytes, StoredSpans)>>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let requests = wanted.iter().flat_map(|(id, after)| {
            let changed = of_trace(*id).after(&(*id, *after).encode());
            [self.row_scan(*id), self.scan_of(keyspace::SPAN_HEAD.name, changed)]
        });
        let pages = self.engine().scan_many(requests.collect()).await?;
        let found = wanted.iter().zip(pages.chunks(2)).map(|((_, after), pages)| match pages {
            [rows, blocks] => spans_of(rows, blocks, *after),
            _ => Ok(None),
        });
        found.collect()
    }

    /// Reads the row of a trace, by a scan so that it can be read together with what lies elsewhere.
    pub(super) fn row_scan(&self, id: TraceId) -> ScanRequest {
        let key = id.encode();
        let range = KeyRange { start: Bound::Included(key.clone()), end: Bound::Included(key) };
        self.scan_of(keyspace::TRACE.name, range)
    }

    /// Reads a part of a table whole.
    pub(in crate::store) fn scan_of(&self, table: &'static str, range: KeyRange) -> ScanRequest {
        ScanRequest::forward(&self.tree(table), range, usize::MAX)
    }

    /// The bodies of these spans: one call to the engine for every thousand blocks. A span without a body
    /// is left out.
    ///
    /// # Errors
    /// [`StoreError::TooMuch`] when they take more than `most` bytes; [`StoreError::Conflict`] when a block
    /// is not where the request says.
    pub async fn span_bodies(
        &self,
        requests: &[BodyRequest],
        most: usize,
    ) -> StoreResult<HashMap<(TraceId, SpanId), SpanBody>> {
        let mut keys: Vec<(TraceId, u64)> = requests
            .iter()
            .flat_map(|request| {
                request.spans.iter().flat_map(|(_, blocks)| blocks.iter().map(|at| (request.trace_id, at)))
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let wanted: HashSet<(TraceId, SpanId)> = requests
            .iter()
            .flat_map(|request| request.spans.iter().map(|(span, _)| (request.trace_id, *span)))
            .collect();
        let (mut parts, mut bytes) = (HashMap::<(TraceId, u64, SpanId), Vec<SpanBody>>::new(), 0);
        for keys in keys.chunks(BLOCKS_AT_ONCE) {
            let blocks = self.get_many(keyspace::SPAN_BODY, keys).await?;
            for ((trace_id, at), block) in keys.iter().zip(blocks) {
                // Merged or deleted since the head was read.
                let block = block.ok_or(StoreError::Conflict)?;
                for (span, body) in
                    block.0.into_iter().filter(|(span, _)| wanted.contains(&(*trace_id, *span)))
                {
                    bytes += body.size();
                    parts.entry((*trace_id, *at, span)).or_default().push(body);
                }
            }
            if bytes > most {
                return Err(StoreError::TooMuch { most });
            }
        }
        let mut bodies: HashMap<(TraceId, SpanId), SpanBody> = HashMap::new();
        for request in requests {
            for (span, blocks) in &request.spans {
                let mut whole = |blocks: &[u64]| {
                    let parts = blocks.iter().filter_map(|at| parts.remove(&(request.trace_id, *at, *span)));
                    parts.flatten().reduce(|mut whole, part| {
                        whole.merge(part);
                        whole
                    })
                };
                let (mut body, attached) = (whole(&blocks.own), whole(&blocks.attached));
                if let Some(attached) = attached {
                    body.get_or_insert_default().complete_with(attached);
                }
                bodies.extend(body.map(|body| ((request.trace_id, *span), body)));
            }
        }
        Ok(bodies)
    }
}

fn spans_of(rows: &ScanPage, blocks: &ScanPage, after: u64) -> StoreResult<Option<(Bytes, StoredSpans)>> {
    let Some(row) = rows.entries.first().map(|entry| entry.value.clone()) else { return Ok(None) };
    let trace = codec::decode(keyspace::TRACE.name, &row)?;
    let block = |entry: &Entry| codec::decode(keyspace::SPAN_HEAD.name, &entry.value);
    let blocks = blocks.entries.iter().map(block).collect::<StoreResult<Vec<_>>>()?;
    Ok(Some((row, StoredSpans { trace, heads: latest(blocks, after) })))
}

/// The last head of each span with a revision above `after`.
fn latest(blocks: Vec<HeadBlock>, after: u64) -> Vec<SpanHead> {
    let mut heads: Vec<SpanHead> = Vec::new();
    let mut places: HashMap<SpanId, usize> = HashMap::new();
    for head in blocks.into_iter().flat_map(|block| block.0) {
        if head.revision <= after {
            continue;
        }
        if let Some(known) = places.get(&head.id).and_then(|place| heads.get_mut(*place)) {
            if known.revision <= head.revision {
                *known = head;
            }
        } else {
            places.insert(head.id, heads.len());
            heads.push(head);
        }
    }
    heads
}

/// All keys of a trace in a table whose keys begin with the trace.
pub(super) fn of_trace(id: TraceId) -> KeyRange {
    prefix(&id)
}
