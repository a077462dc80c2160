//! Ordered bytes, kept durably: the contract that every storage engine fulfils.
//!
//! An engine keeps named trees of byte keys in order. Its calls are coarse and asynchronous, so that
//! an engine on the far side of a network fits as well as one in this process. It must not know any
//! domain type, and no type of a storage library crosses this contract.
//!
//! The guarantees, proved for every engine by one suite (`tests/suite/engine`):
//!
//! - **Atomic.** A [`Batch`] is applied whole or not at all, across trees, also when the process dies.
//! - **Durable.** When [`Engine::commit`] returns `Ok`, the batch survives a loss of power.
//! - **Conditional.** A batch whose precondition does not hold changes nothing and answers
//!   [`EngineError::Conflict`].
//! - **Ordered.** A scan returns keys in byte order, in either direction.
//! - **Consistent.** A call sees every batch either whole or not at all: all pages of one
//!   [`Engine::scan_many`] and all values of one [`Engine::get_many`] are of one moment. Two calls may
//!   see different moments, and may see a batch shortly before its commit returns.

mod blocking;
mod counting;
mod disk;
mod error;
mod fjall;
mod health;
mod memory;
mod open;
mod page;
mod sled;
mod types;
mod writes;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{self, BoxFuture};

pub use self::{
    blocking::{aside, beside},
    counting::{CallCount, CallKind, Counting, Counts},
    error::EngineError,
    memory::MemoryEngine,
    open::{EngineConfig, open},
    types::{
        Batch, Direction, EngineKind, Entry, KeyRange, MAX_KEY_BYTES, MAX_TREE_NAME_BYTES, MAX_VALUE_BYTES,
        Precondition, ScanPage, ScanRequest, Tree, Write,
    },
};

/// What a call to an engine answers.
pub type EngineResult<T> = Result<T, EngineError>;

/// A store of ordered bytes in named trees. Trees come into being when they are first written;
/// reading a tree that was never written finds nothing.
pub trait Engine: Send + Sync + 'static {
    /// Which engine this is.
    fn kind(&self) -> EngineKind;

    /// Whether a call waits for a disk on a thread of this process: see [`beside`].
    fn blocks(&self) -> bool {
        false
    }

    /// Answers [`EngineError::Stopped`] once a failure has stopped it for good. Asks no disk.
    fn health(&self) -> EngineResult<()> {
        Ok(())
    }

    /// The values at `keys`, in the order asked for, `None` where there is none.
    fn get_many(&self, tree: &Tree, keys: Vec<Vec<u8>>) -> BoxFuture<'_, EngineResult<Vec<Option<Bytes>>>>;

    /// One page for each request, in the order asked for. A remote engine answers all of them in one
    /// round trip.
    fn scan_many(&self, requests: Vec<ScanRequest>) -> BoxFuture<'_, EngineResult<Vec<ScanPage>>>;

    /// Applies the batch atomically and durably, or answers why not and changes nothing.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, EngineResult<()>>;

    /// The names of all trees that hold, or once held, anything, in order; an engine may name an empty
    /// one that a failed commit left behind.
    fn trees(&self) -> BoxFuture<'_, EngineResult<Vec<Tree>>>;

    /// Removes a tree with all it holds. Removing one that does not exist is not an error.
    fn drop_tree(&self, tree: &Tree) -> BoxFuture<'_, EngineResult<()>>;

    /// Has what is only in a log written to where it is looked for when the database is opened, as far as that is of
    /// use, because the database is about to be closed. What is committed nevertheless is as durable as ever.
    fn finish(&self) -> BoxFuture<'_, EngineResult<()>> {
        Box::pin(future::ready(Ok(())))
    }

    /// Has what was gathered in memory to be written in large pieces put on the disk, where that frees much: nothing
    /// was committed for a while, and it may stay so. It may come back before that is done.
    fn rest(&self) -> BoxFuture<'_, EngineResult<()>> {
        Box::pin(future::ready(Ok(())))
    }

    /// Comes when the last handle is gone and the files are let go of, which may be later than the handles: whoever ends
    /// the process before leaves behind what would have been tidied.
    fn let_go(&self) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }

    /// Bytes on disk; 0 for an engine that keeps nothing there.
    fn size_on_disk(&self) -> BoxFuture<'_, EngineResult<u64>>;
}

/// A shared engine.
pub type SharedEngine = Arc<dyn Engine>;

/// The page for one request: the common case of [`Engine::scan_many`].
///
/// # Errors
/// Those of [`Engine::scan_many`].
pub async fn scan(engine: &dyn Engine, request: ScanRequest) -> EngineResult<ScanPage> {
    let mut pages = engine.scan_many(vec![request]).await?;
    pages.pop().ok_or_else(|| EngineError::Corrupt("an engine answered no page for one request".to_owned()))
}
