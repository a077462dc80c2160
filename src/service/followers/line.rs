//! Followers that share marks: the traces that are due for them, a step at a time.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Followed, Follower};
use crate::{
    model::TraceId,
    service::{ServiceError, ServiceResult},
    store::{
        Direction, KeyRange, Store, Tx,
        key::Key,
        keyspace::{self, FollowDue, Table},
    },
};

/// Traces that are followed at a time: what is made of them shares commits.
const AT_ONCE: usize = 256;

/// Spans that are read for it, unless one trace has more.
const SPANS_AT_ONCE: u64 = 20_000;

/// Followers that share marks.
pub(super) struct Line {
    /// Their marks.
    pub due: Table<TraceId, FollowDue>,
    /// Those who follow.
    pub followers: Vec<Arc<dyn Follower>>,
    /// Where marks are handed on to when all of them are done.
    next: Option<Table<TraceId, FollowDue>>,
    /// Where the marks are read on: after this trace. So none waits for ever behind those that fail.
    place: Mutex<Option<TraceId>>,
    /// Held by the one who works.
    turn: tokio::sync::Mutex<()>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    /// Whether there is more to do.
    pub more: bool,
    /// Traces that could not be followed.
    pub failed: usize,
}

impl Line {
    pub(super) fn new(
        due: Table<TraceId, FollowDue>,
        followers: Vec<Arc<dyn Follower>>,
        next: Option<Table<TraceId, FollowDue>>,
    ) -> Self {
        Self { due, followers, next, place: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Follows all traces that are due now. Answers how many could not be followed.
    pub(super) async fn catch_up(&self, store: &Store) -> ServiceResult<usize> {
        *self.place.lock() = None;
        let mut failed = 0;
        loop {
            let step = self.step(store).await?;
            failed += step.failed;
            if !step.more {
                return Ok(failed);
            }
        }
    }

    /// Follows the next traces that are due.
    pub(super) async fn step(&self, store: &Store) -> ServiceResult<Step> {
        let _turn = self.turn.lock().await;
        let (due, more) = self.next_due(store).await?;
        let Some(last) = due.last().map(|(id, _)| *id) else { return Ok(Step::default()) };
        let traces = read(store, &due).await?;
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
        self.clear(store, &done).await?;
        *self.place.lock() = more.then_some(last);
        Ok(Step { more, failed: failed.len() })
    }

    /// Marks from where the last step ended, and whether there are more behind them.
    async fn next_due(&self, store: &Store) -> ServiceResult<(Vec<(TraceId, FollowDue)>, bool)> {
        let place = *self.place.lock();
        let range = place.map_or_else(KeyRange::all, |id| KeyRange::all().after(&id.encode()));
        let page = store.scan(self.due, range, Direction::Forward, AT_ONCE).await?;
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

    async fn follow(&self, traces: &[Followed]) -> ServiceResult<()> {
        for follower in &self.followers {
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

    /// Removes marks, unless something new has come meanwhile, and hands them on in the same commit.
    async fn clear(&self, store: &Store, done: &[(TraceId, FollowDue)]) -> ServiceResult<()> {
        let ids = &done.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let cleared = store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let marks = tx.get_many(self.due, ids).await?;
                for ((id, known), mark) in done.iter().zip(marks) {
                    if mark == Some(*known) {
                        tx.delete(self.due, id);
                    }
                }
                match self.next {
                    Some(next) => hand_on(tx, next, done).await,
                    None => Ok(()),
                }
            })
        });
        cleared.await
    }
}

/// Puts marks where others find them. One that is there already is made another, so that who is at it sees that
/// something new has come.
async fn hand_on(
    tx: &mut Tx<'_>,
    next: Table<TraceId, FollowDue>,
    marks: &[(TraceId, FollowDue)],
) -> ServiceResult<()> {
    let ids: Vec<_> = marks.iter().map(|(id, _)| *id).collect();
    let known = tx.get_many(next, &ids).await?;
    for ((id, mark), known) in marks.iter().zip(known) {
        let mark = known.map_or(*mark, |known| FollowDue {
            revision: known.revision.max(mark.revision),
            at: mark.at,
            more: known.more.wrapping_add(1),
        });
        tx.put(next, id, &mark)?;
    }
    Ok(())
}

async fn read(store: &Store, due: &[(TraceId, FollowDue)]) -> ServiceResult<Vec<Followed>> {
    let ids: Vec<_> = due.iter().map(|(id, _)| *id).collect();
    let found = store.trace_spans(&ids).await?;
    let followed = |((id, mark), spans): (&(TraceId, FollowDue), _)| Followed {
        id: *id,
        spans,
        changed: mark.revision > 0,
    };
    Ok(due.iter().zip(found).map(followed).collect())
}
