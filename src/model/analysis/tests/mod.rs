//! Traces written down in few words, with their figures worked out by hand.

mod broken;
mod golden;
mod properties;
mod spending;

use super::*;
use crate::model::{
    SpanId, TraceId,
    ledger::{CostSource, Ledger, NanoUsd, TokenCounts},
    span::{Attached, SpanDetails, SpanStatus},
    trace::TraceStatus,
};

/// A trace with its spans.
pub(super) struct Case {
    pub trace: Trace,
    pub heads: Vec<SpanHead>,
}

pub(super) fn span_id(number: usize) -> SpanId {
    SpanId::from_bytes((number as u128 + 1).to_be_bytes())
}

/// A span that takes this time and nothing else.
pub(super) fn head(number: usize, parent: Option<SpanId>, start: i64, end: Option<i64>) -> SpanHead {
    SpanHead {
        id: span_id(number),
        parent_id: parent,
        operation_type: OperationType::Custom,
        name: String::new(),
        start_time: Timestamp::from_nanos(start),
        end_time: end.map(Timestamp::from_nanos),
        status: if end.is_some() { SpanStatus::Ok } else { SpanStatus::Running },
        status_message: None,
        details: SpanDetails::default(),
        ledger: Ledger::default(),
        components: Vec::new(),
        event_count: 0,
        link_count: 0,
        revision: 0,
        body_blocks: Vec::new(),
        attached: Attached::default(),
        announced: false,
        fingerprint: 0,
    }
}

impl Case {
    /// A trace of spans: it starts with the first, and is over with the last end unless one of them runs.
    pub(super) fn of(heads: Vec<SpanHead>) -> Self {
        let mut trace = Trace::reported(TraceId::from_bytes([1; 16]), Timestamp::from_nanos(0));
        let start = heads.iter().map(|head| head.start_time).min();
        trace.start_time = start.unwrap_or(Timestamp::from_nanos(0));
        if heads.iter().all(|head| head.end_time.is_some()) {
            trace.status = TraceStatus::Completed;
            trace.end_time = heads.iter().filter_map(|head| head.end_time).max().or(Some(trace.start_time));
        }
        Self { trace, heads }
    }

    /// Reads lines of `TYPE name start-end`, in nanoseconds, each below the last one that is indented less. Without
    /// an end it runs. Then what else is known: `!` failed, `~` was stopped, `in=` and `out=` tokens, `cost=`
    /// (billionths of a dollar), `unpriced`, `model=`, `tool=`, `first=` (nanoseconds to the first token),
    /// `answer=` (the provider's id of it), `parent=none` or `parent=` a number past the lines: a missing one.
    pub(super) fn read(text: &str) -> Self {
        let (mut heads, mut above): (Vec<SpanHead>, Vec<(usize, SpanId)>) = (Vec::new(), Vec::new());
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let indent = line.len() - line.trim_start().len();
            above.retain(|(other, _)| *other < indent);
            let number = heads.len();
            let mut head = read_span(line.trim(), number, above.last().map(|(_, id)| *id));
            above.push((indent, head.id));
            head.revision = number as u64;
            heads.push(head);
        }
        Self::of(heads)
    }

    pub(super) fn analysis(&self) -> TraceAnalysis {
        self.analysis_at(1_000)
    }

    pub(super) fn analysis_at(&self, now: i64) -> TraceAnalysis {
        let heads: Vec<_> = self.heads.iter().collect();
        let tree = SpanTree::place_refs(&heads, !self.trace.status.is_final());
        TraceAnalysis::of(&self.trace, &heads, &tree, Timestamp::from_nanos(now))
    }

    /// The names of spans by their places.
    pub(super) fn names(&self) -> Vec<&str> {
        let tree = SpanTree::place(&self.heads, false);
        tree.nodes().iter().map(|node| self.heads[node.span].name.as_str()).collect()
    }

    /// A figure of each span, by name.
    pub(super) fn each<T>(&self, of: impl Fn(&SpanFigures) -> T) -> Vec<(&str, T)> {
        self.names().into_iter().zip(self.analysis().spans.iter().map(of)).collect()
    }

    /// The critical path as `name start-end`.
    pub(super) fn path(&self) -> Vec<String> {
        let names = self.names();
        let path = self.analysis().critical_path;
        let segment = |segment: &PathSegment| {
            format!("{} {}-{}", names[segment.place], segment.lane.start, segment.lane.end)
        };
        path.segments.iter().map(segment).collect()
    }
}

fn read_span(line: &str, number: usize, parent: Option<SpanId>) -> SpanHead {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("`{line}`: TYPE name start-end"));
    let (operation, name, times) = (word(), word(), word());
    let (start, end) = times.split_once('-').unwrap();
    let end = (!end.is_empty()).then(|| end.parse().unwrap());
    let mut head = head(number, parent, start.parse().unwrap(), end);
    head.operation_type = operation.parse().unwrap();
    name.clone_into(&mut head.name);
    for extra in words {
        let (key, value) = extra.split_once('=').unwrap_or((extra, ""));
        let number = || value.parse().unwrap_or_else(|_| panic!("`{extra}` of `{line}`"));
        match key {
            "!" => head.status = SpanStatus::Error,
            "~" => head.status = SpanStatus::Cancelled,
            "in" => head.ledger.tokens.input = Some(number()),
            "out" => head.ledger.tokens.output = Some(number()),
            "cost" => {
                head.ledger.cost = Some(NanoUsd::from_nanos(value.parse().unwrap()));
                head.ledger.source = Some(CostSource::Reported);
            }
            "unpriced" => head.ledger.source = Some(CostSource::Unknown),
            "model" => head.details.model = Some(value.to_owned()),
            "tool" => head.details.tool_name = Some(value.to_owned()),
            "first" => head.details.time_to_first_token_nanos = Some(number()),
            "answer" => head.details.response_id = Some(value.to_owned()),
            "announced" => head.announced = true,
            "parent" if value == "none" => head.parent_id = None,
            "parent" => head.parent_id = Some(span_id(value.parse().unwrap())),
            _ => panic!("`{extra}` of `{line}`"),
        }
    }
    head
}

#[test]
fn the_notation_is_read() {
    let case = Case::read("AGENT a 0-9\n  LLM_CALL b 1-2 in=3\nTOOL_CALL c 4- ! parent=90");
    let ids: Vec<_> = case.heads.iter().map(|head| head.parent_id).collect();
    assert_eq!(ids, [None, Some(span_id(0)), Some(span_id(90))]);
    assert_eq!(case.heads[1].ledger.tokens, TokenCounts { input: Some(3), ..TokenCounts::default() });
    assert_eq!(case.trace.status, TraceStatus::Running);
}
