//! The laws `narrow`, `revoke` and derivation, over random schedules and against the naive
//! [`model`]. After every step the whole of what can be seen is compared.

mod check;
mod foresee;
mod model;
mod schedule;

use foresee::Foreseen;
use model::{Model, Verdict};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use schedule::{Asked, Op, Step};
use serde::{Serialize, de::DeserializeOwned};
use stoa_actors::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{Ask, Event, Level, Message, Right, Rights, Subject};

/// Follows `cases` schedules of up to `steps_max` steps. A breach begins with the law's name.
pub(crate) fn hold(config: Config, seed: u64, steps_max: usize) -> Result<(), String> {
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..config };
    TestRunner::new(config)
        .run(&schedule::schedule(steps_max), |steps| {
            follow(&steps).map_err(proptest::test_runner::TestCaseError::fail)
        })
        .map_err(|breach| breach.to_string())
}

const ALIASES: [&str; 3] = ["findings", "notes", "work"];

/// The actor, the table that readers ask, and the model, side by side.
struct World {
    rights: Rights,
    events: Vec<Event>,
    table: Rights,
    /// How many events the table has heard as durable.
    heard: usize,
    /// How many facts there were after each event.
    facts: Vec<usize>,
    model: Model,
    now: u64,
    sessions: Vec<SessionId>,
    subjects: Vec<Subject>,
    ids: u64,
}

fn follow(steps: &[Step]) -> Result<(), String> {
    let mut world = World {
        rights: Rights::default(),
        events: Vec::new(),
        table: Rights::default(),
        heard: 0,
        facts: Vec::new(),
        model: Model::default(),
        now: 1_000,
        sessions: vec![ROOT],
        // Two tools that may never be installed, and a space that nobody creates.
        subjects: vec![
            Subject::Tool("t0".into()),
            Subject::Tool("t1".into()),
            Subject::Space(SpaceId([255; 16])),
        ],
        ids: 0,
    };
    for (at, (op, durable)) in steps.iter().enumerate() {
        let told = world.step(op).and_then(|()| world.hear(*durable)).and_then(|()| world.check());
        told.map_err(|breach| format!("{breach}\nat step {at}: {op:?}"))?;
    }
    world.hear(u8::MAX)?;
    if world.table != world.rights {
        return Err("table: in the end it is not what the actor has".into());
    }
    world.restart()
}

impl World {
    fn id(&mut self) -> [u8; 16] {
        self.ids += 1;
        // Not in order of making, so that "smallest id" is not "oldest".
        let mixed = self.ids.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut id = [1; 16];
        id[..8].copy_from_slice(&mixed.to_be_bytes());
        id
    }

    fn who(&self, n: u8) -> SessionId {
        if n == u8::MAX {
            return SessionId([255; 16]);
        }
        self.sessions[n as usize % self.sessions.len()]
    }

    fn subject(&self, n: u8, of: Option<SessionId>) -> Subject {
        let held = self.model.held(self.now);
        let held: Vec<&Subject> =
            held.keys().filter(|(who, _)| Some(*who) == of).map(|(_, what)| what).collect();
        if held.is_empty() {
            return self.subjects[n as usize % self.subjects.len()].clone();
        }
        held[n as usize % held.len()].clone()
    }

    fn ask(&mut self, by: SessionId, asked: &Asked) -> Ask {
        let subject = self.subject(asked.subject, asked.held.then_some(by));
        let alias = asked.alias.map(|n| ALIASES[n as usize].to_owned());
        let expires = asked.expires.map(|ms| Millis(self.now + u64::from(ms)));
        let mut right = Right { subject, use_: asked.use_, delegate: asked.delegate };
        if !matches!(right.subject, Subject::Space(_)) && !asked.subject.is_multiple_of(8) {
            // Mostly what a tool knows, or tools would hardly ever be handed on.
            right.use_ = right.use_.and(Some(Level::Read));
            right.delegate = right.delegate.and(Some(Level::Read));
        }
        Ask { link: LinkId(self.id()), alias, right, expires }
    }

    fn step(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Wait { ms } => {
                self.now += u64::from(*ms);
                return Ok(());
            }
            Op::Restart => return self.restart(),
            _ => {}
        }
        let mut foreseen = self.foresee(op);
        if !self.model.alive(foreseen.by) {
            foreseen.verdict = Verdict::Refused;
        }
        self.tell(foreseen)
    }

    /// Sends the message, compares the verdict, and lets all three learn of it.
    fn tell(&mut self, foreseen: Foreseen) -> Result<(), String> {
        let Foreseen { verdict, facts, names, message, by } = foreseen;
        let law = match &message {
            Message::Spawn { .. } | Message::Share { .. } => "narrow",
            Message::Revoke { .. } | Message::RevokeLink { .. } | Message::End { .. } => "revoke",
            _ => "derivation",
        };
        let said = self.rights.decide(by, Millis(self.now), message.clone());
        let got = match &said {
            Ok(decision) if decision.answer.is_ok() => Verdict::Accepted,
            Ok(_) => Verdict::Denied,
            Err(_) => Verdict::Refused,
        };
        if got != verdict {
            return Err(format!("{law}: {verdict:?} foreseen of {message:?}, but {said:?}"));
        }
        let Ok(decision) = said else { return Ok(()) };
        let recorded = |event: &Event| match event {
            Event::SpawnRefused { parent, .. } => *parent == by,
            _ => false,
        };
        let recorded = decision.events.len() == 1 && decision.events.iter().all(recorded);
        if got == Verdict::Denied && !recorded {
            return Err(format!("{law}: a refusal was not recorded, but {:?}", decision.events));
        }
        if got == Verdict::Accepted {
            if let Message::Spawn { child, .. } = message {
                self.sessions.push(child);
            }
            self.model.facts.extend(facts);
            self.model.names.extend(names);
        }
        for event in decision.events {
            self.rights.apply(&event);
            self.table.narrow(&event);
            self.table.narrow(&event);
            self.events.push(event);
            self.facts.push(self.model.facts.len());
        }
        Ok(())
    }

    /// The table hears of the next `durable` events that they are.
    fn hear(&mut self, durable: u8) -> Result<(), String> {
        for _ in 0..durable {
            let Some(event) = self.events.get(self.heard) else { break };
            self.table.widen(event);
            self.heard += 1;
        }
        Ok(())
    }

    /// The events come back from their bytes, the state from the events, and then from its own.
    fn restart(&mut self) -> Result<(), String> {
        let mut replayed = Rights::default();
        for event in &through_bytes(&self.events) {
            replayed.apply(event);
        }
        if replayed != self.rights {
            return Err("restart: a replay of the events is another state".into());
        }
        let back = through_bytes(&replayed);
        if back != self.rights {
            return Err("restart: a snapshot gives back another state".into());
        }
        self.rights = back.clone();
        self.table = back;
        self.heard = self.events.len();
        Ok(())
    }
}

fn through_bytes<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(value, config).expect("it encodes");
    bincode::serde::decode_from_slice(&bytes, config).expect("it decodes").0
}
