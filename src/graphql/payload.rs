//! What the payloads of mutations share.

use super::error::{self, Result};
use crate::{model::Refusal, service::ServiceResult};

/// What became of a mutation: its input is read, and then used; either may be refused.
pub(super) async fn outcome<I, T>(
    input: Result<I, Refusal>,
    act: impl AsyncFnOnce(I) -> ServiceResult<T>,
) -> Result<Result<T, Refusal>> {
    match input {
        Ok(input) => error::expected(act(input).await),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// A payload that holds one thing or the refusal.
macro_rules! payload {
    ($(#[$doc:meta])* $payload:ident { $(#[$thing_doc:meta])* $thing:ident: $type:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        struct $payload {
            $(#[$thing_doc])*
            $thing: Option<$type>,
            /// Why it was refused.
            refusal: Option<$crate::graphql::refusal::Refusal>,
        }

        impl<T: Into<$type>> From<Result<T, $crate::model::Refusal>> for $payload {
            fn from(outcome: Result<T, $crate::model::Refusal>) -> Self {
                match outcome {
                    Ok(done) => Self { $thing: Some(done.into()), refusal: None },
                    Err(refusal) => Self { $thing: None, refusal: Some(refusal.into()) },
                }
            }
        }
    };
}

pub(super) use payload;
