//! Group commit: batches that arrive while a commit is under way share the next one.
//!
//! One thread commits for all, and does nothing else, so that a commit is not handed from one to the next
//! (a task does, where the engine waits for no disk). A write is acknowledged after the engine has synced it;
//! the queue is bounded in writes and in bytes, and a full one answers [`StoreError::Overloaded`] at once.
//! What was queued is committed even if the one who asked no longer waits. A batch that cannot be committed
//! fails alone: the others of its commit are then tried one by one.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::{Observer, StoreError, StoreResult, Touched};
use crate::engine::{self, Batch, EngineError, SharedEngine, Tree};

/// Bounds of the queue of writes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueLimits {
    /// Writes that may wait. With a commit of a few milliseconds they are done within a second.
    pub writes: usize,
    /// Bytes of writes that may wait: what they hold in memory.
    pub bytes: usize,
    /// Bytes after which a commit takes no more batches: larger ones only make the others wait longer.
    pub commit_bytes: usize,
    /// What a refused writer is told to wait, in milliseconds.
    pub retry_after_ms: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { writes: 4_096, bytes: 128 << 20, commit_bytes: 8 << 20, retry_after_ms: 250 }
    }
}

/// How long a commit waits for what comes with its first batch: little beside what a sync of the disk takes.
const GATHER: Duration = Duration::from_micros(100);

/// A batch on its way to the engine.
struct Request {
    batch: Batch,
    touched: Vec<Touched>,
    done: oneshot::Sender<StoreResult<()>>,
    _bytes: OwnedSemaphorePermit,
}

/// The way to the engine for every write.
#[derive(Clone)]
pub(super) struct Committer {
    queue: mpsc::Sender<Request>,
    bytes: Arc<Semaphore>,
    limits: QueueLimits,
    /// Writes queued since the start.
    queued: Arc<AtomicU64>,
    /// Of them: those that are durable or refused.
    settled: watch::Receiver<u64>,
}

/// A place in the queue. Taking it first means that what was decided under a lock can be queued
/// without waiting.
pub(super) struct Place<'a> {
    slot: mpsc::Permit<'a, Request>,
    bytes: OwnedSemaphorePermit,
    queued: &'a AtomicU64,
}

/// A queued write.
pub(super) struct Pending(oneshot::Receiver<StoreResult<()>>);

impl Pending {
    /// Waits until the write is durable, or was not done.
    pub(super) async fn durable(self) -> StoreResult<()> {
        self.0.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl Place<'_> {
    /// Queues the batch. Batches are committed in the order they are queued.
    pub(super) fn submit(self, batch: Batch, touched: Vec<Touched>) -> Pending {
        let (done, pending) = oneshot::channel();
        // Counted first: whoever reads the count has then counted everything that is in the queue.
        self.queued.fetch_add(1, Ordering::SeqCst);
        self.slot.send(Request { batch, touched, done, _bytes: self.bytes });
        Pending(pending)
    }
}

impl Committer {
    /// Whether nothing commits any more.
    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// How many writes were queued since the start.
    pub(super) fn queued(&self) -> u64 {
        self.queued.load(Ordering::SeqCst)
    }

    /// Starts what commits.
    pub(super) fn start(
        engine: &SharedEngine,
        limits: QueueLimits,
        observer: Arc<dyn Observer>,
    ) -> StoreResult<Self> {
        let (queue, requests) = mpsc::channel(limits.writes.max(1));
        let bytes = Arc::new(Semaphore::new(limits.bytes.min(Semaphore::MAX_PERMITS)));
        let (count, settled) = watch::channel(0);
        let writer = Writer {
            engine: Arc::clone(engine),
            observer,
            commit_bytes: limits.commit_bytes,
            settled: count,
        };
        engine::beside(engine.as_ref(), "dendro-commit", writer.run(requests))?;
        Ok(Self { queue, bytes, limits, queued: Arc::default(), settled })
    }

