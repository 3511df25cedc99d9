//! The laws of budgets, on random schedules of a family of agents with crashes.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod budget;
    pub(crate) mod cases;
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use laws::budget::{hold, trees};
use proptest::test_runner::Config;

/// Steps of a short life: a few spawns and calls, and everything is ended.
const TREE_STEPS: u64 = 12;

fn cases(cases: u32) -> Config {
    Config { cases, ..Config::default() }
}

#[test]
fn budgets_keep_their_laws_on_short_schedules() {
    hold(cases(2_048), 31, 40).expect("the laws hold");
}

#[test]
fn budgets_keep_their_laws_on_long_schedules() {
    hold(cases(256), 32, 400).expect("the laws hold");
}

/// A hundred thousand families together, each with crashes, retries and calls that are cut off.
#[test]
fn nobody_overspends_in_fifty_thousand_trees() {
    trees::hold(33, 50_000, TREE_STEPS).expect("the laws hold");
}

#[test]
fn nobody_overspends_in_fifty_thousand_other_trees() {
    trees::hold(34, 50_000, TREE_STEPS).expect("the laws hold");
}
