//! What follows of a trace's end: series, the index of texts, rules that judge it. It is done behind the
//! acknowledgement, many traces at a time.
//!
//! A write to a trace that is over leaves a mark in its own commit ([`keyspace::FOLLOW_DUE`]), which stands until
//! every follower is done with it, so neither a failure nor the end of the process leaves anything out. A follower
//! may be given the same trace again and must come to the same. Those that can wait have a line of their own, to which
//! marks are handed on ([`keyspace::FOLLOW_BY_START`]): while much is written, it stands back. Knows nothing of what
//! followers do.

mod line;
mod rebuild;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;

use self::line::{Line, MarkKey, Step};
use super::{Context, ServiceResult};
use crate::{
    model::{Timestamp, TraceId},
    store::{
        KeyRange, Tx,
        keyspace::{self, FollowDue},
        spans::StoredSpans,
    },
};

/// How long traces gather before they are followed, when few come.
const GATHERED_FOR: Duration = Duration::from_millis(500);

/// How long after a failure it is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Writes a second from which on those that can wait stand back: some twentieth of what a small machine takes.
const MUCH_WRITTEN: f64 = 200.0;

/// For how long they do nothing at all while so much is written: most bursts are over before.
const LONGEST_BURST: Duration = Duration::from_secs(20);

/// While it goes on, they rest for so many times as long as they work. They do not stop: what is written for days is
/// found too.
const RESTS: u32 = 6;

/// The longest of these rests.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// A trace that is due.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The trace.
    pub id: TraceId,
    /// The trace with its heads; `None`: it is gone.
    pub spans: Option<StoredSpans>,
    /// Whether the trace itself has changed. Else only what stands beside it has, such as its scores, or all traces
    /// are followed again.
    pub changed: bool,
}

impl Followed {
    /// The trace, if it is there and over. One that is not may have been over before.
    #[must_use]
    pub fn over(&self) -> Option<&StoredSpans> {
        self.spans.as_ref().filter(|spans| spans.trace.status.is_final())
    }
}

/// Makes something of traces that are over.
pub trait Follower: Send + Sync + 'static {
    /// Its code among the followers, which never changes.
    fn code(&self) -> u8;

    /// What it is called in logs.
    fn name(&self) -> &'static str;

    /// The format of what it keeps. A database that was followed with another one, or by none, is followed again
    /// from its first trace.
    fn format(&self) -> u32;

    /// Whether it can wait while much is written, because it takes long and nobody counts on it at once.
    fn can_wait(&self) -> bool {
        false
    }

    /// Makes what is to be made of these traces, in place of what was made of them before. Durable when it
    /// returns. May be called again for the same.
    fn follow<'a>(&'a self, traces: &'a [Followed]) -> BoxFuture<'a, ServiceResult<()>>;
}

/// Those who follow, and who calls them. Cheap to clone.
#[derive(Clone)]
pub struct Followers {
    context: Context,
    lines: Arc<Lines>,
}

/// Those who follow at once, in the order of ids, and those who can wait, in the order of time: so what they keep is
/// together that is asked for together, however much they have to catch up with.
struct Lines {
    at_once: Line<TraceId>,
    later: Line<(Timestamp, TraceId)>,
}

impl Followers {
    /// Those who follow, over one context.
    #[must_use]
    pub fn new(context: Context, followers: Vec<Arc<dyn Follower>>) -> Self {
        let (later, at_once): (Vec<_>, Vec<_>) =
            followers.into_iter().partition(|follower| follower.can_wait());
        let next = (!later.is_empty()).then_some(keyspace::FOLLOW_BY_START);
        let lines = Lines {
            at_once: Line::new(keyspace::FOLLOW_DUE, at_once, next),
            later: Line::new(keyspace::FOLLOW_BY_START, later, None),
        };
        Self { context, lines: Arc::new(lines) }
    }

    /// Follows what is due, until it is aborted: whatever it is at can be cut off anywhere.
    pub async fn run(&self) {
        // Before any mark is taken away: nothing else tells who comes back later what it has missed.
        while let Err(error) = self.forget_absent().await {
            tracing::warn!(%error, "what follows of traces that are over is not made yet");
            tokio::time::sleep(AFTER_FAILURE).await;
        }
        if let Err(error) = self.mark_for_new_followers().await {
            tracing::warn!(%error, "traces from before are not followed yet");
        }
        let Lines { at_once, later } = &*self.lines;
        tokio::join!(self.work(at_once, false), self.work(later, true));
    }

