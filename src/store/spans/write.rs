//! Writing spans: rules applied in order, one revision a write, queued while the trace is held.

use std::collections::HashMap;

use bytes::Bytes;

use super::{
    block::{self, BodyBlock, HeadBlock},
    cache::{Slot, TraceState},
};
use crate::{
    engine::Batch,
    model::{
        Refusal, SpanId, Timestamp, TraceId,
        limits::RecordLimits,
        refusal::Entity,
        span::{SpanHead, SpanOp},
        summary::TraceHeads,
        trace::{TraceBody, TraceCompletion},
    },
    store::{Store, StoreError, StoreResult, Touched, codec, commit, index, key::Key, keyspace, tx},
};

/// What is written to one trace at once.
#[derive(Debug, Clone, Default)]
pub struct TraceWrite {
    /// Writes to spans, in order. They must have passed [`SpanOp::check`].
    pub ops: Vec<SpanOp>,
    /// The end of the trace, after the spans.
    pub complete: Option<TraceCompletion>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct TraceWritten {
    /// The trace after the write.
    pub trace: crate::model::trace::Trace,
    /// What became of each write to a span, in order.
    pub outcomes: Vec<Result<SpanHead, Refusal>>,
}

/// The part of a [`TraceBody`] that is given at the start.
pub const START_PART: u8 = 0;

/// The part of a [`TraceBody`] that is given at the end.
pub const END_PART: u8 = 1;

impl Store {
    /// Writes to a trace; durable when it returns `Ok`. The outer refusal is of the whole (there is no
    /// such trace, or it cannot be completed): then nothing was written.
    pub async fn write_trace(
        &self,
        id: TraceId,
        write: &TraceWrite,
        now: Timestamp,
        limits: &RecordLimits,
    ) -> StoreResult<Result<TraceWritten, Refusal>> {
        let bodies = PackedBodies::all(&write.ops)?;
        for _ in 1..tx::ATTEMPTS {
            match self.try_write_trace(id, write, &bodies, (now, limits)).await {
                Err(StoreError::Conflict) => {}
                result => return result,
            }
        }
        self.try_write_trace(id, write, &bodies, (now, limits)).await
    }

    async fn try_write_trace(
        &self,
        id: TraceId,
        write: &TraceWrite,
        bodies: &PackedBodies,
        (now, limits): (Timestamp, &RecordLimits),
    ) -> StoreResult<Result<TraceWritten, Refusal>> {
        let place = self.committer().place(bodies.size() + 1_024 * (1 + write.ops.len()))?;
        let slot = self.traces().slot(id);
        let mut held = slot.state.lock().await;
        if held.is_none() {
            *held = self.load_state(id).await?;
        }
        let Some(state) = held.as_mut() else {
            return Ok(Err(Refusal::not_found("traceId", Entity::Trace, id)));
        };
        let applied = match Change::begin(state, now).run(self, write, bodies, limits) {
            Ok(applied) => applied,
            Err(error) => {
                // What was applied before the failure is in memory only.
                *held = None;
                return Err(error);
            }
        };
        let (trace, reading) = (state.trace.clone(), state.reading);
        let touched = applied.changed.then_some(Touched::Trace { id, revision: trace.revision });
        let pending = place.submit(applied.batch, touched.into_iter().collect());
        self.traces().resized(&slot, state.heads.len());
        drop(held);
        if let Err(error) = pending.durable().await {
            self.forget(&slot, reading).await;
            return Err(error);
        }
        if applied.changed {
            self.merge_if_due(&trace);
        }
        Ok(applied.outcome.map(|outcomes| TraceWritten { trace, outcomes }))
    }

    /// Reads a trace with all its heads, if there is one.
    pub(super) async fn load_state(&self, id: TraceId) -> StoreResult<Option<TraceState>> {
        let reading = self.traces().next_reading();
        let found = self.read_spans(&[(id, 0)]).await?.pop().flatten();
        Ok(found.map(|(row, spans)| {
            let heads = TraceHeads::new(spans.heads);
            TraceState { trace: spans.trace, row, heads, reading }
        }))
    }

    /// Lets go of the state that a failed write was part of: it is ahead of what is kept.
    pub(super) async fn forget(&self, slot: &Slot, reading: u64) {
        let mut held = slot.state.lock().await;
        if held.as_ref().is_some_and(|state| state.reading == reading) {
            *held = None;
            self.traces().resized(slot, 0);
        }
    }
}

/// The bodies of a write, packed before the trace is held, because that is most of the work.
struct PackedBodies {
    blocks: Vec<Bytes>,
    /// For each write to a span, the block that has its body.
    block_of: Vec<Option<usize>>,
}

impl PackedBodies {
    fn all(ops: &[SpanOp]) -> StoreResult<Self> {
        Self::of(ops, |_| true)
    }

