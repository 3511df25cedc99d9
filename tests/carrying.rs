//! The laws of what is carried from one store to another, and of what is erased, on random spaces.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod carry;
    pub(crate) mod cases;
    pub(crate) mod erase;
}

use proptest::test_runner::Config;

#[test]
fn a_carried_space_is_the_same_on_short_histories() {
    let config = Config { cases: 512, ..Config::default() };
    laws::carry::hold(config, 13, 20).expect("the laws hold");
}

#[test]
fn a_carried_space_is_the_same_on_long_histories() {
    let config = Config { cases: 48, ..Config::default() };
    laws::carry::hold(config, 14, 150).expect("the laws hold");
}

#[test]
fn what_is_erased_is_gone_and_nothing_else_is_on_short_histories() {
    let config = Config { cases: 512, ..Config::default() };
    laws::erase::hold(config, 15, 25).expect("the laws hold");
}

#[test]
fn what_is_erased_is_gone_and_nothing_else_is_on_long_histories() {
    let config = Config { cases: 48, ..Config::default() };
    laws::erase::hold(config, 16, 200).expect("the laws hold");
}
