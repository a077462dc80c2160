//! How the store is, and what it needs while nothing is written.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{Context, ServiceResult};

/// Looks after the store. Cheap to clone.
#[derive(Clone)]
pub struct Upkeep {
    context: Context,
    /// How much was written when it was last looked.
    written: Arc<AtomicU64>,
}

impl Upkeep {
    /// Looks after the store of a context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        let written = Arc::new(AtomicU64::new(context.store.writes()));
        Self { context, written }
    }

    /// Has the store put aside what it gathered in memory, where nothing was written since the last call: it waits to
    /// be written together with more, and nothing comes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rest(&self) -> ServiceResult<()> {
        let written = self.context.store.writes();
        if self.written.swap(written, Ordering::Relaxed) == written {
            self.context.store.rest().await?;
        }
        Ok(())
    }

    /// Answers why nothing can be done any more, once the store has stopped for good. Costs nothing.
    ///
    /// # Errors
    /// When the store has stopped.
    pub fn health(&self) -> ServiceResult<()> {
        Ok(self.context.store.health()?)
    }
}
