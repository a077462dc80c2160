//! Spans that failed, and which of them was probably the first cause.

use super::layout::Layout;
use crate::model::span::SpanStatus;

/// Spans that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// All of them, in the order in which they failed; of those that did so at once, the deepest first.
    pub all: Vec<Failure>,
    /// The probable first cause: see [`of`]; an index of `all`.
    pub origin: Option<usize>,
}

/// A span that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The span.
    pub place: usize,
    /// How many spans above it, without a gap, failed too: they repeat its failure.
    pub repeated_by: u64,
    /// Whether a span below it failed, whose failure it may repeat.
    pub is_repeat: bool,
    /// Whether all above it failed, up to the top: the failure reached the trace.
    pub reached_top: bool,
}

/// The failures of a trace.
///
/// The probable first cause is, of the spans that failed while none below them did, the one that failed first;
/// where some of them failed with all above them, the first of those, because others were recovered from.
pub(super) fn of(layout: &Layout<'_>) -> Failures {
    let failed = |place: usize| layout.at(place).is_some_and(|span| span.head.status == SpanStatus::Error);
    let mut below = vec![false; layout.len()];
    for span in layout.all().rev() {
        let here = failed(span.place) || below.get(span.place).copied().unwrap_or(false);
        if let Some(parent) = span.node.parent.and_then(|parent| below.get_mut(parent)) {
            *parent |= here;
        }
    }
    // What holds above a span is known before the span is looked at.
    let mut above: Vec<(u64, bool)> = Vec::with_capacity(layout.len());
    let mut all = Vec::new();
    for span in layout.all() {
        let parent = span.node.parent.and_then(|parent| Some((parent, *above.get(parent)?)));
        let (repeated_by, reached_top) = match parent {
            None => (0, true),
            Some((parent, (count, reaches))) if failed(parent) => (count.saturating_add(1), reaches),
            Some(_) => (0, false),
        };
        above.push((repeated_by, reached_top));
        if failed(span.place) {
            let is_repeat = below.get(span.place).copied().unwrap_or(false);
            all.push(Failure { place: span.place, repeated_by, is_repeat, reached_top });
        }
    }
    all.sort_by_key(|failure| {
        let span = layout.at(failure.place);
        span.map(|span| (span.lane.end, std::cmp::Reverse(span.node.depth), span.lane.start, span.head.id))
    });
    let first = |reached: bool| all.iter().position(|it| !it.is_repeat && (!reached || it.reached_top));
    let origin = first(true).or_else(|| first(false));
    Failures { all, origin }
}
