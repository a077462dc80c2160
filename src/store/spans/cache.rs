//! The traces written last, in memory, so that a write need not read what it adds to.
//!
//! It is only a cache: every write names the trace's row that it rests on as a precondition, so a
//! stale entry makes a commit fail, never makes it wrong.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bytes::Bytes;
use lru::LruCache;
use parking_lot::Mutex;

use super::load::StoredSpans;
use crate::model::{Timestamp, TraceId, summary::TraceHeads, trace::Trace};

/// A trace as its last queued write leaves it.
pub(super) struct TraceState {
    /// The row.
    pub(super) trace: Trace,
    /// The row's bytes; `None`: there is no row yet.
    pub(super) row: Option<Bytes>,
    /// All heads.
    pub(super) heads: TraceHeads,
    /// Which reading from the engine it rests on: a write that fails takes only the state with it that
    /// it was part of, not one that was read since.
    pub(super) reading: u64,
}

impl TraceState {
    /// A trace as it was read.
    pub(super) fn of(row: Bytes, StoredSpans { trace, heads }: StoredSpans, reading: u64) -> Self {
        Self { trace, row: Some(row), heads: TraceHeads::new(heads), reading }
    }

    /// A trace that is not there, as a report finds it.
    pub(super) fn absent(id: TraceId, now: Timestamp, reading: u64) -> Self {
        Self { trace: Trace::reported(id, now), row: None, heads: TraceHeads::default(), reading }
    }
}

/// The place of one trace. Writers of a trace take turns by its lock, for as long as it takes to
/// queue a write, not to commit it.
#[derive(Default)]
pub(super) struct Slot {
    /// `None`: to be read first.
    pub(super) state: tokio::sync::Mutex<Option<TraceState>>,
    spans: AtomicUsize,
}

/// The slots of the traces written last.
pub(in crate::store) struct TraceCache {
    slots: Mutex<Slots>,
    capacity: usize,
    readings: AtomicU64,
}

struct Slots {
    by_trace: LruCache<TraceId, Arc<Slot>>,
    spans: usize,
}

impl TraceCache {
    /// A cache for this many heads.
    pub(in crate::store) fn new(capacity: usize) -> Self {
        let slots = Slots { by_trace: LruCache::unbounded(), spans: 0 };
        Self { slots: Mutex::new(slots), capacity, readings: AtomicU64::new(0) }
    }

    /// The slot of a trace, whether or not there is such a trace.
    pub(super) fn slot(&self, id: TraceId) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.by_trace.get(&id) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot::default());
        slots.by_trace.put(id, Arc::clone(&slot));
        slots.count(&slot, 0);
        slots.evict(self.capacity);
        slot
    }

    /// The slot of a trace, if it is among those that were written last and nobody has its turn.
    pub(super) fn at_hand(&self, id: TraceId) -> Option<Arc<Slot>> {
        self.slots.lock().by_trace.peek(&id).cloned()
    }

    /// Notes how many heads a slot holds now, and lets the longest unused slots go while there are too
    /// many. A slot in use stays: it is someone's turn.
    pub(super) fn resized(&self, slot: &Slot, spans: usize) {
        let mut slots = self.slots.lock();
        slots.count(slot, spans);
        slots.evict(self.capacity);
    }

    /// Lets go of all slots but those in use. Whoever writes to one of the traces reads it again.
    pub(in crate::store) fn forget_idle(&self) {
        let mut slots = self.slots.lock();
        slots.evict(0);
    }

    /// The number of another reading from the engine.
    pub(super) fn next_reading(&self) -> u64 {
        self.readings.fetch_add(1, Ordering::Relaxed)
    }
}

impl Slots {
    fn count(&mut self, slot: &Slot, spans: usize) {
        // A slot without spans takes room too.
        let spans = spans.max(1);
        let before = slot.spans.swap(spans, Ordering::Relaxed);
        self.spans = self.spans.saturating_sub(before).saturating_add(spans);
    }

    fn evict(&mut self, capacity: usize) {
        let mut in_use = Vec::new();
        while self.spans > capacity
            && let Some((id, oldest)) = self.by_trace.pop_lru()
        {
            if Arc::strong_count(&oldest) > 1 {
                in_use.push((id, oldest));
            } else {
                self.spans = self.spans.saturating_sub(oldest.spans.load(Ordering::Relaxed));
            }
        }
        for (id, slot) in in_use {
            self.by_trace.put(id, slot);
        }
    }
}
