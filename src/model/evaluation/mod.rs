//! How conversations went: one with its turns, many by their means, and groups of them against each other.
//!
//! Pure functions of rows and of what the analysis of their traces came to. A figure that is not defined is
//! `None`. `docs/analysis.md` defines every figure for users. This module must not know where rows come from,
//! or which of many were left out.

mod compare;
mod conversation;
mod digest;
mod group;
mod plans;
mod scores;
mod turns;

pub use self::{
    compare::{Comparison, ComparisonOutcome, LEAST_TO_COMPARE, MeanComparison, RateComparison, Sample},
    conversation::{ConversationEvaluation, Material, Trend, Trends},
    digest::{ToolUse, TraceDigest},
    group::{ConversationFigures, GroupFigures, Rate, Success},
    plans::PlanFigures,
    scores::{NumberFigures, ScoreFigures},
    turns::TurnFigures,
};
