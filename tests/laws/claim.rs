//! Claims, leases and transactions, against a model that looks at every atom every time.
//!
//! [claim] one atom has one holder at a time, and a claim gets what matches if anything does;
//! [fence] tokens only grow, and a write under an ended lease changes nothing; [atomic] a
//! transaction is all or nothing. Random askers with random rights, time that jumps, leases that
//! run out before and after that is recorded, decisions that are not durable yet, and crashes at
//! random instants. Every answer is foretold, and every atom is held against the model.

pub(crate) mod deed;
pub(crate) mod model;
pub(crate) mod schedule;

use deed::Deed;
use model::{Model, SPACES, level, status};
use proptest::prelude::TestCaseError;
use proptest::test_runner::{Config, TestRng, TestRunner};
use schedule::Step;
use std::collections::BTreeMap;
use stoa_actors::behaviour::Authority;
use stoa_actors::id::{AtomId, Millis, SessionId, SpaceId};
use stoa_actors::incarnation::{Answer, Ask, Refused};
use stoa_actors::rights::Level;
use stoa_actors::simulation::Simulation;
use stoa_actors::space::{Refusal, Reply, Space};

struct Levels;

impl Authority for Levels {
    fn level(&self, holder: SessionId, space: SpaceId, _: Millis) -> Option<Level> {
        level(holder.0[0] - 1, usize::from(space.0[0] - 1))
    }
}

pub(crate) fn session(who: u8) -> SessionId {
    SessionId([who + 1; 16])
}

pub(crate) fn space(n: usize) -> SpaceId {
    SpaceId([n as u8 + 1; 16])
}

struct Trial {
    world: Simulation<Space>,
    /// The model after each entry that was decided, from before the first on.
    models: Vec<Model>,
    foretold: BTreeMap<u64, String>,
}

/// An answer, in the words of the model.
fn told(answer: &Answer<Space>) -> String {
    match answer {
        Ok(Reply::Claimed(None)) => "nothing".to_owned(),
        Ok(Reply::Claimed(Some((id, version, lease)))) => {
            format!("claimed {id} {version} under {} until {}", lease.token, lease.until.0)
        }
        Ok(Reply::Lease(lease)) => format!("lease {} until {}", lease.token, lease.until.0),
        Ok(Reply::Version { id, version }) => format!("version {id} {version}"),
        Ok(Reply::Versions(versions)) => format!("versions {versions:?}"),
        Ok(Reply::Done) => "done".to_owned(),
        Err(Refused::Actor(refusal)) => refused(refusal),
        other => format!("{other:?}"),
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unknown => "unknown".to_owned(),
        Refusal::Right { .. } => "right".to_owned(),
        Refusal::NoAtom(_) => "no atom".to_owned(),
        Refusal::Taken(_) => "taken".to_owned(),
        Refusal::Conflict { .. } => "conflict".to_owned(),
        Refusal::Unexpected { .. } => "unexpected".to_owned(),
        Refusal::Deprecated { .. } => "deprecated".to_owned(),
        Refusal::Leased { holder, left_ms, .. } => format!("leased by {holder} for {left_ms}"),
        Refusal::Stale { now, .. } => format!("stale, now {now:?}"),
        Refusal::NoLease(_) => "no lease".to_owned(),
        Refusal::Ttl { .. } => "ttl".to_owned(),
        other => format!("{other:?}"),
    }
}

impl Trial {
    fn model(&self) -> &Model {
        self.models.last().expect("there is one from the start")
    }

    fn ask(&mut self, who: u8, deed: Deed) {
        let mut model = self.model().clone();
        let (n, message) = deed.message(&model);
        let (foretold, changed) = model.take(who, &deed);
        if changed {
            self.models.push(model);
        }
        let ask = Ask::new(session(who), message);
        let ticket = self.world.ask_under(space(n).stream(), ask, &Levels);
        self.foretold.insert(ticket, foretold);
    }

    fn commit(&mut self, count: usize) -> Result<(), String> {
        for heard in self.world.commit(count) {
            let foretold = self.foretold.remove(&heard.ticket).unwrap_or_default();
            let told = told(&heard.answer);
            if told != foretold {
                return Err(format!("claim: {told:?}, and the model says {foretold:?}"));
            }
        }
        Ok(())
    }

    /// What is not durable is lost, in the model as well.
    fn crash(&mut self) {
        self.world.crash();
        self.foretold.clear();
        let durable = self.world.disk().bodies().count();
        let now = self.model().now;
        self.models.truncate(durable + 1);
        self.models.last_mut().expect("the first one stays").now = now;
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Ask(who, deed) => {
                // What is not durable is not seen from another space.
                let (n, _) = deed.message(self.model());
                let other = n != 0;
                if other {
                    self.commit(usize::MAX)?;
                }
                self.ask(*who, deed.clone());
                if other {
                    self.commit(usize::MAX)?;
                }
            }
            Step::Commit(count) => self.commit(usize::from(*count))?,
            Step::Crash => self.crash(),
            Step::Pass(ms) => {
                self.world.now = Millis(self.world.now.0 + u64::from(*ms));
                let now = self.world.now.0;
                // A crash does not turn the clock back.
                self.models.iter_mut().for_each(|it| it.now = now);
            }
        }
        Ok(())
    }

    /// Every atom is what the model says, and what is due is what is leased.
    fn check(&mut self) -> Result<(), String> {
        self.commit(usize::MAX)?;
        let model = self.model();
        for it in &model.atoms {
            let atom = self.world.disk().atoms().find(|atom| atom.id == it.id);
            let Some(atom) = atom else { return Err(format!("ack: {it:?} is lost")) };
            let same = atom.version == it.version
                && status(&atom.metadata) == it.status
                && atom.deprecated.is_some() == it.deprecated;
            if !same {
                return Err(format!("claim: {atom:?} is not {it:?}"));
            }
        }
        if self.world.disk().atoms().count() != model.atoms.len() {
            return Err("atomic: there are atoms that nobody put".to_owned());
        }
        let due: Vec<_> = self.world.disk().due().map(|(at, of)| (at.0, of)).collect();
        let mut leased: Vec<_> = (0..SPACES)
            .flat_map(|n| model.leases[n].values().map(move |it| (it.until, space(n).stream())))
            .collect();
        leased.sort_unstable();
        if due != leased {
            return Err(format!("due: {due:?}, and leased are {leased:?}"));
        }
        if self.world.disk().folds() { Ok(()) } else { Err("fold: rows differ".to_owned()) }
    }
}

fn run(steps: &[Step]) -> Result<(), String> {
    let mut world = Simulation::new(43);
    world.limits.lease_ms_max = model::TTL_MAX;
    world.now = Millis(1);
    let first = Model { now: 1, ..Model::default() };
    let mut trial = Trial { world, models: vec![first], foretold: BTreeMap::new() };
    for (at, step) in steps.iter().enumerate() {
        trial.step(step).map_err(|breach| format!("{breach}\nat step {at}: {step:?}"))?;
    }
    trial.check()
}

/// An id that the `n`-th put of a schedule gives.
pub(crate) fn atom_id(n: u16) -> AtomId {
    let mut id = [9; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    AtomId(id)
}

/// Runs `cases` schedules of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u8, steps: usize) -> Result<(), String> {
    let rng = TestRng::from_seed(config.rng_algorithm, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let held =
        runner.run(&schedule::schedule(steps), |steps| run(&steps).map_err(TestCaseError::fail));
    held.map_err(|error| error.to_string())
}
