//! Whoever makes up the runs: chance from a seed, always the same.

use rand::{Rng, SeedableRng, rngs::StdRng};

/// A source of choices.
pub(super) struct Author(StdRng);

impl Author {
    /// The author of a run.
    pub(super) fn of(seed: u64, run: u64) -> Self {
        let mut bytes = [0; 32];
        for (part, number) in bytes.chunks_exact_mut(8).zip([seed, run]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        Self(StdRng::from_seed(bytes))
    }

    /// One of these. There must be one.
    pub(super) fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let place = self.0.random_range(0..choices.len().max(1));
        choices.get(place).copied().unwrap_or_default()
    }

    /// Whether something happens that happens in so many of 100 cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.random_range(least..=most)
    }

    /// An id such as models give to their calls.
    pub(super) fn call_id(&mut self) -> String {
        format!("call_{:016x}", self.0.random::<u64>())
    }
}
