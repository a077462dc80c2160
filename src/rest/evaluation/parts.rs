//! Figures that an evaluation is made of.

use std::cmp::Reverse;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::{
        evaluation::{self, ToolUse, Trend},
        plan::{PlanStatus, StepStatus},
        trace::TraceStatus,
    },
    rest::{scalar::millis, words},
};

/// How many traces stand somewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct TraceStatusFigures {
    /// Where.
    status: words::TraceStatus,
    /// How many.
    count: u64,
}

impl From<(&TraceStatus, &u64)> for TraceStatusFigures {
    fn from((status, count): (&TraceStatus, &u64)) -> Self {
        Self { status: (*status).into(), count: *count }
    }
}

/// How many plans stand somewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct PlanStatusFigures {
    /// Where.
    status: words::PlanStatus,
    /// How many.
    count: u64,
}

impl From<(&PlanStatus, &u64)> for PlanStatusFigures {
    fn from((status, count): (&PlanStatus, &u64)) -> Self {
        Self { status: (*status).into(), count: *count }
    }
}

/// How many steps stand somewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct StepStatusFigures {
    /// Where.
    status: words::StepStatus,
    /// How many.
    count: u64,
}

impl From<(&StepStatus, &u64)> for StepStatusFigures {
    fn from((status, count): (&StepStatus, &u64)) -> Self {
        Self { status: (*status).into(), count: *count }
    }
}

/// How a tool was used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ToolUseFigures {
    /// The tool.
    tool_name: String,
    /// Calls.
    call_count: u64,
    /// Calls that ended well.
    success_count: u64,
    /// Calls that ended with an error.
    error_count: u64,
    /// The part that ended well of those that ended well or with an error, 0 to 1; null where there are none.
    success_rate: Option<f64>,
    /// The time that the calls took together, in milliseconds; null where only the order of what happened is known.
    total_time_ms: Option<f64>,
}

impl ToolUseFigures {
    pub(super) fn of(name: &str, used: &ToolUse, timed: bool) -> Self {
        Self {
            tool_name: name.to_owned(),
            call_count: used.calls,
            success_count: used.succeeded,
            error_count: used.failed,
            success_rate: used.success_rate(),
            total_time_ms: timed.then(|| millis(used.nanos)),
        }
    }
}

/// How far plans came.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PlanFigures {
    /// Plans.
    count: u64,
    /// How many stand where.
    by_status: Vec<PlanStatusFigures>,
    /// Of the plans that came to an end, the part that was completed, 0 to 1; null where none came to one.
    completion_rate: Option<f64>,
    /// Steps of all plans.
    step_count: u64,
    /// How many steps stand where.
    steps_by_status: Vec<StepStatusFigures>,
    /// Of all steps, the part that is completed, 0 to 1; skipped ones are not. Null where there are none.
    step_completion_rate: Option<f64>,
}

impl From<&evaluation::PlanFigures> for PlanFigures {
    fn from(plans: &evaluation::PlanFigures) -> Self {
        Self {
            count: plans.plans,
            by_status: plans.by_status.iter().map(Into::into).collect(),
            completion_rate: plans.completion_rate(),
            step_count: plans.steps,
            steps_by_status: plans.steps_by_status.iter().map(Into::into).collect(),
            step_completion_rate: plans.step_completion_rate(),
        }
    }
}

/// What the scores of one name come to. One name may have values of several kinds: each is counted by itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ScoreFigures {
    /// What is judged.
    name: String,
    /// Scores of this name.
    count: u64,
    /// Of those that are numbers; null where none is.
    numbers: Option<ScoreNumberFigures>,
    /// The categories that were given most often, most often first: 100 at most.
    categories: Vec<ScoreCategoryFigures>,
    /// How often yes was said.
    true_count: u64,
    /// How often no was said.
    false_count: u64,
}

/// What numbers come to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct ScoreNumberFigures {
    /// How many there are: at least one.
    count: u64,
    /// Their mean.
    mean: f64,
    /// The smallest.
    min: f64,
    /// The largest.
    max: f64,
}

/// How often a category was given.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct ScoreCategoryFigures {
    /// The category.
    category: String,
    /// How often.
    count: u64,
}

/// Categories of one score that are told.
const CATEGORIES: usize = 100;

impl ScoreFigures {
    pub(super) fn of(name: &str, scores: &evaluation::ScoreFigures) -> Self {
        let mut categories: Vec<_> = scores.categories.iter().collect();
        // Stable: of two as often, the order of their names stays.
        categories.sort_by_key(|(_, count)| Reverse(**count));
        let category = |(category, count): (&String, &u64)| ScoreCategoryFigures {
            category: category.clone(),
            count: *count,
        };
        Self {
            name: name.to_owned(),
            count: scores.count,
            numbers: scores.numbers.map(|numbers| ScoreNumberFigures {
                count: numbers.count,
                mean: numbers.mean,
                min: numbers.min,
                max: numbers.max,
            }),
            categories: categories.into_iter().take(CATEGORIES).map(category).collect(),
            true_count: scores.yes,
            false_count: scores.no,
        }
    }
}

/// How a figure changes over the turns.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct TrendFigures {
    /// Turns that have the figure.
    turn_count: u64,
    /// By how much it grows from one turn to the next, by the straight line that fits best (least squares); negative
    /// where it shrinks, null below two turns.
    slope: Option<f64>,
}

impl TrendFigures {
    /// A trend of values that are `scale` times as large as they are shown.
    pub(super) fn scaled(trend: &Trend, scale: f64) -> Self {
        Self { turn_count: trend.turns, slope: trend.slope.map(|slope| slope / scale) }
    }
}
