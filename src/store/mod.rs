//! The store: typed records over an engine's bytes, and the only caller of it.
//!
//! It knows where things are kept (`keyspace`), how they are written (`key`, `codec`), which index
//! entries a record has (`index`), and how writes reach the disk together (`commit`). It applies the
//! model's rules to what it keeps, but decides nothing about who may do what or what a use case is.
//!
//! A [`Store`] is opened for one project: its trees carry the project's name, and nothing that holds
//! the handle can reach the keys of another.

mod check;
pub mod codec;
mod commit;
mod error;
pub mod index;
pub mod key;
pub mod keyspace;
mod older;
mod packed;
mod read;
pub mod spans;
mod turns;
mod tx;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

pub use self::{
    check::{CheckProgress, CheckReport, Problem},
    commit::QueueLimits,
    error::{StoreError, StoreResult},
    read::{Chunk, Found, IndexPage, IndexRange, TablePage, between, prefix},
    turns::Turn,
    tx::{Queued, Tx},
};
use self::{
    commit::Committer,
    spans::{MergeQueue, TraceCache},
    turns::Turns,
};
/// How a range of keys is named and read.
pub use crate::engine::{Direction, KeyRange};
use crate::{
    engine::{self, Batch, SharedEngine, Tree},
    model::{ConversationId, EvaluationId, ExperimentId, PlanId, TraceId},
};

/// What a commit changed, for those who watch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// A trace or its spans.
    Trace {
        /// The trace.
        id: TraceId,
        /// The trace's revision after the commit.
        revision: u64,
    },
    /// A conversation or its messages.
    Conversation {
        /// The conversation.
        id: ConversationId,
        /// The conversation's revision after the commit.
        revision: u64,
    },
    /// A plan or its steps.
    Plan {
        /// The plan.
        id: PlanId,
        /// The plan's revision after the commit.
        revision: u64,
    },
    /// An experiment or its items.
    Experiment {
        /// The experiment.
        id: ExperimentId,
        /// The experiment's revision after the commit.
        revision: u64,
    },
    /// How far an evaluation is.
    Evaluation {
        /// The evaluation.
        id: EvaluationId,
        /// The evaluation's revision after the commit.
        revision: u64,
    },
}

/// Told of every commit once it is durable. Must not block.
pub trait Observer: Send + Sync + 'static {
    /// A commit is durable.
    fn committed(&self, touched: &[Touched]);
}

/// Nobody watches.
impl Observer for () {
    fn committed(&self, _: &[Touched]) {}
}

/// How the store uses memory and queues.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Bounds of the queue of writes.
    pub queue: QueueLimits,
    /// How span blocks are kept and cached.
    pub spans: spans::SpanConfig,
}

/// The format of the whole database, raised when trees are laid out anew.
const FORMAT: u32 = 1;

/// The tree that belongs to no project.
const META: &str = "meta";

/// The project that exists from the start.
pub const DEFAULT_PROJECT: &str = "default";

/// How long closing waits for the engine to let go of its files.
const CLOSING: Duration = Duration::from_secs(5);

/// A handle for one project. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: SharedEngine,
    committer: Committer,
    trees: HashMap<&'static str, Tree>,
    traces: TraceCache,
    merges: MergeQueue,
    turns: Turns,
    config: StoreConfig,
}

impl Store {
    /// Opens the project `default` of a database. Must be called inside a Tokio runtime. The thread that commits
    /// runs until the last handle is dropped.
    pub async fn open(
        engine: SharedEngine,
        config: StoreConfig,
        observer: Arc<dyn Observer>,
    ) -> StoreResult<Self> {
        check_format(&engine).await?;
        let tree = |name: &&'static str| (*name, Tree::new(&format!("{DEFAULT_PROJECT}/{name}")));
        let trees = keyspace::TABLES.iter().map(tree).collect();
        let committer = Committer::start(&engine, config.queue.clone(), observer)?;
        let traces = TraceCache::new(config.spans.cached_spans);
        let (merges, turns) = (MergeQueue::default(), Turns::default());
        Ok(Self { inner: Arc::new(Inner { engine, committer, trees, traces, merges, turns, config }) })
    }

