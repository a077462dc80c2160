//! Two choices of conversations against each other.

use async_graphql::{Enum, SimpleObject};

use super::{
    group::{ConversationGroupFigures, RateFigures},
    parts::IntervalFigures,
};
use crate::{
    graphql::{analysis::NANOS_A_MILLI, scalar::int},
    model::{
        self,
        evaluation::{ComparisonOutcome, MeanComparison, RateComparison, Sample},
    },
    service::evaluation::ConversationsCompared,
};

/// Two choices of conversations against each other. Differences are `a` minus `b`; each interval holds the true
/// difference in 95 of 100 samples. Where many figures are compared, one in twenty shows a difference by chance.
#[derive(SimpleObject)]
pub(super) struct ConversationComparison {
    /// What one choice comes to.
    a: ConversationGroupFigures,
    /// What the other comes to.
    b: ConversationGroupFigures,
    /// Conversations that are in both: the intervals take the two for independent, which they are where this is 0.
    in_both_count: i32,
    /// Whether conversations were left out: see `ConversationsEvaluation.isPartial`.
    is_partial: bool,
    /// How many succeeded.
    success: SuccessComparison,
    /// Turns of a conversation.
    turns: FigureComparison,
    /// Messages of a conversation.
    messages: FigureComparison,
    /// Calls of language models of a conversation.
    model_calls: FigureComparison,
    /// Calls of tools of a conversation.
    tool_calls: FigureComparison,
    /// Spans of a conversation that ended with an error.
    errors: FigureComparison,
    /// Tokens of a conversation that reports any.
    tokens: FigureComparison,
    /// Cost in US dollars of a conversation with a known one.
    cost_usd: FigureComparison,
    /// How long the traces of a conversation took together, in milliseconds.
    duration_ms: FigureComparison,
}

impl From<ConversationsCompared> for ConversationComparison {
    fn from(found: ConversationsCompared) -> Self {
        let ConversationsCompared { a, b, comparison, in_both, is_partial } = found;
        let model::evaluation::Comparison {
            success,
            turns,
            messages,
            model_calls,
            tool_calls,
            errors,
            tokens,
            cost,
            duration,
        } = comparison;
        Self {
            a: ConversationGroupFigures::of(None, &a),
            b: ConversationGroupFigures::of(None, &b),
            in_both_count: int(in_both),
            is_partial,
            success: SuccessComparison::from(&success),
            turns: FigureComparison::scaled(&turns, 1.0),
            messages: FigureComparison::scaled(&messages, 1.0),
            model_calls: FigureComparison::scaled(&model_calls, 1.0),
            tool_calls: FigureComparison::scaled(&tool_calls, 1.0),
            errors: FigureComparison::scaled(&errors, 1.0),
            tokens: FigureComparison::scaled(&tokens, 1.0),
            cost_usd: FigureComparison::scaled(&cost, 1.0),
            duration_ms: FigureComparison::scaled(&duration, NANOS_A_MILLI),
        }
    }
}

/// How an interval is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum IntervalMethod {
    /// Welch's t interval of the difference of two means, which does not take the spreads for equal.
    Welch,
    /// Newcombe's hybrid score interval of the difference of two rates.
    Newcombe,
    /// The percentile bootstrap: the sample drawn from itself, up to 1,000 times, always with the same random numbers.
    Bootstrap,
}

/// Two rates of success against each other.
#[derive(SimpleObject)]
struct SuccessComparison {
    /// Of `a`.
    a: RateFigures,
    /// Of `b`.
    b: RateFigures,
    /// How much higher the rate of `a` is, -1 to 1; null where a side was not judged.
    difference: Option<f64>,
    /// The interval of the difference; null where the outcome is `NOT_ENOUGH_DATA`.
    interval: Option<IntervalFigures>,
    /// How the interval is made.
    method: IntervalMethod,
    /// What it shows. `NOT_ENOUGH_DATA` below 10 that were judged on a side.
    outcome: ComparisonOutcome,
}

impl From<&RateComparison> for SuccessComparison {
    fn from(compared: &RateComparison) -> Self {
        Self {
            a: RateFigures::from(&compared.a),
            b: RateFigures::from(&compared.b),
            difference: compared.difference,
            interval: IntervalFigures::scaled(compared.interval, 1.0),
            method: IntervalMethod::Newcombe,
            outcome: compared.outcome,
        }
    }
}

/// Two means against each other, and two medians.
#[derive(SimpleObject)]
struct FigureComparison {
    /// The values of `a`; null where there are none.
    a: Option<SampleFigures>,
    /// The values of `b`; null where there are none.
    b: Option<SampleFigures>,
    /// How much higher the mean of `a` is; null where a side has no value.
    difference: Option<f64>,
    /// The interval of the difference; null where the outcome is `NOT_ENOUGH_DATA`.
    interval: Option<IntervalFigures>,
    /// How the interval is made.
    method: IntervalMethod,
    /// What it shows. `NOT_ENOUGH_DATA` below 10 values on a side, and where all values of each side are the same.
    outcome: ComparisonOutcome,
    /// How much higher the median of `a` is: a few very large values move a mean, and no median.
    median_difference: Option<f64>,
    /// The interval of that; null where the outcome is `NOT_ENOUGH_DATA`.
    median_interval: Option<IntervalFigures>,
    /// How that interval is made.
    median_method: IntervalMethod,
}

impl FigureComparison {
    /// A comparison of values that are `scale` times as large as they are shown.
    fn scaled(compared: &MeanComparison, scale: f64) -> Self {
        Self {
            a: compared.a.map(|sample| SampleFigures::scaled(&sample, scale)),
            b: compared.b.map(|sample| SampleFigures::scaled(&sample, scale)),
            difference: compared.difference.map(|difference| difference / scale),
            interval: IntervalFigures::scaled(compared.interval, scale),
            method: IntervalMethod::Welch,
            outcome: compared.outcome,
            median_difference: compared.median_difference.map(|difference| difference / scale),
            median_interval: IntervalFigures::scaled(compared.median_interval, scale),
            median_method: IntervalMethod::Bootstrap,
        }
    }
}

/// The values of one side.
#[derive(SimpleObject)]
struct SampleFigures {
    /// How many there are: at least one.
    count: i32,
    /// Their mean.
    mean: f64,
    /// Their sample standard deviation; null of one value.
    deviation: Option<f64>,
    /// Their median.
    median: f64,
}

impl SampleFigures {
    fn scaled(sample: &Sample, scale: f64) -> Self {
        Self {
            count: int(sample.count),
            mean: sample.mean / scale,
            deviation: sample.deviation.map(|deviation| deviation / scale),
            median: sample.median / scale,
        }
    }
}
