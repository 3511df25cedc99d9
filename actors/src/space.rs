//! A space: a shared store of atoms (seed 000, "Spaces in depth").
//!
//! Its actor holds little: a description, subscriptions, leases. The atoms are in the view. One
//! space is one actor and one stream, and an actor takes one delivery at a time: of two updates
//! that expect the same version the second finds it gone, so two agents can never both take one
//! task. A claim is found, changed and leased in one delivery as well.

mod acyclic;
mod attic;
mod backlog;
mod change;
mod claim;
mod claim_predicate;
mod declaration;
mod declare;
mod erase;
mod follow;
mod front_matter;
mod import;
mod lease;
mod message;
mod patch;
mod ready_set;
mod refusal;
mod resource;
mod snapshot;
mod stray;
mod subscription;
mod transaction;
mod waits;

pub use attic::{ATTIC_OF, ATTIC_VERSION, Merge};
pub use backlog::{Backlog, Pulled};
pub use claim::ClaimRequest;
pub use claim_predicate::ClaimPredicate;
pub use declaration::{Declaration, DeclaredKey, DeclaredRelation, KeyType, Misdeclared};
pub use declare::{Declarations, Undeclared, Used};
pub use follow::{Change, Changed, Follower, LeaseChange};
pub use import::{ImportedVersion, Origin, Provenance, renamed};
pub use lease::{Claimed, End, Fence, Lease};
pub use message::{Event, Expect, Message, Reply, TYPES, Was};
pub use patch::{Draft, MadeFor, Patch};
pub use refusal::Refusal;
pub use resource::Resource;
pub use stray::Stray;
pub use subscription::{
    DEBOUNCES_MAX, Edit, Filter, InvalidSubscription, Notice, Subscription, Tells, Terms, Wake,
};
pub use transaction::Mutation;
pub use waits::{Blocked, Blocker, Readable};

use crate::atom::{Atom, Metadata, Reference};
use crate::behaviour::{Behaviour, Decision, Delivery, Row, View};
use crate::difference::lacking;
use crate::id::{AtomId, SpaceId, StreamId, SubscriptionId};
use crate::limits::Limits;
use crate::mutant;
use crate::right::Level;
use lease::Leases;
use ready_set::ReadySet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The state of a space, without its atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    id: SpaceId,
    description: String,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    leases: Leases,
    declares: Declarations,
    ready_set: ReadySet,
}

impl Behaviour for Space {
    const KIND: &'static str = "space";
    const SNAPSHOT_FORM: u8 = 4;
    type Message = Message;
    type Event = Event;
    type Effect = std::convert::Infallible;
    type Reply = Reply;
    type Refusal = Refusal;

    fn weight(message: &Message) -> usize {
        message.weight()
    }

    fn unborn(stream: StreamId) -> Self {
        let id = SpaceId(stream.0);
        Space {
            id,
            description: String::new(),
            subscriptions: BTreeMap::new(),
            leases: Leases::default(),
            declares: Declarations::default(),
            ready_set: ReadySet::default(),
        }
    }

