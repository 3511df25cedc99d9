//! The laws of a whole system, run by a seed: two leads bring up workers out of their own budgets,
//! all of them work off one list of tasks, one lead is ended with everyone under it half-way, and
//! meanwhile everything dies twice, actors die one by one, an append fails, and messages between
//! actors are late, come twice, find no room and lose their answers.
//!
//! - *once*: every task is done, by exactly one entry.
//! - *spawn*: every child that was asked for is born once, with what it was to have; the parent hears
//!   of it.
//! - *wipe*: who was to end has ended, its actor and its rights, and nobody under it lives.
//! - *budget*: what all have left, have spent and gave back is what was given.
//! - *letters*: each is in its space, once.
//! - *describe*, *note*: a space says what it is for, who was given something has heard of it; once.
//! - *declare*: a space declares what it was made with, once.
//! - *order*: of the tasks that are open the first in the order of the claim is claimed.
//! - *attempts*: a task says how often it was claimed.
//! - *lease*: no lease outlives its time.
//! - *outbox*: at the end nobody owes anything, by the states and by the rows.
//! - *fold*: the log is dense, chained, and says what is derived from it.
//! - *trace*: the same seed is the same run.

mod check;
mod mind;
mod scene;

use scene::Scene;
use stoa_actors::world::Chances;

/// One run; its trace, or the first breach.
pub(crate) fn run(seed: u64, chances: Chances) -> Result<u64, String> {
    let mut scene = Scene::new(seed, chances);
    scene.world.run(400_000).map_err(|stuck| format!("rest: {stuck}"))?;
    check::all(&mut scene)?;
    Ok(scene.world.trace())
}

/// Runs so many seeds from one on.
pub(crate) fn hold(first: u64, count: u64) -> Result<(), String> {
    for seed in first..first + count {
        run(seed, Chances::default()).map_err(|breach| format!("seed {seed}: {breach}"))?;
    }
    Ok(())
}
