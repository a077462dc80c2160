//! The HTTP side of the API: GraphQL over HTTP, WebSocket and SSE, and what protects it.
//!
//! | path | what |
//! |---|---|
//! | `/graphql` | queries and mutations by POST, queries by GET |
//! | `/graphql/ws` | all operations, over `graphql-transport-ws` |
//! | `/graphql/stream` | all operations, as event streams (graphql-sse, distinct connections) |
//! | `/healthz`, `/readyz` | for whatever watches the server: whether it answers, and whether it takes work |
//!
//! All transports take the same way: read parameters, [`Gateway`] judges and executes, one form of
//! answer. Other pages and endpoints are handed to [`router`] and come under the same checks; those that take
//! JSON to [`endpoints()`], which bounds what they are sent as well. This layer knows the schema only as an [`Executor`], and nothing of services or the store.

mod access;
pub mod assets;
mod connections;
mod endpoints;
mod error;
mod events;
mod executor;
mod gateway;
mod health;
mod hints;
mod json;
mod lifecycle;
mod negotiate;
mod params;
mod persisted;
mod query;
mod reply;
mod socket;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{any, get},
};
use tokio::sync::Semaphore;
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
};

use self::events::resume::Resumables;
pub use self::{
    access::Access,
    connections::Connections,
    endpoints::{Render, endpoints},
    error::{Code, Refusal},
    executor::{Executor, Prepared},
    gateway::Gateway,
    lifecycle::{Lifecycle, serve},
};

/// Bytes below which compressing costs more than it saves: one packet holds them anyway.
const COMPRESS_FROM: u64 = 1024;

/// What the handlers share.
#[derive(Clone)]
struct Api {
    gateway: Arc<Gateway>,
    lifecycle: Lifecycle,
    resumables: Arc<Resumables>,
    /// One permit for each socket that may be open.
    sockets: Arc<Semaphore>,
    /// One permit for each event stream that may be open.
    streams: Arc<Semaphore>,
}

impl Api {
    fn new(gateway: Arc<Gateway>, lifecycle: Lifecycle) -> Self {
        let limits = gateway.limits();
        Self {
            resumables: Arc::new(Resumables::new(&gateway.executor().sdl())),
            sockets: Arc::new(Semaphore::new(limits.socket.sockets)),
            streams: Arc::new(Semaphore::new(limits.events.streams)),
            gateway,
            lifecycle,
        }
    }
}

/// The whole HTTP side: the GraphQL endpoints, and `others` (pages, such as [`assets::router`], and further endpoints) beside
/// them, under the same checks of Host and Origin and with the same compression.
pub fn router(gateway: Arc<Gateway>, access: &Access, lifecycle: Lifecycle, others: Router) -> Router {
    let api = Api::new(gateway, lifecycle.clone());
    let graphql = Router::new()
        .route("/graphql", get(query::handle).post(query::handle).fallback(query::wrong_method))
        .route("/graphql/stream", get(events::handle).post(events::handle).fallback(query::wrong_method))
        .route("/graphql/ws", any(socket::handle))
        .layer(middleware::from_fn(access::check_site))
        .with_state(api);
    graphql
        .merge(others)
        .layer(compression())
        .layer(access.cors())
        .layer(middleware::from_fn_with_state(access.clone(), access::check))
        .merge(health::router(lifecycle))
}

/// Endpoints on a port of their own, under the same checks of Host and Origin.
pub fn guarded(endpoints: Router, access: &Access) -> Router {
    endpoints.layer(access.cors()).layer(middleware::from_fn_with_state(access.clone(), access::check))
}

/// Event streams are left as they are: a compressor holds back what it has not filled a block with.
fn compression() -> CompressionLayer<impl Predicate> {
    let pays = SizeAbove::new(COMPRESS_FROM).and(NotForContentType::IMAGES).and(NotForContentType::SSE);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(pays)
}
