//! The laws of search: what is found is what a naive reader of every atom would find, in that
//! order, and an index that is made anew answers the same.

mod laws {
    pub(crate) mod cases;
    pub(crate) mod search;
}

use proptest::test_runner::{Config, FileFailurePersistence};

fn hold(cases: u32, seed: u64, steps_max: usize) {
    let kept = FileFailurePersistence::Direct("proptest-regressions/search.txt");
    let config = Config { cases, failure_persistence: Some(Box::new(kept)), ..Config::default() };
    if let Err(breach) = laws::search::hold(config, seed, steps_max) {
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
