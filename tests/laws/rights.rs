//! The laws `narrow`, `revoke` and derivation, over random schedules and against the naive
//! [`model`]. After every step the whole of what can be seen is compared.

mod check;
mod model;
mod schedule;

use model::{Fact, Grant, Model, Verdict};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use schedule::{Asked, Op, Step};
use std::collections::BTreeMap;
use stoa_actors::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{Ask, Event, Level, Message, Named, Right, Rights, Subject};

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

/// What the model foresees of a message, and what it then holds for true.
struct Foreseen {
    verdict: Verdict,
    facts: Vec<Fact>,
    names: Vec<((SessionId, String), Option<SpaceId>)>,
    message: Message,
    by: SessionId,
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
        if got == Verdict::Denied
            && !matches!(&decision.events[..], [Event::SpawnRefused { parent, .. }] if *parent == by)
        {
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

    fn restart(&mut self) -> Result<(), String> {
        let mut replayed = Rights::default();
        for event in &self.events {
            replayed.apply(event);
        }
        if replayed != self.rights {
            return Err("restart: a replay of the events is another state".into());
        }
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(&replayed, config).expect("encodes");
        let (back, _): (Rights, usize) =
            bincode::serde::decode_from_slice(&bytes, config).expect("decodes");
        if back != self.rights {
            return Err("restart: a snapshot gives back another state".into());
        }
        self.rights = back.clone();
        self.table = back;
        self.heard = self.events.len();
        Ok(())
    }

    fn foresee(&mut self, op: &Op) -> Foreseen {
        let reason = "because".to_owned();
        match op {
            Op::Install { by, name } => self.foresee_install(*by, *name),
            Op::Create { by, alias } => self.foresee_create(*by, *alias),
            Op::Spawn { by, alias, asks } => self.foresee_spawn(*by, *alias, asks),
            Op::Share { by, to, asked } => self.foresee_share(*by, *to, asked),
            Op::Revoke { by, holder, subject, held } => {
                let (by, holder) = (self.who(*by), self.who(*holder));
                let subject = self.subject(*subject, held.then_some(holder));
                let links: Vec<LinkId> = self
                    .model
                    .grants()
                    .filter(|grant| grant.to == holder && grant.right.subject == subject)
                    .filter(|grant| self.model.may_revoke(by, grant.id, self.now))
                    .map(|grant| grant.id)
                    .collect();
                revoked(by, links, Message::Revoke { holder, subject, reason })
            }
            Op::RevokeLink { by, link } => {
                let by = self.who(*by);
                let all: Vec<LinkId> = self.model.grants().map(|grant| grant.id).collect();
                let link = all.get(*link as usize % all.len().max(1)).copied().unwrap_or_default();
                let mine = !all.is_empty() && self.model.may_revoke(by, link, self.now);
                let links = if mine { vec![link] } else { vec![] };
                revoked(by, links, Message::RevokeLink { link, reason })
            }
            Op::Name { .. } | Op::Unname { .. } => self.foresee_name(op),
            Op::End { by, session } => {
                let (by, session) = (self.who(*by), self.who(*session));
                let may = by == session || self.model.descends(session, by);
                let ends = session != ROOT && self.model.alive(session) && may;
                let verdict = if ends && self.model.alive(by) {
                    self.model.names.retain(|(holder, _), _| *holder != session);
                    Verdict::Accepted
                } else {
                    Verdict::Refused
                };
                let message = Message::End { session, reason };
                Foreseen { verdict, facts: vec![Fact::Ended(session)], names: vec![], message, by }
            }
            Op::Expire => plain(ROOT, Verdict::Accepted, Message::Expire),
            Op::Confirm { session } => {
                let session = self.who(*session);
                let alive =
                    if self.model.alive(session) { Verdict::Accepted } else { Verdict::Refused };
                plain(ROOT, alive, Message::ConfirmBirth { session })
            }
            Op::Wait { .. } | Op::Restart => unreachable!("not a message"),
        }
    }

    fn foresee_install(&mut self, by: u8, name: u8) -> Foreseen {
        let (by, link) = (self.who(by), LinkId(self.id()));
        let subject = Subject::Tool(format!("t{name}"));
        let verdict = if by == ROOT { Verdict::Accepted } else { Verdict::Refused };
        let fact = origin(link, ROOT, &subject);
        let message = Message::Install { link, subject, reason: String::new() };
        Foreseen { facts: vec![fact], ..plain(by, verdict, message) }
    }

    fn foresee_create(&mut self, by: u8, alias: Option<u8>) -> Foreseen {
        let (by, link, space) = (self.who(by), LinkId(self.id()), SpaceId(self.id()));
        let alias = alias.map(|n| ALIASES[n as usize].to_owned());
        let taken = alias.as_ref().is_some_and(|a| self.model.names.contains_key(&(by, a.clone())));
        let verdict = if taken { Verdict::Refused } else { Verdict::Accepted };
        if !taken && self.model.alive(by) {
            self.subjects.push(Subject::Space(space));
        }
        let names = alias.iter().map(|alias| ((by, alias.clone()), Some(space))).collect();
        let facts = vec![origin(link, by, &Subject::Space(space))];
        let message = Message::CreateSpace { space, link, alias, reason: String::new() };
        Foreseen { verdict, facts, names, message, by }
    }

    fn foresee_spawn(&mut self, by: u8, alias: Option<u8>, asks: &[Asked]) -> Foreseen {
        let (by, child) = (self.who(by), SessionId(self.id()));
        // In the child's own words for it, so that parents do not run out of names.
        let alias = alias.map(|n| format!("child-{n}-{}", self.ids / 8));
        let asks: Vec<Ask> = asks.iter().map(|asked| self.ask(by, asked)).collect();
        let mut facts = vec![Fact::Born { child, parent: by }];
        let mut names: BTreeMap<(SessionId, String), Option<SpaceId>> = BTreeMap::new();
        let mut verdict = Verdict::Accepted;
        let taken = alias.as_ref().is_some_and(|a| self.model.names.contains_key(&(by, a.clone())));
        if taken || asks.iter().any(malformed) || !agree(&asks) {
            verdict = Verdict::Refused;
        }
        names.extend(alias.clone().map(|alias| ((by, alias), None)));
        for ask in &asks {
            if verdict != Verdict::Accepted {
                break;
            }
            let expires = ask.expires.map(|at| at.0);
            match self.model.derive(by, self.now, &ask.right, expires, false) {
                Ok(basis) => facts.push(granted(by, child, ask, basis)),
                Err(refused) => verdict = refused,
            }
            if let (Some(alias), Subject::Space(space)) = (&ask.alias, &ask.right.subject) {
                names.insert((child, alias.clone()), Some(*space));
            }
        }
        let message = Message::Spawn { child, alias, asks, reason: String::new() };
        Foreseen { verdict, facts, names: names.into_iter().collect(), message, by }
    }

    fn foresee_share(&mut self, by: u8, to: u8, asked: &Asked) -> Foreseen {
        let (by, to) = (self.who(by), self.who(to));
        let ask = self.ask(by, asked);
        let expires = ask.expires.map(|at| at.0);
        let basis = self.model.derive(by, self.now, &ask.right, expires, true);
        let well = !malformed(&ask) && self.model.alive(to);
        let facts = basis.iter().map(|basis| granted(by, to, &ask, *basis)).collect();
        let verdict = if well && basis.is_ok() { Verdict::Accepted } else { Verdict::Refused };
        let mut names = Vec::new();
        if let (Some(alias), Subject::Space(space)) = (&ask.alias, &ask.right.subject)
            && let Some(alias) = self.model.alias_for(to, alias, *space)
        {
            names.push(((to, alias), Some(*space)));
        }
        let Ask { link, alias, right, expires } = ask;
        let message = Message::Share { link, to, alias, right, expires, reason: String::new() };
        Foreseen { verdict, facts, names, message, by }
    }

    fn foresee_name(&mut self, op: &Op) -> Foreseen {
        match op {
            Op::Name { by, alias, space } => {
                let (by, alias) = (self.who(*by), ALIASES[*alias as usize].to_owned());
                let subject = self.subject(*space, None);
                let Subject::Space(space) = subject else {
                    return plain(by, Verdict::Accepted, Message::Expire);
                };
                let held = self.model.held(self.now);
                let reads = held.get(&(by, subject)).is_some_and(|(use_, _)| use_.is_some());
                let before = self.model.names.get(&(by, alias.clone()));
                let free = before.is_none_or(|named| *named == Some(space));
                let verdict = if reads && free { Verdict::Accepted } else { Verdict::Refused };
                let names = vec![((by, alias.clone()), Some(space))];
                let message = Message::Name { alias, named: Named::Space(space) };
                Foreseen { names, ..plain(by, verdict, message) }
            }
            Op::Unname { by, alias } => {
                let (by, alias) = (self.who(*by), ALIASES[*alias as usize].to_owned());
                let there = self.model.names.remove(&(by, alias.clone())).is_some();
                let verdict = if there { Verdict::Accepted } else { Verdict::Refused };
                plain(by, verdict, Message::Unname { alias })
            }
            _ => unreachable!("not about names"),
        }
    }
}

fn plain(by: SessionId, verdict: Verdict, message: Message) -> Foreseen {
    Foreseen { verdict, facts: vec![], names: vec![], message, by }
}

fn revoked(by: SessionId, links: Vec<LinkId>, message: Message) -> Foreseen {
    let verdict = if links.is_empty() { Verdict::Refused } else { Verdict::Accepted };
    let facts = links.into_iter().map(Fact::Revoked).collect();
    Foreseen { facts, ..plain(by, verdict, message) }
}

fn origin(id: LinkId, to: SessionId, subject: &Subject) -> Fact {
    let right = Right::whole(subject.clone());
    Fact::Granted(Grant { id, from: ROOT, to, right, basis: None, expires: None })
}

fn granted(from: SessionId, to: SessionId, ask: &Ask, basis: LinkId) -> Fact {
    let expires = ask.expires.map(|at| at.0);
    let right = ask.right.clone();
    Fact::Granted(Grant { id: ask.link, from, to, right, basis: Some(basis), expires })
}

/// A right must be one, and fit what it is about.
fn malformed(ask: &Ask) -> bool {
    let Right { subject, use_, delegate } = &ask.right;
    let space = matches!(subject, Subject::Space(_));
    let too_high = [use_, delegate].into_iter().flatten().any(|level| level.to_string() != "read");
    (use_.is_none() && delegate.is_none()) || (!space && (too_high || ask.alias.is_some()))
}

/// No alias stands for two spaces.
fn agree(asks: &[Ask]) -> bool {
    asks.iter().all(|a| {
        asks.iter()
            .all(|b| a.alias.is_none() || a.alias != b.alias || a.right.subject == b.right.subject)
    })
}
