//! Followers that share marks: the traces that are due for them, a step at a time.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Followed, Follower};
use crate::{
    model::{Timestamp, TraceId},
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

/// The key of a mark, which says in which order traces are followed.
pub(super) trait MarkKey: Key + Copy + Send + Sync + 'static {
    /// The key of a trace that started then.
    fn of(id: TraceId, start: Timestamp) -> Self;

    /// The trace.
    fn trace(&self) -> TraceId;
}

impl MarkKey for TraceId {
    fn of(id: TraceId, _: Timestamp) -> Self {
        id
    }

    fn trace(&self) -> TraceId {
        *self
    }
}

impl MarkKey for (Timestamp, TraceId) {
    fn of(id: TraceId, start: Timestamp) -> Self {
        (start, id)
    }

    fn trace(&self) -> TraceId {
        self.1
    }
}

/// Where marks stand.
pub(super) type Marks<K> = Table<K, FollowDue>;

/// Where marks are handed on to: in the order of time, whatever the order in which they came.
pub(super) type Next = Marks<(Timestamp, TraceId)>;

/// Followers that share marks.
pub(super) struct Line<K> {
    /// Their marks.
    pub due: Marks<K>,
    /// Those who follow.
    pub followers: Vec<Arc<dyn Follower>>,
    /// Where marks are handed on to when all of them are done.
    next: Option<Next>,
    /// Where the marks are read on: after this one. So none waits for ever behind those that fail.
    place: Mutex<Option<K>>,
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

impl<K: MarkKey> Line<K> {
    pub(super) fn new(due: Marks<K>, followers: Vec<Arc<dyn Follower>>, next: Option<Next>) -> Self {
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
        let Some(last) = due.last().map(|(key, _)| *key) else { return Ok(Step::default()) };
        let traces = read(store, &due).await?;
        let failed = match self.follow(&traces).await {
            Ok(()) => Vec::new(),
            // One that cannot be followed must not hold up the others.
            Err(_) if traces.len() > 1 => self.follow_one_by_one(&traces).await,
            Err(error) => {
                tracing::warn!(trace = %last.trace(), %error, "a trace is not followed yet");
                vec![last.trace()]
            }
        };
        let done = due.into_iter().zip(&traces).filter(|(_, trace)| !failed.contains(&trace.id));
        let done = done.map(|((key, mark), trace)| Done {
            key,
            mark,
            // One that is gone has no place in time any more.
            next: (trace.spans.as_ref().map_or(Timestamp::from_nanos(0), |it| it.trace.start_time), trace.id),
        });
        self.clear(store, &done.collect::<Vec<_>>()).await?;
        *self.place.lock() = more.then_some(last);
        Ok(Step { more, failed: failed.len() })
    }

    /// Marks from where the last step ended, and whether there are more behind them.
    async fn next_due(&self, store: &Store) -> ServiceResult<(Vec<(K, FollowDue)>, bool)> {
        let place = *self.place.lock();
        let range = place.map_or_else(KeyRange::all, |key| KeyRange::all().after(&key.encode()));
        let page = store.scan(self.due, range, Direction::Forward, AT_ONCE).await?;
        let mut due: Vec<_> = page.items.into_iter().map(|found| (found.key, found.record)).collect();
        let ids: Vec<_> = due.iter().map(|(key, _)| key.trace()).collect();
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
    async fn clear(&self, store: &Store, done: &[Done<K>]) -> ServiceResult<()> {
        let keys = &done.iter().map(|done| done.key).collect::<Vec<_>>();
        let cleared = store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let marks = tx.get_many(self.due, keys).await?;
                for (done, mark) in done.iter().zip(marks) {
                    if mark == Some(done.mark) {
                        tx.delete(self.due, &done.key);
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

/// A mark whose trace has been followed.
struct Done<K> {
    key: K,
    mark: FollowDue,
    /// Where it is handed on to.
    next: (Timestamp, TraceId),
}

/// Puts marks where others find them. One that is there already is made another, so that who is at it sees that
/// something new has come.
async fn hand_on<K>(tx: &mut Tx<'_>, next: Next, done: &[Done<K>]) -> ServiceResult<()> {
    let keys: Vec<_> = done.iter().map(|done| done.next).collect();
    let known = tx.get_many(next, &keys).await?;
    for (Done { mark, next: key, .. }, known) in done.iter().zip(known) {
        let mark = known.map_or(*mark, |known| FollowDue {
            revision: known.revision.max(mark.revision),
            at: mark.at,
            more: known.more.wrapping_add(1),
        });
        tx.put(next, key, &mark)?;
    }
    Ok(())
}

async fn read<K: MarkKey>(store: &Store, due: &[(K, FollowDue)]) -> ServiceResult<Vec<Followed>> {
    let ids: Vec<_> = due.iter().map(|(key, _)| key.trace()).collect();
    let found = store.trace_spans(&ids).await?;
    let followed = |(((_, mark), id), spans): ((&(K, FollowDue), TraceId), _)| Followed {
        id,
        spans,
        changed: mark.revision > 0,
    };
    Ok(due.iter().zip(ids).zip(found).map(followed).collect())
}
