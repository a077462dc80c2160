//! REST under `/api/v1`: the same use cases as GraphQL's, as resources.
//!
//! | resource | what |
//! |---|---|
//! | `/conversations` | begin, find, change, branch, delete; their messages, traces and plans |
//! | `/messages/{id}` | one of them |
//! | `/traces`, `/spans` | start, find, look for, show with all spans, end; their spans |
//! | `/traces/{id}/analysis`, `/conversations/{id}/evaluation` | what they tell |
//! | `/plans`, `/components`, `/scores` | find and show; register and label versions; judge |
//! | `/export/{table}.{format}` | a whole table, or the rows of traces that fulfil a condition, for others to read |
//! | `/openapi.json` | all of this, described |
//!
//! A handler reads its request (`request`), asks one use case, and shows what that answered (`views`, `answer`).
//! Whatever goes wrong becomes a [`Problem`], in one place. This layer must not know GraphQL, the store, nor who may
//! talk to the server: bounds on bodies, access and time are `http`'s, which hands requests on to here.

#![expect(clippy::struct_field_names, reason = "fields go by the names that they have in the API")]

mod analysis;
mod answer;
mod components;
mod conditions;
mod conversations;
mod evaluation;
mod export;
mod figures;
mod messages;
mod openapi;
mod page;
mod plans;
mod problem;
mod request;
mod scalar;
mod scores;
mod spans;
mod traces;

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use axum::{
    Router,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use self::{
    answer::{Answer, ROOT},
    conditions::Conditions,
    problem::Problem,
};
use crate::{
    service::Services,
    written::{object, words},
};

/// How long pages may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// Entries of one page at most.
    pub most: usize,
    /// Spans of one page of a trace at most.
    pub most_spans: usize,
}

/// What the handlers share.
#[derive(Clone)]
struct Rest {
    services: Services,
    pages: Pages,
}

/// All endpoints, with their description at `/api/v1/openapi.json`.
///
/// # Errors
/// When the description cannot be written as JSON.
pub fn router(services: Services, pages: Pages) -> serde_json::Result<Router> {
    let (endpoints, api) = endpoints().split_for_parts();
    let described = openapi::complete(&api, &pages)?;
    let conditions = Conditions::of(&described);
    let description: Arc<[u8]> = serde_json::to_vec(&described)?.into();
    let describe = move || {
        let description = Arc::clone(&description);
        async move { Answer::text(description.to_vec()) }
    };
    let endpoints = endpoints
        .route_layer(middleware::from_fn(move |request, next| conditions.clone().check(request, next)))
        .route("/openapi.json", get(describe))
        .method_not_allowed_fallback(wrong_method)
        .with_state(Rest { services, pages });
    let unknown =
        Router::new().route(ROOT, any(nothing_here)).route(&format!("{ROOT}/{{*path}}"), any(nothing_here));
    let all = Router::new().nest(ROOT, endpoints).merge(unknown);
    Ok(all.layer(middleware::from_fn(answer::finish)))
}

/// The description, as `openapi.json` holds it.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn description(pages: &Pages) -> serde_json::Result<Value> {
    openapi::complete(&endpoints().into_openapi(), pages)
}

/// A refusal that was made before a request came here, as this API says it.
#[must_use]
pub fn refused(status: StatusCode, code: &'static str, message: &str, path: &str) -> Response {
    Problem::new(status, code, message).at(path).into_response()
}

fn endpoints() -> OpenApiRouter<Rest> {
    OpenApiRouter::with_openapi(openapi::Base::openapi())
        .merge(conversations::routes())
        .merge(messages::routes())
        .merge(traces::routes())
        .merge(spans::routes())
        .merge(plans::routes())
        .merge(components::routes())
        .merge(scores::routes())
        .merge(export::routes())
        .merge(analysis::routes())
        .merge(evaluation::routes())
}

fn nothing_here() -> Ready<Problem> {
    let detail = format!("There is nothing at this path; {ROOT}/openapi.json tells what there is.");
    ready(Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail))
}

fn wrong_method() -> Ready<Problem> {
    let detail = "This resource does not have the method; the header Allow tells which it has.";
    ready(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail))
}
