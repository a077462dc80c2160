//! Services over an engine in memory, with a clock and ids that a test decides.

use std::sync::Arc;

use dendro::{
    engine::{Counting, Counts, MemoryEngine, SharedEngine},
    model::{limits::RecordLimits, page::PageRequest},
    service::{Context, ServiceError, ServiceResult, Services},
};

use crate::support::{
    SetClock,
    store::{TestBed, TestStore},
};

/// Services and what they stand on.
pub struct Bed {
    pub services: Services,
    pub context: Context,
    pub clock: Arc<SetClock>,
    engine: Arc<Counting>,
    bed: TestBed,
}

impl Bed {
    pub async fn new() -> Self {
        Self::with_limits(RecordLimits::default()).await
    }

    pub async fn with_limits(limits: RecordLimits) -> Self {
        let engine = Arc::new(Counting::new(Arc::new(MemoryEngine::new())));
        let shared: SharedEngine = engine.clone();
        let store = TestStore::in_memory().limits(limits).wrapped(move |_| shared.clone());
        let bed = store.open().await;
        let (services, context) = (bed.services.clone(), bed.context.clone());
        Self { services, context, clock: store.clock, engine, bed }
    }

    /// Asserts that every index and everything derived agrees with the records.
    pub async fn assert_consistent(&self) {
        self.bed.assert_consistent().await;
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
