//! How the analysis of a trace is shown.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    calls::{ContextFigures, FirstTokenFigures},
    failures::{FailureFigures, RetryFigures, RetryTotalFigures},
    path::{ConcurrencyFigures, CriticalPathFigures},
    soundness::TreeFigures,
    spans::SpanFigures,
};
use crate::{
    model::{
        self,
        analysis::{ModelKey, Totals},
        ledger::NanoUsd,
    },
    rest::{
        figures::{GroupFigures, TokenFigures},
        scalar::{Moment, millis},
        words,
    },
    service::tracing::TraceSpans,
};

/// What a trace tells: where its time went, what it cost, what went wrong.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct TraceAnalysis {
    /// Whether the trace goes on: spans that run count up to `asOf`, and every figure may change.
    is_running: bool,
    /// The moment up to which spans count that have no end: now, or the end of a trace that is over.
    as_of: Moment,
    /// The revision of the trace that the figures are of.
    revision: u64,
    /// From the start of the trace to `asOf`, in milliseconds.
    duration_ms: f64,
    /// What all spans come to.
    totals: TraceFigures,
    /// Spans by what kind of operation they are, those with the most self time first.
    operations: Vec<OperationFigures>,
    /// Calls of models by model, those with the most self time first.
    models: Vec<ModelFigures>,
    /// Calls of tools by tool, those with the most self time first.
    tools: Vec<ToolFigures>,
    /// The spans that took longest by what they did themselves, the longest first; none that took no time.
    slowest_spans: Vec<SpanFigures>,
    /// The spans at which most cost counts, or, where costs are not known, most tokens; the costliest first.
    costliest_spans: Vec<SpanFigures>,
    /// The chain of spans that the end of the trace waited for.
    critical_path: CriticalPathFigures,
    /// How many spans were at work at once.
    concurrency: ConcurrencyFigures,
    /// The span that was probably the first cause of what went wrong; null where nothing failed.
    probable_origin: Option<FailureFigures>,
    /// Spans that ended with an error, in the order in which they did.
    failures: Vec<FailureFigures>,
    /// What came of trying again, in numbers.
    retry_totals: RetryTotalFigures,
    /// What failed and was tried again, in the order of the first attempts.
    retries: Vec<RetryFigures>,
    /// How long models took to begin with their answers.
    first_token: FirstTokenFigures,
    /// How the input of models grew from call to call.
    context: ContextFigures,
    /// How sound the tree is.
    tree: TreeFigures,
}

impl TraceAnalysis {
    /// The analysis, with no more than `most` entries of each list of figures.
    pub(super) fn of(spans: &TraceSpans, analysis: &model::analysis::TraceAnalysis, most: usize) -> Self {
        let both = (spans, analysis);
        let spent = |figures: &model::analysis::SpanFigures| {
            let tokens = figures.own.tokens.map(|tokens| tokens.total());
            (figures.own.cost.is_some() || tokens.is_some()).then_some((figures.own.cost, tokens))
        };
        let failures = &analysis.failures;
        let failure = |failure| FailureFigures::at(spans, failure);
        Self {
            is_running: analysis.is_running,
            as_of: analysis.as_of.into(),
            revision: spans.trace.revision,
            duration_ms: millis(analysis.duration_nanos),
            totals: (&analysis.totals).into(),
            operations: analysis.operations.iter().map(Into::into).collect(),
            models: analysis.models.iter().take(most).map(Into::into).collect(),
            tools: analysis.tools.iter().take(most).map(Into::into).collect(),
            slowest_spans: SpanFigures::largest(both, most, |figures| {
                Some(figures.self_nanos).filter(|nanos| *nanos > 0)
            }),
            costliest_spans: SpanFigures::largest(both, most, spent),
            critical_path: CriticalPathFigures::of(spans, analysis, most),
            concurrency: (&analysis.concurrency).into(),
            probable_origin: failures.origin.and_then(|origin| failures.all.get(origin)).and_then(failure),
            failures: failures.all.iter().take(most).filter_map(failure).collect(),
            retry_totals: RetryTotalFigures::of(&analysis.retries),
            retries: analysis.retries.iter().take(most).map(|retry| RetryFigures::of(spans, retry)).collect(),
            first_token: FirstTokenFigures::of(spans, &analysis.first_tokens, most),
            context: ContextFigures::of(spans, &analysis.context, most),
            tree: TreeFigures::of(spans, &analysis.faults, most),
        }
    }
}

/// What all spans of a trace come to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct TraceFigures {
    /// Spans; those that only parts have come of count too.
    span_count: u64,
    /// Spans that have not ended.
    running_count: u64,
    /// Spans that ended with an error.
    error_count: u64,
    /// Spans that were stopped.
    cancelled_count: u64,
    /// Tokens, each counted where it was spent; null where no span reports any.
    tokens: Option<TokenFigures>,
    /// Cost in US dollars, counted where it was spent, as far as it is known; null where no span says any.
    cost_usd: Option<f64>,
    /// How much of the cost is known.
    cost_coverage: words::CostCoverage,
    /// Spans that used something whose cost nobody knows.
    unpriced_count: u64,
}

impl From<&Totals> for TraceFigures {
    fn from(totals: &Totals) -> Self {
        let Totals { spans, running, failed, cancelled, tokens, cost, coverage, unpriced } = *totals;
        Self {
            span_count: spans,
            running_count: running,
            error_count: failed,
            cancelled_count: cancelled,
            tokens: tokens.map(Into::into),
            cost_usd: cost.map(NanoUsd::dollars),
            cost_coverage: coverage.into(),
            unpriced_count: unpriced,
        }
    }
}

/// What the spans of one kind of operation come to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct OperationFigures {
    /// What kind of operation they are.
    operation_type: words::OperationType,
    #[serde(flatten)]
    group: GroupFigures,
}

impl From<&(model::span::OperationType, model::analysis::Group)> for OperationFigures {
    fn from((kind, group): &(model::span::OperationType, model::analysis::Group)) -> Self {
        Self { operation_type: (*kind).into(), group: group.into() }
    }
}

/// What the calls of one model come to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct ModelFigures {
    /// The model; null of calls that do not say.
    model: Option<String>,
    /// Who runs it; null where the calls do not say.
    provider: Option<String>,
    #[serde(flatten)]
    group: GroupFigures,
}

impl From<&(ModelKey, model::analysis::Group)> for ModelFigures {
    fn from((key, group): &(ModelKey, model::analysis::Group)) -> Self {
        let ModelKey { model, provider } = key.clone();
        Self { model, provider, group: group.into() }
    }
}

/// What the calls of one tool come to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ToolFigures {
    /// The tool; the name of the spans where they do not say.
    tool_name: String,
    #[serde(flatten)]
    group: GroupFigures,
}

impl From<&(String, model::analysis::Group)> for ToolFigures {
    fn from((tool, group): &(String, model::analysis::Group)) -> Self {
        Self { tool_name: tool.clone(), group: group.into() }
    }
}
