//! The laws of spaces, on random schedules with crashes.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod space;
}

use proptest::test_runner::Config;

#[test]
fn spaces_keep_their_laws_on_short_schedules() {
    laws::space::hold(Config { cases: 512, ..Config::default() }, 7, 25).expect("the laws hold");
}

#[test]
fn spaces_keep_their_laws_on_long_schedules() {
    laws::space::hold(Config { cases: 96, ..Config::default() }, 8, 200).expect("the laws hold");
}