    async fn work<K: MarkKey>(&self, line: &Line<K>, stands_back: bool) {
        let mut load = Load::since(Instant::now(), self.context.store.writes());
        loop {
            if stands_back {
                let before = load.pace;
                load.look(Instant::now(), self.context.store.writes());
                if load.pace == Pace::Wait {
                    tokio::time::sleep(GATHERED_FOR).await;
                    continue;
                }
                // What a burst left in memory makes room for what is done now.
                if before == Pace::Wait {
                    self.put_aside().await;
                }
            }
            let begun = Instant::now();
            let pause = match line.step(&self.context.store).await {
                Ok(Step { more, failed: 0 }) => match load.pace {
                    Pace::Rest => (begun.elapsed() * RESTS).clamp(GATHERED_FOR, LONGEST_REST),
                    Pace::Go | Pace::Wait if more => continue,
                    Pace::Go | Pace::Wait => GATHERED_FOR,
                },
                Ok(_) => AFTER_FAILURE,
                Err(error) => {
                    tracing::warn!(%error, "what follows of traces that are over is not made yet");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn put_aside(&self) {
        if let Err(error) = self.context.store.rest().await {
            tracing::warn!(%error, "what was gathered in memory stays there");
        }
    }

    /// Follows all that is due now, whatever is written. Answers how many traces could not be followed; their marks
    /// stand.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn catch_up(&self) -> ServiceResult<usize> {
        self.forget_absent().await?;
        self.mark_for_new_followers().await?;
        let Lines { at_once, later } = &*self.lines;
        let store = &self.context.store;
        Ok(at_once.catch_up(store).await? + later.catch_up(store).await?)
    }

    /// Whether every trace that is over has been followed by all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_caught_up(&self) -> ServiceResult<bool> {
        let Lines { at_once, later } = &*self.lines;
        let marks = [at_once.due.name, later.due.name].map(|name| (name, KeyRange::all())).to_vec();
        let counts = self.context.store.count_entries(marks, 1).await?;
        Ok(counts.iter().all(|(count, _)| *count == 0))
    }
}

/// How much is written, looked at from time to time.
struct Load {
    looked: Instant,
    written: u64,
    /// Since when much is written.
    much_since: Option<Instant>,
    pace: Pace,
}

/// What those that can wait do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// They work.
    Go,
    /// They work, and rest for longer.
    Rest,
    /// They do nothing.
    Wait,
}

impl Load {
    /// Of so many writes nothing is told yet.
    const fn since(now: Instant, written: u64) -> Self {
        Self { looked: now, written, much_since: None, pace: Pace::Go }
    }

    /// Tells what is to be done, after so many writes.
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    fn look(&mut self, now: Instant, written: u64) {
        // A short time tells little.
        let passed = now.saturating_duration_since(self.looked).as_secs_f64().max(0.1);
        let is_much = written.saturating_sub(self.written) as f64 > MUCH_WRITTEN * passed;
        (self.looked, self.written) = (now, written);
        self.pace = if is_much {
            let since = *self.much_since.get_or_insert(now);
            if now.saturating_duration_since(since) < LONGEST_BURST { Pace::Wait } else { Pace::Rest }
        } else {
            self.much_since = None;
            Pace::Go
        };
    }
}

/// Marks, in a transaction, that something beside a trace and its spans is new to those who follow it.
///
/// # Errors
/// When the store fails.
pub(super) async fn mark(tx: &mut Tx<'_>, id: TraceId) -> ServiceResult<()> {
    let known = tx.get(keyspace::FOLLOW_DUE, &id).await?;
    let mark = match known {
        Some(known) => FollowDue { more: known.more.wrapping_add(1), ..known },
        // Nobody is at a mark that is not there.
        None => FollowDue { revision: 0, at: Timestamp::from_nanos(0), more: 1 },
    };
    tx.put(keyspace::FOLLOW_DUE, &id, &mark)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_wait_waits_for_a_burst_and_rests_in_a_flood() {
        let begun = Instant::now();
        let mut load = Load::since(begun, 0);
        let mut written = 0;
        let mut look = |at_ms: u64, more: u64| {
            written += more;
            load.look(begun + Duration::from_millis(at_ms), written);
            load.pace
        };
        assert_eq!(look(500, 90), Pace::Go);
        assert_eq!(look(1_000, 110), Pace::Wait);
        assert_eq!(look(1_500, 99), Pace::Go);
        for at in 1..=40 {
            assert_eq!(look(1_500 + at * 500, 500), Pace::Wait, "{at}");
        }
        assert_eq!(look(22_000, 500), Pace::Rest);
        // One look that tells of little: whatever follows is another burst.
        assert_eq!(look(22_500, 0), Pace::Go);
        assert_eq!(look(22_501, 19), Pace::Go);
        assert_eq!(look(23_000, 500), Pace::Wait);
    }
}
