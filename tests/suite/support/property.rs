//! Property tests that run the same way every time, and longer or otherwise by hand.
//!
//! `DENDRO_CASES=50` runs fifty times as many cases; `DENDRO_SEED=7` others than usual.

use std::{env, fmt::Debug, time::Duration};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// How long one case may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(variable: &str, otherwise: u32) -> u32 {
    env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// Runs `test` with `cases` values, each in a runtime of its own: one thread, so that tasks take turns
/// in the same order every time.
pub fn holds<S: Strategy>(cases: u32, strategy: S, test: impl AsyncFn(S::Value))
where
    S::Value: Debug,
{
    let cases = self::cases(cases);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 5_000, ..Config::default() };
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number("DENDRO_SEED", 1).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let run = |value| {
        let ended = one_thread().block_on(async { timeout(PATIENCE, test(value)).await });
        ended.expect("it takes too long: something waits that nobody wakes");
        Ok(())
    };
    TestRunner::new_with_rng(config, rng).run(&strategy, run).unwrap_or_else(|error| panic!("{error}"));
}

/// Random numbers that are the same every time: a splitmix64 sequence.
pub struct Random(u64);

impl Random {
    /// A sequence; `stream` tells those of one test apart.
    pub fn new(stream: u64) -> Self {
        Self(u64::from(number("DENDRO_SEED", 1)) << 32 ^ stream)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number from 0 to below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// As many cases as usual, or as many times more as is asked for.
pub fn cases(usual: u32) -> u32 {
    usual * number("DENDRO_CASES", 1)
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
