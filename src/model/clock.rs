//! Where moments and new ids come from: passed in, so that tests decide them.

use std::sync::Arc;

use uuid::Uuid;

use super::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The moment of the call.
    fn now(&self) -> Timestamp;
}

/// Makes ids.
pub trait Ids: Send + Sync + 'static {
    /// An id that was never given out, growing with time.
    fn next(&self) -> Uuid;
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

/// A shared source of ids.
pub type SharedIds = Arc<dyn Ids>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::from_date(chrono::Utc::now()).unwrap_or(Timestamp::from_nanos(i64::MAX))
    }
}

/// UUIDs of version 7: the time, then randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