    fn accepted(ops: &[SpanOp], outcomes: &[Result<SpanHead, Refusal>]) -> StoreResult<Self> {
        Self::of(ops, |index| outcomes.get(index).is_some_and(Result::is_ok))
    }

    /// Packs what the `accepted` writes bring and no later one of them replaces: parts of one span in
    /// one block are read as one.
    fn of(ops: &[SpanOp], accepted: impl Fn(usize) -> bool) -> StoreResult<Self> {
        let accepted = || ops.iter().enumerate().filter(|(index, _)| accepted(*index));
        let replaced: HashMap<SpanId, usize> =
            accepted().filter(|(_, op)| op.replaces()).map(|(index, op)| (op.id, index)).collect();
        let mut kept = Vec::new();
        let mut has_body = vec![false; ops.len()];
        for (index, op) in accepted() {
            let lasts = replaced.get(&op.id).is_none_or(|last| index >= *last);
            if let (true, false, Some(has)) = (lasts, op.body().is_empty(), has_body.get_mut(index)) {
                *has = true;
                kept.push((op.id, op.body().clone()));
            }
        }
        let blocks = block::cut(kept);
        let mut blocks_in_order =
            blocks.iter().enumerate().flat_map(|(at, block)| std::iter::repeat_n(at, block.0.len()));
        let block_of =
            has_body.into_iter().map(|has| if has { blocks_in_order.next() } else { None }).collect();
        let pack = |block: &BodyBlock| codec::encode(keyspace::SPAN_BODY.name, block).map(Bytes::from);
        Ok(Self { blocks: blocks.iter().map(pack).collect::<StoreResult<_>>()?, block_of })
    }

    fn size(&self) -> usize {
        self.blocks.iter().map(Bytes::len).sum()
    }
}

/// What a write comes to before it is queued.
struct Applied {
    batch: Batch,
    outcome: Result<Vec<Result<SpanHead, Refusal>>, Refusal>,
    changed: bool,
}

/// A write on its way into the state in memory.
struct Change<'a> {
    state: &'a mut TraceState,
    old: crate::model::trace::Trace,
    now: Timestamp,
    changed: Vec<SpanId>,
}

impl<'a> Change<'a> {
    fn begin(state: &'a mut TraceState, now: Timestamp) -> Self {
        let old = state.trace.clone();
        state.trace.revision += 1;
        Self { state, old, now, changed: Vec::new() }
    }

    fn run(
        mut self,
        store: &Store,
        write: &TraceWrite,
        bodies: &PackedBodies,
        limits: &RecordLimits,
    ) -> StoreResult<Applied> {
        if let Some(completion) = &write.complete
            && let Err(refusal) = self.state.trace.complete(completion, self.now)
        {
            return Ok(self.unchanged(store, Err(refusal)));
        }
        let mut outcomes = self.apply(&write.ops, bodies, limits);
        if self.changed.is_empty() && write.complete.is_none() {
            return Ok(self.unchanged(store, Ok(outcomes)));
        }
        if outcomes.iter().all(Result::is_ok) {
            let batch = self.finish(store, bodies, write)?;
            return Ok(Applied { batch, outcome: Ok(outcomes), changed: true });
        }
        // Nothing of what was refused is kept: the others are packed without it.
        let accepted = PackedBodies::accepted(&write.ops, &outcomes)?;
        self.readdress(&accepted, &mut outcomes);
        let batch = self.finish(store, &accepted, write)?;
        Ok(Applied { batch, outcome: Ok(outcomes), changed: true })
    }

    /// A write of which nothing is kept. It still waits its turn: what it was refused for may itself be
    /// on its way to the disk, and not arrive.
    fn unchanged(self, store: &Store, outcome: Result<Vec<Result<SpanHead, Refusal>>, Refusal>) -> Applied {
        self.state.trace.revision = self.old.revision;
        let mut batch = Batch::default();
        let row = self.state.row.clone();
        batch.require(&store.tree(keyspace::TRACE.name), self.state.trace.id.encode(), Some(row));
        Applied { batch, outcome, changed: false }
    }

