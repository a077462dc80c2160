//! When a server is started again: soon, then later and later, and not at all after too often.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Starts within [`WINDOW`] after which a server is left alone until the first of them is that long ago.
const MOST: usize = 5;

/// The time in which starts count. What dies once in an hour is started at once each time.
const WINDOW: Duration = Duration::from_mins(1);

/// The wait before the second start within the window; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The starts of late.
#[derive(Debug, Default)]
pub(super) struct Attempts(VecDeque<Instant>);

/// What is to be done before the next start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait so long.
    After(Duration),
    /// Rest until then, and longer if nobody asks for the server.
    Rest(Instant),
}

impl Attempts {
    /// What comes before a start that would be made now.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        while self.0.front().is_some_and(|start| now.duration_since(*start) >= WINDOW) {
            self.0.pop_front();
        }
        match (self.0.len(), self.0.front()) {
            (0, _) => Next::After(Duration::ZERO),
            (MOST.., Some(first)) => Next::Rest(first.checked_add(WINDOW).unwrap_or(now)),
            (starts, _) => {
                let doublings = u32::try_from(starts).unwrap_or(u32::MAX).saturating_sub(1);
                Next::After(FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doublings)))
            }
        }
    }

    /// Counts a start.
    pub(super) fn started(&mut self, now: Instant) {
        self.0.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_come_later_and_later_and_then_rest() {
        let mut attempts = Attempts::default();
        let begin = Instant::now();
        let mut now = begin;
        for millis in [0, 250, 500, 1_000, 2_000] {
            let wait = Duration::from_millis(millis);
            assert_eq!(attempts.next(now), Next::After(wait));
            now += wait;
            attempts.started(now);
        }
        assert_eq!(attempts.next(now), Next::Rest(begin + WINDOW));
        assert_eq!(attempts.next(begin + WINDOW), Next::After(Duration::from_secs(2)));
        assert_eq!(attempts.next(now + WINDOW), Next::After(Duration::ZERO));
    }
}
