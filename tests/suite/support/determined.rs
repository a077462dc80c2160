//! A clock and a source of ids that a test decides.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use dendro::model::{
    Timestamp,
    clock::{Clock, Ids},
};
use uuid::Uuid;

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000_000_000;

/// A clock that stands still until it is moved.
pub struct SetClock(AtomicI64);

impl Default for SetClock {
    fn default() -> Self {
        Self(AtomicI64::new(START))
    }
}

impl SetClock {
    /// Sets the clock.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.nanos(), Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub fn advance_ms(&self, millis: i64) {
        self.0.fetch_add(millis * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that count up.
#[derive(Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn next(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + u128::from(number))
    }
}
