//! Errors as clients see them: each with a code in its extensions, and nothing leaked of what is not
//! the client's to know. This is the one place that builds them.

use std::time::Duration;

use async_graphql::{Error, ErrorExtensionValues};

use crate::{
    model::Refusal,
    service::{ServiceError, ServiceResult},
};

/// What a resolver fails with. It has no text of its own on purpose: the library would make an error
/// without a code of anything that has one.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The client's to mend.
    Refused(Refusal),
    /// The same request can succeed later.
    Overloaded(Duration),
    /// The operator's to mend, and then the same request can succeed.
    Unavailable(Duration),
    /// The operator's to mend. It was logged where it was met.
    Internal,
}

/// What a resolver answers.
pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refusal) => Self::Refused(refusal),
            ServiceError::Overloaded { retry_after } => Self::Overloaded(retry_after),
            ServiceError::Store(error) => {
                tracing::error!(%error, "a request failed in the store");
                error.retry_after().map_or(Self::Internal, Self::Unavailable)
            }
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refused(&refusal),
            Failure::Overloaded(retry_after) => {
                later("Too much is going on. Try again later.", "OVERLOADED", retry_after)
            }
            Failure::Unavailable(retry_after) => {
                later("The store does not work now. Its log says why.", "UNAVAILABLE", retry_after)
            }
            Failure::Internal => coded("The server failed. Its log says why.", "INTERNAL"),
        }
    }
}

/// An answer split into what a mutation's payload tells: the outcome, or the refusal.
pub(super) fn expected<T>(result: ServiceResult<T>) -> Result<Result<T, Refusal>> {
    match result {
        Ok(outcome) => Ok(Ok(outcome)),
        Err(ServiceError::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error.into()),
    }
}

fn refused(refusal: &Refusal) -> Error {
    let code = match refusal {
        Refusal::Invalid { .. } => "BAD_USER_INPUT",
        Refusal::NotFound { .. } => "NOT_FOUND",
        Refusal::AlreadyExists { .. } => "ALREADY_EXISTS",
        Refusal::IllegalTransition { .. } => "ILLEGAL_TRANSITION",
        Refusal::LimitExceeded { .. } => "LIMIT_EXCEEDED",
    };
    let mut error = coded(refusal.to_string(), code);
    if let Some(field) = refusal.field() {
        extensions(&mut error).set("field", field);
    }
    error
}

fn later(message: &str, code: &str, retry_after: Duration) -> Error {
    let mut error = coded(message, code);
    let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
    extensions(&mut error).set("retryAfterMs", millis);
    error
}

fn coded(message: impl Into<String>, code: &str) -> Error {
    let mut error = Error::new(message);
    extensions(&mut error).set("code", code);
    error
}

fn extensions(error: &mut Error) -> &mut ErrorExtensionValues {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default)
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;

    use super::*;

    fn extension(error: &Error, name: &str) -> Option<Value> {
        error.extensions.as_ref().and_then(|extensions| extensions.get(name).cloned())
    }

    #[test]
    fn a_refusal_names_its_code_and_field() {
        let error = Error::from(Failure::from(Refusal::invalid("first", "must be at least 1")));
        assert_eq!(error.message, "first: must be at least 1");
        assert_eq!(extension(&error, "code"), Some("BAD_USER_INPUT".into()));
        assert_eq!(extension(&error, "field"), Some("first".into()));
    }

    #[test]
    fn overload_says_when_to_come_back() {
        let failure = Failure::from(ServiceError::Overloaded { retry_after: Duration::from_millis(50) });
        let error = Error::from(failure);
        assert_eq!(extension(&error, "code"), Some("OVERLOADED".into()));
        assert_eq!(extension(&error, "retryAfterMs"), Some(50_u64.into()));
    }

    #[test]
    fn a_fault_of_the_server_tells_nothing_of_itself() {
        let error = Error::from(Failure::Internal);
        assert_eq!(error.message, "The server failed. Its log says why.");
        assert_eq!(extension(&error, "code"), Some("INTERNAL".into()));
    }
}
