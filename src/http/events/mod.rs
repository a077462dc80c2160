//! `/graphql/stream`: operations as event streams, by the distinct-connections mode of `graphql-sse`.
//!
//! A request is one operation, by POST, or by GET as browsers' `EventSource` does. Its answers come as
//! `next` events and end with `complete`. A document that is at fault is told in a `next` event too, as
//! the protocol has it: an `EventSource` shows nothing of a refused request. What is not a GraphQL
//! request at all is refused with a status.
//!
//! A stream that ends without `complete`, as it does when the server stops, is to be asked for again;
//! [`resume`] says how it goes on where it broke off.

pub(super) mod resume;
mod wire;

use std::{convert::Infallible, sync::Arc};

use async_graphql::parser::types::OperationType;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::{Instant, interval_at};

use self::resume::Cursor;
use super::{
    Api,
    error::{Code, Refusal},
    gateway::Operation,
    negotiate, query,
    reply::Reply,
};

/// Characters of a `Last-Event-ID`.
const LAST_ID_CHARACTERS: usize = 256;

/// Starts a stream.
pub(super) async fn handle(State(api): State<Api>, request: Request) -> Response {
    let Ok(permit) = Arc::clone(&api.streams).try_acquire_owned() else {
        let message = "The server has as many event streams open as it may. Try again later.";
        return query::refusal_response(&Refusal::new(Code::Overloaded, message));
    };
    match start(&api, request).await {
        Ok(Answers { replies, endless, cursor }) => {
            let events = replies.map(move |reply| {
                // The permit lives as long as the stream.
                let _permit = &permit;
                next(reply, cursor.as_ref())
            });
            respond(&api, events.boxed(), endless)
        }
        Err(refusal) if refusal.code.is_of_document() => {
            let reply = api.gateway.refuse(refusal);
            respond(&api, stream::iter([next(reply, None)]).boxed(), false)
        }
        Err(refusal) => query::refusal_response(&refusal),
    }
}

/// What a stream is made of.
struct Answers {
    replies: BoxStream<'static, Reply>,
    /// Whether the replies have no end of their own.
    endless: bool,
    cursor: Option<Cursor>,
}

async fn start(api: &Api, request: Request) -> Result<Answers, Refusal> {
    negotiate::check_accepts_events(request.headers())?;
    let last = last_id(request.headers())?;
    let mut operation: Operation = query::operation(api, request).await?;
    let endless = operation.kind == OperationType::Subscription;
    let cursor = if endless { api.resumables.apply(&mut operation, last.as_deref())? } else { None };
    Ok(Answers { replies: api.gateway.follow(operation), endless, cursor })
}

fn respond(api: &Api, events: BoxStream<'static, Bytes>, endless: bool) -> Response {
    let limits = &api.gateway.limits().events;
    let mut stay = api.lifecycle.stay();
    let stopping = async move {
        stay.draining().await;
        if !endless {
            std::future::pending::<()>().await;
        }
    };
    let first = stream::iter([wire::retry(limits.retry)]);
    let events = first.chain(events).chain(stream::iter([wire::COMPLETE])).take_until(stopping.boxed());
    let quiet = interval_at(Instant::now() + limits.keep_alive, limits.keep_alive);
    let events = tokio_stream::StreamExt::timeout_repeating(events, quiet);
    let events = events.map(|event| Ok::<_, Infallible>(event.unwrap_or(wire::KEEP_ALIVE)));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that collect a response before passing it on are asked not to.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

fn next(mut reply: Reply, cursor: Option<&Cursor>) -> Bytes {
    let id = cursor.and_then(|cursor| cursor.take(&mut reply));
    wire::next(id.as_deref(), &reply.to_json())
}

fn last_id(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok();
    match text.filter(|text| text.chars().count() <= LAST_ID_CHARACTERS) {
        Some("") => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Refusal::bad_request(format!(
            "\"Last-Event-ID\" must be text of at most {LAST_ID_CHARACTERS} characters."
        ))),
    }
}
