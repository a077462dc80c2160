//! What can go wrong in the store.

use std::time::Duration;

use crate::engine::EngineError;

/// Why the store did not do what was asked. Nothing of a refused write is kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another write came first; read again and retry.
    #[error("the record was changed meanwhile")]
    Conflict,
    /// The queue of writes is full. Nothing that was acknowledged is lost.
    #[error("too many writes are waiting; try again in {} ms", .retry_after.as_millis())]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// What was asked for is more than the caller wants at once.
    #[error("it takes more than {most} bytes")]
    TooMuch {
        /// The most that the caller wants, in bytes.
        most: usize,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(EngineError),
    /// A record cannot be read.
    #[error("a record of `{table}` cannot be read: {message}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The database was written in a format that this program does not know.
    #[error("the database has format {found}; this program reads up to {known}: use a newer one")]
    NewerFormat {
        /// The database's format.
        found: u32,
        /// The newest format that is known.
        known: u32,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

/// What to wait before a record that others kept changing is tried again.
const AFTER_CONFLICT: Duration = Duration::from_millis(50);

/// What to wait for room on the disk, or for the server to be started again. Exporters give up after some
/// ten seconds, and so would not wait for much more.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

impl StoreError {
    /// How long to wait before the same call is worth repeating; `None` where no repeat mends it. What may
    /// be repeated may have been done all the same, when the engine stopped or the store closed meanwhile.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Conflict => Some(AFTER_CONFLICT),
            Self::Overloaded { retry_after } => Some(*retry_after),
            Self::Engine(error) => error.is_retryable().then_some(AFTER_FAILURE),
            Self::Closed => Some(AFTER_FAILURE),
            Self::TooMuch { .. } | Self::Damaged { .. } | Self::NewerFormat { .. } => None,
        }
    }
}

impl From<EngineError> for StoreError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Conflict { .. } => Self::Conflict,
            error => Self::Engine(error),
        }
    }
}

/// What a call to the store answers.
pub type StoreResult<T> = Result<T, StoreError>;
