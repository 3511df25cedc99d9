//! The law suites of `tests/laws`, the same schedules and the same naive models, over a real store:
//! [ack] [atomic] [chain] [fold] [version] [idem] [cursor] [stop] [narrow] [revoke] [claim] [fence].

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]
#![expect(clippy::expect_used, reason = "a test says what it takes for given")]

#[path = "../../tests/laws"]
mod laws {
    pub(crate) mod cases;
    pub(crate) mod claim;
    pub(crate) mod cursor;
    pub(crate) mod rights;
    pub(crate) mod space;
    pub(crate) mod world;
}
#[path = "laws/house.rs"]
mod house;
#[path = "laws/place.rs"]
mod place;
#[path = "laws/real.rs"]
mod real;
#[expect(dead_code, reason = "what is wrong with an order is tried in the tests of orders")]
#[path = "order/realm.rs"]
mod realm;

use house::House;
use laws::space::schedule::Writes;
use place::Lent;
use proptest::test_runner::Config;
use real::Real;
use realm::{Realm, Whims};
use std::sync::atomic::{AtomicU64, Ordering};
use stoa::order::Orders;
use stoa_actors::id::NodeId;

/// A commit is two syncs here and a crash is an open, and on a busy disk each may take a tenth of a
/// second: a fraction of what is tried in memory.
const CASES: u32 = 24;

const RIGHTS_CASES: u32 = 10;

/// None is kept in a file: a store has its own timing, and in memory the seeds are the same.
fn cases() -> Config {
    Config { cases: CASES, max_shrink_iters: 200, failure_persistence: None, ..Config::default() }
}

#[test]
fn spaces_keep_their_laws_over_a_real_store() {
    let lent = Lent::default();
    let real = || Real::new(&lent);
    laws::space::hold(cases(), 7, 60, Writes::Hold, real).expect("the laws hold");
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_until_a_real_store_is_open_again() {
    let lent = Lent::default();
    let real = || Real::new(&lent);
    laws::space::hold(cases(), 9, 60, Writes::Fail, real).expect("the laws hold");
}

#[test]
fn followers_see_every_change_once_over_a_real_store() {
    let lent = Lent::default();
    laws::cursor::hold(cases(), 11, 80, || Real::new(&lent)).expect("the law holds");
}

/// No lease runs out here: that is for the simulation, whose time is its own.
#[test]
fn claims_keep_their_laws_over_a_real_store() {
    let lent = Lent::default();
    let real = || Real::with(&lent, laws::claim::SESSIONS, laws::claim::model::level);
    laws::claim::hold(cases(), 21, 80, real).expect("the laws hold");
}

/// An order that others write to as well, and that does what an order may: the same laws hold. It
/// refuses nothing here: whoever asks again is the caller's business, and not in these laws.
fn shared(seed: u64) -> Orders {
    let whims = Whims { late: 85, twice: 30, again: 10, strangers: 30, ..Whims::default() };
    Realm::new(seed, whims).order(NodeId([1; 16]), 4)
}

#[test]
fn spaces_keep_their_laws_over_a_shared_order() {
    let lent = Lent::ordered(shared);
    laws::space::hold(cases(), 7, 60, Writes::Hold, || Real::new(&lent)).expect("the laws hold");
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_over_a_shared_order() {
    let lent = Lent::ordered(shared);
    laws::space::hold(cases(), 9, 60, Writes::Fail, || Real::new(&lent)).expect("the laws hold");
}

#[test]
fn followers_see_every_change_once_over_a_shared_order() {
    let lent = Lent::ordered(shared);
    laws::cursor::hold(cases(), 11, 80, || Real::new(&lent)).expect("the law holds");
}

#[test]
fn claims_keep_their_laws_over_a_shared_order() {
    let lent = Lent::ordered(shared);
    let real = || Real::with(&lent, laws::claim::SESSIONS, laws::claim::model::level);
    laws::claim::hold(cases(), 21, 80, real).expect("the laws hold");
}

/// Each has a directory of its own: the root is in all of them.
fn rights_hold(alone: bool, orders: impl Fn() -> Orders) {
    let config = Config { cases: RIGHTS_CASES, ..cases() };
    let house = || House::new(orders(), alone);
    laws::rights::hold(config, 41, 40, house).unwrap_or_else(|breach| panic!("{breach}"));
}

#[test]
fn narrow_revoke_and_derivation_hold_over_a_real_store() {
    rights_hold(true, Orders::default);
}

#[test]
fn narrow_revoke_and_derivation_hold_over_a_shared_order() {
    let seed = AtomicU64::new(0);
    rights_hold(false, || shared(seed.fetch_add(1, Ordering::Relaxed)));
}
