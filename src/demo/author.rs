//! Whoever makes up the demo: chance from a seed, always the same.

use rand::{Rng, SeedableRng, rngs::StdRng};
use xxhash_rust::xxh3::xxh3_64;

/// A source of choices.
pub(super) struct Author(StdRng);

impl Author {
    /// The author of a story.
    pub(super) fn of(seed: u64, story: u64) -> Self {
        let mut bytes = [0; 32];
        for (part, number) in bytes.chunks_exact_mut(8).zip([seed, story]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        Self(StdRng::from_seed(bytes))
    }

    /// The author of what there is to be said of something.
    pub(super) fn about(seed: u64, thing: &str) -> Self {
        Self::of(seed, xxh3_64(thing.as_bytes()))
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
}
