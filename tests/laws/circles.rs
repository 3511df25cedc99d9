//! References that lead in circles, and what atoms wait for, against lists of who refers to whom.
//!
//! [acyclic] once a relation is declared acyclic no write of any kind closes a circle of it within the
//! space, and every other write is taken: with circles that were there before, with ways that lead
//! through other spaces, in transactions and imports, with decisions that are not durable yet.
//! [waits] what an atom waits for is what does not fit a condition, and which of it is gone is told.

mod model;
mod schedule;

use crate::laws::cases;
use model::Model;
use proptest::test_runner::Config;
use schedule::Op;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stoa_actors::atom::{Atom, Metadata};
use stoa_actors::behaviour::View;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::incarnation::{Refused, Request};
use stoa_actors::search::{Condition, Which};
use stoa_actors::simulation::Simulation;
use stoa_actors::space::{ClaimPredicate, Readable, Refusal, Space};
use stoa_actors::value::Value;

pub(crate) const RELATIONS: [&str; 2] = ["blocked_by", "see"];

/// Where circles are refused, another one, and one that whoever asks what is waited for cannot read.
pub(crate) fn space(n: usize) -> SpaceId {
    SpaceId([n as u8 + 1; 16])
}

struct Trial {
    simulation: Simulation<Space>,
    model: Model,
    foretold: BTreeMap<u64, &'static str>,
}

impl Trial {
    fn step(&mut self, op: &Op) -> Result<(), String> {
        if self.model.atoms.is_empty() && !matches!(op, Op::Put { .. } | Op::Declare { .. }) {
            return Ok(());
        }
        let home = self.model.home(op);
        if home != 0 {
            // What is not durable is not seen from another space.
            self.settle()?;
        }
        let message = op.message(&self.model);
        let foretold = self.model.take(op);
        let ticket = self.simulation.ask(space(home).stream(), Request::new(ROOT, message));
        self.foretold.insert(ticket, foretold);
        if home != 0 || matches!(op, Op::Put { .. }) {
            self.settle()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        for told in self.simulation.settle() {
            let heard = match &told.answer {
                Ok(_) => "done",
                Err(Refused::Actor(Refusal::Circle { .. })) => "circle",
                Err(_) => "refused",
            };
            let foretold = self.foretold.remove(&told.ticket).unwrap_or_default();
            if heard != foretold {
                let answer = &told.answer;
                return Err(format!("acyclic: {answer:?}, and the model says {foretold}"));
            }
        }
        Ok(())
    }

    /// Everything that anything waits for.
    fn waits(&self) -> Result<(), String> {
        let says: Metadata = [("status".to_owned(), Value::Int(1))].into();
        for (n, it) in self.model.atoms.iter().enumerate() {
            let reader = Reader(self);
            let Some(atom) = View::atom(self.simulation.disk(), it.id) else {
                return Err(format!("ack: {it:?} is lost"));
            };
            for which in [Which::All, Which::Any, Which::None] {
                for metadata in [Metadata::new(), says.clone()] {
                    for relation in ["blocked_by", "<-blocked_by"] {
                        let condition = Condition { which, metadata: metadata.clone() };
                        let references = [(relation.to_owned(), condition.clone())].into();
                        let wanted = ClaimPredicate { references, ..ClaimPredicate::default() };
                        let found = wanted.waits(&atom, &reader).into_iter();
                        let found: BTreeSet<_> = found.map(|it| (it.target, it.why)).collect();
                        let expected = self.model.waits(n, relation, &condition);
                        if found != expected {
                            return Err(format!(
                                "waits: {it:?} by {relation} {condition:?}\nfor      {found:?}\n\
                                 expected {expected:?}"
                            ));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

struct Reader<'a>(&'a Trial);

impl Readable for Reader<'_> {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        View::atom(self.0.simulation.disk(), id).filter(|it| it.space != space(2))
    }

    fn sources(&self, target: AtomId, relation: &str) -> Vec<Arc<Atom>> {
        let sources = View::sources(self.0.simulation.disk(), target, Some(relation));
        sources.into_iter().filter_map(|(_, id)| self.atom(id)).collect()
    }
}

fn run(ops: &[Op]) -> Result<(), String> {
    let (simulation, model) = (Simulation::new(41), Model::default());
    let mut trial = Trial { simulation, model, foretold: BTreeMap::new() };
    for (at, op) in ops.iter().enumerate() {
        trial.step(op).map_err(|breach| format!("{breach}\nat step {at}: {op:?}"))?;
    }
    trial.settle()?;
    trial.waits()
}

/// Runs `cases` schedules of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u64, steps: usize) -> Result<(), String> {
    cases::hold(config, seed, schedule::schedule(steps), |ops| run(&ops))
}
