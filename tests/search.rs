//! The laws of search: what is found is what a naive reader of every atom would find, in that
//! order, and an index that is made anew answers the same; and what is claimed is the oldest of it.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod cases;
    pub(crate) mod search;
    pub(crate) mod standing;
}

use proptest::test_runner::{Config, FileFailurePersistence};

fn kept(cases: u32) -> Config {
    let kept = FileFailurePersistence::Direct("proptest-regressions/search.txt");
    Config { cases, failure_persistence: Some(Box::new(kept)), ..Config::default() }
}

fn hold(cases: u32, seed: u64, steps_max: usize) {
    if let Err(breach) = laws::search::hold(kept(cases), seed, steps_max) {
        panic!("{breach}");
    }
}

/// Many short schedules: what goes wrong early is cut down quickly.
#[test]
fn what_is_found_is_what_fits_over_short_schedules() {
    hold(512, 41, 20);
}

/// Fewer long ones: what an update leaves behind adds up.
#[test]
fn what_is_found_is_what_fits_over_long_schedules() {
    hold(96, 43, 120);
}

fn hold_claims(cases: u32, seed: u64, steps_max: usize) {
    if let Err(breach) = laws::standing::hold(kept(cases), seed, steps_max) {
        panic!("{breach}");
    }
}

#[test]
fn claims_get_the_oldest_that_is_as_wanted_over_short_schedules() {
    hold_claims(2_048, 31, 40);
}

#[test]
fn claims_get_the_oldest_that_is_as_wanted_over_long_schedules() {
    hold_claims(192, 32, 300);
}
