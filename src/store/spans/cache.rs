//! The traces written last, in memory, so that a write need not read what it adds to.
//!
//! It is only a cache: every write names the trace's row that it rests on as a precondition, so a
//! stale entry makes a commit fail, never makes it wrong.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use lru::LruCache;
use parking_lot::Mutex;

use crate::model::{TraceId, summary::TraceHeads, trace::Trace};

/// A trace as its last queued write leaves it.
pub(super) struct TraceState {
    /// The row.
    pub(super) trace: Trace,
    /// The row's bytes.
    pub(super) row: Bytes,
    /// All heads.
    pub(super) heads: TraceHeads,
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
}

struct Slots {
    by_trace: LruCache<TraceId, Arc<Slot>>,
    spans: usize,
}

impl TraceCache {
    /// A cache for this many heads.
    pub(in crate::store) fn new(capacity: usize) -> Self {
        Self { slots: Mutex::new(Slots { by_trace: LruCache::unbounded(), spans: 0 }), capacity }
    }

    /// The slot of a trace.
    pub(super) fn slot(&self, id: TraceId) -> Arc<Slot> {
        Arc::clone(self.slots.lock().by_trace.get_or_insert(id, Arc::default))
    }

    /// Notes how many heads a slot holds now, and lets the longest unused slots go while there are too
    /// many. A slot in use stays: it is someone's turn.
    pub(super) fn resized(&self, slot: &Slot, spans: usize) {
        let mut slots = self.slots.lock();
        // A trace without spans takes room too.
        let spans = spans.max(1);
        slots.spans =
            slots.spans.saturating_sub(slot.spans.swap(spans, Ordering::Relaxed)).saturating_add(spans);
        let mut in_use = Vec::new();
        while slots.spans > self.capacity
            && let Some((id, oldest)) = slots.by_trace.pop_lru()
        {
            if Arc::strong_count(&oldest) > 1 {
                in_use.push((id, oldest));
            } else {
                slots.spans = slots.spans.saturating_sub(oldest.spans.load(Ordering::Relaxed));
            }
        }
        for (id, slot) in in_use.into_iter().rev() {
            slots.by_trace.put(id, slot);
        }
    }
}