    fn decide(
        &self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        match message {
            Message::Describe(text) => self.describe(text, delivery),
            Message::Declare { description, declares } => {
                self.declare(description, declares, delivery)
            }
            Message::DeclareMore(more) => self.declare_more(more, delivery),
            Message::Change(mutation) => {
                let events = self.change(mutation, delivery)?;
                let version = events.iter().rev().find_map(Self::atom);
                let reply = version.map_or(Reply::Done, |it| {
                    let (id, version) = (it.id, it.version);
                    Reply::Version { id, version }
                });
                Ok(Decision { events, effects: Vec::new(), reply, refused: None })
            }
            Message::Transact { mutations, fences } => self.transact(mutations, &fences, delivery),
            Message::Import(carried) => self.import(carried, delivery),
            Message::Claim(claim) => self.claim(*claim, delivery),
            Message::Acquire { resource, ttl_ms, intent } => {
                self.acquire(resource, ttl_ms, intent, delivery)
            }
            Message::Renew { fence, ttl_ms } => self.renew(fence, ttl_ms, delivery),
            Message::Expire => Ok(self.expire(delivery)),
            Message::LetGo { since, until } => Ok(self.let_go(since..=until, delivery)),
            Message::Subscribe { filter, cursor, terms } => {
                self.subscribe(filter, cursor, terms, delivery)
            }
            Message::Edit { id, edit } => self.edit(id, edit, delivery),
            Message::Unsubscribe(id) => self.unsubscribe(id, delivery),
            Message::Advance { id, cursor } => self.advance(id, cursor, delivery),
            Message::EndVoid => Ok(self.end_void(delivery)),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Described(text) => self.description.clone_from(text),
            Event::Declared(declares) => self.declares.clone_from(declares),
            Event::SubscriptionSet { subscription, .. } => {
                self.subscriptions.insert(subscription.id, subscription.clone());
            }
            Event::Unsubscribed(id) => {
                self.subscriptions.remove(id);
            }
            Event::Advanced { .. } if mutant::planted("cursor.advance_is_forgotten") => {}
            Event::Advanced { id, cursor } => {
                if let Some(subscription) = self.subscriptions.get_mut(id) {
                    assert!(*cursor > subscription.cursor, "a cursor only advances");
                    subscription.cursor = *cursor;
                }
            }
            Event::Leased(_) | Event::LeaseRenewed { .. } | Event::LeaseEnded { .. } => {
                self.leases.take(event);
            }
            Event::AtomPut(_)
            | Event::AtomUpdated { .. }
            | Event::AtomDeprecated(_)
            | Event::AtomImported { .. }
            | Event::AtomErased { .. } => {}
        }
    }

    fn is_ready(&self, message: &Message) -> bool {
        match message {
            Message::Claim(claim) => self.is_ready_for(claim),
            _ => true,
        }
    }

    fn prepare(&mut self, message: &Message, view: &dyn View, limits: &Limits) {
        if let Message::Claim(claim) = message {
            self.get_ready_for(claim, view, limits);
        }
    }

    fn index(&mut self, event: &Event, before: &dyn View) {
        self.ready_set.take(self.id, event, &self.leases, before);
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Described(_) => "space.described",
            Event::Declared(_) => "space.declared",
            Event::AtomPut(_) => "atom.put",
            Event::AtomUpdated { .. } => "atom.updated",
            Event::AtomDeprecated(_) => "atom.deprecated",
            Event::AtomImported { .. } => "atom.imported",
            Event::AtomErased { .. } => "atom.erased",
            Event::SubscriptionSet { was: Was::New, .. } => "subscription.created",
            Event::SubscriptionSet { was: Was::There, .. } => "subscription.edited",
            Event::Unsubscribed(_) => "subscription.ended",
            Event::Advanced { .. } => "subscription.advanced",
            Event::Leased(_) => "lease.acquired",
            Event::LeaseRenewed { .. } => "lease.renewed",
            Event::LeaseEnded { how: End::Released, .. } => "lease.released",
            Event::LeaseEnded { how: End::Expired, .. } => "lease.expired",
            Event::LeaseEnded { how: End::Broken, .. } => "lease.broken",
            Event::LeaseEnded { how: End::Abandoned, .. } => "lease.abandoned",
        }
    }

    fn due() -> Option<Message> {
        Some(Message::Expire)
    }

    fn project(stream: StreamId, event: &Event, index: u16, rows: &mut Vec<Row>) {
        match event {
            Event::Described(text) => {
                let (key, text) = (Space::description_key(SpaceId(stream.0)), text.as_bytes());
                rows.push(Row::own::<Space>(key, Some(text.to_vec())));
            }
            Event::Declared(declares) => rows.push(declare::row(SpaceId(stream.0), declares)),
            _ => {}
        }
        lease::project(event, rows);
        subscription::project(event, rows);
        let Some(atom) = Self::atom(event) else { return };
        let source = atom.id;
        rows.push(Row::Atom { id: source, space: atom.space, index });
        match atom.version {
            1 => rows.push(Row::NewAtom { id: source }),
            version => rows.push(Row::Version { id: source, version, index }),
        }
        if matches!(event, Event::AtomErased { .. }) {
            rows.push(Row::Erase { id: source });
        }
        let (added, dropped) = match event {
            Event::AtomPut(atom) => (&atom.references[..], &[][..]),
            Event::AtomUpdated { added, dropped, .. }
            | Event::AtomImported { added, dropped, .. } => (&added[..], &dropped[..]),
            Event::AtomErased { dropped, .. } => (&[][..], &dropped[..]),
            _ => return,
        };
        rows.extend(added.iter().cloned().map(|Reference { relation, target }| Row::Reference {
            target,
            relation,
            source,
        }));
        if mutant::planted("space.keeps_dropped_references") {
            return;
        }
        rows.extend(
            dropped.iter().cloned().map(|Reference { relation, target }| Row::NoReference {
                target,
                relation,
                source,
            }),
        );
    }

    fn atom(event: &Event) -> Option<&Arc<Atom>> {
        match event {
            Event::AtomPut(atom)
            | Event::AtomUpdated { atom, .. }
            | Event::AtomImported { atom, .. }
            | Event::AtomErased { atom, .. }
            | Event::AtomDeprecated(atom) => Some(atom),
            _ => None,
        }
    }
}

