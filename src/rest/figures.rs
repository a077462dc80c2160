//! Figures that analyses and evaluations have in common.

use serde::Serialize;
use utoipa::ToSchema;

use super::scalar::millis;
use crate::model::{
    analysis::Group,
    ledger::{NanoUsd, TokenTotals},
    stats::Distribution,
};

/// Nanoseconds in a millisecond.
pub(super) const NANOS_A_MILLI: f64 = 1e6;

/// Tokens by kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenFigures {
    /// Tokens read and written.
    total: u64,
    /// Tokens read, cached ones included.
    input: u64,
    /// Tokens written, reasoning included.
    output: u64,
    /// Of the tokens read: from a cache.
    cache_read: u64,
    /// Of the tokens read: written to a cache.
    cache_write: u64,
    /// Of the tokens written: reasoning.
    reasoning: u64,
}

impl From<TokenTotals> for TokenFigures {
    fn from(tokens: TokenTotals) -> Self {
        let TokenTotals { input, output, cache_read, cache_write, reasoning } = tokens;
        Self { total: tokens.total(), input, output, cache_read, cache_write, reasoning }
    }
}

/// How values are spread. A quantile between two values lies on the straight line between them (definition 7 of
/// Hyndman and Fan).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DistributionFigures {
    /// How many values there are: at least one.
    count: u64,
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
    pub(super) fn scaled(spread: &Distribution, scale: f64) -> Self {
        let Distribution { count, min, max, mean, p50, p90, p95, p99 } = *spread;
        Self {
            count,
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

/// What spans come to that have something in common.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupFigures {
    /// How many there are.
    count: u64,
    /// Of them: not ended.
    running_count: u64,
    /// Of them: ended well.
    success_count: u64,
    /// Of them: ended with an error.
    error_count: u64,
    /// Of them: stopped.
    cancelled_count: u64,
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
            count: group.count,
            running_count: group.running,
            success_count: group.succeeded,
            error_count: group.failed,
            cancelled_count: group.cancelled,
            success_rate: group.success_rate(),
            wall_time_ms: millis(group.wall_nanos),
            total_time_ms: millis(group.total_nanos),
            self_time_ms: millis(group.self_nanos),
            critical_path_ms: millis(group.path_nanos),
            tokens: group.tokens.map(Into::into),
            cost_usd: group.cost.map(NanoUsd::dollars),
        }
    }
}
