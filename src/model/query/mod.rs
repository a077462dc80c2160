//! Conditions on traces and spans, composed of and, or and not: what they mean, and what must be known of a trace to
//! judge them. Knows nothing of how traces are found.

mod bounds;
mod judge;
mod score;
mod span;
mod text;
mod trace;

pub use self::{
    bounds::{Bounds, MAX_CONDITIONS, MAX_DEPTH},
    judge::{Needs, SpansView, TraceView},
    score::{ScoreCondition, ScoreTest},
    span::{AttributeTest, SpanCondition, SpanFigure},
    text::TextMatch,
    trace::{TextCondition, TraceCondition, TraceFigure},
};
use super::words::words;

words! {
    /// Which end of an order comes first.
    OrderDirection {
        /// The smallest, or the earliest.
        Ascending = 1 "ASC",
        /// The largest, or the latest.
        Descending = 2 "DESC",
    }
}

words! {
    /// What traces are ordered by.
    TraceOrderField {
        /// When they started.
        StartTime = 1 "START_TIME",
        /// How long they took.
        Duration = 2 "DURATION",
        /// What they cost, as far as it is known: what is not known counts as less than anything.
        Cost = 3 "COST",
        /// How many tokens they used.
        Tokens = 4 "TOKENS",
    }
}
