//! Writing spans: rules applied in order, one revision a write, queued while the trace is held.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;

use super::{
    block,
    cache::{Slot, TraceState},
};
use crate::{
    engine::Batch,
    model::{
        Refusal, SpanId, Timestamp, TraceId,
        refusal::Entity,
        span::{Effect, SpanBody, SpanHead, SpanOp, WriteRules},
        trace::{Claims, Trace, TraceBody, TraceCompletion, TraceReport},
    },
    store::{
        Store, StoreError, StoreResult, Touched, codec, commit, index,
        key::Key,
        keyspace::{self, Deleted, FollowDue, TurnDue},
        tx,
    },
};

/// What is written to one trace at once.
#[derive(Debug, Clone, Default)]
pub struct TraceWrite {
    /// Writes to spans, in order. They must have passed [`SpanOp::check`].
    pub ops: Vec<SpanOp>,
    /// The end of the trace, after the spans.
    pub complete: Option<TraceCompletion>,
    /// What the spans tell of their trace, where another system reports them: a trace that is not there
    /// is then made.
    pub report: Option<TraceReport>,
    /// Whether a reported trace is to count as over, because nothing has come for long.
    pub settle: bool,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct TraceWritten {
    /// The trace after the write.
    pub trace: Trace,
    /// What became of each write to a span, in order: the span as it stands then.
    pub outcomes: Vec<Result<SpanHead, Refusal>>,
    /// Whether anything was written.
    pub changed: bool,
}

/// The part of a [`TraceBody`] that is given at the start.
pub const START_PART: u8 = 0;

/// The part of a [`TraceBody`] that is given at the end.
pub const END_PART: u8 = 1;

/// The input, as a reported span tells it.
pub const INPUT_PART: u8 = 2;

/// The output, as a reported span tells it.
pub const OUTPUT_PART: u8 = 3;

/// The part of a [`TraceBody`] that is read at the start, while the trace goes on.
pub const STATE_PART: u8 = 4;

/// All parts of a [`TraceBody`]: what was given comes before what spans tell, and holds.
pub const BODY_PARTS: [u8; 5] = [START_PART, END_PART, INPUT_PART, OUTPUT_PART, STATE_PART];

impl Store {
    /// Writes to a trace; durable when it returns `Ok`. The outer refusal is of the whole (there is no
    /// such trace, or it cannot be completed): then nothing was written.
    pub async fn write_trace(
        &self,
        id: TraceId,
        write: &TraceWrite,
        rules: &WriteRules<'_>,
    ) -> StoreResult<Result<TraceWritten, Refusal>> {
        self.write_packed(id, write, &write.pack()?, rules).await
    }

    /// As [`Store::write_trace`], with bodies that are packed already: writes to several traces that are
    /// packed before the first of them is queued share a commit.
    pub async fn write_packed(
        &self,
        id: TraceId,
        write: &TraceWrite,
        bodies: &PackedBodies,
        rules: &WriteRules<'_>,
    ) -> StoreResult<Result<TraceWritten, Refusal>> {
        for _ in 1..tx::ATTEMPTS {
            match self.try_write_trace(id, write, bodies, rules).await {
                Err(StoreError::Conflict) => {}
                result => return result,
            }
        }
        self.try_write_trace(id, write, bodies, rules).await
    }

