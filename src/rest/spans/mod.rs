//! The spans of traces: writing, finding and showing them.

mod changes;
mod inputs;
mod query;
mod views;

use std::{collections::HashMap, sync::Arc};

use axum::{extract::State, http::Uri};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::{inputs::SpanOrder, views::Span};
use self::{
    inputs::{CreateSpan, ListSpans, UpdateSpan},
    query::QuerySpans,
};
use super::{
    Rest,
    answer::Answer,
    page::{self, Listed},
    problem::Problem,
    request::{At, Body, OptionalBody, Query},
    scalar::Written,
    traces::{Include, missing},
};
use crate::{
    model::{Refusal, SpanId, TraceId, page::Page, refusal::Entity, span::SpanHead},
    service::{
        query::FoundSpan,
        tracing::{SpanWrite, TraceSpans},
    },
};

/// Spans of a page where the client names no number: they are small, and read together whatever the page.
const USUAL: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update)).routes(routes!(query))
}

/// List a trace's spans
///
/// By the tree, in pre-order, where nothing else is said: parents before their children, siblings by their start.
#[utoipa::path(
    get, path = "/traces/{traceId}/spans", tag = "Spans", operation_id = "listSpans",
    params(("traceId" = Uuid, Path, description = "The trace."), ListSpans),
    responses((status = 200, description = "A page of the list.", body = Listed<Span>)),
)]
async fn list(
    State(rest): State<Rest>,
    uri: Uri,
    At(id): At<TraceId>,
    Query(wanted): Query<ListSpans>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after.clone(), (USUAL, rest.pages.most_spans))?;
    let spans = read(&rest, id).await?;
    let (order, bodies) =
        (wanted.order.unwrap_or_default().into(), wanted.include.contains(&Include::Bodies));
    let selected = spans.select(&wanted.filter(), order, &page).map_err(of_filter)?;
    listed(&rest, &spans, selected.page, bodies).await?.answer(&uri)
}

/// Add a span
///
/// It may have ended already.
#[utoipa::path(
    post, path = "/traces/{traceId}/spans", tag = "Spans", operation_id = "createSpan",
    params(("traceId" = Uuid, Path, description = "The trace.")),
    request_body = CreateSpan,
    responses((status = 201, description = "The new span.", body = Span)),
)]
async fn create(
    State(rest): State<Rest>,
    At(trace): At<TraceId>,
    Body(new): Body<CreateSpan>,
) -> Result<Answer, Problem> {
    let new = new.into_write(trace, || rest.services.tracing.new_span_id())?;
    let written = rest.services.tracing.write_span(new).await?;
    let location = format!("/traces/{trace}/spans/{}", written.head.id);
    Answer::created(&Span::alone(&written.trace, &written.head), &location)
}

/// A span
///
/// With its place in the tree and with its body.
#[utoipa::path(
    get, path = "/traces/{traceId}/spans/{spanId}", tag = "Spans", operation_id = "getSpan",
    params(
        ("traceId" = Uuid, Path, description = "The trace."),
        ("spanId" = Uuid, Path, description = "The span."),
    ),
    responses((status = 200, description = "The span.", body = Span)),
)]
async fn get(State(rest): State<Rest>, At((trace, id)): At<(TraceId, SpanId)>) -> Result<Answer, Problem> {
    let missing = || Refusal::not_found("spanId", Entity::Span, id);
    let spans = read(&rest, trace).await?;
    let place = spans.place_of(id).ok_or_else(missing)?;
    let heads: Vec<_> = spans.at(place).map(|(_, head)| head.as_ref()).into_iter().collect();
    let body = rest.services.tracing.bodies_of(trace, &heads).await?.remove(&id);
    Answer::ok(&Span::placed(&spans, place, body).ok_or_else(missing)?)
}

