//! Figures of one span and of many: times, tokens, cost.

use async_graphql::{Object, SimpleObject};

use super::TraceAnalysis;
use crate::{
    graphql::{
        scalar::{BigInt, int, millis},
        span::Span,
    },
    model::{
        self,
        analysis::{Group, ModelKey, Totals},
        ledger::{NanoUsd, TokenTotals},
        span::OperationType,
        stats::Distribution,
    },
};

pub(in crate::graphql) use crate::model::analysis::CostCoverage;

/// Tokens by kind.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TokenFigures {
    /// Tokens read and written.
    total: BigInt,
    /// Tokens read, cached ones included.
    input: BigInt,
    /// Tokens written, reasoning included.
    output: BigInt,
    /// Of the tokens read: from a cache.
    cache_read: BigInt,
    /// Of the tokens read: written to a cache.
    cache_write: BigInt,
    /// Of the tokens written: reasoning.
    reasoning: BigInt,
}

impl From<TokenTotals> for TokenFigures {
    fn from(tokens: TokenTotals) -> Self {
        let TokenTotals { input, output, cache_read, cache_write, reasoning } = tokens;
        Self {
            total: BigInt(tokens.total()),
            input: BigInt(input),
            output: BigInt(output),
            cache_read: BigInt(cache_read),
            cache_write: BigInt(cache_write),
            reasoning: BigInt(reasoning),
        }
    }
}

/// What all spans of a trace come to.
#[derive(SimpleObject)]
pub(super) struct TraceFigures {
    /// Spans; those that only parts have come of count too.
    span_count: i32,
    /// Spans that have not ended.
    running_count: i32,
    /// Spans that ended with an error.
    error_count: i32,
    /// Spans that were stopped.
    cancelled_count: i32,
    /// Tokens, each counted where it was spent; null where no span reports any.
    tokens: Option<TokenFigures>,
    /// Cost in US dollars, counted where it was spent, as far as it is known; null where no span says any.
    cost_usd: Option<f64>,
    /// How much of the cost is known.
    cost_coverage: CostCoverage,
    /// Spans that used something whose cost nobody knows.
    unpriced_count: i32,
}

impl From<&Totals> for TraceFigures {
    fn from(totals: &Totals) -> Self {
        let Totals { spans, running, failed, cancelled, tokens, cost, coverage, unpriced } = *totals;
        Self {
            span_count: int(spans),
            running_count: int(running),
            error_count: int(failed),
            cancelled_count: int(cancelled),
            tokens: tokens.map(TokenFigures::from),
            cost_usd: cost.map(NanoUsd::dollars),
            cost_coverage: coverage,
            unpriced_count: int(unpriced),
        }
    }
}

/// What spans come to that have something in common.
#[derive(SimpleObject)]
struct GroupFigures {
    /// How many there are.
    count: i32,
    /// Of them: not ended.
    running_count: i32,
    /// Of them: ended well.
    success_count: i32,
    /// Of them: ended with an error.
    error_count: i32,
    /// Of them: stopped.
    cancelled_count: i32,
    /// The part that ended well of those that ended well or with an error, 0 to 1; null where there are none.
    success_rate: Option<f64>,
    /// Milliseconds in which at least one was at work.
    wall_time_ms: f64,
    /// Their durations together, in milliseconds: more than `wallTimeMs` where they overlap.
    total_time_ms: f64,
    /// Their self times together, in milliseconds.
    self_time_ms: f64,
    /// Milliseconds of the critical path that are theirs.
    critical_path_ms: f64,
    /// Tokens that count at them; null where none do.
    tokens: Option<TokenFigures>,
    /// Cost in US dollars that counts at them, as far as it is known; null where none does.
    cost_usd: Option<f64>,
}

impl From<&Group> for GroupFigures {
    fn from(group: &Group) -> Self {
        Self {
            count: int(group.count),
            running_count: int(group.running),
            success_count: int(group.succeeded),
            error_count: int(group.failed),
            cancelled_count: int(group.cancelled),
            success_rate: group.success_rate(),
            wall_time_ms: millis(group.wall_nanos),
            total_time_ms: millis(group.total_nanos),
            self_time_ms: millis(group.self_nanos),
            critical_path_ms: millis(group.path_nanos),
            tokens: group.tokens.map(TokenFigures::from),
            cost_usd: group.cost.map(NanoUsd::dollars),
        }
    }
}

/// What the spans of one kind of operation come to.
#[derive(SimpleObject)]
pub(super) struct OperationFigures {
    /// What kind of operation they are.
    operation_type: OperationType,
    #[graphql(flatten)]
    group: GroupFigures,
}

