//! Endpoints that are no GraphQL, under the same protection: who may call them, what they take and answer, how
//! large and how deep a body may be, how much goes on at once and for how long.
//!
//! They are handed in as a router, with the way in which they say no: this module knows nothing of what they do.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, Uri, header},
    middleware::{self, Next},
    response::Response,
};
use futures_util::FutureExt;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    access::{self, Access},
    compression,
    error::{Code, Refusal},
    json, negotiate,
    query::read,
};
use crate::config::Limits;

/// How endpoints say no to a request for an address.
pub type Render = fn(&Refusal, &Uri) -> Response;

/// What holds for each request.
#[derive(Clone)]
struct Bounds {
    access: Access,
    limits: Arc<Limits>,
    /// One permit for each request that may be worked on.
    running: Arc<Semaphore>,
    render: Render,
}

/// The endpoints, protected.
pub fn endpoints(endpoints: Router, access: &Access, limits: &Limits, render: Render) -> Router {
    let running = Arc::new(Semaphore::new(limits.running));
    let bounds = Bounds { access: access.clone(), limits: Arc::new(limits.clone()), running, render };
    endpoints
        .layer(middleware::from_fn_with_state(bounds.clone(), run))
        .layer(compression())
        .layer(access.cors())
        .layer(middleware::from_fn_with_state(bounds, let_in))
}

/// Lets in who may call.
async fn let_in(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    match bounds.access.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => (bounds.render)(&refusal, request.uri()),
    }
}

/// Reads the request, and has it answered.
async fn run(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let (uri, changes) = (request.uri().clone(), !request.method().is_safe());
    let refused = |refusal: Refusal| (bounds.render)(&refusal, &uri);
    let request = match admit(&bounds.limits, request).await {
        Ok(request) => request,
        Err(refusal) => return refused(refusal),
    };
    let Ok(_permit) = bounds.running.try_acquire() else {
        let message = "The server runs as many requests as it may. Try again later.";
        return refused(Refusal::new(Code::Overloaded, message));
    };
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
    match timeout(bounds.limits.query_time, answered).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a request panicked");
            refused(Refusal::new(Code::Internal, "The server failed at this request."))
        }
        Err(_) => {
            let seconds = bounds.limits.query_time.as_secs_f32();
            let known = if changes { " What it had begun may have been done." } else { "" };
            let message = format!("The request took longer than {seconds} s and was stopped.{known}");
            refused(Refusal::new(Code::Timeout, message))
        }
    }
}

/// The request with its body in memory, if it may be worked on.
async fn admit(limits: &Limits, request: Request) -> Result<Request, Refusal> {
    access::check_origin_named(request.headers())?;
    // An address that ends like the name of a file has only the form that it names.
    if request.uri().path().rsplit('/').next().is_some_and(|last| !last.contains('.')) {
        negotiate::check_accepts_json(request.headers())?;
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    // Known to be wrong before it is read; without a type it is only wrong if there is something.
    if parts.headers.contains_key(header::CONTENT_TYPE) {
        negotiate::check_content_type(&parts.headers)?;
    }
    let body = read(body, limits).await?;
    if !body.is_empty() {
        negotiate::check_content_type(&parts.headers)?;
        json::bound(&body, "body", limits)?;
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}
