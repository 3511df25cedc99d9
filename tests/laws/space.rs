//! Spaces, against a model that is a plain list of what was accepted.
//!
//! [ack] [atomic] [chain] [fold] [version] [idem] [stop]: random askers with random rights put,
//! update, deprecate, repeat themselves under a key and misuse it; decisions become durable some
//! at a time, a write fails now and then, and everything crashes at random instants. Every answer
//! is foretold by the model, every entry and every row is held against it.

pub(crate) mod model;
pub(crate) mod schedule;

use crate::laws::cases;
use crate::laws::world::{Heard, SPACES, World};
use model::{Accepted, Foretold, Model, word};
use proptest::test_runner::Config;
use schedule::{Base, Step, Writes};
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::AtomId;
use stoa_actors::incarnation::{self, Refused, Request};
use stoa_actors::log::{Body, Cause};
use stoa_actors::space::{Draft, Expect, Message, Patch, Refusal, Reply, Space};
use stoa_actors::value::Value;

/// One world and what is to be expected of it.
struct Trial<W> {
    world: W,
    model: Model,
    /// Space and answer of every question that is open.
    foretold: BTreeMap<u64, (usize, Foretold)>,
    /// How many entries of each space were looked at.
    seen: [u64; SPACES],
    /// A write was made to fail since the last open.
    armed: bool,
    /// Somebody was told of it, and asked this space.
    stopped: [bool; SPACES],
}

impl<W: World> Trial<W> {
    fn ask(&mut self, who: u8, space: usize, key: Option<u8>, message: Message) {
        let stopped = self.stopped.contains(&true);
        let (foretold, fresh) = if stopped {
            (Foretold::Stopped, false)
        } else {
            self.model.foretell(who, space, key, &message)
        };
        let ask = Request {
            message: message.clone(),
            asker: self.world.session(who),
            key: key.map(|it| format!("key{it}")),
            comment: String::new(),
            cause: Cause::default(),
        };
        let ticket = self.world.ask(space, ask);
        let foretold = match foretold {
            Foretold::Version { atom: 0, version } => Foretold::Version { atom: ticket, version },
            other => other,
        };
        if let (true, Foretold::Version { atom, version }) = (fresh, &foretold) {
            let (atom, version, stays) = (*atom, *version, false);
            let accepted = Accepted { ticket, space, who, key, message, atom, version, stays };
            self.model.accepted.push(accepted);
        }
        self.foretold.insert(ticket, (space, foretold));
    }

    fn hear(&mut self, heard: Vec<Heard>) -> Result<(), String> {
        for Heard { ticket, answer, position } in heard {
            let Some((space, foretold)) = self.foretold.remove(&ticket) else {
                return Err(format!("ack: {ticket} was answered twice"));
            };
            if matches!(answer, Err(Refused::Stopped)) {
                if !self.armed {
                    return Err(format!("stop: {ticket} heard of an error out of nothing"));
                }
                self.stopped[space] = true;
                continue;
            }
            if self.stopped[space] {
                return Err(format!("stop: {ticket} was answered after the error: {answer:?}"));
            }
            if let (Foretold::Version { atom, .. }, Ok(Reply::Version { id, .. })) =
                (&foretold, &answer)
            {
                let known = *self.model.ids.entry(*atom).or_insert(*id);
                if known != *id {
                    return Err(format!("idem: {ticket} made a second atom"));
                }
                if position.is_none() {
                    return Err(format!("ack: {ticket} has no entry"));
                }
            }
            let heard = self.read(answer)?;
            if heard != foretold {
                return Err(format!("version: {ticket} heard {heard:?}, not {foretold:?}"));
            }
            let accepted = self.model.accepted.iter_mut().find(|it| it.ticket == ticket);
            accepted.into_iter().for_each(|it| it.stays = true);
        }
        Ok(())
    }