impl From<&(OperationType, Group)> for OperationFigures {
    fn from((operation_type, group): &(OperationType, Group)) -> Self {
        Self { operation_type: *operation_type, group: group.into() }
    }
}

/// What the calls of one model come to.
#[derive(SimpleObject)]
pub(super) struct ModelFigures {
    /// The model; null of calls that do not say.
    model: Option<String>,
    /// Who runs it; null where the calls do not say.
    provider: Option<String>,
    #[graphql(flatten)]
    group: GroupFigures,
}

impl From<&(ModelKey, Group)> for ModelFigures {
    fn from((key, group): &(ModelKey, Group)) -> Self {
        let ModelKey { model, provider } = key.clone();
        Self { model, provider, group: group.into() }
    }
}

/// What the calls of one tool come to.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ToolFigures {
    /// The tool; the name of the spans where they do not say.
    tool_name: String,
    #[graphql(flatten)]
    group: GroupFigures,
}

impl From<&(String, Group)> for ToolFigures {
    fn from((tool, group): &(String, Group)) -> Self {
        Self { tool_name: tool.clone(), group: group.into() }
    }
}

/// How values are spread. A quantile between two values lies on the straight line between them (definition 7 of
/// Hyndman and Fan).
#[derive(SimpleObject)]
pub(in crate::graphql) struct DistributionFigures {
    /// How many values there are: at least one.
    count: i32,
    /// The smallest.
    min: f64,
    /// The largest.
    max: f64,
    /// Their mean.
    mean: f64,
    /// The median.
    p50: f64,
    /// Nine of ten are not above it.
    p90: f64,
    /// 95 of a hundred are not above it.
    p95: f64,
    /// 99 of a hundred are not above it.
    p99: f64,
}

impl DistributionFigures {
    /// Those of values that are `scale` times as large as they are shown.
    pub(in crate::graphql) fn scaled(spread: &Distribution, scale: f64) -> Self {
        let Distribution { count, min, max, mean, p50, p90, p95, p99 } = *spread;
        Self {
            count: int(count),
            min: min / scale,
            max: max / scale,
            mean: mean / scale,
            p50: p50 / scale,
            p90: p90 / scale,
            p95: p95 / scale,
            p99: p99 / scale,
        }
    }
}

/// Nanoseconds in a millisecond.
pub(in crate::graphql) const NANOS_A_MILLI: f64 = 1e6;

/// The figures of one span.
pub(super) struct SpanFigures {
    span: Span,
    figures: model::analysis::SpanFigures,
}

impl SpanFigures {
    pub(super) fn at(of: &TraceAnalysis, place: usize) -> Option<Self> {
        Some(Self { span: Span::placed(&of.spans, place)?, figures: *of.figures(place)? })
    }
}

/// The figures of one span. A span's tokens and cost count only where no span below it reports any, because agents
/// repeat the sums of what they called: what counts at it is exclusive; with all that counts below it, inclusive.
#[Object]
impl SpanFigures {
    /// The span.
    async fn span(&self) -> &Span {
        &self.span
    }

    /// How long it took, in milliseconds; one that runs up to `asOf`.
    async fn duration_ms(&self) -> f64 {
        millis(self.figures.nanos)
    }

    /// Of that: while no span directly below it was at work.
    async fn self_time_ms(&self) -> f64 {
        millis(self.figures.self_nanos)
    }

    /// How much of the critical path is its own, in milliseconds.
    async fn critical_path_ms(&self) -> f64 {
        millis(self.figures.path_nanos)
    }

    /// Tokens that count at it; null where none do.
    async fn exclusive_tokens(&self) -> Option<TokenFigures> {
        self.figures.own.tokens.map(TokenFigures::from)
    }

    /// Tokens that count at it and at all below it; null where none do.
    async fn inclusive_tokens(&self) -> Option<TokenFigures> {
        self.figures.tokens.map(TokenFigures::from)
    }

    /// Cost in US dollars that counts at it; null where none does.
    async fn exclusive_cost_usd(&self) -> Option<f64> {
        self.figures.own.cost.map(NanoUsd::dollars)
    }

    /// Cost in US dollars that counts at it and at all below it; null where none does.
    async fn inclusive_cost_usd(&self) -> Option<f64> {
        self.figures.cost.map(NanoUsd::dollars)
    }

    /// Whether it used something whose cost nobody knows.
    async fn is_unpriced(&self) -> bool {
        self.figures.own.is_unpriced
    }
}
