//! What follows of a trace's end: series, the index of texts, rules that judge it. It is done behind the
//! acknowledgement, many traces at a time.
//!
//! A write to a trace that is over leaves a mark in its own commit ([`keyspace::FOLLOW_DUE`]), which stands until
//! every follower is done with it, so neither a failure nor the end of the process leaves anything out. A follower
//! may be given the same trace again and must come to the same. Knows nothing of what followers do.

mod rebuild;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::{Context, ServiceError, ServiceResult};
use crate::{
    model::{Timestamp, TraceId},
    store::{
        Direction, KeyRange, Tx,
        key::Key,
        keyspace::{self, FollowDue},
        spans::StoredSpans,
    },
};

/// Traces that are followed at a time: what is made of them shares commits.
const AT_ONCE: usize = 256;

/// Spans that are read for it, unless one trace has more.
const SPANS_AT_ONCE: u64 = 20_000;

/// How long traces gather before they are followed, when few come.
const GATHERED_FOR: Duration = Duration::from_millis(500);

/// How long after a failure it is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

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

    /// Makes what is to be made of these traces, in place of what was made of them before. Durable when it
    /// returns. May be called again for the same.
    fn follow<'a>(&'a self, traces: &'a [Followed]) -> BoxFuture<'a, ServiceResult<()>>;
}

/// Those who follow, and the one who calls them. Cheap to clone.
#[derive(Clone)]
pub struct Followers {
    context: Context,
    all: Arc<Vec<Arc<dyn Follower>>>,
    /// Where the marks are read on: after this trace. So none waits for ever behind those that fail.
    place: Arc<Mutex<Option<TraceId>>>,
    /// Held by the one who works.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Followers {
    /// Those who follow, over one context.
    #[must_use]
    pub fn new(context: Context, followers: Vec<Arc<dyn Follower>>) -> Self {
        Self { context, all: Arc::new(followers), place: Arc::default(), turn: Arc::default() }
    }

    /// Follows what is due, until it is aborted: whatever it is at can be cut off anywhere.
    pub async fn run(&self) {
        if let Err(error) = self.mark_for_new_followers().await {
            tracing::warn!(%error, "traces from before are not followed yet");
        }
        loop {
            let pause = match self.step().await {
                Ok(Step { more: true, failed: 0, .. }) => continue,
                Ok(Step { failed: 0, .. }) => GATHERED_FOR,
                Ok(_) => AFTER_FAILURE,
                Err(error) => {
                    tracing::warn!(%error, "what follows of traces that are over is not made yet");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Follows all that is due now. Answers how many traces could not be followed; their marks stand.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn catch_up(&self) -> ServiceResult<usize> {
        self.mark_for_new_followers().await?;
        *self.place.lock() = None;
        let mut failed = 0;
        loop {
            let step = self.step().await?;
            failed += step.failed;
            if !step.more {
                return Ok(failed);
            }
        }
    }

    /// Whether every trace that is over has been followed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_caught_up(&self) -> ServiceResult<bool> {
        let store = &self.context.store;
        Ok(store.chunk_keys(keyspace::FOLLOW_DUE, KeyRange::all(), 1).await?.items.is_empty())
    }

    /// Follows the next traces that are due.
    async fn step(&self) -> ServiceResult<Step> {
        let _turn = self.turn.lock().await;
        let (due, more) = self.next_due().await?;
        let Some(last) = due.last().map(|(id, _)| *id) else { return Ok(Step::default()) };
        let traces = self.read(&due).await?;
        let failed = match self.follow(&traces).await {
            Ok(()) => Vec::new(),
            // One that cannot be followed must not hold up the others.
            Err(_) if traces.len() > 1 => self.follow_one_by_one(&traces).await,
            Err(error) => {
                tracing::warn!(trace = %last, %error, "a trace is not followed yet");
                vec![last]
            }
        };
        let done: Vec<_> = due.into_iter().filter(|(id, _)| !failed.contains(id)).collect();
        self.clear(&done).await?;
        *self.place.lock() = more.then_some(last);
        Ok(Step { more, failed: failed.len() })
    }

    /// Marks from where the last step ended, and whether there are more behind them.
    async fn next_due(&self) -> ServiceResult<(Vec<(TraceId, FollowDue)>, bool)> {
        let place = *self.place.lock();
        let range = place.map_or_else(KeyRange::all, |id| KeyRange::all().after(&id.encode()));
        let store = &self.context.store;
        let page = store.scan(keyspace::FOLLOW_DUE, range, Direction::Forward, AT_ONCE).await?;
        let mut due: Vec<_> = page.items.into_iter().map(|found| (found.key, found.record)).collect();
        let ids: Vec<_> = due.iter().map(|(id, _)| *id).collect();
        let rows = store.get_many(keyspace::TRACE, &ids).await?;
        let mut spans = 0_u64;
        let fit = rows.iter().take_while(|row| {
            spans = spans.saturating_add(row.as_ref().map_or(0, |row| row.summary.span_count));
            spans <= SPANS_AT_ONCE
        });
        let fit = fit.count().max(1);
        let more = page.more || fit < due.len();
        due.truncate(fit);
        Ok((due, more))
    }

    async fn read(&self, due: &[(TraceId, FollowDue)]) -> ServiceResult<Vec<Followed>> {
        let ids: Vec<_> = due.iter().map(|(id, _)| *id).collect();
        let found = self.context.store.trace_spans(&ids).await?;
        let followed = |((id, mark), spans): (&(TraceId, FollowDue), _)| Followed {
            id: *id,
            spans,
            changed: mark.revision > 0,
        };
        Ok(due.iter().zip(found).map(followed).collect())
    }

    async fn follow(&self, traces: &[Followed]) -> ServiceResult<()> {
        for follower in self.all.iter() {
            follower.follow(traces).await.inspect_err(|error| {
                tracing::debug!(follower = follower.name(), %error, "cannot follow");
            })?;
        }
        Ok(())
    }

    /// Answers those that failed.
    async fn follow_one_by_one(&self, traces: &[Followed]) -> Vec<TraceId> {
        let mut failed = Vec::new();
        for trace in traces {
            if let Err(error) = self.follow(std::slice::from_ref(trace)).await {
                tracing::warn!(trace = %trace.id, %error, "a trace is not followed yet");
                failed.push(trace.id);
            }
        }
        failed
    }

    /// Removes marks, unless something new has come meanwhile.
    async fn clear(&self, done: &[(TraceId, FollowDue)]) -> ServiceResult<()> {
        let ids = &done.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let cleared = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let marks = tx.get_many(keyspace::FOLLOW_DUE, ids).await?;
                for ((id, known), mark) in done.iter().zip(marks) {
                    if mark == Some(*known) {
                        tx.delete(keyspace::FOLLOW_DUE, id);
                    }
                }
                Ok(())
            })
        });
        cleared.await
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

/// How a step went.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// Whether there is more to do.
    more: bool,
    /// Traces that could not be followed.
    failed: usize,
}
