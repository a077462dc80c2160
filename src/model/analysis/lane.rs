//! Stretches of time, and how much of it several cover together.

use crate::model::{Timestamp, span::SpanHead};

/// A stretch of time, in nanoseconds since 1970. Its end is never before its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lane {
    /// Where it begins.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
}

impl Lane {
    /// The time that a span takes. One without an end goes on until `until`; one that ends before it starts,
    /// and one that only parts of have come of, takes none. No span takes more than [`i64::MAX`] nanoseconds.
    #[must_use]
    pub fn of(head: &SpanHead, until: Timestamp) -> Self {
        let start = head.start_time.nanos();
        let end = match head.end_time {
            Some(end) => end.nanos(),
            None if head.announced => start,
            None => until.nanos(),
        };
        Self { start, end: end.max(start).min(start.saturating_add(i64::MAX)) }
    }

    /// How long it is, in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.end.abs_diff(self.start)
    }

    /// The part that lies in `other`; an empty one at its edge where none does.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self { start: self.start.clamp(other.start, other.end), end: self.end.clamp(other.start, other.end) }
    }
}

/// The time that lanes cover together, in nanoseconds. They must come by their starts.
pub(super) fn union(lanes: impl IntoIterator<Item = Lane>) -> u64 {
    let (mut covered, mut reached) = (0_u64, i64::MIN);
    for lane in lanes {
        let start = lane.start.max(reached);
        if lane.end > start {
            covered = covered.saturating_add(lane.end.abs_diff(start));
            reached = lane.end;
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn lane(start: i64, end: i64) -> Lane {
        Lane { start, end }
    }

    #[test]
    fn what_overlaps_counts_once() {
        // 0–10 and 5–20 cover 20; 30–40 adds 10; 32–35 lies inside and 40–40 is empty.
        let lanes = [lane(0, 10), lane(5, 20), lane(30, 40), lane(32, 35), lane(40, 40)];
        assert_eq!(union(lanes), 30);
        assert_eq!(union([lane(i64::MIN, i64::MAX), lane(i64::MIN, 0)]), u64::MAX);
        assert_eq!(union([]), 0);
    }

    #[test]
    fn what_lies_outside_is_empty() {
        assert_eq!(lane(0, 10).within(lane(5, 20)), lane(5, 10));
        assert_eq!(lane(0, 4).within(lane(5, 20)).nanos(), 0);
        assert_eq!(lane(30, 40).within(lane(5, 20)).nanos(), 0);
    }
}
