//! `/traces/{traceId}/analysis`: where the time of a trace went, what it cost, what went wrong.
//!
//! The figures are the model's; `docs/analysis.md` defines them.

mod calls;
mod failures;
mod path;
mod soundness;
mod spans;
mod views;

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::views::TraceAnalysis;
use super::{
    Rest,
    answer::{Answer, revision_tag},
    page,
    problem::Problem,
    request::{At, Query},
    scalar::Written,
    spans as trace_spans,
};
use crate::model::TraceId;

/// Entries of each list of figures where the client names no number.
const USUAL: usize = 10;

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new().routes(routes!(analyse))
}

/// How much is shown of an analysis.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ShowAnalysis {
    /// Entries of each list of figures at most; 10 where nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<Written<u32>>,
}

/// What a trace tells
///
/// Where its time went, what it cost, what went wrong. Times of a trace that goes on count up to `asOf`.
#[utoipa::path(
    get, path = "/traces/{traceId}/analysis", tag = "Analysis", operation_id = "analyseTrace",
    params(("traceId" = Uuid, Path, description = "The trace."), ShowAnalysis),
    responses((status = 200, description = "The analysis.", body = TraceAnalysis)),
)]
async fn analyse(
    State(rest): State<Rest>,
    At(id): At<TraceId>,
    Query(wanted): Query<ShowAnalysis>,
) -> Result<Answer, Problem> {
    let most = page::request(wanted.limit, None, (USUAL, rest.pages.most))?.first;
    let spans = trace_spans::read(&rest, id).await?;
    let analysis = rest.services.tracing.analysis(&spans);
    let answer = Answer::ok(&TraceAnalysis::of(&spans, &analysis, most))?;
    // While it runs, the figures change with the moment, whatever is written.
    Ok(if analysis.is_running { answer } else { answer.tagged(revision_tag(spans.trace.revision)) })
}