    async fn try_write_trace(
        &self,
        id: TraceId,
        write: &TraceWrite,
        bodies: &PackedBodies,
        rules: &WriteRules<'_>,
    ) -> StoreResult<Result<TraceWritten, Refusal>> {
        let place = self.committer().place(bodies.size() + 1_024 * (1 + write.ops.len()))?;
        let slot = self.traces().slot(id);
        let mut held = slot.state.lock().await;
        // One that was not there for a report may have been started since.
        if held.as_ref().is_none_or(|state| state.row.is_none() && write.report.is_none()) {
            *held = self.load_state(id).await?;
        }
        if held.is_none() && write.report.is_some() {
            *held = Some(TraceState::absent(id, rules.now, self.traces().next_reading()));
        }
        let Some(state) = held.as_mut().filter(|state| state.row.is_some() || write.report.is_some()) else {
            return Ok(Err(Refusal::not_found("traceId", Entity::Trace, id)));
        };
        let applied = match Change::begin(state, rules).run(self, write, bodies) {
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
        let changed = applied.changed;
        Ok(applied.outcome.map(|outcomes| TraceWritten { trace, outcomes, changed }))
    }

    /// Reads a trace with all its heads, if there is one.
    pub(super) async fn load_state(&self, id: TraceId) -> StoreResult<Option<TraceState>> {
        let reading = self.traces().next_reading();
        let found = self.read_spans(&[(id, 0)]).await?.pop().flatten();
        Ok(found.map(|(row, spans)| TraceState::of(row, spans, reading)))
    }

    /// Whether a write to a trace must read it first.
    #[must_use]
    pub fn is_to_be_read(&self, id: TraceId) -> bool {
        // Somebody's turn: it is read, or will be.
        let unread = |slot: Arc<Slot>| slot.state.try_lock().is_ok_and(|state| state.is_none());
        self.traces().at_hand(id).is_none_or(unread)
    }

    /// Reads traces for the reports that follow, with one call to the engine. Those that are not there begin at
    /// `now`.
    pub async fn read_ahead(&self, ids: &[TraceId], now: Timestamp) -> StoreResult<()> {
        let reading = self.traces().next_reading();
        let wanted: Vec<_> = ids.iter().map(|id| (*id, 0)).collect();
        for (id, found) in ids.iter().zip(self.read_spans(&wanted).await?) {
            let slot = self.traces().slot(*id);
            // Who holds it has read it. Whoever wrote meanwhile changed the row, so what was read here fails.
            let Ok(mut held) = slot.state.try_lock() else { continue };
            if held.is_some() {
                continue;
            }
            let state = match found {
                Some((row, spans)) => TraceState::of(row, spans, reading),
                None => TraceState::absent(*id, now, reading),
            };
            let heads = state.heads.len();
            *held = Some(state);
            drop(held);
            self.traces().resized(&slot, heads);
        }
        Ok(())
    }

    /// Chooses from a trace and its heads as the last queued write leaves them: from memory where they are
    /// there, else they are read.
    pub async fn choose_heads<T>(
        &self,
        id: TraceId,
        choose: impl FnOnce(&Trace, &[&SpanHead]) -> T,
    ) -> StoreResult<Option<T>> {
        let slot = self.traces().slot(id);
        let held = slot.state.lock().await;
        if let Some(state) = held.as_ref().filter(|state| state.row.is_some()) {
            return Ok(Some(choose(&state.trace, &state.heads.iter().collect::<Vec<_>>())));
        }
        drop(held);
        let found = self.trace_spans(&[id]).await?.pop().flatten();
        Ok(found.map(|spans| choose(&spans.trace, &spans.heads.iter().collect::<Vec<_>>())))
    }

    /// Which spans a trace's fields were taken from, as far as is known without reading or waiting: later spans
    /// that count less need not be looked at. Where that rests on a write that still fails, its sender is told, and
    /// sends again what counts more.
    #[must_use]
    pub fn claims_at_hand(&self, id: TraceId) -> Claims {
        let claims = |slot: Arc<Slot>| Some(slot.state.try_lock().ok()?.as_ref()?.trace.claims.clone());
        self.traces().at_hand(id).and_then(claims).unwrap_or_default()
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

impl TraceWrite {
    /// Packs the bodies that the write brings.
    pub fn pack(&self) -> StoreResult<PackedBodies> {
        PackedBodies::of(&self.ops, |_| true)
    }
}

/// The bodies of a write, packed before the trace is held, because that is most of the work.
#[derive(Debug)]
pub struct PackedBodies {
    blocks: Vec<Bytes>,
    /// For each write to a span, the block that has its body.
    block_of: Vec<Option<usize>>,
}

impl PackedBodies {
    fn accepted(ops: &[SpanOp], outcomes: &[Outcome]) -> StoreResult<Self> {
        Self::of(ops, |index| matches!(outcomes.get(index), Some(Ok((_, true)))))
    }

    /// Packs what the `accepted` writes bring and no later one of them replaces: parts of one span in
    /// one block are read as one. What comes apart from its span is packed apart too.
    fn of(ops: &[SpanOp], accepted: impl Fn(usize) -> bool) -> StoreResult<Self> {
        let accepted = || ops.iter().enumerate().filter(|(index, _)| accepted(*index));
        let replaced: HashMap<SpanId, usize> =
            accepted().filter(|(_, op)| op.replaces()).map(|(index, op)| (op.id, index)).collect();
        let lasts = |index: usize, op: &SpanOp| {
            op.attaches() || replaced.get(&op.id).is_none_or(|last| index >= *last)
        };
        let (attached, own): (Vec<_>, Vec<_>) = accepted()
            .filter(|(index, op)| lasts(*index, op))
            .filter_map(|(index, op)| Some((index, op, op.body()?)))
            .partition(|(_, op, _)| op.attaches());
        let mut packed = Self { blocks: Vec::new(), block_of: vec![None; ops.len()] };
        packed.pack(own)?;
        packed.pack(attached)?;
        Ok(packed)
    }

    fn pack(&mut self, bodies: Vec<(usize, &SpanOp, &SpanBody)>) -> StoreResult<()> {
        let (indexes, bodies): (Vec<_>, Vec<_>) =
            bodies.into_iter().map(|(index, op, body)| (index, (op.id, body))).unzip();
        let mut indexes = indexes.into_iter();
        for block in block::cut(&bodies) {
            for index in indexes.by_ref().take(block.len()) {
                if let Some(place) = self.block_of.get_mut(index) {
                    *place = Some(self.blocks.len());
                }
            }
            self.blocks.push(block::encode_bodies(&block)?.into());
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.blocks.iter().map(Bytes::len).sum()
    }
}

/// What becomes of a write to a span: the span as it stands then, and whether the write changed it.
type Outcome = Result<(SpanHead, bool), Refusal>;

/// What a write comes to before it is queued.
struct Applied {
    batch: Batch,
    outcome: Result<Vec<Result<SpanHead, Refusal>>, Refusal>,
    changed: bool,
}

/// A write on its way into the state in memory.
struct Change<'a> {
    state: &'a mut TraceState,
    old: Trace,
    rules: &'a WriteRules<'a>,
    changed: Vec<SpanId>,
}

impl<'a> Change<'a> {
    fn begin(state: &'a mut TraceState, rules: &'a WriteRules<'a>) -> Self {
        let old = state.trace.clone();
        state.trace.revision += 1;
        Self { state, old, rules, changed: Vec::new() }
    }

    fn run(mut self, store: &Store, write: &TraceWrite, bodies: &PackedBodies) -> StoreResult<Applied> {
        if let Some(completion) = &write.complete
            && let Err(refusal) = self.state.trace.complete(completion, self.rules.now)
        {
            return Ok(self.unchanged(store, Err(refusal)));
        }
        let settles = write.settle && !self.old.settled && !self.old.status.is_final();
        self.state.trace.settled |= settles;
        let mut outcomes = self.apply(&write.ops, bodies);
        let heads = |outcomes: Vec<Outcome>| outcomes.into_iter().map(|outcome| Ok(outcome?.0)).collect();
        if self.changed.is_empty() && write.complete.is_none() && !settles {
            return Ok(self.unchanged(store, Ok(heads(outcomes))));
        }
        if outcomes.iter().all(|outcome| matches!(outcome, Ok((_, true)))) {
            let batch = self.finish(store, bodies, write)?;
            return Ok(Applied { batch, outcome: Ok(heads(outcomes)), changed: true });
        }
        // Nothing is kept of what was refused, or known already: the others are packed without it.
        let accepted = PackedBodies::accepted(&write.ops, &outcomes)?;
        self.readdress(&accepted, &write.ops, &mut outcomes);
        let batch = self.finish(store, &accepted, write)?;
        Ok(Applied { batch, outcome: Ok(heads(outcomes)), changed: true })
    }

    /// A write of which nothing is kept. It still waits its turn: what it was refused for may itself be
    /// on its way to the disk, and not arrive.
    fn unchanged(self, store: &Store, outcome: Result<Vec<Result<SpanHead, Refusal>>, Refusal>) -> Applied {
        self.state.trace.revision = self.old.revision;
        let mut batch = Batch::default();
        let row = self.state.row.clone();
        batch.require(&store.tree(keyspace::TRACE.name), self.state.trace.id.encode(), row);
        Applied { batch, outcome, changed: false }
    }

    /// Applies the writes in order; each sees what the ones before it did.
    fn apply(&mut self, ops: &[SpanOp], bodies: &PackedBodies) -> Vec<Outcome> {
        ops.iter().zip(&bodies.block_of).map(|(op, block)| self.apply_one(op, *block)).collect()
    }

    fn apply_one(&mut self, op: &SpanOp, block: Option<usize>) -> Outcome {
        let old = self.state.heads.get(op.id);
        let most = self.rules.limits.trace_spans;
        if old.is_none() && self.state.heads.len() >= most {
            return Err(Refusal::limit("traceId", format!("a trace has at most {most} spans")));
        }
        let mut head = match (op.apply(old, self.rules)?, old) {
            (Effect::Changed(head), _) => *head,
            (Effect::Known, Some(old)) => return Ok((old.clone(), false)),
            (Effect::Known, None) => return Err(Refusal::not_found("spanId", Entity::Span, op.id)),
        };
        head.revision = self.state.trace.revision;
        let blocks = if op.attaches() { &mut head.attached.blocks } else { &mut head.body_blocks };
        if let Some(at) = block.map(|block| block::address(head.revision, block))
            && !blocks.contains(&at)
        {
            blocks.push(at);
        }
        self.state.heads.put(head.clone());
        self.changed.push(op.id);
        Ok((head, true))
    }

    /// Tells the heads where the parts of their bodies went after they were packed anew.
    fn readdress(&mut self, bodies: &PackedBodies, ops: &[SpanOp], outcomes: &mut [Outcome]) {
        let first = block::address(self.state.trace.revision, 0);
        let mut blocks_of: HashMap<SpanId, [Vec<u64>; 2]> = HashMap::new();
        let moved = |head: &mut SpanHead, [own, attached]: &[Vec<u64>; 2]| {
            for (blocks, new) in [(&mut head.body_blocks, own), (&mut head.attached.blocks, attached)] {
                blocks.retain(|at| *at < first);
                blocks.extend(new);
            }
        };
        for ((outcome, op), block) in outcomes.iter_mut().zip(ops).zip(&bodies.block_of) {
            let Ok((head, true)) = outcome else { continue };
            let [own, attached] = blocks_of.entry(head.id).or_default();
            let blocks = if op.attaches() { attached } else { own };
            let at = block.map(|block| block::address(head.revision, block));
            blocks.extend(at.filter(|at| !blocks.contains(at)));
            if let Some(blocks) = blocks_of.get(&head.id) {
                moved(head, blocks);
            }
        }
        for (id, blocks) in blocks_of {
            let Some(mut head) = self.state.heads.get(id).cloned() else { continue };
            moved(&mut head, &blocks);
            self.state.heads.put(head);
        }
    }

    /// The batch of the whole write.
    fn finish(mut self, store: &Store, bodies: &PackedBodies, write: &TraceWrite) -> StoreResult<Batch> {
        let trace = &mut self.state.trace;
        trace.summary = self.state.heads.summary().clone();
        trace.last_activity_at = trace.last_activity_at.max(self.rules.now);
        trace.block_count = trace.block_count.saturating_add(u32::from(!self.changed.is_empty()));
        let (input, output) =
            write.report.as_ref().map(|report| trace.take_report(report)).unwrap_or_default();
        trace.follow_spans(self.state.heads.roots());
        let (id, revision) = (trace.id, trace.revision);
        let mut batch = Batch::default();
        self.put_row(store, &mut batch)?;
        self.put_heads(store, &mut batch, (id, revision))?;
        for (chunk, block) in bodies.blocks.iter().enumerate() {
            let key = (id, block::address(revision, chunk)).encode();
            batch.put(&store.tree(keyspace::SPAN_BODY.name), key, block.clone());
        }
        let end = write.complete.as_ref().and_then(|completion| completion.final_output.clone());
        let body = |user_input, final_output| TraceBody { user_input, final_output, ..TraceBody::default() };
        let parts = [
            (END_PART, end.map(|output| body(None, Some(output)))),
            (INPUT_PART, input.map(|input| body(Some(input), None))),
            (OUTPUT_PART, output.map(|output| body(None, Some(output)))),
        ];
        for (part, body) in parts.into_iter().filter_map(|(part, body)| Some((part, body?))) {
            put_body(store, &mut batch, (id, part), &body)?;
        }
        if (write.report.is_some() || write.settle) && self.state.trace.is_told() {
            let mark = codec::encode(keyspace::TURN_DUE.name, &TurnDue { revision })?;
            batch.put(&store.tree(keyspace::TURN_DUE.name), id.encode(), mark);
        }
        // Also when it goes on again: what was made of its end is to be taken back.
        if self.old.status.is_final() || self.state.trace.status.is_final() {
            put_follow_due(store, &mut batch, &self.state.trace)?;
        }
        debug_assert!(commit::size(&batch) > 0, "a write writes at least the row");
        Ok(batch)
    }

    /// Puts the row in place of the one that it rests on, with its index entries.
    fn put_row(&mut self, store: &Store, batch: &mut Batch) -> StoreResult<()> {
        let TraceState { trace, row, .. } = &mut *self.state;
        let new = Bytes::from(codec::encode(keyspace::TRACE.name, &*trace)?);
        let old = row.replace(new.clone());
        let is_new = old.is_none();
        let tree = store.tree(keyspace::TRACE.name);
        batch.require(&tree, trace.id.encode(), old);
        batch.put(&tree, trace.id.encode(), new);
        if is_new {
            // What is left of a trace with this id must be gone first.
            let mark = Deleted::Trace(trace.id).encode();
            batch.require(&store.tree(keyspace::DELETION.name), mark, None);
            put_body(store, batch, (trace.id, START_PART), &TraceBody::default())?;
        }
        index::write_diff(store, batch, (!is_new).then_some(&self.old), Some(trace))
    }

    fn put_heads(&mut self, store: &Store, batch: &mut Batch, key: (TraceId, u64)) -> StoreResult<()> {
        self.changed.sort_unstable();
        self.changed.dedup();
        if self.changed.is_empty() {
            return Ok(());
        }
        let heads: Vec<_> = self.changed.iter().filter_map(|id| self.state.heads.get(*id)).collect();
        let value = block::encode_heads(&heads)?;
        batch.put(&store.tree(keyspace::SPAN_HEAD.name), key.encode(), value);
        Ok(())
    }
}

/// Marks that something of a trace is new to those who follow its end.
pub(super) fn put_follow_due(store: &Store, batch: &mut Batch, trace: &Trace) -> StoreResult<()> {
    let mark = FollowDue { revision: trace.revision, at: trace.last_activity_at, more: 0 };
    let mark = codec::encode(keyspace::FOLLOW_DUE.name, &mark)?;
    batch.put(&store.tree(keyspace::FOLLOW_DUE.name), trace.id.encode(), mark);
    Ok(())
}

fn put_body(store: &Store, batch: &mut Batch, key: (TraceId, u8), body: &TraceBody) -> StoreResult<()> {
    let value = codec::encode(keyspace::TRACE_BODY.name, body)?;
    batch.put(&store.tree(keyspace::TRACE_BODY.name), key.encode(), value);
    Ok(())
}
