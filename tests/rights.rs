//! The laws of rights: [narrow], [revoke], and that every right held has a chain of recorded links
//! to the root, also after a restart and also as readers see it.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod cases;
    pub(crate) mod rights;
    pub(crate) mod rights_in_memory;
}

use laws::rights_in_memory::InMemory;
use proptest::test_runner::{Config, FileFailurePersistence};

fn hold(seed: u64, steps_max: usize) {
    let kept = FileFailurePersistence::Direct("proptest-regressions/rights.txt");
    let config = Config { failure_persistence: Some(Box::new(kept)), ..Config::default() };
    if let Err(breach) = laws::rights::hold(config, seed, steps_max, InMemory::default) {
        panic!("{breach}");
    }
}

/// Many short schedules: what goes wrong early is cut down quickly.
#[test]
fn narrow_revoke_and_derivation_hold_over_short_schedules() {
    hold(41, 25);
}

/// Few long ones: deep chains, many holders, everything in everybody's way.
#[test]
fn narrow_revoke_and_derivation_hold_over_long_schedules() {
    hold(43, 120);
}
