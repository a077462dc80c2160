//! Conditions on traces and spans, composed of and, or and not: what they mean, and what must be known of a trace to
//! judge them. Knows nothing of how traces are found.

mod bounds;
mod judge;
mod reading;
mod score;
mod span;
mod text;
mod trace;

pub use self::{
    bounds::{Bounds, MAX_CONDITIONS, MAX_DEPTH},
    judge::{Needs, SpansView, TraceView},
    reading::{Parts, Reading, in_order},
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

words! {
    /// What spans are ordered by.
    SpanOrderField {
        /// When their traces started; of each trace they come in the order of its tree.
        StartTime = 1 "START_TIME",
        /// How long they took: those that go on count as less than anything.
        Duration = 2 "DURATION",
        /// What they say they cost: what is not known counts as less than anything.
        Cost = 3 "COST",
        /// How many tokens they say they used: those that say nothing count as less than anything.
        Tokens = 4 "TOKENS",
    }
}

impl SpanOrderField {
    /// The figure that it is of; `None`: it is no figure.
    #[must_use]
    pub const fn figure(self) -> Option<SpanFigure> {
        match self {
            Self::StartTime => None,
            Self::Duration => Some(SpanFigure::Duration),
            Self::Cost => Some(SpanFigure::Cost),
            Self::Tokens => Some(SpanFigure::TotalTokens),
        }
    }
}

words! {
    /// Where a query looks for traces.
    QuerySource {
        /// At all of them, in the order that is asked for.
        All = 1 "ALL",
        /// At those that are named, or in which a text was found, where those are few.
        Named = 2 "NAMED",
        /// At those of a conversation.
        Conversation = 3 "CONVERSATION",
        /// At those of a session.
        Session = 4 "SESSION",
        /// At those of a user.
        User = 5 "USER",
        /// At those in a state.
        Status = 6 "STATUS",
        /// At those that are a trace's run again.
        Replayed = 7 "REPLAYED",
        /// At those that used a version of a component.
        Version = 8 "VERSION",
        /// At those that used a component.
        Component = 9 "COMPONENT",
        /// At those that called a model.
        Model = 10 "MODEL",
        /// At those that called a tool.
        Tool = 11 "TOOL",
        /// At those with a score of a name.
        Score = 12 "SCORE",
        /// At those whose duration, cost or tokens lie within bounds.
        Figure = 13 "FIGURE",
        /// At those in which a text is found, from the newest on, until there are enough.
        Text = 14 "TEXT",
    }
}
