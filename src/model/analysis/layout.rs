//! A trace laid out for its analysis: each span with its place and the time that it takes.

use super::lane::Lane;
use crate::model::{
    Timestamp,
    span::SpanHead,
    trace::Trace,
    tree::{Node, SpanTree},
};

/// A trace laid out.
pub(super) struct Layout<'a> {
    /// Whether the trace goes on.
    pub is_running: bool,
    /// Up to when spans without an end count.
    pub as_of: Timestamp,
    /// The places of its spans.
    pub tree: &'a SpanTree,
    /// The spans by their places, with the time that each takes.
    spans: Vec<(&'a SpanHead, Lane)>,
}

/// A span at its place.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub place: usize,
    pub node: &'a Node,
    pub head: &'a SpanHead,
    pub lane: Lane,
}

impl<'a> Layout<'a> {
    pub(super) fn of(trace: &Trace, heads: &[&'a SpanHead], tree: &'a SpanTree, now: Timestamp) -> Self {
        let is_running = !trace.status.is_final();
        let end = || trace.end_time.or(trace.summary.last_end);
        // A clock that stands behind must not turn time round.
        let as_of = if is_running { now } else { end().unwrap_or(trace.start_time) }.max(trace.start_time);
        let placed = |node: &Node| heads.get(node.span).map(|head| (*head, Lane::of(head, as_of)));
        Self { is_running, as_of, tree, spans: tree.nodes().iter().filter_map(placed).collect() }
    }

    /// How many spans there are.
    pub(super) const fn len(&self) -> usize {
        self.spans.len()
    }

    /// The span at a place.
    pub(super) fn at(&self, place: usize) -> Option<Placed<'a>> {
        let (head, lane) = *self.spans.get(place)?;
        Some(Placed { place, node: self.tree.nodes().get(place)?, head, lane })
    }

    /// All spans, in pre-order.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = Placed<'a>> {
        (0..self.len()).filter_map(|place| self.at(place))
    }

    /// The spans at the top, by their start.
    pub(super) fn roots(&self) -> impl Iterator<Item = Placed<'a>> {
        self.tree.roots().filter_map(|place| self.at(place))
    }

    /// The spans directly below the one at a place, by their start.
    pub(super) fn children(&self, place: usize) -> impl Iterator<Item = Placed<'a>> {
        self.tree.children(place).filter_map(|place| self.at(place))
    }
}
