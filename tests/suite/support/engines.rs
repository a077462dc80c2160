//! Engines around others: they wait at a gate, fail when told to, or let others run between their steps.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use dendro::{
    engine::{
        Batch, Engine, EngineError, EngineKind, EngineResult, ScanPage, ScanRequest, SharedEngine, Tree,
    },
    model::{conversation::Conversation, plan::Plan, trace::Trace},
    store::codec,
};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;

/// What happens around the calls of an engine.
pub trait Around: Send + Sync + 'static {
    /// Before and after a read.
    fn around_read(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Before a read of a tree. An error is answered in its place.
    fn before_read(&self, _tree: &Tree) -> EngineResult<()> {
        Ok(())
    }

    /// Before a commit. An error is answered in its place.
    fn before_commit<'a>(&'a self, _batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        Box::pin(async { Ok(()) })
    }

    /// After a commit that took place, before it is answered.
    fn after_commit<'a>(&'a self, _batch: &'a Batch) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

/// An engine with something around it.
pub struct Wrapped<A> {
    inner: SharedEngine,
    around: Arc<A>,
}

/// Puts `around` around an engine.
pub fn wrap<A: Around>(inner: SharedEngine, around: &Arc<A>) -> SharedEngine {
    Arc::new(Wrapped { inner, around: around.clone() })
}

impl<A: Around> Engine for Wrapped<A> {
    fn kind(&self) -> EngineKind {
        self.inner.kind()
    }

    fn health(&self) -> EngineResult<()> {
        self.inner.health()
    }

    fn get_many(&self, tree: &Tree, keys: Vec<Vec<u8>>) -> BoxFuture<'_, EngineResult<Vec<Option<Bytes>>>> {
        let tree = tree.clone();
        Box::pin(async move {
            self.around.around_read().await;
            self.around.before_read(&tree)?;
            let found = self.inner.get_many(&tree, keys).await;
            self.around.around_read().await;
            found
        })
    }

    fn scan_many(&self, requests: Vec<ScanRequest>) -> BoxFuture<'_, EngineResult<Vec<ScanPage>>> {
        Box::pin(async move {
            self.around.around_read().await;
            requests.iter().try_for_each(|request| self.around.before_read(&request.tree))?;
            let found = self.inner.scan_many(requests).await;
            self.around.around_read().await;
            found
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, EngineResult<()>> {
        Box::pin(async move {
            self.around.before_commit(&batch).await?;
            self.inner.commit(batch.clone()).await?;
            self.around.after_commit(&batch).await;
            Ok(())
        })
    }

    fn trees(&self) -> BoxFuture<'_, EngineResult<Vec<Tree>>> {
        self.inner.trees()
    }

    fn drop_tree(&self, tree: &Tree) -> BoxFuture<'_, EngineResult<()>> {
        self.inner.drop_tree(tree)
    }

    fn size_on_disk(&self) -> BoxFuture<'_, EngineResult<u64>> {
        self.inner.size_on_disk()
    }
}

/// Commits wait until the gate is open.
pub struct Gate {
    open: watch::Sender<bool>,
    waiting: AtomicUsize,
}

impl Gate {
    pub fn new(open: bool) -> Arc<Self> {
        Arc::new(Self { open: watch::Sender::new(open), waiting: AtomicUsize::new(0) })
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }

    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Returns once a commit waits.
    pub async fn reached(&self) {
        while self.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl Around for Gate {
    fn before_commit<'a>(&'a self, _: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        Box::pin(async {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            self.open.subscribe().wait_for(|open| *open).await.unwrap();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        })
    }
}

/// Commits fail as they are told to, and change nothing.
#[derive(Default)]
pub struct Failing(Mutex<Option<EngineError>>);

impl Failing {
    /// From now on commits fail so, or succeed again.
    pub fn with(&self, error: Option<EngineError>) {
        *self.0.lock() = error;
    }
}

impl Around for Failing {
    fn before_commit<'a>(&'a self, _: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        let error = self.0.lock().clone();
        Box::pin(async move { error.map_or(Ok(()), Err) })
    }
}

/// Lets other tasks run a varying number of turns around every call, and makes some commits fail: the
/// same way for the same seed on a runtime of one thread.
pub struct Unsteady {
    state: AtomicU64,
    /// Turns that others may have at a time, at most.
    turns: u64,
    /// Of 100 commits, this many fail.
    failures: AtomicU64,
    /// The revisions of traces, conversations and plans as of the commits that have returned, by their
    /// ids.
    durable: Mutex<HashMap<[u8; 16], u64>>,
}

impl Unsteady {
    pub fn new(seed: u64, turns: u64, failures: u64) -> Arc<Self> {
        let (state, failures) = (AtomicU64::new(seed), AtomicU64::new(failures));
        Arc::new(Self { state, turns, failures, durable: Mutex::default() })
    }

    /// From now on, this many of 100 commits fail.
    pub fn fail(&self, failures: u64) {
        self.failures.store(failures, Ordering::Relaxed);
    }

    /// The revision of what has this id (a trace, a conversation, a plan) that is known to be durable.
    pub fn durable(&self, id: &[u8; 16]) -> u64 {
        self.durable.lock().get(id).copied().unwrap_or(0)
    }

    /// The next number of a splitmix64 sequence.
    fn next(&self) -> u64 {
        let mut number = self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    async fn give_way(&self) {
        for _ in 0..self.next() % (self.turns + 1) {
            tokio::task::yield_now().await;
        }
    }
}

impl Around for Unsteady {
    fn around_read(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.give_way())
    }

    fn before_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        Box::pin(async {
            self.give_way().await;
            if batch.is_empty() || self.next() % 100 >= self.failures.load(Ordering::Relaxed) {
                return Ok(());
            }
            Err(match self.next() % 2 {
                0 => EngineError::Full("as the test asked".to_owned()),
                _ => EngineError::Io("as the test asked".to_owned()),
            })
        })
    }

    fn after_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, ()> {
        Box::pin(async {
            self.give_way().await;
            for write in &batch.writes {
                let known = write.value.as_ref().and_then(|row| revision(write.tree.name(), row));
                self.durable.lock().extend(known);
            }
        })
    }
}

/// The id and the revision of a row that has one.
fn revision(tree: &str, row: &[u8]) -> Option<([u8; 16], u64)> {
    match tree.strip_prefix("default/")? {
        "trace" => {
            let trace: Trace = codec::decode("trace", row).unwrap();
            Some((*trace.id.bytes(), trace.revision))
        }
        "conversation" => {
            let conversation: Conversation = codec::decode("conversation", row).unwrap();
            Some((*conversation.id.bytes(), conversation.revision))
        }
        "plan" => {
            let plan: Plan = codec::decode("plan", row).unwrap();
            Some((*plan.id.bytes(), plan.revision))
        }
        _ => None,
    }
}
