//! `/traces`: starting, finding, showing and ending them.

mod inputs;
mod query;
mod views;

use axum::{extract::State, http::Uri};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    inputs::{CompleteTrace, ListTraces, ShowTrace},
    query::QueryTraces,
    views::TraceDetail,
};
pub(super) use self::{
    inputs::{Include, PageOnly, StartTrace},
    query::TraceQueryOrder,
    views::Trace,
};
use super::{
    Rest,
    answer::{Answer, revision_tag},
    conversations,
    page::{self, Listed},
    problem::Problem,
    request::{At, Known, OptionalBody, Query},
    scalar::Written,
    spans,
};
use crate::{
    model::{self, ConversationId, Refusal, TraceId, page::PageRequest, refusal::Entity},
    service::tracing::{SpanFilter, SpanOrder, TraceFilter, TraceOrder},
};

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(query))
        .routes(routes!(get))
        .routes(routes!(complete))
        .routes(routes!(of_conversation))
}

/// List traces
///
/// The one started last comes first, where nothing else is said.
#[utoipa::path(
    get, path = "/traces", tag = "Traces", operation_id = "listTraces",
    params(ListTraces),
    responses((status = 200, description = "A page of the list.", body = Listed<Trace>)),
)]
async fn list(
    State(rest): State<Rest>,
    uri: Uri,
    Query(wanted): Query<ListTraces>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after.clone(), page::usual(rest.pages.most))?;
    let order = wanted.order.unwrap_or_default().into();
    let filter = wanted.filter().map_err(|refusal| Problem::from(refusal).in_url())?;
    select(&rest, &filter, order, &page).await?.answer(&uri)
}

/// Look for traces
///
/// By a condition in the body, composed of and, or and not, of everything that their summaries, spans, attributes,
/// components, scores and texts tell. One that would have to look at too much is refused, with what to ask instead; a
/// page that found little for all it looked at ends early, and goes on from `next`.
#[utoipa::path(
    post, path = "/traces/query", tag = "Traces", operation_id = "queryTraces",
    request_body = Option<QueryTraces>,
    responses((status = 200, description = "A page of what was found.", body = Listed<Trace>)),
)]
async fn query(
    State(rest): State<Rest>,
    OptionalBody(wanted): OptionalBody<QueryTraces>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit.map(Written), wanted.after, page::usual(rest.pages.most))
        .map_err(Problem::in_body)?;
    let condition = wanted
        .condition
        .unwrap_or_default()
        .read("where")
        .map_err(|refusal| Problem::from(refusal).in_body())?;
    let order = wanted.order_by.unwrap_or_default().into_model();
    let found = rest.services.queries.traces(&condition, order, &page).await;
    let found = found.map_err(|error| Problem::from(error).in_body())?;
    Answer::ok(&Listed::of(found, |(_, row)| Trace::from(row)))
}

async fn select(
    rest: &Rest,
    filter: &TraceFilter,
    order: TraceOrder,
    page: &PageRequest,
) -> Result<Listed<Trace>, Problem> {
    let found = rest.services.tracing.list_traces(filter, order, page).await?;
    Ok(Listed::of(found, |(_, row)| Trace::from(row)))
}

/// Start a trace
#[utoipa::path(
    post, path = "/traces", tag = "Traces", operation_id = "startTrace",
    request_body = Option<StartTrace>,
    responses((status = 201, description = "The new trace.", body = Trace)),
)]
async fn start(
    State(rest): State<Rest>,
    OptionalBody(new): OptionalBody<StartTrace>,
) -> Result<Answer, Problem> {
    let started = rest.services.tracing.start_trace(new.into_model()).await;
    let started = started.map_err(|error| Problem::from(error).in_body())?;
    let (location, tag) = (format!("/traces/{}", started.id), revision_tag(started.revision));
    Ok(Answer::created(&Trace::from(started), &location)?.tagged(tag))
}

/// A trace with everything in it
///
/// Its spans come as one list, the whole tree in pre-order; with `include=bodies` each with what went in and what came
/// out.
#[utoipa::path(
    get, path = "/traces/{traceId}", tag = "Traces", operation_id = "getTrace",
    params(("traceId" = Uuid, Path, description = "The trace."), ShowTrace),
    responses((status = 200, description = "The trace.", body = TraceDetail)),
)]
async fn get(
    State(rest): State<Rest>,
    At(id): At<TraceId>,
    known: Known,
    Query(wanted): Query<ShowTrace>,
) -> Result<Answer, Problem> {
    let row = find(&rest, id).await?;
    let tag = revision_tag(row.revision);
    if known.has(&tag) {
        return Ok(Answer::unchanged(tag));
    }
    let spans = spans::read(&rest, id).await?;
    let page = PageRequest { first: rest.pages.most_spans, after: None };
    let selected = spans.select(&SpanFilter::default(), SpanOrder::Tree, &page)?.page;
    let with_bodies = wanted.include.contains(&Include::Bodies);
    let listed = spans::listed(&rest, &spans, selected, with_bodies).await?;
    let body = rest.services.tracing.trace_bodies(&[id]).await?.pop().flatten().unwrap_or_default();
    let tag = revision_tag(spans.trace.revision);
    Ok(Answer::ok(&TraceDetail::new(spans.trace.clone(), body, listed))?.tagged(tag))
}

/// End a trace
///
/// It ends once: a second end is refused. Spans may still come after it.
#[utoipa::path(
    post, path = "/traces/{traceId}/complete", tag = "Traces", operation_id = "completeTrace",
    params(("traceId" = Uuid, Path, description = "The trace.")),
    request_body = Option<CompleteTrace>,
    responses((status = 200, description = "The trace as it stands.", body = Trace)),
)]
async fn complete(
    State(rest): State<Rest>,
    At(id): At<TraceId>,
    OptionalBody(end): OptionalBody<CompleteTrace>,
) -> Result<Answer, Problem> {
    let ended = rest.services.tracing.complete_trace(id, end.into_model()).await?;
    let tag = revision_tag(ended.revision);
    Ok(Answer::ok(&Trace::from(ended))?.tagged(tag))
}

/// List a conversation's traces
///
/// The newest first.
#[utoipa::path(
    get, path = "/conversations/{conversationId}/traces", tag = "Traces", operation_id = "listConversationTraces",
    params(("conversationId" = Uuid, Path, description = "The conversation."), PageOnly),
    responses((status = 200, description = "A page of the list.", body = Listed<Trace>)),
)]
async fn of_conversation(
    State(rest): State<Rest>,
    uri: Uri,
    At(id): At<ConversationId>,
    Query(wanted): Query<PageOnly>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after, page::usual(rest.pages.most))?;
    conversations::find(&rest, id).await?;
    let found = rest.services.tracing.conversation_traces(&[id], &page).await?.pop().unwrap_or_default();
    Listed::of(found, |(_, row)| Trace::from(row)).answer(&uri)
}

/// The trace, which must be there.
pub(super) async fn find(rest: &Rest, id: TraceId) -> Result<model::trace::Trace, Problem> {
    let found = rest.services.tracing.traces(&[id]).await?.pop().flatten();
    Ok(found.ok_or_else(|| missing(id))?)
}

pub(super) fn missing(id: TraceId) -> Refusal {
    Refusal::not_found("traceId", Entity::Trace, id)
}
