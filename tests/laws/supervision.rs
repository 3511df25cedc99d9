//! The laws of supervision, over random crash schedules in virtual time: no orphan, no restart too
//! many, siblings untouched, the last stopped first, waits that double until a healthy time.

mod model;

use crate::laws::cases;
use model::{Life, Model, shown};
use proptest::prelude::{Just, any, prop, prop_oneof};
use proptest::strategy::Strategy as Gen;
use proptest::test_runner::Config;
use stoa_actors::id::Millis;
use stoa_actors::supervisor::{
    Backoff, ChildSpec, Exit, Intensity, Restart, Shutdown, Strategy, Supervisor,
    SupervisorCommand, SupervisorPhase,
};

/// Follows `cases` schedules of up to `steps_max` steps.
pub(crate) fn hold(config: Config, seed: u64, steps_max: usize) -> Result<(), String> {
    let cases = (house(), schedule(steps_max));
    cases::hold(config, seed, cases, |(house, steps)| follow(house, &steps))
}

#[derive(Clone, Debug)]
enum Op {
    /// A child that is up, or was ordered to start, goes by itself.
    Fall {
        child: u8,
        exit: Exit,
    },
    /// Something that was ordered is done: a start, or a stop.
    Proceed {
        which: u8,
        exit: Exit,
    },
    Wait {
        ms: u16,
    },
    /// All that was ordered is done, and what follows from it.
    Settle,
    Add(Made),
    Remove {
        child: u8,
    },
    Revive {
        child: u8,
    },
}

type Made = (Restart, Shutdown, Option<Intensity>);
type House = (Strategy, Intensity, Backoff, Vec<Made>);

fn exit() -> impl Gen<Value = Exit> {
    let crashed = Just(Exit::Crashed("boom".into()));
    prop_oneof![1 => Just(Exit::Normal), 1 => Just(Exit::Shutdown), 3 => crashed]
}

fn intensity(restarts_max: u32) -> impl Gen<Value = Intensity> {
    (0..restarts_max, 0u64..800)
        .prop_map(|(restarts_max, within_ms)| Intensity { restarts_max, within_ms })
}

fn made() -> impl Gen<Value = Made> {
    let restart = prop_oneof![
        4 => Just(Restart::Permanent),
        2 => Just(Restart::Transient),
        1 => Just(Restart::Temporary)
    ];
    let shutdown = prop_oneof![
        Just(Shutdown::BrutalKill),
        Just(Shutdown::Deadline { ms: 5_000 }),
        Just(Shutdown::Infinity)
    ];
    (restart, shutdown, proptest::option::weighted(0.3, intensity(4)))
}

fn house() -> impl Gen<Value = House> {
    let strategy = prop_oneof![
        Just(Strategy::OneForOne),
        Just(Strategy::OneForAll),
        Just(Strategy::RestForOne)
    ];
    let backoff =
        (0u64..40, 0u64..200, 1u64..300).prop_map(|(first_ms, ceiling_ms, healthy_ms)| Backoff {
            first_ms,
            ceiling_ms,
            healthy_ms,
        });
    (strategy, intensity(12), backoff, prop::collection::vec(made(), 1..7))
}

fn schedule(steps_max: usize) -> impl Gen<Value = Vec<Op>> {
    let op = prop_oneof![
        8 => (any::<u8>(), exit()).prop_map(|(child, exit)| Op::Fall { child, exit }),
        8 => (any::<u8>(), exit()).prop_map(|(which, exit)| Op::Proceed { which, exit }),
        5 => (1u16..400).prop_map(|ms| Op::Wait { ms }),
        4 => Just(Op::Settle),
        1 => made().prop_map(Op::Add),
        1 => any::<u8>().prop_map(|child| Op::Remove { child }),
        2 => any::<u8>().prop_map(|child| Op::Revive { child }),
    ];
    prop::collection::vec(op, steps_max / 2..=steps_max)
}

struct World {
    supervisor: Supervisor<u32>,
    model: Model,
    next: u32,
    now: u64,
}

fn follow((strategy, intensity, backoff, made): House, steps: &[Op]) -> Result<(), String> {
    let mut world = World {
        supervisor: Supervisor::new(strategy, intensity, backoff),
        model: Model::new(strategy, intensity, backoff),
        next: 0,
        now: 1_000,
    };
    for made in made {
        let spec = world.spec(made);
        world.model.add(spec.clone());
        let orders = world.supervisor.add(spec).map_err(|refusal| refusal.to_string())?;
        if !orders.is_empty() {
            return Err("order: one comes before the supervisor is started".into());
        }
    }
    let orders = world.supervisor.start();
    world.obey(orders)?;
    for (at, op) in steps.iter().enumerate() {
        world.step(op).map_err(|breach| format!("{breach}\nat step {at}: {op:?}"))?;
    }
    world.end()
}

