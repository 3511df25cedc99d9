//! [bound], [revoke] Who keeps how many subscriptions, and until when: no session takes another's
//! place, none outlives the right that it rests on, and nobody else ends one but who may grant.

use crate::laws::cases;
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::{Authority, Behaviour, Delivery, Row, View};
use stoa_actors::id::{AtomId, Millis, Position, SessionId, SpaceId, SubscriptionId};
use stoa_actors::limits::Limits;
use stoa_actors::log::Cause;
use stoa_actors::rights::Level;
use stoa_actors::space::{Filter, Message, Refusal, Reply, Space, Terms};

const SPACE: SpaceId = SpaceId([7; 16]);
const SESSIONS: usize = 4;
/// Of one session, and of all.
const OWN_MAX: usize = 2;
const ALL_MAX: usize = 5;

#[derive(Clone, Debug)]
enum Op {
    /// What a session may do from now on.
    Hold(usize, Option<Level>),
    /// It subscribes, for so long.
    Subscribe(usize, Option<u64>),
    /// It ends one of those that there are.
    Remove(usize, usize),
    /// Somebody asks that what is void be ended.
    EndVoid(usize),
    Pass(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let level = prop_oneof![
        2 => Just(None),
        2 => Just(Some(Level::Read)),
        1 => Just(Some(Level::Write)),
        1 => Just(Some(Level::Grant)),
    ];
    let op = prop_oneof![
        3 => (0..SESSIONS, level).prop_map(|(who, level)| Op::Hold(who, level)),
        6 => (0..SESSIONS, proptest::option::of(1..20u64)).prop_map(|(who, ms)| Op::Subscribe(who, ms)),
        2 => (0..SESSIONS, 0..ALL_MAX).prop_map(|(who, nth)| Op::Remove(who, nth)),
        1 => (0..SESSIONS).prop_map(Op::EndVoid),
        2 => (1..10u64).prop_map(Op::Pass),
    ];
    proptest::collection::vec(op, 0..60)
}

/// There are no atoms here.
struct Nothing;

impl View for Nothing {
    fn atom(&self, _: AtomId) -> Option<Arc<Atom>> {
        None
    }

    fn version(&self, _: AtomId, _: u64) -> Option<Arc<Atom>> {
        None
    }

    fn space_of(&self, _: AtomId) -> Option<SpaceId> {
        None
    }

    fn sources(&self, _: AtomId, _: Option<&str>) -> Vec<(String, AtomId)> {
        Vec::new()
    }

