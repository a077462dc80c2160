//! Whether an engine may still be trusted. After a write that may have failed in the middle it may not:
//! what is in memory and what is on disk can differ, and only opening the database again tells.

use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::OnceLock,
};

use super::{EngineError, EngineResult};

/// Remembers the failure that stopped an engine.
#[derive(Debug, Default)]
pub(super) struct Health {
    failure: OnceLock<String>,
}

impl Health {
    /// Answers [`EngineError::Stopped`] once the engine has stopped.
    pub(super) fn check(&self) -> EngineResult<()> {
        match self.failure.get() {
            None => Ok(()),
            Some(failure) => Err(EngineError::Stopped(failure.clone())),
        }
    }

    /// Runs work that must not fail in the middle: if it does, or if a library panics, the engine stops.
    pub(super) fn guard<T, E: Display>(
        &self,
        doing: &str,
        work: impl FnOnce() -> Result<T, E>,
    ) -> EngineResult<T> {
        // Whatever a panic leaves half done is not looked at again: the engine has stopped.
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => done.map_err(|error| self.stop(format!("{doing}: {error}"))),
            Err(_) => Err(self.stop(format!("{doing}: the storage library panicked"))),
        }
    }

    fn stop(&self, failure: String) -> EngineError {
        tracing::error!(failure, "the storage engine stopped");
        EngineError::Stopped(self.failure.get_or_init(|| failure).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stops_for_good_and_the_first_reason_stays() {
        let health = Health::default();
        assert_eq!(health.guard("adding", || Ok::<_, String>(3)).unwrap(), 3);
        health.check().unwrap();
        let error = health.guard("syncing", || Err::<(), _>("no such disk")).unwrap_err();
        assert_eq!(error.to_string(), "the engine stopped after an earlier failure: syncing: no such disk");
        health.guard("syncing", || Err::<(), _>("another")).unwrap_err();
        assert_eq!(health.check().unwrap_err().to_string(), error.to_string());
    }

    #[test]
    fn a_panic_stops_too() {
        let health = Health::default();
        let error = health.guard("applying", || -> Result<(), String> { panic!("as a library would") });
        assert!(matches!(error, Err(EngineError::Stopped(_))));
        assert!(health.check().is_err());
    }
}