    fn read(&self, answer: Result<Reply, Refused<Refusal>>) -> Result<Foretold, String> {
        Ok(match answer {
            Ok(Reply::Version { id, version }) => {
                Foretold::Version { atom: self.model.ticket_of(id), version }
            }
            Err(Refused::Actor(Refusal::Unknown)) => Foretold::Unknown,
            Err(Refused::Actor(Refusal::Right { .. })) => Foretold::Right,
            Err(Refused::Actor(Refusal::NoAtom(_))) => Foretold::NoAtom,
            Err(Refused::Actor(Refusal::Conflict { current, .. })) => {
                Foretold::Conflict { current }
            }
            Err(Refused::Actor(Refusal::Deprecated { .. })) => Foretold::Deprecated,
            Err(Refused::Actor(Refusal::InUse(_))) => Foretold::InUse,
            Err(Refused::KeyReused(_)) => Foretold::KeyReused,
            other => return Err(format!("an unexpected answer: {other:?}")),
        })
    }

    /// An entry is what was accepted there, whole and once; the atom it makes a version of.
    fn entry(&self, it: &Accepted, body: &Body) -> Result<AtomId, String> {
        let events = incarnation::events::<Space>(body).map_err(|it| it.to_string())?;
        let [event] = &events[..] else { return Err(format!("atomic: {it:?} is {events:?}")) };
        let Some(atom) = Space::atom(event) else {
            return Err(format!("atomic: {it:?} is {event:?}"));
        };
        let key = body.answers.as_ref().map(|it| it.key.clone());
        let by = self.world.session(it.who);
        let known = self.model.ids.get(&it.atom).is_none_or(|id| *id == atom.id);
        let same = known
            && (atom.version, atom.space) == (it.version, self.world.space(it.space))
            && (atom.author, body.by) == (by, by)
            && key == it.key.map(|it| format!("key{it}"));
        if same { Ok(atom.id) } else { Err(format!("atomic: {it:?} is {body:?} with {atom:?}")) }
    }

    /// The durable side is what the acknowledged part of the list says, no more and no less.
    fn check(&mut self) -> Result<(), String> {
        if !self.world.quiet() || self.stopped.contains(&true) {
            return Ok(());
        }
        for space in 0..SPACES {
            let new = self.world.entries(space, self.seen[space]);
            let before = self.seen[space] as usize;
            let mut stay = self.model.of(space).filter(|it| it.stays).skip(before);
            for (_, body) in &new {
                let Some(accepted) = stay.next() else {
                    return Err(format!("ack: {body:?} was not acknowledged"));
                };
                self.entry(accepted, body)?;
            }
            let count = self.model.of(space).filter(|it| it.stays).count() as u64;
            self.seen[space] += new.len() as u64;
            if self.seen[space] != count {
                return Err(format!("ack: {} entries, {count} acknowledged", self.seen[space]));
            }
        }
        self.check_rows()?;
        self.world.holds()
    }

    fn check_rows(&self) -> Result<(), String> {
        let naive = self.model.naive(|it| it.stays);
        let mut refers = BTreeSet::new();
        for (ticket, it) in &naive {
            let atom = self.model.ids.get(ticket).and_then(|id| self.world.atom(*id));
            let Some(atom) = atom else { return Err(format!("ack: atom of {ticket} is lost")) };
            let same = atom.version == it.version
                && word(&atom.metadata) == it.word
                && atom.deprecated.is_some() == it.deprecated;
            if !same {
                return Err(format!("ack: {atom:?} is not {it:?}"));
            }
            refers.extend(it.refers.iter().map(|target| (*target, atom.id)));
        }
        for id in self.model.ids.values() {
            let listed: BTreeSet<_> =
                self.world.sources(*id).into_iter().map(|(_, source)| (*id, source)).collect();
            let meant: BTreeSet<_> = refers.iter().filter(|it| it.0 == *id).copied().collect();
            if listed != meant {
                return Err(format!("reference: {listed:?} is not {meant:?}"));
            }
        }
        Ok(())
    }

