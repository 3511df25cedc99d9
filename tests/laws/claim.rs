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

use crate::laws::cases;
use crate::laws::world::{Heard, SPACES, World};
use deed::Deed;
use model::{Model, status};
use proptest::test_runner::Config;
use schedule::Step;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::Millis;
use stoa_actors::incarnation::{Refused, Request, events};
use stoa_actors::space::{Refusal, Reply, Space};

pub(crate) const SESSIONS: u8 = 5;

struct Trial<W> {
    world: W,
    /// When it began, in the world's time.
    began: Millis,
    /// The model after each entry that was decided, from before the first on.
    models: Vec<Model>,
    foretold: BTreeMap<u64, String>,
}

impl<W: World> Trial<W> {
    fn new(world: W) -> Trial<W> {
        let mut mark = [0; 8];
        mark.copy_from_slice(&world.space(0).0[..8]);
        let first = Model { mark, ..Model::default() };
        Trial { began: world.now(), world, models: vec![first], foretold: BTreeMap::new() }
    }

    fn model(&self) -> &Model {
        self.models.last().expect("there is one from the start")
    }

    /// A moment as the model counts.
    fn ticks(&self, at: Millis) -> u64 {
        (at.0 - self.began.0) / self.world.tick_ms()
    }

    /// An answer, in the words of the model.
    fn told(&self, heard: &Heard) -> String {
        match &heard.answer {
            Ok(Reply::Claimed(None)) => "nothing".to_owned(),
            Ok(Reply::Claimed(Some((id, version, lease)))) => {
                let until = self.ticks(lease.until);
                format!("claimed {id} {version} under {} until {until}", lease.token)
            }
            Ok(Reply::Lease(lease)) => {
                format!("lease {} until {}", lease.token, self.ticks(lease.until))
            }
            Ok(Reply::Version { id, version }) => format!("version {id} {version}"),
            Ok(Reply::Versions(versions)) => format!("versions {versions:?}"),
            Ok(Reply::Done) => "done".to_owned(),
            Err(Refused::Actor(refusal)) => self.refused(refusal),
            other => format!("{other:?}"),
        }
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal {
            Refusal::Unknown => "unknown".to_owned(),
            Refusal::Right { .. } => "right".to_owned(),
            Refusal::NoAtom(_) => "no atom".to_owned(),
            Refusal::Taken(_) => "taken".to_owned(),
            Refusal::Conflict { .. } => "conflict".to_owned(),
            Refusal::Unexpected { .. } => "unexpected".to_owned(),
            Refusal::Deprecated { .. } => "deprecated".to_owned(),
            Refusal::Leased { holder, left_ms, .. } => {
                let who = (0..SESSIONS).find(|who| self.world.session(*who) == *holder);
                let left = left_ms.div_ceil(self.world.tick_ms());
                format!("leased by {} for {left}", who.unwrap_or(u8::MAX))
            }
            Refusal::Stale { now, .. } => format!("stale, now {now:?}"),
            Refusal::NoLease(_) => "no lease".to_owned(),
            Refusal::Ttl { .. } => "ttl".to_owned(),
            Refusal::NoAttempts => "no attempts".to_owned(),
            Refusal::StillWanted => "still wanted".to_owned(),
            Refusal::UsedUp(count) => format!("used up {count}"),
            other => format!("{other:?}"),
        }
    }

    fn ask(&mut self, who: u8, deed: &Deed) {
        let mut model = self.model().clone();
        let (n, message) = deed.message(&model, self.began, self.world.tick_ms());
        let (foretold, changed) = model.take(who, deed);
        if changed {
            self.models.push(model);
        }
        let ticket = self.world.ask(n, Request::new(self.world.session(who), message));
        self.foretold.insert(ticket, foretold);
    }

    fn commit(&mut self, count: usize) -> Result<(), String> {
        let heard = self.world.commit(count);
        self.hear(heard)
    }

    fn hear(&mut self, heard: Vec<Heard>) -> Result<(), String> {
        for heard in heard {
            let foretold = self.foretold.remove(&heard.ticket).unwrap_or_default();
            let told = self.told(&heard);
            if told != foretold {
                return Err(format!("claim: {told:?}, and the model says {foretold:?}"));
            }
        }
        Ok(())
    }

    /// What is not durable is lost, in the model as well.
    fn crash(&mut self) -> Result<(), String> {
        let heard = self.world.crash();
        self.hear(heard)?;
        self.foretold.clear();
        let durable: usize = (0..SPACES).map(|n| self.world.entries(n, 0).len()).sum();
        let now = self.model().now;
        self.models.truncate(durable + 1);
        self.models.last_mut().expect("the first one stays").now = now;
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Ask(who, deed) => {
                // What is not durable is not seen from another space.
                let (n, _) = deed.message(self.model(), self.began, self.world.tick_ms());
                let other = n != 0;
                if other {
                    self.commit(usize::MAX)?;
                }
                self.ask(*who, deed);
                if other {
                    self.commit(usize::MAX)?;
                }
            }
            Step::Commit(count) => self.commit(usize::from(*count))?,
            Step::Crash => self.crash()?,
            // A crash does not turn the clock back.
            Step::Pass(ms) if self.world.pass(u64::from(*ms)) => {
                self.models.iter_mut().for_each(|it| it.now += u64::from(*ms));
            }
            Step::Pass(_) => {}
        }
        Ok(())
    }

    /// Every atom is what the model says, and what is due is what is leased.
    fn check(&mut self) -> Result<(), String> {
        self.commit(usize::MAX)?;
        let model = self.model();
        for it in &model.atoms {
            let Some(atom) = self.world.atom(it.id) else {
                return Err(format!("ack: {it:?} is lost"));
            };
            let same = atom.version == it.version
                && status(&atom.metadata) == it.status
                && atom.attempts == it.attempts
                && atom.deprecated.is_some() == it.deprecated;
            if !same {
                return Err(format!("claim: {atom:?} is not {it:?}"));
            }
        }
        let mut put = BTreeSet::new();
        for (_, body) in (0..SPACES).flat_map(|n| self.world.entries(n, 0)) {
            let events = events::<Space>(&body).map_err(|error| error.to_string())?;
            put.extend(events.iter().filter_map(|it| Some(Space::atom(it)?.id)));
        }
        if put.len() != model.atoms.len() {
            return Err("atomic: there are atoms that nobody put".to_owned());
        }
        let leased = |n: usize| {
            let stream = self.world.space(n).stream();
            model.leases[n].values().map(move |it| (it.until, stream))
        };
        let mut leased: Vec<_> = (0..SPACES).flat_map(leased).collect();
        leased.sort_unstable();
        let due = self.world.due().into_iter().map(|(at, of)| (self.ticks(at), of));
        let mut due: Vec<_> = due.collect();
        due.sort_unstable();
        if due != leased {
            return Err(format!("due: {due:?}, and leased are {leased:?}"));
        }
        self.world.audit()
    }
}

fn run(steps: &[Step], world: impl World) -> Result<(), String> {
    let mut trial = Trial::new(world);
    for (at, step) in steps.iter().enumerate() {
        trial.step(step).map_err(|breach| format!("{breach}\nat step {at}: {step:?}"))?;
    }
    trial.check()
}

/// Runs `cases` schedules of up to `steps` steps from a seed, each in a world of its own; the first
/// breach, cut down.
pub(crate) fn hold<W: World>(
    config: Config,
    seed: u64,
    steps: usize,
    world: impl Fn() -> W,
) -> Result<(), String> {
    cases::hold(config, seed, schedule::schedule(steps), |steps| run(&steps, world()))
}
