//! What a use case answers when it does not do what was asked.

use std::time::Duration;

use crate::{model::Refusal, store::StoreError};

/// Why a use case did not do what was asked. Nothing of it was stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// A rule said no: the caller's to mend.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much is going on; the same call can succeed later.
    #[error("too many writes are waiting; try again in {} ms", .retry_after.as_millis())]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The store failed: the operator's to mend. [`StoreError::retry_after`] tells whether the same call can
    /// succeed then.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match (error.retry_after(), error) {
            // Where others kept changing the same record, it is as good as too much going on.
            (Some(retry_after), StoreError::Overloaded { .. } | StoreError::Conflict) => {
                Self::Overloaded { retry_after }
            }
            (_, error) => Self::Store(error),
        }
    }
}

impl ServiceError {
    /// The same error, its field below `parent`.
    #[must_use]
    pub fn below(self, parent: &str) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.below(parent)),
            other => other,
        }
    }
}

/// What a use case answers.
pub type ServiceResult<T> = Result<T, ServiceError>;
