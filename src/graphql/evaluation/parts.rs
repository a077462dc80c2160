//! Figures that evaluations are made of.

use async_graphql::SimpleObject;

use crate::{
    graphql::scalar::{int, millis},
    model::{
        evaluation::{ScoreFigures as Scores, ToolUse, Trend},
        plan::{PlanStatus, StepStatus},
        stats::Interval,
        trace::TraceStatus,
    },
};

/// Between which values a figure lies, with a confidence of 95 %.
#[derive(SimpleObject)]
pub(super) struct IntervalFigures {
    /// The lower end.
    low: f64,
    /// The upper end.
    high: f64,
}

impl IntervalFigures {
    /// An interval of values that are `scale` times as large as they are shown.
    pub(super) fn scaled(interval: Option<Interval>, scale: f64) -> Option<Self> {
        interval.map(|Interval { low, high }| Self { low: low / scale, high: high / scale })
    }
}

/// How many traces stand somewhere.
#[derive(SimpleObject)]
pub(super) struct TraceStatusFigures {
    /// Where.
    pub status: TraceStatus,
    /// How many.
    pub count: i32,
}

/// How many plans stand somewhere.
#[derive(SimpleObject)]
pub(super) struct PlanStatusFigures {
    /// Where.
    pub status: PlanStatus,
    /// How many.
    pub count: i32,
}

/// How many steps stand somewhere.
#[derive(SimpleObject)]
pub(super) struct StepStatusFigures {
    /// Where.
    pub status: StepStatus,
    /// How many.
    pub count: i32,
}

/// How a tool was used.
#[derive(SimpleObject)]
pub(super) struct ToolUseFigures {
    /// The tool.
    tool_name: String,
    /// Calls.
    call_count: i32,
    /// Calls that ended well.
    success_count: i32,
    /// Calls that ended with an error.
    error_count: i32,
    /// The part that ended well of those that ended well or with an error, 0 to 1; null where there are none.
    success_rate: Option<f64>,
    /// The time that the calls took together, in milliseconds; null where only the order of what happened is known.
    total_time_ms: Option<f64>,
}

impl ToolUseFigures {
    pub(super) fn of(name: &str, used: &ToolUse, timed: bool) -> Self {
        Self {
            tool_name: name.to_owned(),
            call_count: int(used.calls),
            success_count: int(used.succeeded),
            error_count: int(used.failed),
            success_rate: used.success_rate(),
            total_time_ms: timed.then(|| millis(used.nanos)),
        }
    }
}

/// What the scores of one name come to. One name may have values of several kinds: each is counted by itself.
#[derive(SimpleObject)]
pub(super) struct ScoreFigures {
    /// What is judged: `helpfulness`.
    name: String,
    /// Scores of this name.
    count: i32,
    /// Of those that are numbers; null where none is.
    numbers: Option<ScoreNumberFigures>,
    /// The categories that were given most often, most often first: 100 at most.
    categories: Vec<ScoreCategoryFigures>,
    /// How often yes was said.
    true_count: i32,
    /// How often no was said.
    false_count: i32,
}

/// What numbers come to.
#[derive(SimpleObject)]
struct ScoreNumberFigures {
    /// How many there are: at least one.
    count: i32,
    /// Their mean.
    mean: f64,
    /// The smallest.
    min: f64,
    /// The largest.
    max: f64,
}

/// How often a category was given.
#[derive(SimpleObject)]
struct ScoreCategoryFigures {
    /// The category.
    category: String,
    /// How often.
    count: i32,
}

/// Categories of one score that are told.
const CATEGORIES: usize = 100;

impl ScoreFigures {
    pub(super) fn of(name: &str, scores: &Scores) -> Self {
        let mut categories: Vec<_> = scores.categories.iter().collect();
        // Stable: of two as often, the order of their names stays.
        categories.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let category = |(category, count): (&String, &u64)| ScoreCategoryFigures {
            category: category.clone(),
            count: int(*count),
        };
        Self {
            name: name.to_owned(),
            count: int(scores.count),
            numbers: scores.numbers.map(|numbers| ScoreNumberFigures {
                count: int(numbers.count),
                mean: numbers.mean,
                min: numbers.min,
                max: numbers.max,
            }),
            categories: categories.into_iter().take(CATEGORIES).map(category).collect(),
            true_count: int(scores.yes),
            false_count: int(scores.no),
        }
    }
}

/// How a figure changes over the turns.
#[derive(SimpleObject)]
pub(super) struct TrendFigures {
    /// Turns that have the figure.
    turn_count: i32,
    /// By how much it grows from one turn to the next, by the straight line that fits best (least squares); negative
    /// where it shrinks, null below two turns.
    slope: Option<f64>,
}

impl TrendFigures {
    /// A trend of values that are `scale` times as large as they are shown.
    pub(super) fn scaled(trend: &Trend, scale: f64) -> Self {
        Self { turn_count: int(trend.turns), slope: trend.slope.map(|slope| slope / scale) }
    }
}
