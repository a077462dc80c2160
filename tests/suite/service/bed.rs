//! Services over an engine in memory, with a clock and ids that a test decides.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use dendro::{
    engine::{Counting, Counts, MemoryEngine, SharedEngine},
    live::Hub,
    model::{
        Timestamp,
        clock::{Clock, Ids},
        limits::RecordLimits,
        page::PageRequest,
    },
    service::{Context, ServiceError, ServiceResult, Services, listing::ListLimits},
    store::{Store, StoreConfig},
};
use uuid::Uuid;

/// A clock that stands still until it is told to move.
pub struct FixedClock(AtomicI64);

impl FixedClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_nanos()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Ids that count.
#[derive(Default)]
struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn next(&self) -> Uuid {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u128(0x1d00_0000_0000_7000_8000_0000_0000_0000 | u128::from(count))
    }
}

/// Services and what they stand on.
pub struct Bed {
    pub services: Services,
    pub context: Context,
    pub clock: Arc<FixedClock>,
    engine: Arc<Counting>,
}

impl Bed {
    pub async fn new() -> Self {
        Self::with_limits(RecordLimits::default()).await
    }

    pub async fn with_limits(limits: RecordLimits) -> Self {
        let engine = Arc::new(Counting::new(Arc::new(MemoryEngine::new())));
        let shared: SharedEngine = engine.clone();
        let clock = Arc::new(FixedClock(AtomicI64::new(1_767_225_600_000_000_000)));
        let hub = Arc::new(Hub::default());
        let store = Store::open(shared, StoreConfig::default(), hub.clone()).await.unwrap();
        let context = Context {
            store,
            hub,
            clock: clock.clone(),
            ids: Arc::new(CountingIds::default()),
            limits: Arc::new(limits),
            lists: Arc::new(ListLimits::default()),
        };
        Self { services: Services::new(context.clone()), context, clock, engine }
    }

    /// Asserts that every index and everything derived agrees with the records.
    pub async fn assert_consistent(&self) {
        let report = self.context.store.check(&|_, _| {}).await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.problems);
    }

    /// What `run` asks of the engine.
    pub async fn counted<T>(&self, run: impl Future<Output = T>) -> (T, Counts) {
        drop(self.engine.take());
        let outcome = run.await;
        (outcome, self.engine.take())
    }
}

/// What the refusal says.
#[track_caller]
pub fn refusal<T: std::fmt::Debug>(outcome: ServiceResult<T>) -> String {
    match outcome {
        Err(ServiceError::Refused(refusal)) => refusal.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

/// The first page.
pub fn first(first: usize) -> PageRequest {
    PageRequest { first, after: None }
}
