//! Claims by conditions of every kind, against a list that is looked through from its beginning each
//! time.
//!
//! [claim] a claim gets the oldest atom that is as wanted, if there is one, whatever the space keeps
//! to find it by: with writes, removals and erases between, with decisions that are not durable yet,
//! with crashes after which nothing is kept, and with so little room that what is kept has to go.

mod model;
mod schedule;

use crate::laws::cases;
use model::Model;
use proptest::test_runner::Config;
use schedule::{Case, Deed, Step};
use std::collections::BTreeMap;
use stoa_actors::id::{AtomId, SessionId, SpaceId};
use stoa_actors::incarnation::Request;
use stoa_actors::simulation::{Simulation, Told};
use stoa_actors::space::{Reply, Space};

const SPACE: SpaceId = SpaceId([1; 16]);
const ASKER: SessionId = SessionId([2; 16]);

struct Trial {
    simulation: Simulation<Space>,
    /// The model after each entry that was decided, from before the first on.
    models: Vec<Model>,
    foretold: BTreeMap<u64, String>,
}

impl Trial {
    fn new(case: &Case) -> Trial {
        let mut simulation = Simulation::new(41);
        simulation.limits.standing_sets_max = case.sets_max;
        simulation.limits.standing_bytes_max = case.bytes_max;
        Trial { simulation, models: vec![Model::default()], foretold: BTreeMap::new() }
    }

    fn ask(&mut self, deed: &Deed, case: &Case) {
        let mut model = self.models.last().cloned().unwrap_or_default();
        let message = deed.message(&model, case);
        let (foretold, changed) = model.take(deed, case);
        if changed {
            self.models.push(model);
        }
        let ticket = self.simulation.ask(SPACE.stream(), Request::new(ASKER, message));
        self.foretold.insert(ticket, foretold);
    }

    fn hear(&mut self, told: Vec<Told<Space>>) -> Result<(), String> {
        for told in told {
            let foretold = self.foretold.remove(&told.ticket).unwrap_or_default();
            let heard = match &told.answer {
                Ok(Reply::Claimed(claimed)) => claimed_as(claimed.as_ref().map(|it| it.0)),
                Ok(_) => "done".to_owned(),
                Err(_) => "refused".to_owned(),
            };
            if heard != foretold {
                let answer = &told.answer;
                return Err(format!("claim: {answer:?}, and the model says {foretold:?}"));
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, case: &Case) -> Result<(), String> {
        match step {
            Step::Ask(deed) => self.ask(deed, case),
            Step::Commit(count) => {
                let told = self.simulation.commit(usize::from(*count));
                self.hear(told)?;
            }
            Step::Crash => {
                self.simulation.crash();
                self.foretold.clear();
                let durable = self.simulation.disk().stream_after(SPACE.stream(), 0).count();
                self.models.truncate(durable + 1);
            }
        }
        Ok(())
    }
}

fn claimed_as(id: Option<AtomId>) -> String {
    id.map_or_else(|| "nothing".to_owned(), |id| format!("claimed {id}"))
}

fn run(case: &Case) -> Result<(), String> {
    let mut trial = Trial::new(case);
    for (at, step) in case.steps.iter().enumerate() {
        trial.step(step, case).map_err(|breach| format!("{breach}\nat step {at}: {step:?}"))?;
    }
    let told = trial.simulation.settle();
    trial.hear(told)
}

/// Runs `cases` schedules of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u64, steps: usize) -> Result<(), String> {
    cases::hold(config, seed, schedule::case(steps), |case| run(&case))
}
