//! What is not sound about a tree: what never came, what stands where it cannot, what says impossible times.

use super::layout::{Layout, Placed};
use crate::model::{SpanId, span::SpanStatus, tree::Placement, words::words};

words! {
    /// Something that is not sound about a span of a tree.
    TreeFault {
        /// Its parent never came.
        Orphan = 1 "ORPHAN",
        /// Its parent is not here yet.
        ProvisionalRoot = 2 "PROVISIONAL_ROOT",
        /// It is its own ancestor: the circle was broken at it.
        CycleBroken = 3 "CYCLE_BROKEN",
        /// Only parts of it have come, as records of a log, and not the span itself.
        Placeholder = 4 "PLACEHOLDER",
        /// It started before the span above it.
        StartsBeforeParent = 5 "STARTS_BEFORE_PARENT",
        /// It ended after the span above it.
        EndsAfterParent = 6 "ENDS_AFTER_PARENT",
        /// It says that it ended before it started.
        EndsBeforeStart = 7 "ENDS_BEFORE_START",
        /// It ended in the moment in which it started.
        NoDuration = 8 "NO_DURATION",
        /// It took more than 30 days.
        AbsurdDuration = 9 "ABSURD_DURATION",
        /// It has not ended, although its trace has.
        RunningAfterEnd = 10 "RUNNING_AFTER_END",
    }
}

impl TreeFault {
    /// Whether a tree without it can still be taken for what happened. A span that takes no time is odd and
    /// changes nothing.
    #[must_use]
    pub const fn is_grave(self) -> bool {
        !matches!(self, Self::NoDuration)
    }
}

/// Something that is not sound about a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The span.
    pub place: usize,
    /// What it is.
    pub kind: TreeFault,
    /// By how much, in nanoseconds, where it is about times.
    pub nanos: Option<u64>,
    /// The parent that is not here.
    pub missing_parent: Option<SpanId>,
}

/// Nanoseconds past which a duration is taken for a mistake of units: 30 days.
pub const ABSURD_NANOS: u64 = 30 * 24 * 3_600 * 1_000_000_000;

pub(super) fn of(layout: &Layout<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for span in layout.all() {
        let mut add = |kind, nanos| {
            let missing = matches!(kind, TreeFault::Orphan | TreeFault::ProvisionalRoot);
            let missing_parent = span.head.parent_id.filter(|_| missing);
            faults.push(Fault { place: span.place, kind, nanos, missing_parent });
        };
        if span.head.announced {
            add(TreeFault::Placeholder, None);
        } else if let Some(kind) = misplaced(span.node.placement) {
            add(kind, None);
        }
        for (kind, nanos) in impossible_times(layout, &span) {
            add(kind, nanos);
        }
    }
    faults
}

const fn misplaced(placement: Placement) -> Option<TreeFault> {
    match placement {
        Placement::Root | Placement::Child => None,
        Placement::ProvisionalRoot => Some(TreeFault::ProvisionalRoot),
        Placement::Orphan => Some(TreeFault::Orphan),
        Placement::CycleBroken => Some(TreeFault::CycleBroken),
    }
}

fn impossible_times(
    layout: &Layout<'_>,
    span: &Placed<'_>,
) -> impl Iterator<Item = (TreeFault, Option<u64>)> + use<> {
    let head = span.head;
    let start = head.start_time.nanos();
    let end = head.end_time.map(crate::model::Timestamp::nanos);
    let own = match end {
        Some(end) if end < start => Some((TreeFault::EndsBeforeStart, Some(start.abs_diff(end)))),
        Some(end) if end == start => Some((TreeFault::NoDuration, None)),
        Some(end) if end.abs_diff(start) > ABSURD_NANOS => {
            Some((TreeFault::AbsurdDuration, Some(end.abs_diff(start))))
        }
        None if head.status == SpanStatus::Running && !layout.is_running && !head.announced => {
            Some((TreeFault::RunningAfterEnd, None))
        }
        _ => None,
    };
    // A placeholder says nothing of its times that could be held against it or against what lies below.
    let above = span.node.parent.and_then(|parent| layout.at(parent)).map(|parent| parent.head);
    let above = above.filter(|above| !above.announced && !head.announced);
    let before = above.map(|above| above.start_time.nanos()).filter(|above| start < *above);
    let after = above.and_then(|above| above.end_time).zip(end);
    let after = after.map(|(above, end)| (above.nanos(), end)).filter(|(above, end)| end > above);
    let before = before.map(|above| (TreeFault::StartsBeforeParent, Some(above.abs_diff(start))));
    let after = after.map(|(above, end)| (TreeFault::EndsAfterParent, Some(end.abs_diff(above))));
    own.into_iter().chain(before).chain(after)
}
