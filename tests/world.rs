//! The laws of a whole system, on many seeds.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod whole;
}

use laws::whole::{hold, run};
use stoa_actors::world::Chances;

#[test]
fn a_whole_system_keeps_its_laws() {
    hold(1, 1_000).expect("the laws hold");
}

#[test]
fn a_whole_system_keeps_its_laws_on_other_seeds() {
    hold(1_001, 1_000).expect("the laws hold");
}

/// In every build: a build that is not this one has the same numbers.
#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [1, 2, 3] {
        let chances = Chances::default();
        assert_eq!(run(seed, chances), run(seed, chances));
    }
}