    fn each_atom(&self, _: SpaceId, _: &mut dyn FnMut(&Arc<Atom>)) {}
}

fn session(who: usize) -> SessionId {
    SessionId([who as u8 + 1; 16])
}

struct Held([Option<Level>; SESSIONS]);

impl Authority for Held {
    fn level(&self, holder: SessionId, _: SpaceId, _: Millis) -> Option<Level> {
        (0..SESSIONS).find(|who| session(*who) == holder).and_then(|who| self.0[who])
    }
}

/// What there should be: whose, and until when.
type Kept = Vec<(SubscriptionId, usize, Option<u64>)>;

struct House {
    space: Space,
    held: Held,
    now: u64,
    ids: u8,
    limits: Limits,
    kept: Kept,
    /// The rows by which a subscription is found without looking at every space.
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl House {
    fn new() -> House {
        let limits = Limits {
            subscriptions_max: ALL_MAX,
            subscriber_subscriptions_max: OWN_MAX,
            ..Limits::default()
        };
        let held = Held([Some(Level::Read); SESSIONS]);
        let space = Space::unborn(SPACE.stream());
        House { space, held, now: 1, ids: 0, limits, kept: Vec::new(), rows: BTreeMap::new() }
    }

    fn ask(&mut self, who: usize, message: Message) -> Result<Reply, Refusal> {
        let ids = &mut self.ids;
        let mut fresh = || {
            *ids += 1;
            [*ids; 16]
        };
        let mut delivery = Delivery {
            now: Millis(self.now),
            asker: session(who),
            cause: Cause::default(),
            stream: SPACE.stream(),
            seq: 1,
            view: &Nothing,
            authority: &self.held,
            limits: &self.limits,
            fresh: &mut fresh,
        };
        let decision = self.space.decide(message, &mut delivery)?;
        for event in &decision.events {
            let mut rows = Vec::new();
            Space::project(stoa_actors::id::StreamId([1; 16]), event, 0, &mut rows);
            for row in rows {
                match row {
                    Row::Own { key, value: Some(value), .. } => drop(self.rows.insert(key, value)),
                    Row::Own { key, value: None, .. } => drop(self.rows.remove(&key)),
                    _ => {}
                }
            }
            self.space.apply(event);
        }
        Ok(decision.reply)
    }

    /// Those that still tell something.
    fn live(&self) -> Kept {
        let live = |(_, who, until): &&(SubscriptionId, usize, Option<u64>)| {
            self.held.0[*who].is_some() && until.is_none_or(|until| until > self.now)
        };
        self.kept.iter().filter(live).copied().collect()
    }

    fn step(&mut self, op: &Op) -> Result<(), String> {
        match *op {
            Op::Hold(who, level) => self.held.0[who] = level,
            Op::Pass(ms) => self.now += ms,
            Op::EndVoid(who) => {
                self.kept = self.live();
                self.ask(who, Message::EndVoid).map_err(|no| format!("end what is void: {no}"))?;
            }
            Op::Subscribe(who, ms) => {
                let until = ms.map(|ms| self.now + ms);
                let live = self.live();
                let own = live.iter().filter(|it| it.1 == who).count();
                let may = self.held.0[who].is_some() && own < OWN_MAX && live.len() < ALL_MAX;
                let terms = Terms { debounce_ms: 0, until: until.map(Millis) };
                let (filter, cursor) = (Filter::default(), Position(0));
                match self.ask(who, Message::Subscribe { filter, cursor, terms }) {
                    Ok(Reply::Subscribed(id)) if may => {
                        self.kept = live;
                        self.kept.push((id, who, until));
                    }
                    Err(_) if !may => {}
                    said => return Err(format!("{who} has {own} of {}: {said:?}", live.len())),
                }
            }
            Op::Remove(who, nth) => {
                let Some(&(id, whose, until)) = self.kept.get(nth) else { return Ok(()) };
                let over = until.is_some_and(|until| until <= self.now);
                let may = self.held.0[who] == Some(Level::Grant) || whose == who && !over;
                match self.ask(who, Message::Unsubscribe(id)) {
                    Ok(_) if may => drop(self.kept.remove(nth)),
                    Err(Refusal::NoSubscription(_)) if !may => {}
                    said => return Err(format!("{who} ends one of {whose}: {said:?}")),
                }
            }
        }
        let mut there: Vec<_> = self.space.subscriptions().map(|it| it.id).collect();
        let mut wanted: Vec<_> = self.kept.iter().map(|it| it.0).collect();
        there.sort();
        wanted.sort();
        let found = self.rows.keys().map(|key| key[..].try_into().map(SubscriptionId));
        let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|_| "a row of another kind")?;
        if found != wanted || self.rows.values().any(|it| *it != SPACE.0) {
            return Err(format!("after {op:?} {found:?} are found, not {wanted:?}"));
        }
        match there == wanted {
            true => Ok(()),
            false => Err(format!("after {op:?} there are {there:?}, not {wanted:?}")),
        }
    }
}

/// The first breach in so many cases.
pub(crate) fn hold(config: Config, seed: u64) -> Result<(), String> {
    cases::hold(config, seed, ops(), |ops| {
        let mut house = House::new();
        ops.iter().try_for_each(|op| house.step(op))
    })
}
