//! How much went on at once.

use super::{lane::Lane, layout::Layout};

/// How many spans were at work at once. Those count that have none below them: what has waits for them. One
/// that takes no time does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Concurrency {
    /// The most at once.
    pub peak: u64,
    /// Nanoseconds in which at least one was at work.
    pub busy_nanos: u64,
    /// Nanoseconds in which at least two were.
    pub parallel_nanos: u64,
    /// How many were at work on average while any was; `None` where none ever was.
    pub average: Option<f64>,
}

pub(super) fn of(layout: &Layout<'_>) -> Concurrency {
    let leaves = layout.all().filter(|span| span.node.child_count == 0).map(|span| span.lane);
    at_once(leaves.filter(|lane| lane.nanos() > 0))
}

/// Goes through starts and ends in the order of time; at one moment, ends come first.
fn at_once(lanes: impl Iterator<Item = Lane>) -> Concurrency {
    let mut changes: Vec<(i64, bool)> = Vec::new();
    for lane in lanes {
        changes.extend([(lane.start, true), (lane.end, false)]);
    }
    changes.sort_unstable();
    let (mut found, mut count, mut at) = (Concurrency::default(), 0_u64, i64::MIN);
    let mut work = 0_u128;
    for (moment, begins) in changes {
        let passed = moment.abs_diff(at);
        found.busy_nanos = found.busy_nanos.saturating_add(if count >= 1 { passed } else { 0 });
        found.parallel_nanos = found.parallel_nanos.saturating_add(if count >= 2 { passed } else { 0 });
        work = work.saturating_add(u128::from(passed) * u128::from(count));
        count = if begins { count + 1 } else { count.saturating_sub(1) };
        found.peak = found.peak.max(count);
        at = moment;
    }
    found.average = average(work, found.busy_nanos);
    found
}

#[expect(clippy::cast_precision_loss, reason = "an average for people to read")]
fn average(work: u128, busy: u64) -> Option<f64> {
    (busy > 0).then(|| work as f64 / busy as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_is_not_at_once() {
        let lanes = [(0, 10), (10, 20), (15, 30)].map(|(start, end)| Lane { start, end });
        // 0–30 without a gap is 30, of which 15–20 twice; 35 of work in 30.
        let found = at_once(lanes.into_iter());
        assert_eq!((found.peak, found.busy_nanos, found.parallel_nanos), (2, 30, 5));
        assert!((found.average.unwrap() - 35.0 / 30.0).abs() < 1e-12);
        assert_eq!(at_once([].into_iter()), Concurrency::default());
    }
}