impl Space {
    /// A subscription by its id, if it is there.
    pub fn subscription(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.subscriptions.get(&id)
    }

    /// The key of its row that says what it is for.
    pub fn description_key(space: SpaceId) -> Vec<u8> {
        [&b"described"[..], &space.0].concat()
    }

    /// What the space is for, in its creator's words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Who follows it, from where.
    pub fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.values()
    }

    fn need(&self, needed: Level, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        match delivery.authority.level(delivery.asker, self.id, delivery.now) {
            None => Err(Refusal::Unknown),
            Some(_) if mutant::planted("space.read_is_enough") => Ok(()),
            Some(held) if held < needed => Err(Refusal::Right { held, needed }),
            Some(_) => Ok(()),
        }
    }
}

/// The next version of an atom, still the same otherwise.
fn next(before: &Atom, delivery: &Delivery<'_>) -> Atom {
    let skip = u64::from(mutant::planted("space.skips_a_version"));
    Atom {
        version: before.version + 1 + skip,
        author: delivery.asker,
        at: delivery.now,
        ..before.clone()
    }
}

/// The event of a new version, with which references it has gained and lost.
fn updated(atom: Atom, before: &[Reference]) -> Event {
    let added = lacking(&atom.references, before);
    let dropped = lacking(before, &atom.references);
    Event::AtomUpdated { atom: Arc::new(atom), added, dropped }
}

/// The event of a version that says again what it said before.
fn put_back(atom: &Atom, before: &Metadata, delivery: &Delivery<'_>) -> Event {
    let mut back = next(atom, delivery);
    let patch = Patch { metadata: before.clone(), ..Patch::default() };
    patch.merge(&mut back);
    back.embedding = None;
    updated(back, &atom.references)
}

/// Whether the asker can read an atom, of whatever space.
fn readable(id: AtomId, delivery: &Delivery<'_>) -> Result<(), Refusal> {
    let (asker, now) = (delivery.asker, delivery.now);
    let space = delivery.view.space_of(id).ok_or(Refusal::NoAtom(id))?;
    if mutant::planted("space.refers_to_the_forbidden") {
        return Ok(());
    }
    delivery.authority.level(asker, space, now).map(drop).ok_or(Refusal::NoAtom(id))
}

fn limit(what: &'static str, size: usize, max: usize) -> Result<(), Refusal> {
    if size > max { Err(Refusal::Limit { what, size, max }) } else { Ok(()) }
}
