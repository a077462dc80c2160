//! What an import found and what it added, in numbers.

use std::ops::AddAssign;

use super::assemble::Recording;

/// Records of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Conversations.
    pub conversations: u64,
    /// Messages.
    pub messages: u64,
    /// Tool calls in messages.
    pub tool_calls: u64,
    /// Traces.
    pub traces: u64,
    /// Spans.
    pub spans: u64,
    /// Scores.
    pub scores: u64,
}

/// What was found in a transcript, and what of it was not there yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// What there is.
    pub found: Counts,
    /// What was added.
    pub new: Counts,
}

impl Counts {
    pub(super) fn of(recording: &Recording) -> Self {
        let calls = recording.messages.iter().map(|message| message.tool_calls.len() as u64);
        Self {
            conversations: 1,
            messages: recording.messages.len() as u64,
            tool_calls: calls.sum(),
            traces: recording.runs.len() as u64,
            spans: recording.runs.iter().map(|run| run.spans.len() as u64).sum(),
            scores: u64::from(recording.score.is_some()),
        }
    }

    /// Each kind with its name, in the order in which they are told.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 6] {
        let Self { conversations, messages, tool_calls, traces, spans, scores } = *self;
        [
            ("conversations", conversations),
            ("messages", messages),
            ("tool calls", tool_calls),
            ("traces", traces),
            ("spans", spans),
            ("scores", scores),
        ]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { conversations, messages, tool_calls, traces, spans, scores } = other;
        self.conversations += conversations;
        self.messages += messages;
        self.tool_calls += tool_calls;
        self.traces += traces;
        self.spans += spans;
        self.scores += scores;
    }
}

impl AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.found += other.found;
        self.new += other.new;
    }
}
