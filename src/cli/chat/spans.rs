//! Spans as they run: how deep each stands, and how long it took as seen from here. What the server measured, with
//! tokens and cost, is in the trace.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{
    api::SpanChange,
    words::{kind, line, sign, time},
};
use crate::model::span::{OperationType, SpanStatus};

/// Spans that are known to be open at most. Further ones are shown at the top, and without a time.
const MOST: usize = 10_000;

/// Bytes that are shown of a span's name.
const NAME_BYTES: usize = 60;

/// The spans of a run that go on.
#[derive(Default)]
pub(super) struct Spans {
    open: HashMap<String, Open>,
    /// How deep the tool stands that was called last.
    tool_depth: usize,
}

struct Open {
    depth: usize,
    begun: Instant,
}

impl Spans {
    /// The line that tells of a change, and how deep it stands. A tool's beginning has none: its call tells of it.
    pub(super) fn change(&mut self, change: &SpanChange, now: Instant) -> Option<(usize, String)> {
        let (depth, took) = match change.status {
            SpanStatus::Running => (self.begin(change, now), None),
            _ => self.end(&change.span_id, now),
        };
        if change.operation_type == OperationType::ToolCall {
            self.tool_depth = depth;
            if change.status == SpanStatus::Running {
                return None;
            }
        }
        let took = took.map(|took| format!("  {}", time(took))).unwrap_or_default();
        let (sign, kind) = (sign(change.status), kind(change.operation_type));
        Some((depth, format!("{sign} {kind} {}{took}", line(&change.name, NAME_BYTES))))
    }

    /// How deep a tool's call and its result stand.
    pub(super) fn tool_depth(&self) -> usize {
        self.tool_depth
    }

    fn begin(&mut self, change: &SpanChange, now: Instant) -> usize {
        let parent = change.parent_span_id.as_ref().and_then(|parent| self.open.get(parent));
        let depth = parent.map_or(0, |parent| parent.depth + 1);
        if self.open.len() < MOST {
            self.open.insert(change.span_id.clone(), Open { depth, begun: now });
        }
        depth
    }

    fn end(&mut self, span: &str, now: Instant) -> (usize, Option<Duration>) {
        match self.open.remove(span) {
            Some(Open { depth, begun }) => (depth, Some(now.saturating_duration_since(begun))),
            None => (0, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(span: &str, parent: Option<&str>, of: OperationType, status: SpanStatus) -> SpanChange {
        let parent_span_id = parent.map(str::to_owned);
        let name = format!("of\u{1b} {span}");
        SpanChange { span_id: span.to_owned(), parent_span_id, operation_type: of, name, status }
    }

    #[test]
    fn a_span_stands_below_its_parent_and_keeps_its_place_to_its_end() {
        use OperationType::{Agent, LlmCall, ToolCall};
        use SpanStatus::{Error, Ok, Running};
        let (mut spans, now) = (Spans::default(), Instant::now());
        let later = now + Duration::from_millis(1_500);
        let mut told = |change: SpanChange, at| spans.change(&change, at);
        assert_eq!(told(change("a", None, Agent, Running), now), Some((0, "▸ agent of a".to_owned())));
        let model = told(change("b", Some("a"), LlmCall, Running), now);
        assert_eq!(model, Some((1, "▸ model of b".to_owned())));
        let model = told(change("b", None, LlmCall, Ok), later);
        assert_eq!(model, Some((1, "✓ model of b  1.5 s".to_owned())));
        assert_eq!(told(change("c", Some("a"), ToolCall, Running), now), None);
        let tool = told(change("c", None, ToolCall, Error), later);
        assert_eq!(tool, Some((1, "✗ tool of c  1.5 s".to_owned())));
        let unknown = told(change("x", None, Agent, Ok), later);
        assert_eq!(unknown, Some((0, "✓ agent of x".to_owned())));
        assert_eq!(spans.tool_depth(), 1);
    }
}
