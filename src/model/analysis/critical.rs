//! The critical path: the chain of spans that the end of the trace waited for.
//!
//! Walked from the end back, as Jaeger and Uber's CRISP do: of the spans below one, the one that ended last is
//! what it waited for; before that one started, the one that had ended last by then; and so on. One that was
//! still at work when the next began did not hold it up, and is not on the path. The time in which a span on
//! the path waited for none below it is its own. What lies outside of the span above is cut off: that one did
//! not wait for it.
//!
//! Spans at the top have none above them that could be at work between them. There the path goes on with the
//! one that ended last, up to its start, then with the one that was at work then or had ended last before. So
//! the path is as long as the time in which any span at the top was at work.

use super::{
    lane::Lane,
    layout::{Layout, Placed},
};

/// The spans that the end of the trace waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// Its stretches, in the order of time. Each belongs to one span, and none overlaps another.
    pub segments: Vec<PathSegment>,
    /// Their lengths together, in nanoseconds.
    pub nanos: u64,
}

/// A stretch of the critical path, in which one span did something itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathSegment {
    /// The span.
    pub place: usize,
    /// When.
    pub lane: Lane,
}

/// The critical path of a trace.
pub(super) fn path(layout: &Layout<'_>) -> CriticalPath {
    let mut walk = Walk { layout, segments: Vec::new() };
    for (root, until) in last_roots(layout) {
        walk.down(root, until);
    }
    let mut segments = walk.segments;
    segments.reverse();
    let nanos = segments.iter().fold(0_u64, |sum, segment| sum.saturating_add(segment.lane.nanos()));
    CriticalPath { segments, nanos }
}

/// The spans at the top that the path goes through, from the last back, each with the moment from which the
/// path goes on with a later one.
fn last_roots<'a>(layout: &Layout<'a>) -> Vec<(Placed<'a>, i64)> {
    let mut roots: Vec<_> = layout.roots().filter(|root| root.lane.nanos() > 0).collect();
    roots.sort_unstable_by_key(last_first);
    let (mut chosen, mut until) = (Vec::new(), i64::MAX);
    // By their ends, whatever has not begun before the path's start cannot lengthen it any more.
    for root in roots {
        if root.lane.start < until {
            chosen.push((root, root.lane.end.min(until)));
            until = root.lane.start;
        }
    }
    chosen
}

/// The order in which spans are waited for: the last end first, of those the last start.
fn last_first(span: &Placed<'_>) -> (std::cmp::Reverse<(i64, i64)>, usize) {
    (std::cmp::Reverse((span.lane.end, span.lane.start)), span.place)
}

struct Walk<'a> {
    layout: &'a Layout<'a>,
    /// From the last back.
    segments: Vec<PathSegment>,
}

/// A span on the path, whose time from `until` on is walked.
struct Step<'a> {
    span: Placed<'a>,
    until: i64,
    /// The spans below it that were not looked at yet; those that ended last stand last.
    below: Vec<Placed<'a>>,
}

impl<'a> Walk<'a> {
    /// Walks a span and what it waited for, before `until`: a stack of its own, as trees may be deep.
    fn down(&mut self, root: Placed<'a>, until: i64) {
        let mut steps = vec![self.step(root, until)];
        while let Some(step) = steps.last_mut() {
            let (place, until) = (step.span.place, step.until);
            if let Some(child) = step.waited_for() {
                step.until = child.lane.start;
                self.add(place, child.lane.end, until);
                let next = self.step(child, child.lane.end);
                steps.push(next);
            } else {
                let start = step.span.lane.start;
                self.add(place, start, until);
                steps.pop();
            }
        }
    }

    fn step(&self, span: Placed<'a>, until: i64) -> Step<'a> {
        let cut = |child: Placed<'a>| Placed { lane: child.lane.within(span.lane), ..child };
        let mut below: Vec<_> =
            self.layout.children(span.place).map(cut).filter(|child| child.lane.nanos() > 0).collect();
        below.sort_unstable_by_key(last_first);
        below.reverse();
        Step { span, until, below }
    }

    fn add(&mut self, place: usize, start: i64, end: i64) {
        if start < end {
            self.segments.push(PathSegment { place, lane: Lane { start, end } });
        }
    }
}

impl<'a> Step<'a> {
    /// The span below that ended last before the path goes on; those that ended later are passed over.
    fn waited_for(&mut self) -> Option<Placed<'a>> {
        while let Some(child) = self.below.pop() {
            if child.lane.end <= self.until {
                return Some(child);
            }
        }
        None
    }
}
