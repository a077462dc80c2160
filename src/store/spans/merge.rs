//! Merging small blocks: a live run writes a span at a time, twice; once it is over, its blocks are
//! put together, so that reading the trace is a few large reads and its spans compress together.
//!
//! Merging changes no head and no body, only where they stand. It runs in the background, a trace at
//! a time, as an ordinary conditional write: were it lost, the trace only stays in smaller blocks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    block::{self, HeadBlock},
    cache::TraceState,
    load::of_trace,
};
use crate::{
    engine::{Batch, ScanRequest},
    model::{
        SpanId, TraceId,
        span::{SpanBody, SpanHead},
        trace::Trace,
    },
    store::{Store, StoreResult, codec, key::Key, keyspace},
};

/// Blocks that a complete trace may keep: fewer are not worth a rewrite.
const FEW_BLOCKS: u32 = 4;

/// Spans a block holds on average where merging has nothing to gain.
const FULL_BLOCK: u64 = 16;

/// Heads that go into one merged block.
const HEADS_PER_BLOCK: usize = 1_024;

/// Bytes of packed bodies that one merge reads at most: what it holds in memory. The bodies of a
/// larger trace stay as they were written.
const MERGE_BYTES: usize = 32 << 20;

impl Store {
    /// Merges a trace's blocks in the background if it is worth it.
    pub(super) fn merge_if_due(&self, trace: &Trace) {
        let small = trace.summary.span_count < u64::from(trace.block_count) * FULL_BLOCK;
        let complete = trace.status.is_final() && trace.block_count > FEW_BLOCKS;
        let many = trace.block_count >= self.config().spans.merge_after_blocks;
        if !small || !(complete || many) {
            return;
        }
        // One merge at a time: it is work for idle moments. The trace's next write asks again.
        let Ok(turn) = Arc::clone(&self.inner.merging).try_acquire_owned() else { return };
        let (store, id) = (self.clone(), trace.id);
        tokio::spawn(async move {
            if let Err(error) = store.merge_trace(id).await {
                tracing::warn!(trace = %id, %error, "the trace's blocks were not merged");
            }
            drop(turn);
        });
    }

    /// Merges a trace's blocks now.
    pub async fn merge_trace(&self, id: TraceId) -> StoreResult<()> {
        let slot = self.slot(id);
        let mut held = slot.state.lock().await;
        if held.is_none() {
            *held = self.load_state(id).await?;
        }
        let Some(state) = held.as_mut() else { return Ok(()) };
        let place = self.committer().place(0)?;
        let merged = self.merge_state(state).await;
        let batch = match merged {
            Ok(batch) => batch,
            Err(error) => {
                *held = None;
                return Err(error);
            }
        };
        let spans = state.heads.len();
        let pending = place.submit(batch, Vec::new());
        drop(held);
        let result = pending.durable().await;
        if result.is_err() {
            *slot.state.lock().await = None;
        }
        self.traces().resized(&slot, if result.is_ok() { spans } else { 0 });
        result
    }

    async fn merge_state(&self, state: &mut TraceState) -> StoreResult<Batch> {
        let id = state.trace.id;
        let mut batch = Batch::default();
        state.trace.revision += 1;
        state.trace.block_count = 0;
        let blocks = self.body_blocks(id).await?;
        let mut heads: Vec<SpanHead> = state.heads.iter().cloned().collect();
        heads.sort_unstable_by_key(|head| (head.start_time, head.id));
        if let Some(blocks) = blocks {
            self.merge_bodies(&mut batch, (id, state.trace.revision), &mut heads, blocks)?;
        }
        self.merge_heads(&mut batch, id, &mut heads).await?;
        let row = Bytes::from(codec::encode(keyspace::TRACE.name, &state.trace)?);
        let tree = self.tree(keyspace::TRACE.name);
        batch.require(&tree, id.encode(), Some(std::mem::replace(&mut state.row, row.clone())));
        batch.put(&tree, id.encode(), row);
        for head in heads {
            state.heads.put(head);
        }
        Ok(batch)
    }

    /// All body blocks of a trace with their addresses; `None` where they are too many to hold.
    async fn body_blocks(&self, id: TraceId) -> StoreResult<Option<Vec<(u64, Bytes)>>> {
        let tree = self.tree(keyspace::SPAN_BODY.name);
        let request =
            ScanRequest { max_bytes: MERGE_BYTES, ..ScanRequest::forward(&tree, of_trace(id), usize::MAX) };
        let page = crate::engine::scan(self.engine().as_ref(), request).await?;
        if page.more {
            return Ok(None);
        }
        let address = |key: &[u8]| <(TraceId, u64)>::decode(key).map(|(_, at)| at);
        Ok(Some(
            page.entries.into_iter().filter_map(|entry| Some((address(&entry.key)?, entry.value))).collect(),
        ))
    }

    fn merge_bodies(
        &self,
        batch: &mut Batch,
        (id, revision): (TraceId, u64),
        heads: &mut [SpanHead],
        blocks: Vec<(u64, Bytes)>,
    ) -> StoreResult<()> {
        let (name, tree) = (keyspace::SPAN_BODY.name, self.tree(keyspace::SPAN_BODY.name));
        let mut parts: HashMap<(u64, SpanId), SpanBody> = HashMap::new();
        for (at, value) in blocks {
            for (span, body) in codec::decode::<super::BodyBlock>(name, &value)?.0 {
                parts.entry((at, span)).or_default().merge(body);
            }
            batch.delete(&tree, (id, at).encode());
        }
        let mut bodies = Vec::new();
        for head in heads.iter() {
            let mut whole: Option<SpanBody> = None;
            for part in head.body_blocks.iter().filter_map(|at| parts.remove(&(*at, head.id))) {
                whole.get_or_insert_default().merge(part);
            }
            bodies.extend(whole.map(|body| (head.id, body)));
        }
        let mut places: HashMap<SpanId, u64> = HashMap::new();
        for (chunk, block) in block::cut(bodies).into_iter().enumerate() {
            let at = block::address(revision, chunk);
            places.extend(block.0.iter().map(|(span, _)| (*span, at)));
            batch.put(&tree, (id, at).encode(), codec::encode(name, &block)?);
        }
        for head in heads {
            head.body_blocks = places.get(&head.id).copied().into_iter().collect();
        }
        Ok(())
    }

    async fn merge_heads(&self, batch: &mut Batch, id: TraceId, heads: &mut [SpanHead]) -> StoreResult<()> {
        let (name, tree) = (keyspace::SPAN_HEAD.name, self.tree(keyspace::SPAN_HEAD.name));
        let request = ScanRequest::forward(&tree, of_trace(id), usize::MAX);
        let old = crate::engine::scan(self.engine().as_ref(), request).await?.entries;
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
            batch.put(&tree, key.clone(), codec::encode(name, &HeadBlock(block.to_vec()))?);
            written.insert(key);
            rest = others;
        }
        for entry in old.into_iter().filter(|entry| !written.contains(entry.key.as_ref())) {
            batch.delete(&tree, entry.key.to_vec());
        }
        Ok(())
    }
}
