//! What tests of every area share: a clock and ids that they decide, a store over any engine, engines
//! that wait, stumble or fail when told to, property tests that run the same way every time, and a
//! server in this process.

mod determined;
pub mod engines;
pub mod property;
pub mod providers;
pub mod spans;
pub mod store;

use std::{pin::Pin, sync::Arc};

use async_graphql::{Request, Variables};
use dendro::{
    engine::{Counting, Counts, MemoryEngine, SharedEngine},
    graphql::{self, page::PageLimits, request, text},
    live::Hub,
    model::limits::RecordLimits,
    search::Index,
    service::{
        Context, Services, Shared, agents::Runtime, ingest::IngestConfig, listing::ListLimits,
        query::QueryLimits,
    },
    store::{Store, StoreConfig},
};
use futures_util::{Stream, StreamExt};
use serde_json::Value;

pub use self::determined::{CountedIds, SetClock};

/// A server without a transport.
pub struct Server {
    pub services: Services,
    pub store: Store,
    pub clock: Arc<SetClock>,
    engine: Arc<Counting>,
    schema: graphql::DendroSchema,
    limits: PageLimits,
}

/// The answer to an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub data: Value,
    pub errors: Vec<Value>,
}

impl Server {
    pub async fn new() -> Self {
        Self::with_limits(PageLimits::default()).await
    }

    pub async fn with_limits(limits: PageLimits) -> Self {
        Self::with(limits, ListLimits::default()).await
    }

    pub async fn with(limits: PageLimits, lists: ListLimits) -> Self {
        Self::on(Arc::new(MemoryEngine::default()), StoreConfig::default(), (limits, lists)).await
    }

    /// A server over an engine.
    pub async fn on(engine: SharedEngine, config: StoreConfig, limits: (PageLimits, ListLimits)) -> Self {
        Self::build(engine, config, limits, (IngestConfig::default(), Runtime::default())).await
    }

    /// A server over an engine that takes reports so.
    pub async fn ingesting(engine: SharedEngine, ingest: IngestConfig) -> Self {
        Self::build(engine, StoreConfig::default(), Default::default(), (ingest, Runtime::default())).await
    }

    /// A server that runs agents with these models and tools.
    pub async fn running(runtime: Runtime) -> Self {
        Self::running_on(Arc::new(MemoryEngine::default()), runtime).await
    }

    /// The same over an engine.
    pub async fn running_on(engine: SharedEngine, runtime: Runtime) -> Self {
        let ingest = IngestConfig::default();
        Self::build(engine, StoreConfig::default(), Default::default(), (ingest, runtime)).await
    }

    /// A server over an engine and an index of texts.
    pub async fn searching(engine: SharedEngine, index: Arc<Index>) -> Self {
        Self::searching_within(engine, index, QueryLimits::default()).await
    }

    /// The same whose queries may look at so much.
    pub async fn searching_within(engine: SharedEngine, index: Arc<Index>, query: QueryLimits) -> Self {
        let (limits, parts) = (Default::default(), (IngestConfig::default(), Runtime::default()));
        Self::build_with(engine, StoreConfig::default(), limits, parts, (Some(index), query)).await
    }

    /// A server whose queries may look at so much.
    pub async fn querying(query: QueryLimits) -> Self {
        Self::querying_over(Arc::new(MemoryEngine::default()), Runtime::default(), query).await
    }

    /// The same over an engine, with what agents are run with.
    pub async fn querying_over(engine: SharedEngine, runtime: Runtime, query: QueryLimits) -> Self {
        let parts = (IngestConfig::default(), runtime);
        Self::build_with(engine, StoreConfig::default(), Default::default(), parts, (None, query)).await
    }

    async fn build(
        engine: SharedEngine,
        config: StoreConfig,
        limits: (PageLimits, ListLimits),
        parts: (IngestConfig, Runtime),
    ) -> Self {
        Self::build_with(engine, config, limits, parts, (None, QueryLimits::default())).await
    }

    async fn build_with(
        engine: SharedEngine,
        config: StoreConfig,
        (limits, lists): (PageLimits, ListLimits),
        (ingest, runtime): (IngestConfig, Runtime),
        (search, query): (Option<Arc<Index>>, QueryLimits),
    ) -> Self {
        let engine = Arc::new(Counting::new(engine));
        let shared: SharedEngine = engine.clone();
        let (hub, clock) = (Arc::new(Hub::default()), Arc::new(SetClock::default()));
        let store = Store::open(shared, config, hub.clone()).await.unwrap();
        let context = Context::from(Shared {
            store: store.clone(),
            hub,
            clock: clock.clone(),
            ids: Arc::new(CountedIds::default()),
            limits: Arc::new(RecordLimits::default()),
            lists: Arc::new(lists),
            prices: dendro::model::prices::PriceTable::bundled().unwrap(),
            ingest: Arc::new(ingest),
            query: Arc::new(query),
            series: Arc::default(),
            arriving: Arc::default(),
            deletions: Arc::default(),
            search,
            evaluation: Arc::default(),
        });
        let services = Services::with(context, runtime);
        Self { services, store, clock, engine, schema: graphql::schema(), limits }
    }

    /// Executes a query or a mutation.
    pub async fn run(&self, document: &str, variables: Value) -> Answer {
        Answer::of(self.schema.execute(self.request(document, variables)).await)
    }

    /// The data of an operation that has no errors.
    #[track_caller]
    pub fn data(&self, document: &str, variables: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.run(document, variables).await;
            assert!(answer.errors.is_empty(), "{caller}: {:#?}", answer.errors);
            answer.data
        }
    }

    /// The errors of an operation that fails.
    pub async fn errors(&self, document: &str, variables: Value) -> Vec<Value> {
        let answer = self.run(document, variables).await;
        assert!(!answer.errors.is_empty(), "no error: {:#}", answer.data);
        answer.errors
    }

    /// Follows a subscription.
    pub fn follow(&self, document: &str, variables: Value) -> Pin<Box<dyn Stream<Item = Answer> + Send>> {
        self.schema.execute_stream(self.request(document, variables)).map(Answer::of).boxed()
    }

    /// What an operation asks of the engine.
    pub async fn counted(&self, document: &str, variables: Value) -> (Value, Counts) {
        drop(self.engine.take());
        let data = self.data(document, variables).await;
        (data, self.engine.take())
    }

    /// What has been asked of the engine since this was asked last.
    pub fn taken(&self) -> Counts {
        self.engine.take()
    }

    fn request(&self, document: &str, variables: Value) -> Request {
        let request = Request::new(document).variables(Variables::from_json(variables));
        request::prepare(request, &self.services, &self.limits)
    }
}

impl Answer {
    fn of(response: async_graphql::Response) -> Self {
        let async_graphql::Response { data, errors, .. } = response;
        let errors = serde_json::to_value(errors).unwrap();
        Self {
            data: serde_json::from_str(&text::to_text(&data)).unwrap(),
            errors: errors.as_array().cloned().unwrap(),
        }
    }
}
