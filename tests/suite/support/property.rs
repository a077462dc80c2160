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
    let cases = cases * number("DENDRO_CASES", 1);
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

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
