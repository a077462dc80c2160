//! Traces that are over and whose messages are to be made. That is done behind the acknowledgement, many
//! traces at a time: a mark in the trace's own commit says that it is due, and stands until it is done, so
//! neither a failure nor the end of the process loses a turn.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::turns::Turns;
use crate::{
    model::{ConversationId, TraceId, trace::Trace},
    service::{Context, ServiceError, ServiceResult, arriving::Arrival},
    store::{Direction, KeyRange, key::Key, keyspace},
};

/// Traces that may be due at a time. Whoever brings more waits, so that spans do not run away from the
/// messages that are made of them.
const MOST_DUE: usize = 4_096;

/// Traces that are taken at a time: their messages share commits, and so do their marks.
const AT_ONCE: usize = 64;

/// How often a write that finds too much going on is tried again.
const ATTEMPTS: usize = 100;

/// Marks that are read at a time.
const PAGE: usize = 1_000;

/// Traces whose messages are to be made.
pub(super) struct DueTurns {
    context: Context,
    turns: Arc<Turns>,
    queue: Mutex<Queue>,
    /// Traces whose messages are made and whose marks still stand, with their revisions.
    made: Mutex<Vec<(TraceId, u64)>>,
    room: Arc<Semaphore>,
    /// Told when a trace is added, and in the end.
    news: Arc<Notify>,
    /// Whether there may be marks of traces that are not in the queue.
    forgotten: AtomicBool,
}

#[derive(Default)]
struct Queue {
    /// In the order in which they came.
    order: VecDeque<TraceId>,
    due: HashMap<TraceId, Due>,
    /// Whether somebody works at it.
    has_worker: bool,
}

/// A trace whose messages are to be made.
pub(super) struct Due {
    trace: TraceId,
    conversation: ConversationId,
    /// The revision at which it was over, or something of it was new. The mark says the same.
    revision: u64,
    _arrival: Arrival,
    _room: OwnedSemaphorePermit,
}

impl DueTurns {
    pub(super) fn new(context: Context, turns: Arc<Turns>) -> Self {
        let room = Arc::new(Semaphore::new(MOST_DUE));
        let (queue, made, forgotten) = (Mutex::default(), Mutex::default(), AtomicBool::new(true));
        Self { context, turns, queue, made, room, news: Arc::default(), forgotten }
    }

    /// Sees to it that the messages of a trace are made, if it is over and says of which conversation it is.
    /// Waits while too many are due.
    pub(super) async fn add(self: &Arc<Self>, trace: &Trace) {
        let Some(conversation) = trace.conversation_id.filter(|_| trace.is_told()) else { return };
        // Nobody closes the semaphore.
        let Ok(room) = Arc::clone(&self.room).acquire_owned().await else { return };
        let arrival = self.context.arriving.begin(conversation);
        let due =
            Due { trace: trace.id, conversation, revision: trace.revision, _arrival: arrival, _room: room };
        let mut queue = self.queue.lock();
        let known = queue.due.get(&trace.id).map(|known| known.revision);
        if known.is_none() {
            queue.order.push_back(trace.id);
        }
        // It may be of another conversation by now.
        if known.is_none_or(|known| known < due.revision) {
            queue.due.insert(trace.id, due);
        }
        if !queue.has_worker {
            // It reads again and again, a little each time.
            let work = work(Arc::downgrade(self), Arc::clone(&self.news));
            match self.context.store.beside("dendro-turns", work) {
                Ok(()) => queue.has_worker = true,
                Err(error) => {
                    tracing::warn!(%error, "no thread makes messages of what was reported");
                    // Nobody is to wait for them; their marks stand.
                    (queue.order, queue.due) = Default::default();
                    self.forgotten.store(true, Ordering::Release);
                }
            }
        }
        drop(queue);
        self.news.notify_one();
    }

    /// What is marked as due may not come to be added: the caller may be gone before, or fail in part. Unless it
    /// says that all is added, the marks are looked for.
    pub(super) fn marking(self: &Arc<Self>) -> Marking {
        Marking { due: Arc::clone(self), all_added: false }
    }

    /// Adds the traces whose marks an earlier process left, or that failed, and removes the marks of others.
    pub(super) async fn find(self: &Arc<Self>) -> ServiceResult<()> {
        self.tidy().await?;
        if !self.forgotten.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let found = self.find_marked().await;
        if found.is_err() {
            self.forgotten.store(true, Ordering::Release);
        }
        found
    }

