//! The laws of sessions, on random schedules with crashes.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod cases;
    pub(crate) mod session;
}

use laws::session::hold;
use proptest::test_runner::Config;

fn cases(cases: u32) -> Config {
    Config { cases, ..Config::default() }
}

#[test]
fn sessions_keep_their_laws_on_short_schedules() {
    hold(cases(2_048), 21, 40).expect("the laws hold");
}

#[test]
fn sessions_keep_their_laws_on_long_schedules() {
    hold(cases(256), 22, 400).expect("the laws hold");
}
