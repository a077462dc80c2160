//! Which traces changed lately, in the order of their commits: what a watcher of all traces reads.
//!
//! A watcher remembers its place and asks for what came behind it, so nothing is kept for each of them, and
//! one that was away goes on where it was, as long as that place is remembered.

use std::{collections::VecDeque, sync::OnceLock};

use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

use crate::model::TraceId;

/// Changes that are remembered, in 1 MiB: a minute of a busy server, and hours of a quiet one.
const REMEMBERED: usize = 65_536;

/// The changes of traces.
#[derive(Default)]
pub struct Feed {
    recent: Mutex<VecDeque<TraceId>>,
    /// Changes so far, forgotten ones included: the place behind the newest.
    end: watch::Sender<u64>,
    run: OnceLock<Uuid>,
}

impl Feed {
    /// Tells of a change.
    pub(super) fn add(&self, id: TraceId) {
        let mut recent = self.recent.lock();
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        recent.push_back(id);
        self.end.send_modify(|end| *end += 1);
    }

    /// What tells this run of the server from others, where the same place means something else. The first
    /// call makes it.
    pub fn run(&self, new: impl FnOnce() -> Uuid) -> Uuid {
        *self.run.get_or_init(new)
    }

    /// The place behind the newest change.
    #[must_use]
    pub fn end(&self) -> u64 {
        *self.end.borrow()
    }

    /// The traces that changed behind a place, and the place behind the last of them; `None` where that is
    /// not remembered, or was never given out.
    #[must_use]
    pub fn since(&self, place: u64) -> Option<(Vec<TraceId>, u64)> {
        let recent = self.recent.lock();
        let end = self.end();
        let count = usize::try_from(end.checked_sub(place)?).ok()?;
        let known = recent.len().checked_sub(count)?;
        Some((recent.range(known..).copied().collect(), end))
    }

    /// Waits until something changed behind a place.
    pub async fn beyond(&self, place: u64) {
        // The sender is our own, so this ends only with a change.
        let _ = self.end.subscribe().wait_for(|end| *end > place).await;
    }
}