/// Change or end a span
///
/// A span ends once: whatever is written to it after that is refused, and so is a second end.
#[utoipa::path(
    patch, path = "/traces/{traceId}/spans/{spanId}", tag = "Spans", operation_id = "updateSpan",
    params(
        ("traceId" = Uuid, Path, description = "The trace."),
        ("spanId" = Uuid, Path, description = "The span."),
    ),
    request_body = UpdateSpan,
    responses((status = 200, description = "The span as it stands.", body = Span)),
)]
async fn update(
    State(rest): State<Rest>,
    At((trace, id)): At<(TraceId, SpanId)>,
    Body(change): Body<UpdateSpan>,
) -> Result<Answer, Problem> {
    let change: SpanWrite = change.into_write(trace, id)?;
    let written = rest.services.tracing.write_span(change).await?;
    Answer::ok(&Span::alone(&written.trace, &written.head))
}

/// Look for spans
///
/// In all traces, by a condition in the body, composed of and, or and not, and by one on their traces. They come in the
/// order of their traces and of each trace's tree, or by a figure. One that would have to look at too much is refused,
/// with what to ask instead; a page that found little for all it looked at ends early, and goes on from `next`.
#[utoipa::path(
    post, path = "/spans/query", tag = "Spans", operation_id = "querySpans",
    request_body = Option<QuerySpans>,
    responses((status = 200, description = "A page of what was found.", body = Listed<Span>)),
)]
async fn query(
    State(rest): State<Rest>,
    OptionalBody(wanted): OptionalBody<QuerySpans>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit.map(Written), wanted.after, page::usual(rest.pages.most))
        .map_err(Problem::in_body)?;
    let of_body = |refusal: Refusal| Problem::from(refusal).in_body();
    let condition = wanted.condition.unwrap_or_default().read("where").map_err(of_body)?;
    let traces = wanted.traces.unwrap_or_default().read("traces").map_err(of_body)?;
    let order = wanted.order_by.unwrap_or_default().into_model();
    let found = rest.services.queries.spans(&condition, &traces, order, &page).await;
    let found = found.map_err(|error| Problem::from(error).in_body())?;
    let mut bodies = if wanted.include.unwrap_or_default().contains(&Include::Bodies) {
        let key = |(_, FoundSpan { spans, place }): &(_, FoundSpan)| {
            let (_, head) = spans.at(*place)?;
            Some((spans.trace.id, head.id, head.part_blocks()))
        };
        rest.services.tracing.span_bodies(found.items.iter().filter_map(key).collect(), 0).await?
    } else {
        HashMap::new()
    };
    let view = |(_, FoundSpan { spans, place }): (_, FoundSpan)| {
        let body = spans.at(place).and_then(|(_, head)| bodies.remove(&(spans.trace.id, head.id)));
        Span::placed(&spans, place, body)
    };
    let Listed { items, next } = Listed::of(found, view);
    Answer::ok(&Listed { items: items.into_iter().flatten().collect(), next })
}

/// The spans of a trace, which must be there.
pub(super) async fn read(rest: &Rest, id: TraceId) -> Result<Arc<TraceSpans>, Problem> {
    let found = rest.services.tracing.spans(&[id]).await?.pop().flatten();
    Ok(found.ok_or_else(|| missing(id))?)
}

/// A page of a trace's spans, with their bodies where those are wanted: then one more call reads them all.
pub(super) async fn listed(
    rest: &Rest,
    spans: &TraceSpans,
    page: Page<usize>,
    with_bodies: bool,
) -> Result<Listed<Span>, Problem> {
    let head = |place: usize| spans.at(place).map(|(_, head)| head.as_ref());
    let mut bodies = if with_bodies {
        let heads: Vec<&SpanHead> = page.items.iter().filter_map(|(_, place)| head(*place)).collect();
        rest.services.tracing.bodies_of(spans.trace.id, &heads).await?
    } else {
        HashMap::new()
    };
    let view = |(_, place)| {
        let body = head(place).and_then(|head| bodies.remove(&head.id));
        Span::placed(spans, place, body)
    };
    let Listed { items, next } = Listed::of(page, view);
    Ok(Listed { items: items.into_iter().flatten().collect(), next })
}

/// A refusal of what the query says, under the name that it has there.
fn of_filter(refusal: Refusal) -> Problem {
    let problem = Problem::from(refusal).in_url();
    if problem.is_of("filter.subtreeOf") { problem.of("subtreeOf") } else { problem }
}
