//! A store for a test, over any engine, that can be closed and opened again.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dendro::{
    engine::{EngineConfig, EngineError, EngineKind, MemoryEngine, SharedEngine, open},
    live::Hub,
    model::limits::RecordLimits,
    service::{Context, Services, Shared, listing::ListLimits, tracing::Tracing},
    store::{Store, StoreConfig, spans::SpanConfig},
};
use tempfile::TempDir;

use super::{CountedIds, SetClock};

type Wrapper = Box<dyn Fn(SharedEngine) -> SharedEngine + Send + Sync>;

/// A database with what a store over it is given. It lives as long as this does.
pub struct TestStore {
    kind: EngineKind,
    dir: PathBuf,
    _temporary: Option<TempDir>,
    memory: SharedEngine,
    wrapper: Wrapper,
    config: StoreConfig,
    limits: Arc<RecordLimits>,
    pub clock: Arc<SetClock>,
    ids: Arc<CountedIds>,
}

/// A store that is open, and what uses it. Dropped, it can be opened again.
pub struct TestBed {
    pub context: Context,
    pub services: Services,
    pub tracing: Tracing,
}

impl TestStore {
    pub fn new(kind: EngineKind) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir: dir.path().to_owned(), _temporary: Some(dir), ..Self::at(kind, Path::new("")) }
    }

    /// A database in a directory that stays.
    pub fn at(kind: EngineKind, dir: &Path) -> Self {
        Self {
            kind,
            dir: dir.to_owned(),
            _temporary: None,
            memory: Arc::new(MemoryEngine::new()),
            wrapper: Box::new(|engine| engine),
            config: StoreConfig::default(),
            limits: Arc::default(),
            clock: Arc::default(),
            ids: Arc::default(),
        }
    }

    pub fn in_memory() -> Self {
        Self::new(EngineKind::Memory)
    }

    /// Puts something around the engine: see [`super::engines`].
    pub fn wrapped(mut self, wrapper: impl Fn(SharedEngine) -> SharedEngine + Send + Sync + 'static) -> Self {
        self.wrapper = Box::new(wrapper);
        self
    }

    pub fn config(mut self, config: StoreConfig) -> Self {
        self.config = config;
        self
    }

    pub fn limits(mut self, limits: RecordLimits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// Opens the store: again, if it was open before and has been dropped.
    pub async fn open(&self) -> TestBed {
        let engine = (self.wrapper)(self.engine().await);
        let hub = Arc::new(Hub::default());
        let store = Store::open(engine, self.config.clone(), hub.clone()).await.unwrap();
        let context = Context::from(Shared {
            store,
            hub,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            limits: self.limits.clone(),
            lists: Arc::new(ListLimits::default()),
            prices: dendro::model::prices::PriceTable::bundled().unwrap(),
            ingest: Arc::default(),
            query: Arc::default(),
            series: Arc::default(),
            arriving: Arc::default(),
            deletions: Arc::default(),
            search: None,
            evaluation: Arc::default(),
        });
        let services = Services::new(context.clone());
        TestBed { tracing: services.tracing.clone(), services, context }
    }

    /// The engine in memory, as it is without what was put around it.
    pub fn memory_engine(&self) -> SharedEngine {
        self.memory.clone()
    }

    async fn engine(&self) -> SharedEngine {
        if self.kind == EngineKind::Memory {
            return self.memory.clone();
        }
        let config = EngineConfig { cache_bytes: 8 << 20, ..EngineConfig::new(self.kind) };
        // What was queued is still being committed when the last handle goes.
        for _ in 0..1_000 {
            match open(&config, &self.dir) {
                Err(EngineError::Locked(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
                engine => return engine.unwrap(),
            }
        }
        panic!("the engine was not let go");
    }
}

impl TestBed {
    pub fn store(&self) -> &Store {
        &self.context.store
    }

    /// Asserts that every index and everything derived agrees with the records.
    pub async fn assert_consistent(&self) {
        let report = self.store().check(&|_, _| {}).await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.problems);
    }
}

/// A store that forgets and merges all the time.
pub fn restless() -> StoreConfig {
    StoreConfig { spans: SpanConfig { cached_spans: 10, merge_after_blocks: 4 }, ..StoreConfig::default() }
}
