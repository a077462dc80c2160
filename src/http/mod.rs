//! The HTTP side of the API: GraphQL over HTTP, WebSocket and SSE, and what protects it.
//!
//! | path | what |
//! |---|---|
//! | `/graphql` | queries and mutations by POST, queries by GET |
//! | `/graphql/ws` | all operations, over `graphql-transport-ws` |
//! | `/graphql/stream` | all operations, as event streams (graphql-sse, distinct connections) |
//! | `/healthz`, `/readyz` | for whatever watches the server |
//!
//! All transports take the same way: read parameters, [`Gateway`] judges and executes, one form of
//! answer. Other pages and endpoints are handed to [`router`] and come under the same checks. This
//! layer knows the schema only as an [`Executor`], and nothing of services or the store.

mod access;
pub mod assets;
mod error;
mod executor;
mod gateway;
mod health;
mod json;
mod lifecycle;
mod negotiate;
mod params;
mod persisted;
mod query;
mod reply;

use std::sync::Arc;

use axum::{Router, middleware, routing::get};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
};

pub use self::{
    access::Access,
    error::{Code, Refusal},
    executor::Executor,
    gateway::Gateway,
    lifecycle::{Lifecycle, serve},
};

/// Bytes below which compressing costs more than it saves: one packet holds them anyway.
const COMPRESS_FROM: u64 = 1024;

/// What the handlers share.
#[derive(Clone)]
struct Api {
    gateway: Arc<Gateway>,
}

/// The whole HTTP side: the GraphQL endpoints, and `others` (pages, such as [`assets::router`], and further endpoints) beside
/// them, under the same checks of Host and Origin and with the same compression.
pub fn router(gateway: Arc<Gateway>, access: &Access, lifecycle: Lifecycle, others: Router) -> Router {
    let api = Api { gateway };
    let graphql = Router::new()
        .route("/graphql", get(query::handle).post(query::handle).fallback(query::wrong_method))
        .layer(middleware::from_fn(access::check_site))
        .with_state(api);
    graphql
        .merge(others)
        .layer(compression())
        .layer(access.cors())
        .layer(middleware::from_fn_with_state(access.clone(), access::check))
        .merge(health::router(lifecycle))
}

/// Event streams are left as they are: a compressor holds back what it has not filled a block with.
fn compression() -> CompressionLayer<impl Predicate> {
    let pays = SizeAbove::new(COMPRESS_FROM).and(NotForContentType::IMAGES).and(NotForContentType::SSE);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(pays)
}
