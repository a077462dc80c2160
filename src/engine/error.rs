//! What can go wrong in an engine, in words that hold for all of them.

use std::{io, path::Path};

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
    /// The batch holds what no engine stores: a key, a value or the name of a tree that is too long, or
    /// an empty key or name. Nothing was changed.
    #[error("the batch cannot be stored: {0}")]
    Invalid(String),
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
    /// The directory holds something else; nothing in it was touched.
    #[error("{path} is not a Dendro database: {why}")]
    NotADatabase {
        /// The directory.
        path: String,
        /// What was found there.
        why: String,
    },
    /// The database is open already, here or in another process.
    #[error("{0} is in use by another process")]
    Locked(String),
    /// A failure left the engine unable to promise durability; it must be opened again. Whether a commit
    /// that answers this took place is only known then; if it did, it did as a whole.
    #[error("the engine stopped after an earlier failure: {0}")]
    Stopped(String),
}

impl EngineError {
    /// Whether the same call can succeed later: what stands in its way is not in the call and not in the
    /// data. It passes, or whoever runs the server makes room, or starts it again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        // Named one by one, so that a new failure is judged here.
        match self {
            Self::Conflict { .. } | Self::Full(_) | Self::Io(_) | Self::Locked(_) | Self::Stopped(_) => true,
            Self::Invalid(_) | Self::Corrupt(_) | Self::WrongEngine { .. } | Self::NotADatabase { .. } => {
                false
            }
        }
    }

    /// What the operating system answered to `doing` something with `path`.
    pub(super) fn from_io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let text = format!("{doing} {}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(text),
            _ => Self::Io(text),
        }
    }
}
