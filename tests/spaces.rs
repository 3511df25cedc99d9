//! The laws of spaces, of claims and leases in them and of those who follow them, on random schedules with crashes and with writes
//! that fail.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod cases;
    pub(crate) mod circles;
    pub(crate) mod claim;
    pub(crate) mod cursor;
    pub(crate) mod simulated;
    pub(crate) mod space;
    pub(crate) mod world;
}

use laws::simulated::Simulated;
use laws::space::hold;
use laws::space::schedule::Writes;
use proptest::test_runner::Config;

fn cases(cases: u32) -> Config {
    Config { cases, ..Config::default() }
}

#[test]
fn spaces_keep_their_laws_on_short_schedules() {
    hold(cases(512), 7, 25, Writes::Hold, Simulated::new).expect("the laws hold");
}

#[test]
fn spaces_keep_their_laws_on_long_schedules() {
    hold(cases(96), 8, 200, Writes::Hold, Simulated::new).expect("the laws hold");
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_until_it_is_open_again() {
    hold(cases(512), 9, 60, Writes::Fail, Simulated::new).expect("the laws hold");
    hold(cases(64), 10, 200, Writes::Fail, Simulated::new).expect("the laws hold");
}

#[test]
fn claims_keep_their_laws_on_short_schedules() {
    let world = || Simulated::with(laws::claim::model::level);
    laws::claim::hold(cases(8_192), 21, 40, world).expect("the laws hold");
}

#[test]
fn claims_keep_their_laws_on_long_schedules() {
    let world = || Simulated::with(laws::claim::model::level);
    laws::claim::hold(cases(1_024), 22, 400, world).expect("the laws hold");
}

#[test]
fn followers_see_every_change_once_on_short_schedules() {
    laws::cursor::hold(cases(512), 11, 40, Simulated::new).expect("the law holds");
}

#[test]
fn followers_see_every_change_once_on_long_schedules() {
    laws::cursor::hold(cases(48), 12, 300, Simulated::new).expect("the law holds");
}

#[test]
fn no_write_closes_a_circle_where_there_is_none() {
    laws::circles::hold(cases(2_048), 31, 30).expect("the law holds");
    laws::circles::hold(cases(128), 32, 150).expect("the law holds");
}
