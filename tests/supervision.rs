//! The laws of supervision over random crash schedules. OTP's case matrix is beside the code.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod cases;
    pub(crate) mod supervision;
}

use proptest::test_runner::{Config, FileFailurePersistence};

fn hold(seed: u64, steps_max: usize, times: u32) {
    let kept = FileFailurePersistence::Direct("proptest-regressions/supervision.txt");
    let cases = Config::default().cases * times;
    let config = Config { cases, failure_persistence: Some(Box::new(kept)), ..Config::default() };
    if let Err(breach) = laws::supervision::hold(config, seed, steps_max) {
        panic!("{breach}");
    }
}

/// Many short schedules: what goes wrong early is cut down quickly.
#[test]
fn short_schedules_keep_the_laws() {
    hold(41, 30, 8);
}

/// Few long ones: thousands of crashes, starts and stops in each other's way.
#[test]
fn long_schedules_keep_the_laws() {
    hold(43, 400, 2);
}
