//! Many conversations by their means.

use std::collections::HashSet;

use crate::model::{
    ledger::NanoUsd,
    score::{Score, ScoreValue},
    stats::{Distribution, Interval, float, wilson},
    trace::Trace,
};

/// What counts as a success.
#[derive(Debug, Clone, PartialEq)]
pub struct Success {
    /// The name of the score that tells.
    pub score: String,
    /// The least number that is a success.
    pub threshold: f64,
}

impl Success {
    /// Whether a conversation succeeded, by its own scores: of several of this name the one recorded last.
    /// `None` where it has none, or only categories, which are neither.
    #[must_use]
    pub fn judge<'a>(&self, scores: impl IntoIterator<Item = &'a Score>) -> Option<bool> {
        let judged = scores.into_iter().filter(|score| score.name == self.score).filter_map(|score| {
            let succeeded = match score.value {
                ScoreValue::Number(number) => number >= self.threshold,
                ScoreValue::Boolean(yes) => yes,
                ScoreValue::Category(_) => return None,
            };
            Some(((score.created_at, score.id), succeeded))
        });
        judged.max_by_key(|(order, _)| *order).map(|(_, succeeded)| succeeded)
    }
}

/// What a group keeps of one conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConversationFigures {
    /// Turns: see [`TurnFigures`](super::TurnFigures).
    pub turns: u64,
    /// Messages in its history.
    pub messages: u64,
    /// Calls of language models.
    pub model_calls: u64,
    /// Calls of tools.
    pub tool_calls: u64,
    /// Spans that failed.
    pub errors: u64,
    /// Tokens read and written; `None` where none are reported.
    pub tokens: Option<u64>,
    /// Cost, as far as it is known; `None` where none is.
    pub cost: Option<NanoUsd>,
    /// How long its traces that ended took together, in nanoseconds; `None` where none has ended, and where
    /// only the order of what happened is known.
    pub duration_nanos: Option<u64>,
    /// Whether it succeeded; `None` where nothing says.
    pub success: Option<bool>,
}

impl ConversationFigures {
    /// What is kept of a conversation with these traces. `timed`: whether their times are known.
    #[must_use]
    pub fn of(messages: u64, traces: &[Trace], timed: bool, success: Option<bool>) -> Self {
        let turns: HashSet<_> = traces.iter().map(|trace| trace.turn_id.ok_or(trace.id)).collect();
        let sum = |of: fn(&Trace) -> u64| traces.iter().map(of).fold(0, u64::saturating_add);
        let ended = traces.iter().filter_map(|trace| Some(trace.end_time?.nanos_since(trace.start_time)));
        let cost = traces.iter().filter(|trace| trace.summary.cost_known).map(|trace| trace.summary.cost);
        Self {
            turns: turns.len() as u64,
            messages,
            model_calls: sum(|trace| trace.summary.llm_call_count),
            tool_calls: sum(|trace| trace.summary.tool_call_count),
            errors: sum(|trace| trace.summary.error_count),
            // A summary knows no difference between none reported and none used.
            tokens: Some(sum(|trace| trace.summary.tokens.total())).filter(|tokens| *tokens > 0),
            cost: cost.reduce(NanoUsd::plus),
            duration_nanos: ended.reduce(u64::saturating_add).filter(|_| timed),
            success,
        }
    }
}

/// What conversations come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupFigures {
    /// How many there are.
    pub conversations: u64,
    /// How many succeeded.
    pub success: Rate,
    /// Turns of each.
    pub turns: Option<Distribution>,
    /// Messages of each.
    pub messages: Option<Distribution>,
    /// Calls of language models of each.
    pub model_calls: Option<Distribution>,
    /// Calls of tools of each.
    pub tool_calls: Option<Distribution>,
    /// Failed spans of each.
    pub errors: Option<Distribution>,
    /// Tokens of those that report any.
    pub tokens: Option<Distribution>,
    /// Cost of those that have a known one, in US dollars.
    pub cost: Option<Distribution>,
    /// How long those took that have a known duration, in nanoseconds.
    pub duration: Option<Distribution>,
}

/// How many of those that were judged succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// Those that were judged.
    pub judged: u64,
    /// Of them: those that succeeded.
    pub succeeded: u64,
}

impl Rate {
    /// Of these conversations.
    #[must_use]
    pub fn of(conversations: &[ConversationFigures]) -> Self {
        let judged = conversations.iter().filter_map(|figures| figures.success);
        let mut rate = Self::default();
        judged.for_each(|yes| {
            rate.judged += 1;
            rate.succeeded += u64::from(yes);
        });
        rate
    }

    /// The part that succeeded; `None` where none was judged.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        (self.judged > 0).then(|| float(self.succeeded) / float(self.judged))
    }

    /// Wilson's interval of it.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        wilson(self.succeeded, self.judged)
    }
}

impl GroupFigures {
    /// What these conversations come to.
    #[must_use]
    pub fn of(conversations: &[ConversationFigures]) -> Self {
        let spread = |measure: Measure| Distribution::of(conversations.iter().filter_map(measure));
        Self {
            conversations: conversations.len() as u64,
            success: Rate::of(conversations),
            turns: spread(turns),
            messages: spread(messages),
            model_calls: spread(model_calls),
            tool_calls: spread(tool_calls),
            errors: spread(errors),
            tokens: spread(tokens),
            cost: spread(cost),
            duration: spread(duration),
        }
    }
}

/// What is measured of a conversation.
pub(super) type Measure = fn(&ConversationFigures) -> Option<f64>;

macro_rules! measures {
    ($($name:ident: $figures:ident => $value:expr;)+) => {$(
        #[expect(clippy::allow_attributes, reason = "some of them are there for all")]
        #[allow(clippy::unnecessary_wraps, reason = "some of them are there for all")]
        pub(super) fn $name($figures: &ConversationFigures) -> Option<f64> {
            $value
        }
    )+};
}

measures! {
    turns: figures => Some(float(figures.turns));
    messages: figures => Some(float(figures.messages));
    model_calls: figures => Some(float(figures.model_calls));
    tool_calls: figures => Some(float(figures.tool_calls));
    errors: figures => Some(float(figures.errors));
    tokens: figures => figures.tokens.map(float);
    cost: figures => figures.cost.map(NanoUsd::dollars);
    duration: figures => figures.duration_nanos.map(float);
}