    /// Applies the writes in order; each sees what the ones before it did.
    fn apply(
        &mut self,
        ops: &[SpanOp],
        bodies: &PackedBodies,
        limits: &RecordLimits,
    ) -> Vec<Result<SpanHead, Refusal>> {
        ops.iter().zip(&bodies.block_of).map(|(op, block)| self.apply_one(op, *block, limits)).collect()
    }

    fn apply_one(
        &mut self,
        op: &SpanOp,
        block: Option<usize>,
        limits: &RecordLimits,
    ) -> Result<SpanHead, Refusal> {
        let old = self.state.heads.get(op.id);
        if old.is_none() && self.state.heads.len() >= limits.trace_spans {
            return Err(Refusal::limit(
                "traceId",
                format!("a trace has at most {} spans", limits.trace_spans),
            ));
        }
        let mut head = op.apply(old, self.now)?;
        head.revision = self.state.trace.revision;
        if let Some(at) = block.map(|block| block::address(head.revision, block))
            && !head.body_blocks.contains(&at)
        {
            head.body_blocks.push(at);
        }
        self.state.heads.put(head.clone());
        self.changed.push(op.id);
        Ok(head)
    }

    /// Tells the heads where the parts of their bodies went after they were packed anew.
    fn readdress(&mut self, bodies: &PackedBodies, outcomes: &mut [Result<SpanHead, Refusal>]) {
        let first = block::address(self.state.trace.revision, 0);
        let mut blocks_of: HashMap<SpanId, Vec<u64>> = HashMap::new();
        for (outcome, block) in outcomes.iter_mut().zip(&bodies.block_of) {
            let Ok(head) = outcome else { continue };
            let blocks = blocks_of.entry(head.id).or_default();
            let at = block.map(|block| block::address(head.revision, block));
            blocks.extend(at.filter(|at| !blocks.contains(at)));
            head.body_blocks.retain(|at| *at < first);
            head.body_blocks.extend(blocks.iter());
        }
        for (id, blocks) in blocks_of {
            let Some(mut head) = self.state.heads.get(id).cloned() else { continue };
            head.body_blocks.retain(|at| *at < first);
            head.body_blocks.extend(blocks);
            self.state.heads.put(head);
        }
    }

    /// The batch of the whole write.
    fn finish(mut self, store: &Store, bodies: &PackedBodies, write: &TraceWrite) -> StoreResult<Batch> {
        let trace = &mut self.state.trace;
        trace.summary = self.state.heads.summary().clone();
        trace.last_activity_at = trace.last_activity_at.max(self.now);
        trace.block_count = trace.block_count.saturating_add(u32::from(!self.changed.is_empty()));
        let (id, revision) = (trace.id, trace.revision);
        let mut batch = Batch::default();
        let row = Bytes::from(codec::encode(keyspace::TRACE.name, &*trace)?);
        let tree = store.tree(keyspace::TRACE.name);
        batch.require(&tree, id.encode(), Some(std::mem::replace(&mut self.state.row, row.clone())));
        batch.put(&tree, id.encode(), row);
        index::write_diff(store, &mut batch, Some(&self.old), Some(&self.state.trace))?;
        self.put_heads(store, &mut batch, (id, revision))?;
        for (chunk, block) in bodies.blocks.iter().enumerate() {
            let key = (id, block::address(revision, chunk)).encode();
            batch.put(&store.tree(keyspace::SPAN_BODY.name), key, block.clone());
        }
        if let Some(output) = write.complete.as_ref().and_then(|completion| completion.final_output.clone()) {
            let part = TraceBody { final_output: Some(output), ..TraceBody::default() };
            let value = codec::encode(keyspace::TRACE_BODY.name, &part)?;
            batch.put(&store.tree(keyspace::TRACE_BODY.name), (id, END_PART).encode(), value);
        }
        debug_assert!(commit::size(&batch) > 0, "a write writes at least the row");
        Ok(batch)
    }

    fn put_heads(&mut self, store: &Store, batch: &mut Batch, key: (TraceId, u64)) -> StoreResult<()> {
        self.changed.sort_unstable();
        self.changed.dedup();
        if self.changed.is_empty() {
            return Ok(());
        }
        let heads = self.changed.iter().filter_map(|id| self.state.heads.get(*id).cloned()).collect();
        let value = codec::encode(keyspace::SPAN_HEAD.name, &HeadBlock(heads))?;
        batch.put(&store.tree(keyspace::SPAN_HEAD.name), key.encode(), value);
        Ok(())
    }
}