    async fn find_marked(self: &Arc<Self>) -> ServiceResult<()> {
        let store = &self.context.store;
        let mut range = KeyRange::all();
        loop {
            let part = (range.clone(), Direction::Forward, PAGE);
            let Some(page) = store.scan_many(keyspace::TURN_DUE, vec![part]).await?.pop() else { break };
            let Some(last) = page.items.last() else { break };
            range = range.after(&last.key.encode());
            let ids: Vec<_> = page.items.iter().map(|found| found.key).collect();
            let traces = store.get_many(keyspace::TRACE, &ids).await?;
            let gone = ids.iter().zip(&traces).filter(|(_, trace)| trace.is_none());
            self.made.lock().extend(gone.map(|(id, _)| (*id, u64::MAX)));
            let mut traces: Vec<_> = traces.into_iter().flatten().collect();
            traces.sort_unstable_by_key(|trace| (trace.start_time, trace.id));
            for trace in &traces {
                self.add(trace).await;
            }
        }
        Ok(())
    }

    /// The traces that have waited longest.
    fn take(&self) -> Vec<Due> {
        let mut queue = self.queue.lock();
        let count = queue.order.len().min(AT_ONCE);
        let ids: Vec<_> = queue.order.drain(..count).collect();
        ids.into_iter().filter_map(|id| queue.due.remove(&id)).collect()
    }

    /// Makes the messages of these traces; answers whose are made. Those of one conversation are made one
    /// after the other, in their order.
    async fn make(&self, due: Vec<Due>) -> Vec<(TraceId, u64)> {
        let mut by_conversation: BTreeMap<ConversationId, Vec<Due>> = BTreeMap::new();
        for one in due {
            by_conversation.entry(one.conversation).or_default().push(one);
        }
        let made = stream::iter(by_conversation.into_values()).map(|traces| async move {
            let mut made = Vec::with_capacity(traces.len());
            for one in traces {
                match self.make_one(&one).await {
                    Ok(()) => made.push((one.trace, one.revision)),
                    Err(error) => {
                        self.forgotten.store(true, Ordering::Release);
                        tracing::warn!(trace = %one.trace, %error, "messages of a trace are not made yet");
                    }
                }
            }
            made
        });
        made.buffer_unordered(AT_ONCE).concat().await
    }

    async fn make_one(&self, one: &Due) -> ServiceResult<()> {
        for _ in 1..ATTEMPTS {
            match self.turns.make(one.trace, one.conversation).await {
                Err(ServiceError::Overloaded { retry_after }) => {
                    tokio::time::sleep(retry_after.max(Duration::from_millis(1))).await;
                }
                made => return made,
            }
        }
        self.turns.make(one.trace, one.conversation).await
    }

    /// Removes the marks of traces whose messages are made, unless something new of them came meanwhile. Marks
    /// that stay only have their messages looked for once more.
    pub(super) async fn tidy(&self) -> ServiceResult<()> {
        let made = std::mem::take(&mut *self.made.lock());
        for made in made.chunks(PAGE) {
            self.clear(made).await?;
        }
        Ok(())
    }

    async fn clear(&self, made: &[(TraceId, u64)]) -> ServiceResult<()> {
        let ids: Vec<_> = made.iter().map(|(id, _)| *id).collect();
        let cleared = self.context.store.transact::<_, ServiceError, _>(|tx| {
            let ids = &ids;
            Box::pin(async move {
                let marks = tx.get_many(keyspace::TURN_DUE, ids).await?;
                for ((id, revision), mark) in made.iter().zip(marks) {
                    if mark.is_some_and(|mark| mark.revision <= *revision) {
                        tx.delete(keyspace::TURN_DUE, id);
                    }
                }
                Ok(())
            })
        });
        cleared.await
    }
}

/// See [`DueTurns::marking`].
pub(super) struct Marking {
    due: Arc<DueTurns>,
    all_added: bool,
}

impl Marking {
    /// Says that all that was marked is added.
    pub(super) fn all_added(mut self) {
        self.all_added = true;
    }
}

impl Drop for Marking {
    fn drop(&mut self) {
        if !self.all_added {
            self.due.forgotten.store(true, Ordering::Release);
        }
    }
}

impl Drop for DueTurns {
    fn drop(&mut self) {
        self.news.notify_one();
    }
}

/// The one who works. Were it to panic, the next trace that is added gets another.
struct Worker(Weak<DueTurns>);

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(due) = self.0.upgrade() {
            due.queue.lock().has_worker = false;
        }
    }
}

/// Makes what is due, until the store is closed.
async fn work(due: Weak<DueTurns>, news: Arc<Notify>) {
    let _worker = Worker(Weak::clone(&due));
    while let Some(turns) = due.upgrade() {
        let next = turns.take();
        if next.is_empty() {
            drop(turns);
            news.notified().await;
            continue;
        }
        let made = turns.make(next).await;
        let many = {
            let mut all = turns.made.lock();
            all.extend(made);
            all.len() >= AT_ONCE
        };
        if many && let Err(error) = turns.tidy().await {
            tracing::debug!(%error, "marks of what was made stay");
        }
    }
}
