//! Spaces, against a model that is a plain list of what was accepted.
//!
//! [ack] [atomic] [chain] [fold] [version] [idem]: random askers with random rights put, update,
//! deprecate, repeat themselves under a key and misuse it; decisions become durable some at a
//! time, and everything crashes at random instants. Every answer is foretold by the model.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::behaviour::{Authority, View};
use stoa_actors::id::{AtomId, Millis, SessionId, SpaceId};
use stoa_actors::incarnation::{Ask, Refused};
use stoa_actors::log::Cause;
use stoa_actors::rights::Level;
use stoa_actors::simulation::{Simulation, Told};
use stoa_actors::space::{Draft, Expect, Message, Patch, Refusal, Reply, Space};
use stoa_actors::value::Value;

const SPACES: [SpaceId; 2] = [SpaceId([1; 16]), SpaceId([2; 16])];

/// One step of a schedule; numbers pick among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put {
        who: u8,
        space: u8,
        refer: Option<u8>,
        key: Option<u8>,
        word: u8,
    },
    Update {
        who: u8,
        space: u8,
        atom: u8,
        base: Base,
        refer: Option<u8>,
        key: Option<u8>,
        word: u8,
    },
    Deprecate {
        who: u8,
        space: u8,
        atom: u8,
        base: Base,
    },
    Commit(u8),
    Crash,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    Current,
    Stale,
    Any,
}

fn step() -> impl Strategy<Value = Step> {
    let base =
        || prop_oneof![4 => Just(Base::Current), 1 => Just(Base::Stale), 1 => Just(Base::Any)];
    let key = || proptest::option::weighted(0.4, 0..4u8);
    let refer = || proptest::option::weighted(0.5, any::<u8>());
    prop_oneof![
        4 => (0..4u8, 0..2u8, refer(), key(), 0..3u8).prop_map(|(who, space, refer, key, word)| {
            Step::Put { who, space, refer, key, word }
        }),
        6 => (0..4u8, 0..2u8, any::<u8>(), base(), refer(), key(), 0..3u8).prop_map(
            |(who, space, atom, base, refer, key, word)| {
                Step::Update { who, space, atom, base, refer, key, word }
            }
        ),
        1 => (0..4u8, 0..2u8, any::<u8>(), base())
            .prop_map(|(who, space, atom, base)| Step::Deprecate { who, space, atom, base }),
        5 => (1..6u8).prop_map(Step::Commit),
        1 => Just(Step::Crash),
    ]
}

/// Asker `n` holds the `n`-th level in the first space; in the second 1 and 3 may write, the others nothing.
struct Levels;

impl Authority for Levels {
    fn level(&self, holder: SessionId, space: SpaceId, _: Millis) -> Option<Level> {
        let by_place = [None, Some(Level::Read), Some(Level::Append), Some(Level::Write)];
        match (holder.0[0], space == SPACES[0]) {
            (who, true) => by_place[usize::from(who)],
            (0 | 2, false) => None,
            (_, false) => Some(Level::Write),
        }
    }
}

/// What was accepted, in order; the model's whole state is this list read from the start.
#[derive(Clone, Debug)]
struct Accepted {
    ticket: u64,
    space: usize,
    who: u8,
    key: Option<u8>,
    message: Message,
    /// The ticket of the put that made the atom.
    atom: u64,
    version: u64,
}

#[derive(Clone, Debug, Default)]
struct Naive {
    version: u64,
    space: usize,
    word: Option<u8>,
    refers: Vec<AtomId>,
    deprecated: bool,
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq)]
enum Foretold {
    Version { atom: u64, version: u64 },
    Unknown,
    Right,
    NoAtom,
    Conflict { current: u64 },
    Deprecated,
    KeyReused,
}

struct World {
    simulation: Simulation<Space>,
    accepted: Vec<Accepted>,
    /// How many of them were acknowledged.
    durable: usize,
    foretold: BTreeMap<u64, Foretold>,
    ids: BTreeMap<u64, AtomId>,
}

impl World {
    /// Reads the list from the start, every time.
    fn naive(&self, upto: usize) -> BTreeMap<u64, Naive> {
        let mut atoms: BTreeMap<u64, Naive> = BTreeMap::new();
        for it in &self.accepted[..upto] {
            let atom = atoms.entry(it.atom).or_default();
            atom.version += 1;
            atom.space = it.space;
            match &it.message {
                Message::PutAtom(draft) => {
                    atom.word = word(&draft.metadata);
                    atom.refers = draft.references.get("on").cloned().unwrap_or_default();
                }
                Message::UpdateAtom { patch, .. } => {
                    atom.word = word(&patch.metadata).or(atom.word);
                    if let Some(refers) = patch.references.get("on") {
                        atom.refers.clone_from(refers);
                    }
                }
                Message::DeprecateAtom { .. } => atom.deprecated = true,
                _ => {}
            }
        }
        atoms
    }

