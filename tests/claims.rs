//! The laws of claims, leases and transactions, on random schedules with crashes.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod claim;
}

use proptest::test_runner::Config;

fn cases(cases: u32) -> Config {
    Config { cases, ..Config::default() }
}

#[test]
fn claims_keep_their_laws_on_short_schedules() {
    laws::claim::hold(cases(8_192), 21, 40).expect("the laws hold");
}

#[test]
fn claims_keep_their_laws_on_long_schedules() {
    laws::claim::hold(cases(1_024), 22, 400).expect("the laws hold");
}