    /// Everything acknowledged is there; of what was not answered, a part without a gap may be.
    fn crash(&mut self) -> Result<(), String> {
        let heard = self.world.crash();
        self.hear(heard)?;
        let mut kept = BTreeMap::new();
        for space in 0..SPACES {
            let entries = self.world.entries(space, 0);
            let mut there = entries.iter();
            for it in self.model.of(space) {
                match there.next() {
                    Some((_, body)) => {
                        kept.insert(it.ticket, (it.atom, self.entry(it, body)?));
                    }
                    None if it.stays => return Err(format!("ack: {it:?} is lost")),
                    None => {}
                }
            }
            if let Some((at, body)) = there.next() {
                return Err(format!("atomic: nobody asked for {at}: {body:?}"));
            }
        }
        self.model.accepted.retain_mut(|it| {
            it.stays = kept.contains_key(&it.ticket);
            it.stays
        });
        self.model.ids = kept.into_values().collect();
        (self.foretold, self.seen) = (BTreeMap::new(), [0; SPACES]);
        (self.armed, self.stopped) = (false, [false; SPACES]);
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let known: Vec<AtomId> = self.model.ids.values().copied().collect();
        let pick = |n: u8| known.get(usize::from(n) % known.len().max(1)).copied();
        let metadata = |word: u8| BTreeMap::from([("word".to_owned(), Value::Int(word.into()))]);
        let refer = |n: &Option<u8>| {
            let target = n.and_then(pick);
            target.map(|it| BTreeMap::from([("on".to_owned(), vec![it])])).unwrap_or_default()
        };
        match step {
            Step::Put { who, space, refer: n, key, word } => {
                let (metadata, references) = (metadata(*word), refer(n));
                let draft = Draft { metadata, references, ..Draft::default() };
                self.ask(*who, usize::from(*space), *key, Message::put(draft));
            }
            Step::Update { who, space, atom, base, refer: n, key, word } => {
                let Some(id) = pick(*atom) else { return Ok(()) };
                let expect = self.expect(id, *base);
                let (metadata, references) = (metadata(*word), refer(n));
                let patch = Patch { metadata, references, ..Patch::default() };
                let message = Message::update(id, expect, patch);
                self.ask(*who, usize::from(*space), *key, message);
            }
            Step::Deprecate { who, space, atom, base } => {
                let Some(id) = pick(*atom) else { return Ok(()) };
                let expect = self.expect(id, *base);
                let message = Message::deprecate(id, expect, None);
                self.ask(*who, usize::from(*space), None, message);
            }
            Step::Reinstate { who, space, atom, base } => {
                let Some(id) = pick(*atom) else { return Ok(()) };
                let message = Message::reinstate(id, self.expect(id, *base));
                self.ask(*who, usize::from(*space), None, message);
            }
            Step::Commit(count) => {
                let heard = self.world.commit(usize::from(*count));
                self.hear(heard)?;
            }
            Step::Fail(nth, fate) => {
                self.armed = true;
                self.world.fail(u64::from(*nth), *fate);
            }
            Step::Crash => self.crash()?,
        }
        self.check()
    }

    fn expect(&self, id: AtomId, base: Base) -> Expect {
        let naive = self.model.naive(|_| true);
        let now = naive.get(&self.model.ticket_of(id)).map_or(1, |it| it.version);
        match base {
            Base::Current => Expect::Version(now),
            Base::Stale => Expect::Version(now.saturating_sub(1)),
            Base::Any => Expect::Any,
        }
    }
}

fn run<W: World>(world: W, steps: &[Step]) -> Result<(), String> {
    let mut trial = Trial {
        world,
        model: Model::default(),
        foretold: BTreeMap::new(),
        seen: [0; SPACES],
        armed: false,
        stopped: [false; SPACES],
    };
    for (at, step) in steps.iter().enumerate() {
        trial.step(step).map_err(|breach| format!("{breach}\nat step {at}: {step:?}"))?;
    }
    let heard = trial.world.commit(usize::MAX);
    trial.hear(heard)?;
    trial.check()?;
    if trial.armed {
        trial.crash()?;
        trial.check()?;
    }
    trial.world.audit()
}

/// Runs `cases` schedules of up to `steps` steps from a seed, each in a world of its own; the first
/// breach, cut down.
pub(crate) fn hold<W: World>(
    config: Config,
    seed: u64,
    steps: usize,
    writes: Writes,
    world: impl Fn() -> W,
) -> Result<(), String> {
    cases::hold(config, seed, schedule::schedule(steps, writes), |steps| run(world(), &steps))
}