    fn ask(&mut self, who: u8, space: usize, key: Option<u8>, message: Message) {
        let foretold = self.foretell(who, space, key, &message);
        let ask = Ask {
            message: message.clone(),
            asker: SessionId([who; 16]),
            key: key.map(|it| format!("key{it}")),
            comment: String::new(),
            cause: Cause::default(),
        };
        let ticket = self.simulation.ask_under(SPACES[space].stream(), ask, &Levels);
        let (foretold, fresh) = match foretold {
            (Foretold::Version { atom: 0, version }, _) => {
                (Foretold::Version { atom: ticket, version }, true)
            }
            other => other,
        };
        if let (true, Foretold::Version { atom, version }) = (fresh, &foretold) {
            let (atom, version) = (*atom, *version);
            self.accepted.push(Accepted { ticket, space, who, key, message, atom, version });
        }
        self.foretold.insert(ticket, foretold);
    }

    /// The answer, and whether something new happens; an atom that the request makes is 0.
    fn foretell(
        &self,
        who: u8,
        space: usize,
        key: Option<u8>,
        message: &Message,
    ) -> (Foretold, bool) {
        let earlier = self
            .accepted
            .iter()
            .find(|it| key.is_some() && it.key == key && it.who == who && it.space == space);
        if let Some(earlier) = earlier {
            return if earlier.message == *message {
                (Foretold::Version { atom: earlier.atom, version: earlier.version }, false)
            } else {
                (Foretold::KeyReused, false)
            };
        }
        let atoms = self.naive(self.accepted.len());
        let level = Levels.level(SessionId([who; 16]), SPACES[space], Millis(0));
        let put = matches!(message, Message::PutAtom(_));
        let needed = if put { Level::Append } else { Level::Write };
        match level {
            None => return (Foretold::Unknown, false),
            Some(level) if level < needed => return (Foretold::Right, false),
            Some(_) => {}
        }
        let mut version = 1;
        let mut atom = 0;
        let mut before = Vec::new();
        if let Message::UpdateAtom { id, expect, .. } | Message::DeprecateAtom { id, expect, .. } =
            message
        {
            atom = self.ticket_of(*id);
            let Some(naive) = atoms.get(&atom).filter(|it| it.space == space) else {
                return (Foretold::NoAtom, false);
            };
            let current = naive.version;
            if matches!(expect, Expect::Version(expected) if *expected != current) {
                return (Foretold::Conflict { current }, false);
            }
            if naive.deprecated {
                return (Foretold::Deprecated, false);
            }
            before.clone_from(&naive.refers);
            version = current + 1;
        }
        let refers = match message {
            Message::PutAtom(draft) => draft.references.get("on").cloned().unwrap_or_default(),
            Message::UpdateAtom { patch, .. } => {
                patch.references.get("on").cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        };
        for target in refers.iter().filter(|it| !before.contains(it)) {
            let seen = atoms.get(&self.ticket_of(*target)).is_some_and(|it| {
                Levels.level(SessionId([who; 16]), SPACES[it.space], Millis(0)).is_some()
            });
            if !seen {
                return (Foretold::NoAtom, false);
            }
        }
        (Foretold::Version { atom, version }, true)
    }

    fn ticket_of(&self, id: AtomId) -> u64 {
        self.ids.iter().find(|(_, it)| **it == id).map_or(u64::MAX, |(ticket, _)| *ticket)
    }

    fn hear(&mut self, told: Vec<Told<Space>>) -> Result<(), String> {
        for Told { ticket, answer, position } in told {
            let Some(foretold) = self.foretold.get(&ticket).cloned() else {
                return Err(format!("ack: {ticket} was answered twice"));
            };
            if let (Foretold::Version { atom, .. }, Ok(Reply::Version { id, .. })) =
                (&foretold, &answer)
            {
                let known = *self.ids.entry(*atom).or_insert(*id);
                if known != *id {
                    return Err(format!("idem: {ticket} made a second atom"));
                }
                if position.is_none() {
                    return Err(format!("ack: {ticket} has no entry"));
                }
            }
            let heard = match answer {
                Ok(Reply::Version { id, version }) => {
                    Foretold::Version { atom: self.ticket_of(id), version }
                }
                Err(Refused::Actor(Refusal::Unknown)) => Foretold::Unknown,
                Err(Refused::Actor(Refusal::Right { .. })) => Foretold::Right,
                Err(Refused::Actor(Refusal::NoAtom(_))) => Foretold::NoAtom,
                Err(Refused::Actor(Refusal::Conflict { current, .. })) => {
                    Foretold::Conflict { current }
                }
                Err(Refused::Actor(Refusal::Deprecated { .. })) => Foretold::Deprecated,
                Err(Refused::KeyReused(_)) => Foretold::KeyReused,
                other => return Err(format!("an answer amiss: {other:?}")),
            };
            if heard != foretold {
                return Err(format!("version: {ticket} heard {heard:?}, not {foretold:?}"));
            }
            if self.accepted.get(self.durable).is_some_and(|it| it.ticket == ticket) {
                self.durable += 1;
            }
        }
        Ok(())
    }

    /// The durable side is what the acknowledged part of the list says, no more and no less.
    fn check(&self) -> Result<(), String> {
        let disk = self.simulation.disk();
        let naive = self.naive(self.durable);
        if disk.head().position.0 != self.durable as u64 {
            return Err(format!(
                "ack: {} entries, {} acknowledged",
                disk.head().position,
                self.durable
            ));
        }
        if disk.atoms().count() != naive.len() {
            return Err("ack: another number of atoms".into());
        }
        let mut refers = BTreeSet::new();
        for (ticket, it) in &naive {
            let atom = self.ids.get(ticket).and_then(|id| disk.atom(*id));
            let Some(atom) = atom else { return Err(format!("ack: atom of {ticket} is lost")) };
            let same = atom.version == it.version
                && word(&atom.metadata) == it.word
                && atom.deprecated.is_some() == it.deprecated;
            if !same {
                return Err(format!("ack: {atom:?} is not {it:?}"));
            }
            refers.extend(it.refers.iter().map(|target| (*target, atom.id)));
        }
        for id in self.ids.values() {
            let listed: BTreeSet<_> =
                disk.sources(*id, None).into_iter().map(|(_, source)| (*id, source)).collect();
            let meant: BTreeSet<_> = refers.iter().filter(|it| it.0 == *id).copied().collect();
            if listed != meant {
                return Err(format!("reference: {listed:?} is not {meant:?}"));
            }
        }
        if !disk.folds() {
            return Err("fold: the rows are not those of the log".into());
        }
        if disk.chains() { Ok(()) } else { Err("chain: it does not hold".into()) }
    }
}

fn word(metadata: &BTreeMap<String, Value>) -> Option<u8> {
    match metadata.get("word") {
        Some(Value::Int(it)) => Some(*it as u8),
        _ => None,
    }
}

fn run(steps: &[Step]) -> Result<(), String> {
    let mut world = World {
        simulation: Simulation::new(41),
        accepted: Vec::new(),
        durable: 0,
        foretold: BTreeMap::new(),
        ids: BTreeMap::new(),
    };
    for step in steps {
        let known: Vec<AtomId> = world.ids.values().copied().collect();
        let pick = |n: u8| known.get(usize::from(n) % known.len().max(1)).copied();
        let metadata = |word: u8| BTreeMap::from([("word".to_owned(), Value::Int(word.into()))]);
        let refer = |n: &Option<u8>| {
            let target = n.and_then(pick);
            target.map(|it| BTreeMap::from([("on".to_owned(), vec![it])])).unwrap_or_default()
        };
        let expect = |world: &World, id: AtomId, base: Base| {
            let naive = world.naive(world.accepted.len());
            let now = naive.get(&world.ticket_of(id)).map_or(1, |it| it.version);
            match base {
                Base::Current => Expect::Version(now),
                Base::Stale => Expect::Version(now.saturating_sub(1)),
                Base::Any => Expect::Any,
            }
        };
        match step {
            Step::Put { who, space, refer: n, key, word } => {
                let (metadata, references) = (metadata(*word), refer(n));
                let draft = Draft { metadata, references, ..Draft::default() };
                world.ask(*who, usize::from(*space), *key, Message::PutAtom(Box::new(draft)));
            }
            Step::Update { who, space, atom, base, refer: n, key, word } => {
                let Some(id) = pick(*atom) else { continue };
                let expect = expect(&world, id, *base);
                let (metadata, references) = (metadata(*word), refer(n));
                let patch = Box::new(Patch { metadata, references, ..Patch::default() });
                let message = Message::UpdateAtom { id, expect, patch };
                world.ask(*who, usize::from(*space), *key, message);
            }
            Step::Deprecate { who, space, atom, base } => {
                let Some(id) = pick(*atom) else { continue };
                let expect = expect(&world, id, *base);
                let message = Message::DeprecateAtom { id, expect, superseded_by: None };
                world.ask(*who, usize::from(*space), None, message);
            }
            Step::Commit(count) => {
                let told = world.simulation.commit(usize::from(*count));
                world.hear(told)?;
            }
            Step::Crash => {
                world.simulation.crash();
                world.accepted.truncate(world.durable);
                let accepted: BTreeSet<u64> = world.accepted.iter().map(|it| it.atom).collect();
                world.ids.retain(|ticket, _| accepted.contains(ticket));
            }
        }
        world.check()?;
    }
    let told = world.simulation.settle();
    world.hear(told)?;
    world.check()
}

/// Runs `cases` schedules of up to `steps` steps from a seed; the first breach, cut down.
pub(crate) fn hold(config: Config, seed: u8, steps: usize) -> Result<(), String> {
    let rng = TestRng::from_seed(config.rng_algorithm, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let schedule = proptest::collection::vec(step(), 1..steps);
    let held = runner.run(&schedule, |steps| run(&steps).map_err(TestCaseError::fail));
    held.map_err(|error| error.to_string())
}
