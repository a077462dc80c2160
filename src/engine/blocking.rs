//! The way from asynchronous calls to a library that blocks. It must not know which library.
//!
//! A call is one hop to a thread that may block, and back: two wake-ups, which cost more than most reads. Work
//! that calls again and again gets a thread of its own instead ([`beside`]), where calls are made in place.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use bytes::Bytes;
use futures_util::future::{self, BoxFuture};
use tokio::{runtime::Handle, task::JoinError};

use super::{
    Batch, Engine, EngineError, EngineKind, EngineResult, ScanPage, ScanRequest, Tree, open::DirLock,
};

/// The contract of [`Engine`], by methods that block.
pub(super) trait BlockingStore: Send + Sync + 'static {
    /// Which engine it is.
    const KIND: EngineKind;

    /// See [`Engine::health`]; it does not block.
    fn health(&self) -> EngineResult<()>;

    /// See [`Engine::get_many`].
    fn get_many(&self, tree: &Tree, keys: &[Vec<u8>]) -> EngineResult<Vec<Option<Bytes>>>;

    /// See [`Engine::scan_many`].
    fn scan_many(&self, requests: &[ScanRequest]) -> EngineResult<Vec<ScanPage>>;

    /// See [`Engine::commit`].
    fn commit(&self, batch: Batch) -> EngineResult<()>;

    /// See [`Engine::trees`].
    fn tree_names(&self) -> EngineResult<Vec<Tree>>;

    /// See [`Engine::drop_tree`].
    fn drop_tree(&self, tree: &Tree) -> EngineResult<()>;

    /// See [`Engine::finish`].
    fn finish(&self) -> EngineResult<()> {
        Ok(())
    }

    /// See [`Engine::rest`].
    fn rest(&self) -> EngineResult<()> {
        Ok(())
    }

    /// What says that the directory is in use, which is the last to be dropped.
    fn dir_lock(&self) -> &DirLock;

    /// See [`Engine::size_on_disk`].
    fn size_on_disk(&self) -> EngineResult<u64>;
}

thread_local! {
    /// Whether this thread may block: nothing else waits for it.
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, which calls an engine again and again, beside everything else: where the engine blocks, on a
/// thread of its own, on which its calls are made one after the other; else as a task. Must be called inside a
/// Tokio runtime, whose timers `work` may use as long as it runs.
///
/// # Errors
/// When the system gives no thread.
pub fn beside(
    engine: &dyn Engine,
    name: &str,
    work: impl Future<Output = ()> + Send + 'static,
) -> EngineResult<()> {
    let runtime = Handle::current();
    if !engine.blocks() {
        runtime.spawn(work);
        return Ok(());
    }
    let run = move || {
        let _may_block = MayBlock::begin();
        runtime.block_on(work);
    };
    let no_thread = |error| EngineError::Stopped(format!("the system gives no thread: {error}"));
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop).map_err(no_thread)
}

/// Begins `work`, which calls an engine a few times, and answers what it comes to: one hop for all calls, which
/// are made in place. Must be called inside a Tokio runtime.
pub fn aside<T, F>(engine: &dyn Engine, work: F) -> impl Future<Output = EngineResult<T>> + use<T, F>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let done = if engine.blocks() {
        tokio::task::spawn_blocking(move || {
            let _may_block = MayBlock::begin();
            Handle::current().block_on(work)
        })
    } else {
        tokio::spawn(work)
    };
    async move { done.await.map_err(|error| ended(&error)) }
}

/// As long as it lives, its thread may block.
struct MayBlock;

impl MayBlock {
    fn begin() -> Self {
        MAY_BLOCK.set(true);
        Self
    }
}

impl Drop for MayBlock {
    fn drop(&mut self) {
        MAY_BLOCK.set(false);
    }
}

/// An engine whose every call is one hop to a thread that may block.
pub(super) struct Blocking<S>(Arc<S>);

impl<S: BlockingStore> Blocking<S> {
    /// The engine over a store.
    pub(super) fn new(store: S) -> Self {
        Self(Arc::new(store))
    }

    /// Calls the store where it may block.
    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&S) -> EngineResult<T> + Send + 'static,
    ) -> BoxFuture<'_, EngineResult<T>> {
        if MAY_BLOCK.get() {
            let done = catch_unwind(AssertUnwindSafe(|| work(&self.0)));
            return Box::pin(future::ready(done.unwrap_or_else(|_| Err(gave_up()))));
        }
        let store = self.0.clone();
        Box::pin(run(move || work(&store)))
    }
}

impl<S: BlockingStore> Engine for Blocking<S> {
    fn kind(&self) -> EngineKind {
        S::KIND
    }

    fn blocks(&self) -> bool {
        true
    }

    fn health(&self) -> EngineResult<()> {
        self.0.health()
    }

    fn get_many(&self, tree: &Tree, keys: Vec<Vec<u8>>) -> BoxFuture<'_, EngineResult<Vec<Option<Bytes>>>> {
        let tree = tree.clone();
        self.call(move |store| store.get_many(&tree, &keys))
    }

    fn scan_many(&self, requests: Vec<ScanRequest>) -> BoxFuture<'_, EngineResult<Vec<ScanPage>>> {
        self.call(move |store| store.scan_many(&requests))
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, EngineResult<()>> {
        self.call(move |store| store.commit(batch))
    }

    fn trees(&self) -> BoxFuture<'_, EngineResult<Vec<Tree>>> {
        self.call(S::tree_names)
    }

    fn drop_tree(&self, tree: &Tree) -> BoxFuture<'_, EngineResult<()>> {
        let tree = tree.clone();
        self.call(move |store| store.drop_tree(&tree))
    }

    fn finish(&self) -> BoxFuture<'_, EngineResult<()>> {
        self.call(S::finish)
    }

    fn rest(&self) -> BoxFuture<'_, EngineResult<()>> {
        self.call(S::rest)
    }

    fn let_go(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.0.dir_lock().let_go())
    }

    fn size_on_disk(&self) -> BoxFuture<'_, EngineResult<u64>> {
        self.call(S::size_on_disk)
    }
}

/// Runs `work` on a thread that may block.
///
/// Work that has begun runs to its end even if the caller goes away, so a commit is never cut short.
async fn run<T: Send + 'static>(work: impl FnOnce() -> EngineResult<T> + Send + 'static) -> EngineResult<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(ended(&error)))
}

/// What work says that did not come to its end.
fn ended(error: &JoinError) -> EngineError {
    if error.is_panic() { gave_up() } else { EngineError::Stopped("the server is shutting down".to_owned()) }
}

/// What a panic of a storage library says.
fn gave_up() -> EngineError {
    EngineError::Corrupt("the storage library gave up on what it found".to_owned())
}
