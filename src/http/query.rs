//! `/graphql`: one operation a request, by POST, or by GET for queries.
//!
//! After the GraphQL-over-HTTP specification: the client's `Accept` chooses between
//! `application/graphql-response+json`, where a request that was not executed has an error status,
//! and `application/json`, where a fault of the document answers 200 as older clients expect.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use super::{
    Api,
    error::{Code, Refusal},
    gateway::Operation,
    negotiate::{self, Media},
    params::Params,
    reply::Reply,
};
use crate::config::{Limits, limits::ErrorLimits};

/// Answers a request to `/graphql`.
pub(super) async fn handle(State(api): State<Api>, request: Request) -> Response {
    if is_visit(&request) {
        return Redirect::to("/graphiql").into_response();
    }
    let media = match negotiate::response_media(request.headers()) {
        Ok(media) => media,
        Err(refusal) => return refusal_response(&refusal),
    };
    let reply = match operation(&api, request).await {
        Ok(operation) if operation.kind == OperationType::Subscription => {
            let message = "Subscriptions are served at /graphql/ws and /graphql/stream.";
            api.gateway.refuse(Refusal::new(Code::ValidationFailed, message))
        }
        Ok(operation) => api.gateway.run(operation).await,
        Err(refusal) => api.gateway.refuse(refusal),
    };
    respond(reply, media)
}

/// Answers every other method.
pub(super) async fn wrong_method() -> Response {
    method_response(&Refusal::new(Code::MethodNotAllowed, "This endpoint takes GET and POST."), "GET, POST")
}

/// Reads a request and judges its operation; a GET may carry anything but a mutation.
pub(super) async fn operation(api: &Api, request: Request) -> Result<Operation, Refusal> {
    let limits = api.gateway.limits();
    if request.method() == Method::POST {
        negotiate::check_content_type(request.headers())?;
        let body = read(request.into_body(), limits).await?;
        return api.gateway.admit(Params::from_body(&body, limits)?);
    }
    let params = Params::from_url(request.uri().query().unwrap_or_default(), limits)?;
    let operation = api.gateway.admit(params)?;
    if operation.kind == OperationType::Mutation {
        return Err(Refusal::new(Code::MethodNotAllowed, "Mutations must be sent by POST."));
    }
    Ok(operation)
}

/// A refusal made before it was known how the client wants its answers.
pub(super) fn refusal_response(refusal: &Refusal) -> Response {
    respond(Reply::refused(refusal.clone(), &ErrorLimits::default()), Media::Json)
}

fn method_response(refusal: &Refusal, allow: &'static str) -> Response {
    let mut response = refusal_response(refusal);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// Somebody typed the address into a browser.
fn is_visit(request: &Request) -> bool {
    request.method() == Method::GET
        && request.uri().query().is_none()
        && negotiate::wants_page(request.headers())
}

fn respond(reply: Reply, media: Media) -> Response {
    let status = match reply.refusal() {
        None => StatusCode::OK,
        Some(code) if media == Media::Json && code.is_of_document() => StatusCode::OK,
        Some(code) => code.status(),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    match reply.refusal() {
        Some(Code::MethodNotAllowed) => {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        Some(Code::Overloaded) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    (status, headers, reply.into_body()).into_response()
}

/// Reads a body, no longer and for no longer than it may be.
pub(super) async fn read(mut body: Body, limits: &Limits) -> Result<Bytes, Refusal> {
    let collected = timeout(limits.body_time, Limited::new(&mut body, limits.body_bytes).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(&mut body, limits.body_bytes).await;
            let message = format!("The body has more than {} bytes.", limits.body_bytes);
            Err(Refusal::new(Code::PayloadTooLarge, message))
        }
        Ok(Err(error)) => Err(Refusal::bad_request(format!("The body could not be read: {error}."))),
        Err(_) => {
            let seconds = limits.body_time.as_secs_f32();
            let message = format!("The body did not arrive within {seconds} s.");
            Err(Refusal::new(Code::RequestTimeout, message))
        }
    }
}

/// Reads on for a while and keeps nothing: a client that is still sending when the connection closes
/// never sees the answer.
async fn discard(body: &mut Body, limit: usize) {
    let mut left = limit.saturating_mul(4);
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // Whether it ends or not, the answer is the same.
    let _ = timeout(Duration::from_secs(2), reading).await;
}
