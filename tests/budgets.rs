//! The laws of budgets, on random schedules of a family of agents with crashes.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod budget;
    pub(crate) mod cases;
}

use laws::budget::hold;
use proptest::test_runner::Config;

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