impl World {
    fn spec(&mut self, (restart, shutdown, intensity): Made) -> ChildSpec<u32> {
        self.next += 1;
        ChildSpec { id: self.next, restart, shutdown, intensity }
    }

    fn step(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Wait { ms } => self.now += u64::from(*ms),
            Op::Settle => self.settle()?,
            Op::Fall { child, exit } => {
                if let Some(id) = self.pick(*child, |life| life.is_live() && life != Life::Stopping)
                {
                    self.exit(id, exit)?;
                }
            }
            Op::Proceed { which, exit } => {
                if let Some(id) = self.pick(*which, |life| self.due(life)) {
                    self.proceed(id, exit)?;
                }
            }
            Op::Add(made) => {
                let spec = self.spec(*made);
                let orders = self.supervisor.add(spec.clone());
                if orders.is_err() != self.model.ending {
                    return Err("add: refused, or not, against the phase".into());
                }
                if let Ok(orders) = orders {
                    self.model.add(spec);
                    self.obey(orders)?;
                }
            }
            Op::Remove { child } => {
                if let Some(id) = self.pick(*child, |_| true) {
                    self.model.remove(id);
                    let orders = self.supervisor.remove(&id).map_err(|no| no.to_string())?;
                    self.obey(orders)?;
                }
            }
            Op::Revive { child } => {
                if let Some(id) = self.pick(*child, |life| !life.is_live()) {
                    let may = self.model.revive(id);
                    match self.supervisor.revive(&id) {
                        Ok(orders) if may => self.obey(orders)?,
                        Err(_) if !may => {}
                        other => return Err(format!("revive: {other:?}")),
                    }
                }
            }
        }
        Ok(())
    }

    /// Has it something to tell: a start that is due, or a stop that was ordered?
    fn due(&self, life: Life) -> bool {
        match life {
            Life::Waiting { due } => due <= self.now,
            Life::Starting | Life::Stopping => true,
            Life::Down | Life::Up => false,
        }
    }

    fn pick(&self, n: u8, which: impl Fn(Life) -> bool) -> Option<u32> {
        let kids = self.model.kids.iter().filter(|(_, kid)| which(kid.life));
        let kids: Vec<u32> = kids.map(|(&id, _)| id).collect();
        (!kids.is_empty()).then(|| kids[n as usize % kids.len()])
    }

    fn proceed(&mut self, id: u32, exit: &Exit) -> Result<(), String> {
        if self.model.kids[&id].life == Life::Stopping {
            return self.exit(id, exit);
        }
        self.model.started(id, self.now);
        let orders = self.supervisor.started(&id, Millis(self.now));
        self.obey(orders)
    }

    fn exit(&mut self, id: u32, exit: &Exit) -> Result<(), String> {
        self.model.exited(id, exit, self.now);
        let orders = self.supervisor.exited(&id, exit.clone(), Millis(self.now));
        self.obey(orders)
    }

    fn settle(&mut self) -> Result<(), String> {
        // Every start and stop is done once, and the waits are at most 200 ms each.
        for _ in 0..10_000 {
            let Some(id) = self.pick(0, |life| self.due(life)) else {
                let waiting = self.pick(0, |life| matches!(life, Life::Waiting { .. }));
                let Some(id) = waiting else { return Ok(()) };
                let Life::Waiting { due } = self.model.kids[&id].life else { continue };
                self.now = due;
                continue;
            };
            self.proceed(id, &Exit::Shutdown)?;
        }
        Err("order: it never comes to rest".into())
    }

    fn obey(&mut self, orders: Vec<SupervisorCommand<u32>>) -> Result<(), String> {
        for order in &orders {
            self.model
                .order(order, self.now)
                .map_err(|breach| format!("{breach}: {order:?} of {orders:?}"))?;
        }
        self.model.nothing_is_left_out()?;
        for id in 1..=self.next {
            let (expected, got) = (self.model.state(id), self.supervisor.state(&id).map(shown));
            if expected != got {
                return Err(format!("state: {id} is {got:?}, should be {expected:?}"));
            }
        }
        Ok(())
    }

    /// Everything comes to rest, and then everything stops: nobody is left over.
    fn end(&mut self) -> Result<(), String> {
        self.settle()?;
        let gave_up = self.model.ending;
        if !gave_up {
            self.model.stop();
            let orders = self.supervisor.stop();
            self.obey(orders)?;
            self.settle()?;
        }
        let phase = if gave_up { SupervisorPhase::GaveUp } else { SupervisorPhase::Stopped };
        let left = self.model.kids.values().filter(|kid| kid.life.is_live()).count();
        if left > 0 || *self.supervisor.phase() != phase {
            return Err(format!("orphan: {left} left, {:?}", self.supervisor.phase()));
        }
        Ok(())
    }
}
