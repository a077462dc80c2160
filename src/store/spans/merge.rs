//! Merging small blocks: a live run writes a span at a time, twice; once it is over, its blocks are
//! put together, so that reading the trace is a few large reads and its spans compress together.
//!
//! Merging changes no head and no body, only where they stand. It runs in the background, a trace at
//! a time, as an ordinary conditional write: were it lost, the trace only stays in smaller blocks.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Weak},
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{
    block::{self, BodyBlock},
    cache::TraceState,
    load::of_trace,
};
use crate::{
    engine::{Batch, Entry, ScanRequest},
    model::{
        SpanId, TraceId,
        span::{SpanBody, SpanHead},
        trace::Trace,
    },
    store::{Inner, Store, StoreError, StoreResult, codec, key::Key, keyspace, tx},
};

/// Blocks that a complete trace may keep: fewer are not worth a rewrite.
const FEW_BLOCKS: u32 = 4;

/// Spans a block holds on average where merging has nothing to gain: reports of several traces bring each
/// of them a few at a time, and packing them once more costs as much as packing them first.
const FULL_BLOCK: u64 = 4;

/// Heads that go into one merged block.
const HEADS_PER_BLOCK: usize = 1_024;

/// Bytes of packed bodies that one merge reads at most. The bodies of a larger trace stay as they were
/// written.
const MERGE_BYTES: usize = 32 << 20;

/// Bytes of bodies that one merge holds in memory at most: what repeats itself packs to almost nothing,
/// so the packed bytes are no bound.
const MERGE_UNPACKED_BYTES: usize = 128 << 20;

/// Traces that wait to be merged. One more is merged when it is next written.
const MAX_WAITING: usize = 10_000;

/// The traces that wait to be merged. One is merged at a time: it is work for idle moments.
#[derive(Default)]
pub(in crate::store) struct MergeQueue {
    state: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    traces: BTreeSet<TraceId>,
    working: bool,
}

impl MergeQueue {
    /// Adds a trace. `true`: nobody is at work, so the caller must see to it.
    fn add(&self, id: TraceId) -> bool {
        let mut state = self.state.lock();
        if state.traces.len() < MAX_WAITING {
            state.traces.insert(id);
        }
        !std::mem::replace(&mut state.working, true)
    }

    /// The next trace; with `None` the work is over.
    fn next(&self) -> Option<TraceId> {
        let mut state = self.state.lock();
        let next = state.traces.pop_first();
        state.working = next.is_some();
        next
    }
}

impl Store {
    /// Merges a trace's blocks in the background if it is worth it.
    pub(super) fn merge_if_due(&self, trace: &Trace) {
        let small = trace.summary.span_count < u64::from(trace.block_count) * FULL_BLOCK;
        let complete = trace.status.is_final() && trace.block_count > FEW_BLOCKS;
        let many = trace.block_count >= self.config().spans.merge_after_blocks;
        if small && (complete || many) && self.inner.merges.add(trace.id) {
            tokio::spawn(merge_waiting(Arc::downgrade(&self.inner)));
        }
    }

    /// Merges a trace's blocks now.
    pub async fn merge_trace(&self, id: TraceId) -> StoreResult<()> {
        for _ in 1..tx::ATTEMPTS {
            match self.try_merge_trace(id).await {
                Err(StoreError::Conflict) => {}
                result => return result,
            }
        }
        self.try_merge_trace(id).await
    }

    async fn try_merge_trace(&self, id: TraceId) -> StoreResult<()> {
        let place = self.committer().free_place().await?;
        let slot = self.traces().slot(id);
        let mut held = slot.state.lock().await;
        // What the trace's writers have queued must be there to be read, or it would not be in what the
        // merge puts together.
        self.committer().settled().await?;
        if held.is_none() {
            *held = self.load_state(id).await?;
        }
        let Some(state) = held.as_mut().filter(|state| state.row.is_some()) else { return Ok(()) };
        let batch = match self.merge_state(state).await {
            Ok(batch) => batch,
            Err(error) => {
                *held = None;
                return Err(error);
            }
        };
        let reading = state.reading;
        let pending = place.submit(batch, Vec::new());
        self.traces().resized(&slot, state.heads.len());
        drop(held);
        let result = pending.durable().await;
        if result.is_err() {
            self.forget(&slot, reading).await;
        }
        result
    }

    async fn merge_state(&self, state: &mut TraceState) -> StoreResult<Batch> {
        let id = state.trace.id;
        let stored = self.stored_blocks(id).await?;
        if stored.row != state.row {
            // A write failed, or the trace is gone: the state in memory is not what is kept.
            return Err(StoreError::Conflict);
        }
        let mut batch = Batch::default();
        state.trace.revision += 1;
        state.trace.block_count = 0;
        let mut heads: Vec<SpanHead> = state.heads.iter().cloned().collect();
        heads.sort_unstable_by_key(|head| (head.start_time, head.id));
        if let Some(bodies) = stored.bodies {
            self.merge_bodies(&mut batch, (id, state.trace.revision), &mut heads, bodies)?;
        }
        self.merge_heads(&mut batch, id, &mut heads, stored.head_keys)?;
        let row = Bytes::from(codec::encode(keyspace::TRACE.name, &state.trace)?);
        let tree = self.tree(keyspace::TRACE.name);
        batch.require(&tree, id.encode(), state.row.replace(row.clone()));
        batch.put(&tree, id.encode(), row);
        for head in heads {
            state.heads.put(head);
        }
        Ok(batch)
    }

