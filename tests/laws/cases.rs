//! How every law is tried.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// Tries so many cases from a seed; the first breach, cut down.
pub(crate) fn hold<S: Strategy>(
    config: Config,
    seed: u64,
    cases: S,
    run: impl Fn(S::Value) -> Result<(), String>,
) -> Result<(), String> {
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..config };
    let held = TestRunner::new(config).run(&cases, |case| run(case).map_err(TestCaseError::fail));
    held.map_err(|error| error.to_string())
}
