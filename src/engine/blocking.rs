//! The way from an asynchronous call to a library that blocks. It must not know which library.

use super::{EngineError, EngineResult};

/// Runs `work` on a thread that may block.
///
/// Work that has begun runs to its end even if the caller goes away, so a commit is never cut short.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> EngineResult<T> + Send + 'static,
) -> EngineResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => {
            Err(EngineError::Corrupt("the storage library gave up on what it found".to_owned()))
        }
        Err(_) => Err(EngineError::Stopped("the server is shutting down".to_owned())),
    }
}
