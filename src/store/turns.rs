//! Turns: writers of one record of the same process go one after the other.
//!
//! Fairness only. Two writers that read the same record and commit at the same time conflict, and one
//! runs again; with many of them the unlucky ones would be told to come back. Correctness never rests
//! on a turn: preconditions of the commit hold across processes, turns do not.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use super::Store;

/// Records that can be written side by side. Two records that share a stripe only wait for each other.
const STRIPES: usize = 256;

/// The locks, each for the records whose keys fall on it.
pub(super) struct Turns {
    stripes: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            stripes: std::iter::repeat_with(Mutex::default).take(STRIPES).collect(),
            hasher: RandomState::new(),
        }
    }
}

/// The turn of a writer. Dropping it lets the next one go.
pub struct Turn<'a> {
    _held: Option<MutexGuard<'a, ()>>,
}

impl Store {
    /// Waits until the writers of `key` that came before are done. Take one turn at a time: a writer
    /// that waits for a second one while it holds the first could wait for ever.
    pub async fn turn(&self, key: &[u8]) -> Turn<'_> {
        let turns = &self.inner.turns;
        let stripe = turns.hasher.hash_one(key) % STRIPES as u64;
        let held = match usize::try_from(stripe).ok().and_then(|stripe| turns.stripes.get(stripe)) {
            Some(stripe) => Some(stripe.lock().await),
            None => None,
        };
        Turn { _held: held }
    }
}