    /// What is kept of a trace, all of one moment.
    async fn stored_blocks(&self, id: TraceId) -> StoreResult<StoredBlocks> {
        let heads = self.scan_of(keyspace::SPAN_HEAD.name, of_trace(id));
        let bodies = self.scan_of(keyspace::SPAN_BODY.name, of_trace(id));
        let bodies = ScanRequest { max_bytes: MERGE_BYTES, ..bodies };
        let mut pages = self.engine().scan_many(vec![self.row_scan(id), heads, bodies]).await?.into_iter();
        let mut entries = || pages.next().map(|page| (page.entries, page.more)).unwrap_or_default();
        let row = entries().0.pop().map(|entry| entry.value);
        let head_keys = entries().0.into_iter().map(|entry| entry.key).collect();
        let (bodies, too_many) = entries();
        Ok(StoredBlocks { row, head_keys, bodies: (!too_many).then_some(bodies) })
    }

    fn merge_bodies(
        &self,
        batch: &mut Batch,
        (id, revision): (TraceId, u64),
        heads: &mut [SpanHead],
        blocks: Vec<Entry>,
    ) -> StoreResult<()> {
        let tree = self.tree(keyspace::SPAN_BODY.name);
        let Some(mut parts) = unpacked(&blocks)? else { return Ok(()) };
        for block in blocks {
            batch.delete(&tree, block.key.to_vec());
        }
        let mut whole = |id: SpanId, blocks: &[u64]| {
            let mut whole: Option<SpanBody> = None;
            for part in blocks.iter().filter_map(|at| parts.remove(&(*at, id))) {
                whole.get_or_insert_default().merge(part);
            }
            whole.map(|body| (id, body))
        };
        // What came apart from its span stays apart: the span may come again, and only it is replaced.
        let own: Vec<_> = heads.iter().filter_map(|head| whole(head.id, &head.body_blocks)).collect();
        let attached: Vec<_> =
            heads.iter().filter_map(|head| whole(head.id, &head.attached.blocks)).collect();
        let mut chunk = 0;
        let mut put = |bodies: Vec<(SpanId, SpanBody)>| -> StoreResult<HashMap<SpanId, u64>> {
            let mut places = HashMap::new();
            let bodies: Vec<_> = bodies.iter().map(|(id, body)| (*id, body)).collect();
            for block in block::cut(&bodies) {
                let at = block::address(revision, chunk);
                places.extend(block.iter().map(|(span, _)| (*span, at)));
                batch.put(&tree, (id, at).encode(), block::encode_bodies(&block)?);
                chunk += 1;
            }
            Ok(places)
        };
        let (own, attached) = (put(own)?, put(attached)?);
        for head in heads {
            head.body_blocks = own.get(&head.id).copied().into_iter().collect();
            head.attached.blocks = attached.get(&head.id).copied().into_iter().collect();
        }
        Ok(())
    }

    fn merge_heads(
        &self,
        batch: &mut Batch,
        id: TraceId,
        heads: &mut [SpanHead],
        old: Vec<Bytes>,
    ) -> StoreResult<()> {
        let tree = self.tree(keyspace::SPAN_HEAD.name);
        // In the order of revisions, so that reading from a revision on begins in the middle.
        heads.sort_unstable_by_key(|head| (head.revision, head.start_time, head.id));
        let mut written = HashSet::new();
        let mut rest = &*heads;
        while let Some(at) =
            rest.get(rest.len().min(HEADS_PER_BLOCK).saturating_sub(1)).map(|head| head.revision)
        {
            // Heads of one revision stay together: the key is the revision.
            let end = rest.partition_point(|head| head.revision <= at);
            let (block, others) = rest.split_at(end);
            let key = (id, at).encode();
            batch.put(&tree, key.clone(), block::encode_heads(&block.iter().collect::<Vec<_>>())?);
            written.insert(key);
            rest = others;
        }
        for key in old.into_iter().filter(|key| !written.contains(key.as_ref())) {
            batch.delete(&tree, key.to_vec());
        }
        Ok(())
    }
}

/// Merges what waits, until nothing does or the store is closed.
async fn merge_waiting(inner: Weak<Inner>) {
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let Some(id) = inner.merges.next() else { return };
        if let Err(error) = (Store { inner }).merge_trace(id).await {
            tracing::warn!(trace = %id, %error, "the trace's blocks were not merged");
        }
    }
}

/// What is kept of a trace.
struct StoredBlocks {
    row: Option<Bytes>,
    head_keys: Vec<Bytes>,
    /// `None`: more than a merge may hold.
    bodies: Option<Vec<Entry>>,
}

/// Parts of bodies by block and span.
type Parts = HashMap<(u64, SpanId), SpanBody>;

/// The parts in these blocks; `None` where they are too much to hold.
fn unpacked(blocks: &[Entry]) -> StoreResult<Option<Parts>> {
    let mut parts = Parts::new();
    let mut bytes = 0;
    for entry in blocks {
        let Some((_, at)) = <(TraceId, u64)>::decode(&entry.key) else { continue };
        let block: BodyBlock = codec::decode(keyspace::SPAN_BODY.name, &entry.value)?;
        for (span, body) in block.0 {
            bytes += body.size();
            parts.entry((at, span)).or_default().merge(body);
        }
        if bytes > MERGE_UNPACKED_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(parts))
}
