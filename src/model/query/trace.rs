//! Conditions on traces.

use std::{collections::BTreeSet, sync::Arc};

use super::{Bounds, ScoreCondition, SpanCondition, TextMatch};
use crate::model::{
    ConversationId, Timestamp, TraceId,
    component::VersionHash,
    search::TextKind,
    trace::{Trace, TraceStatus},
    words::words,
};

words! {
    /// A figure of a trace.
    TraceFigure {
        /// How long it took, in nanoseconds; nothing while it goes on.
        Duration = 1 "DURATION",
        /// What it cost, in billionths of a dollar; nothing where that is not known.
        Cost = 2 "COST",
        /// Tokens in all.
        TotalTokens = 3 "TOTAL_TOKENS",
        /// Tokens read.
        InputTokens = 4 "INPUT_TOKENS",
        /// Tokens written.
        OutputTokens = 5 "OUTPUT_TOKENS",
        /// Spans.
        Spans = 6 "SPANS",
        /// Spans that ended with an error.
        Errors = 7 "ERRORS",
        /// Calls of models.
        LlmCalls = 8 "LLM_CALLS",
        /// Calls of tools.
        ToolCalls = 9 "TOOL_CALLS",
        /// Levels of its tree.
        Depth = 10 "DEPTH",
    }
}

impl TraceFigure {
    /// The figure of a trace, if it has one.
    #[must_use]
    pub fn of(self, trace: &Trace) -> Option<u64> {
        let summary = &trace.summary;
        match self {
            Self::Duration => trace.end_time.map(|end| end.nanos_since(trace.start_time)),
            Self::Cost => summary.cost_known.then(|| u64::try_from(summary.cost.nanos()).unwrap_or(0)),
            Self::TotalTokens => Some(summary.tokens.total()),
            Self::InputTokens => Some(summary.tokens.input),
            Self::OutputTokens => Some(summary.tokens.output),
            Self::Spans => Some(summary.span_count),
            Self::Errors => Some(summary.error_count),
            Self::LlmCalls => Some(summary.llm_call_count),
            Self::ToolCalls => Some(summary.tool_call_count),
            Self::Depth => Some(summary.depth.into()),
        }
    }
}

/// A text that is to be found in what a trace and its spans say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextCondition {
    /// Words and phrases, as the index of texts reads them.
    pub query: String,
    /// Where they are looked for; empty: everywhere.
    pub kinds: Vec<TextKind>,
}

/// A condition on a trace.
#[derive(Debug, Clone, PartialEq)]
pub enum TraceCondition {
    /// All of these; of none: any trace.
    All(Vec<Self>),
    /// One of these; of none: no trace.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// It is one of these.
    Among(Arc<BTreeSet<TraceId>>),
    /// In one of these states.
    Status(Vec<TraceStatus>),
    /// Called so: itself, else its root span.
    Name(TextMatch),
    /// Of one of these conversations.
    Conversation(Vec<ConversationId>),
    /// Of one of these sessions.
    Session(Vec<String>),
    /// Of one of these users.
    User(Vec<String>),
    /// Its conversation has one of these tags.
    Tag(Vec<String>),
    /// Started at the first moment or later, and before the second.
    Started {
        /// The first moment.
        from: Option<Timestamp>,
        /// The second moment.
        before: Option<Timestamp>,
    },
    /// A figure within bounds. One that has no such figure is not meant.
    Figure(TraceFigure, Bounds<u64>),
    /// One of these models was called.
    Model(Vec<String>),
    /// A component was used, or a version of it.
    Component(String, Option<VersionHash>),
    /// It is this trace's run again.
    ReplayOf(TraceId),
    /// One of its spans is so.
    Span(SpanCondition),
    /// It, or one of its spans, has such a score.
    Score(ScoreCondition),
    /// It or its spans say this.
    Text(TextCondition),
}

impl TraceCondition {
    /// A condition that every trace fulfils.
    #[must_use]
    pub const fn any() -> Self {
        Self::All(Vec::new())
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let parts = |condition| match condition {
            Self::All(all) => all,
            other => vec![other],
        };
        Self::All(parts(self).into_iter().chain(parts(other)).collect())
    }

    /// The conditions that must all hold, one by one.
    pub fn required(&self) -> Vec<&Self> {
        match self {
            Self::All(all) => all.iter().flat_map(Self::required).collect(),
            other => vec![other],
        }
    }

    /// The same with each leaf changed.
    ///
    /// # Errors
    /// The first of `change`.
    pub fn try_map<E>(self, change: &mut impl FnMut(Self) -> Result<Self, E>) -> Result<Self, E> {
        let mut each =
            |all: Vec<Self>| all.into_iter().map(|one| one.try_map(change)).collect::<Result<_, _>>();
        Ok(match self {
            Self::All(all) => Self::All(each(all)?),
            Self::Any(any) => Self::Any(each(any)?),
            Self::Not(not) => Self::Not(Box::new(not.try_map(change)?)),
            leaf => change(leaf)?,
        })
    }

    /// All texts that are looked for in it.
    pub fn texts(&self) -> Vec<&TextCondition> {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().flat_map(Self::texts).collect(),
            Self::Not(not) => not.texts(),
            Self::Text(text) => vec![text],
            _ => Vec::new(),
        }
    }
}