    /// A place in the queue for a batch of about `bytes`. It may be held while waiting for a trace's
    /// turn, so whoever has the turn must have a place already and never wait for one.
    pub(super) fn place(&self, bytes: usize) -> StoreResult<Place<'_>> {
        let overloaded =
            || StoreError::Overloaded { retry_after: Duration::from_millis(self.limits.retry_after_ms) };
        // A batch larger than the whole queue may pass when it is alone.
        let bytes = u32::try_from(bytes.min(self.limits.bytes)).unwrap_or(u32::MAX);
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| overloaded())?;
        let slot = self.queue.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => overloaded(),
            mpsc::error::TrySendError::Closed(()) => StoreError::Closed,
        })?;
        Ok(Place { slot, bytes, queued: &self.queued })
    }

    /// A place for work in the background, which waits where others are told to come back.
    pub(super) async fn free_place(&self) -> StoreResult<Place<'_>> {
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(0).map_err(|_| StoreError::Closed)?;
        let slot = self.queue.reserve().await.map_err(|_| StoreError::Closed)?;
        Ok(Place { slot, bytes, queued: &self.queued })
    }

    /// Returns once everything that was queued before the call is durable or refused.
    pub(super) async fn settled(&self) -> StoreResult<()> {
        // The queue keeps its order, so as many as were queued are done only when all of them are.
        let queued = self.queued.load(Ordering::SeqCst);
        let mut settled = self.settled.clone();
        settled.wait_for(|settled| *settled >= queued).await.map_err(|_| StoreError::Closed)?;
        Ok(())
    }
}

/// What commits.
struct Writer {
    engine: SharedEngine,
    observer: Arc<dyn Observer>,
    commit_bytes: usize,
    settled: watch::Sender<u64>,
}

impl Writer {
    async fn run(self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.recv().await {
            // Who is about to queue more does so first: what comes together is committed together.
            if self.engine.blocks() {
                thread::sleep(GATHER);
            } else {
                tokio::task::yield_now().await;
            }
            let mut bytes = size(&first.batch);
            let mut group = vec![first];
            while bytes < self.commit_bytes
                && let Ok(next) = requests.try_recv()
            {
                bytes += size(&next.batch);
                group.push(next);
            }
            self.commit(group).await;
        }
    }

    async fn commit(&self, group: Vec<Request>) {
        let result = match Merged::of(&group) {
            Ok(batch) => self.try_commit(batch).await,
            Err(conflict) => Err(conflict),
        };
        match result {
            Err(error) if group.len() > 1 && !is_final(&error) => {
                // Some of the group are to blame: each for itself finds out which.
                for request in group {
                    let result = self.try_commit(request.batch.clone()).await;
                    self.finish(request, result);
                }
            }
            result => group.into_iter().for_each(|request| self.finish(request, result.clone())),
        }
    }

    async fn try_commit(&self, batch: Batch) -> StoreResult<()> {
        if batch.is_empty() && batch.preconditions.is_empty() {
            return Ok(());
        }
        self.engine.commit(batch).await.map_err(StoreError::from)
    }

    fn finish(&self, request: Request, result: StoreResult<()>) {
        if result.is_ok() {
            self.observer.committed(&request.touched);
        }
        self.settled.send_modify(|settled| *settled += 1);
        // Nobody may be waiting any more.
        let _ = request.done.send(result);
    }
}

/// Whether no commit can succeed after this one.
fn is_final(error: &StoreError) -> bool {
    matches!(error, StoreError::Engine(EngineError::Stopped(_)))
}

/// Batches as one: a precondition on what an earlier batch of the group writes is checked here, all
/// others go to the engine.
struct Merged;

impl Merged {
    fn of(group: &[Request]) -> StoreResult<Batch> {
        if let [only] = group {
            return Ok(only.batch.clone());
        }
        let mut written: HashMap<(&Tree, &[u8]), Option<&Bytes>> = HashMap::new();
        let mut merged = Batch::default();
        for request in group {
            for condition in &request.batch.preconditions {
                match written.get(&(&condition.tree, condition.key.as_slice())) {
                    None => merged.preconditions.push(condition.clone()),
                    Some(value) if *value == condition.expected.as_ref() => {}
                    Some(_) => return Err(StoreError::Conflict),
                }
            }
            for write in &request.batch.writes {
                written.insert((&write.tree, &write.key), write.value.as_ref());
            }
        }
        merged.writes = written
            .into_iter()
            .map(|((tree, key), value)| crate::engine::Write {
                tree: tree.clone(),
                key: key.to_vec(),
                value: value.cloned(),
            })
            .collect();
        Ok(merged)
    }
}

/// About how many bytes a batch takes.
pub(super) fn size(batch: &Batch) -> usize {
    let writes =
        batch.writes.iter().map(|write| write.key.len() + write.value.as_ref().map_or(0, Bytes::len) + 64);
    let conditions = batch
        .preconditions
        .iter()
        .map(|condition| condition.key.len() + condition.expected.as_ref().map_or(0, Bytes::len) + 64);
    writes.sum::<usize>() + conditions.sum::<usize>()
}
