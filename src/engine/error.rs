//! What can go wrong in an engine, in words that hold for all of them.

use super::{EngineKind, Tree};

/// Why an engine did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// A precondition of a batch did not hold; nothing was changed.
    #[error("a key of tree `{tree}` no longer holds what the batch expects")]
    Conflict {
        /// The tree of the key.
        tree: Tree,
        /// The key whose value is another than expected.
        key: Vec<u8>,
    },
    /// The disk is full; nothing was changed.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The operating system refused a read or a write.
    #[error("input or output failed: {0}")]
    Io(String),
    /// What is on disk is not what was written.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The directory belongs to another engine.
    #[error("{path} was made by the engine `{found}`; open it with `--engine {found}`, not `{asked}`")]
    WrongEngine {
        /// The database directory.
        path: String,
        /// The engine that made it.
        found: EngineKind,
        /// The engine that was asked for.
        asked: EngineKind,
    },
    /// Another process has the database open.
    #[error("{0} is in use by another process")]
    Locked(String),
    /// An earlier failure left the engine unable to promise durability; it must be opened again.
    #[error("the engine stopped after an earlier failure: {0}")]
    Stopped(String),
}

impl EngineError {
    /// Whether the same call can succeed later without anyone repairing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Full(_))
    }
}
