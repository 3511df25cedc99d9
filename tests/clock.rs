//! The law of clocks: time goes on from run to run, and follows no log far from the wall.

mod laws {
    pub(crate) mod cases;
    pub(crate) mod clock;
}

use proptest::test_runner::{Config, FileFailurePersistence};

#[test]
fn a_clock_goes_on_and_never_far_astray() {
    let kept = FileFailurePersistence::Direct("proptest-regressions/clock.txt");
    let config = Config { failure_persistence: Some(Box::new(kept)), ..Config::default() };
    assert_eq!(laws::clock::hold(config, 18, 60), Ok(()));
}
