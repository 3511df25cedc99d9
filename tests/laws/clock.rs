//! Where the clock of a host begins, over random runs of a wall clock that is set back and forth:
//! time goes on from run to run, and nothing that was logged while it was far ahead outlasts it.

use crate::laws::cases;
use proptest::prelude::*;
use proptest::test_runner::Config;
use stoa_actors::clock::begin;
use stoa_actors::id::Millis;

const AHEAD_MS: u64 = 1_000;

/// A run: how far the wall clock is off when it begins, and how long the run lasts.
type Run = (i64, u64);

pub(crate) fn hold(config: Config, seed: u64, runs_max: usize) -> Result<(), String> {
    let off = prop_oneof![3 => -500..500i64, 1 => -900_000..900_000i64];
    let runs = prop::collection::vec((off, 0..5_000u64), 1..runs_max);
    cases::hold(config, seed, runs, |runs| follow(&runs))
}

fn follow(runs: &[Run]) -> Result<(), String> {
    let (mut real, mut last) = (1_000_000u64, 0);
    for (off, lasts) in runs {
        let wall = real.saturating_add_signed(*off);
        let began = begin(Millis(wall), Millis(last), AHEAD_MS).0;
        if began < wall || began - wall > AHEAD_MS {
            return Err(format!("clock: it begins at {began} where the wall says {wall}"));
        }
        let backwards = began < last;
        if backwards && last - wall <= AHEAD_MS {
            return Err(format!("clock: {last} was logged, and it begins at {began}"));
        }
        (real, last) = (real + lasts, began + lasts);
    }
    Ok(())
}
