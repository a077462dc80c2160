//! Self time: what a span did itself, while nothing below it was at work.

use super::{lane, layout::Layout};

/// The self time of each span, by its place, in nanoseconds: its duration without the time that the spans
/// directly below it cover together, as far as they lie within it.
pub(super) fn of(layout: &Layout<'_>) -> Vec<u64> {
    let of_span = |span: super::layout::Placed<'_>| {
        // Siblings stand by their start, and what is cut off keeps that order.
        let below = layout.children(span.place).map(|child| child.lane.within(span.lane));
        span.lane.nanos().saturating_sub(lane::union(below))
    };
    layout.all().map(of_span).collect()
}