    /// Begins a transaction.
    #[must_use]
    pub fn begin(&self) -> Tx<'_> {
        Tx::new(self)
    }

    /// Runs a transaction, again after a conflict, until it commits or fails for another reason.
    ///
    /// `run` reads and writes; it must have no other effect, because it may run more than once.
    pub async fn transact<'s, T, X, F>(&'s self, run: F) -> Result<T, X>
    where
        F: for<'t> Fn(&'t mut Tx<'s>) -> BoxFuture<'t, Result<T, X>> + Send + Sync,
        X: From<StoreError>,
    {
        let mut attempt = 1;
        loop {
            let mut tx = self.begin();
            let outcome = run(&mut tx).await?;
            match tx.commit().await {
                Ok(()) => return Ok(outcome),
                Err(error) if tx::is_conflict(&error) && attempt < tx::ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Runs a transaction once, and puts it into the queue of commits.
    pub async fn queue<'s, T, X, F>(&'s self, run: F) -> Result<Queued<T>, X>
    where
        F: for<'t> FnOnce(&'t mut Tx<'s>) -> BoxFuture<'t, Result<T, X>> + Send,
        X: From<StoreError>,
    {
        let mut tx = self.begin();
        let outcome = run(&mut tx).await?;
        Ok(Queued::new(outcome, tx.submit()?))
    }

    /// Runs `work`, which reads and writes again and again, beside everything else, without a way to and fro for
    /// each read. Must be called inside a Tokio runtime.
    pub fn beside(&self, name: &str, work: impl Future<Output = ()> + Send + 'static) -> StoreResult<()> {
        Ok(engine::beside(self.engine().as_ref(), name, work)?)
    }

    /// Begins `work`, which reads a few times, and answers what it comes to: with one way to and fro for all reads.
    /// Must be called inside a Tokio runtime.
    pub fn aside<T, F>(&self, work: F) -> impl Future<Output = StoreResult<T>> + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let done = engine::aside(self.engine().as_ref(), work);
        async move { Ok(done.await?) }
    }

    /// Returns once everything that was queued before is durable or refused. What was read before the
    /// call is then durable: an engine may show a batch shortly before its commit returns.
    pub async fn flush(&self) -> StoreResult<()> {
        self.inner.committer.settled().await
    }

    /// Drops this handle, the last one, and waits until the engine has let go of its files. Where another handle
    /// is kept after all, it does not wait for ever.
    pub async fn close(self) {
        let finished = match self.flush().await {
            Ok(()) => self.engine().finish().await.map_err(Into::into),
            Err(error) => Err(error),
        };
        if let Err(error) = finished {
            tracing::debug!(%error, "what is in the log is read from there when the database is opened");
        }
        let let_go = self.engine().let_go();
        drop(self);
        if tokio::time::timeout(CLOSING, let_go).await.is_err() {
            tracing::debug!("the database is still in use");
        }
    }

    /// Answers why the store does not work any more, once it has stopped for good: what is asked of it fails until
    /// the database is opened again. Asks no disk.
    pub fn health(&self) -> StoreResult<()> {
        self.engine().health()?;
        if self.committer().is_closed() { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// How many writes were asked for since the start.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.committer().queued()
    }

    /// Lets go of what is held in memory for writes that follow, and has the engine put aside what it gathered: nothing
    /// is written.
    ///
    /// # Errors
    /// When the engine failed.
    pub async fn rest(&self) -> StoreResult<()> {
        self.traces().forget_idle();
        Ok(self.engine().rest().await?)
    }

    /// Bytes that the database takes on disk.
    pub async fn size_on_disk(&self) -> StoreResult<u64> {
        Ok(self.engine().size_on_disk().await?)
    }

    pub(self) fn engine(&self) -> &SharedEngine {
        &self.inner.engine
    }

    pub(self) fn committer(&self) -> &Committer {
        &self.inner.committer
    }

    pub(self) fn traces(&self) -> &TraceCache {
        &self.inner.traces
    }

    pub(self) fn config(&self) -> &StoreConfig {
        &self.inner.config
    }

    /// The project's tree of a table.
    pub(self) fn tree(&self, table: &'static str) -> Tree {
        // Every declared table is in the map; another name would be a new, empty tree.
        self.inner
            .trees
            .get(table)
            .cloned()
            .unwrap_or_else(|| Tree::new(&format!("{DEFAULT_PROJECT}/{table}")))
    }
}

/// Refuses a database of a newer format, and marks a new one.
async fn check_format(engine: &SharedEngine) -> StoreResult<()> {
    let (tree, key) = (Tree::new(META), b"format".to_vec());
    let found = engine.get_many(&tree, vec![key.clone()]).await?.pop().flatten();
    let Some(found) = found else {
        let mut batch = Batch::default();
        batch.require(&tree, key.clone(), None);
        batch.put(&tree, key, FORMAT.to_be_bytes().to_vec());
        return Ok(engine.commit(batch).await?);
    };
    let damaged = || StoreError::Damaged { table: META, message: "the format is not a number".to_owned() };
    let found = u32::from_be_bytes(found.as_ref().try_into().map_err(|_| damaged())?);
    if found > FORMAT { Err(StoreError::NewerFormat { found, known: FORMAT }) } else { Ok(()) }
}
