//! The contract between an actor and whoever hosts it (OTP's behaviour and callback module).
//!
//! A [`Behaviour`] is plain data and functions. A host — the runtime's, or a simulation's — hands
//! it one delivery at a time, appends the events it decides on, and only when they are durable
//! lets anybody hear of them. See [`crate::incarnation`] for that order, written once.

mod entry;
pub mod outbox;
mod request;

pub(crate) use entry::{answer_row, rows_of};
pub use entry::{encode_events, encode_reply, events, reply, rows};
pub use outbox::{Outcome, Outgoing};
pub use request::{Refused, Request};

use crate::atom::Atom;
use crate::codec::CodecError;
use crate::id::{AtomId, Millis, SessionId, SpaceId, StreamId};
use crate::limits::Limits;
use crate::log::Cause;
use crate::right::Level;
use crate::weight::weight;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::sync::Arc;

/// What an actor decides. No clock, no IO, nothing that awaits; a panic is a broken invariant and
/// kills the incarnation, which its supervisor then restarts from the log.
pub trait Behaviour: Serialize + DeserializeOwned + Send + Sized + 'static {
    /// Names the type in the log, so that an audit knows how to read a stream. Never change it.
    const KIND: &'static str;
    /// The form in which its events and replies are written; it stands in front of them. A layout that
    /// grows ([`mod@crate::stored`]) is of the same form.
    const FORM: u8 = 1;
    /// The form of a state snapshot; a snapshot of another form is ignored and the log replayed.
    const SNAPSHOT_FORM: u8 = 1;

    /// What it can be asked. Serialised only to be hashed, for idempotency, and to be weighed; cloned
    /// to be asked again.
    type Message: Serialize + Clone + Send + Sync + 'static;
    /// What happened: past tense, durable, replayed for ever.
    type Event: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What it wants done outside once its events are durable.
    type Effect: Clone + Send + 'static;
    /// What the asker gets. Stored with the entry when the request carried an idempotency key.
    type Reply: Serialize + DeserializeOwned + Clone + Send + 'static;
    /// A no, with the reason and the next step. Nothing has changed.
    type Refusal: std::error::Error + Send + 'static;

    /// What a message takes in memory, in bytes: so much room it needs in a mailbox, and holds until it
    /// is answered. A kind adds what the serialized form of its messages leaves out.
    fn weight(message: &Self::Message) -> usize {
        weight(message)
    }

    /// The state before the first event of `stream`.
    fn unborn(stream: StreamId) -> Self;

    /// Decides. Must be a function of its arguments.
    fn decide(
        &self,
        message: Self::Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Self::Refusal>;

    /// Takes one event in. Cannot fail: what happened, happened.
    fn apply(&mut self, event: &Self::Event);

    /// Whether nothing is left to [`prepare`](Self::prepare) but what costs next to nothing.
    fn is_ready(&self, _message: &Self::Message) -> bool {
        true
    }

    /// Makes ready what a decision on `message` looks up and no snapshot holds; it may read all there is,
    /// unless [`is_ready`](Self::is_ready). It decides nothing: without it every decision is the same.
    fn prepare(&mut self, _message: &Self::Message, _view: &dyn View, _limits: &Limits) {}

    /// Keeps that up, after [`apply`](Self::apply). `before` is the view without the event. A life
    /// begins with nothing made ready, and a replayed event is not told of.
    fn index(&mut self, _event: &Self::Event, _before: &dyn View) {}

    /// Reads events of an older form.
    fn upcast(form: u8, _events: &[u8]) -> Result<Vec<Self::Event>, CodecError> {
        Err(CodecError::UnknownForm { found: form, expected: Self::FORM })
    }

    /// Reads a reply of an older form.
    fn upcast_reply(form: u8, _reply: &[u8]) -> Result<Self::Reply, CodecError> {
        Err(CodecError::UnknownForm { found: form, expected: Self::FORM })
    }

    /// The event's type as the outside reads it, for instance `atom.put`.
    fn name(event: &Self::Event) -> &'static str;

    /// The rows derived from one event, the `index`-th of its entry in a stream. A function of these
    /// alone, so that the live path, a rebuild and an audit agree whatever order they run in.
    fn project(_stream: StreamId, _event: &Self::Event, _index: u16, _rows: &mut Vec<Row>) {}

    /// The atom version that the event leaves behind, if it does.
    fn atom(_event: &Self::Event) -> Option<&Arc<Atom>> {
        None
    }

    /// The message to another actor that an effect is, sent by the actor at `sender`; nothing for
    /// what is done outside. See [`outbox`].
    fn outgoing(_sender: StreamId, _effect: &Self::Effect) -> Option<Outgoing> {
        None
    }

    /// The message that another actor has sent: one of its own, or of a type that its kind takes from
    /// others besides. Nothing for any other.
    fn received(message: Box<dyn Any + Send>) -> Option<Self::Message> {
        message.downcast().ok().map(|it| *it)
    }

    /// What the actor is told of the answer to such a message, in its own name: a kind that sends
    /// settles what it owes by an event of its own, or it is owed for ever.
    fn settled(_id: EffectId, _effect: &Self::Effect, _outcome: &Outcome) -> Option<Self::Message> {
        None
    }

    /// Whether an event ends what was being done outside: what the actor does not owe any more is cut
    /// off once it is durable.
    fn cuts(_event: &Self::Event) -> bool {
        false
    }

    /// What a timer tells an actor of which a [`Row::Due`] has come: it records what is over. Nothing
    /// for a kind that asks for none.
    fn due() -> Option<Self::Message> {
        None
    }

    /// The effects that are still owed after a crash, under the ids they were first asked with.
    fn resume(&self) -> Vec<(EffectId, Self::Effect)> {
        Vec::new()
    }

    /// Whether it may be put away until somebody asks something: it waits for no outcome. What
    /// [`Behaviour::resume`] has done at every start may be done at the next as well.
    fn may_rest(&self) -> bool {
        self.resume().is_empty()
    }
}

/// A decision: no events and a reply is a read.
#[derive(Debug)]
pub struct Decision<B: Behaviour> {
    /// What is to be appended, as one entry, all or nothing.
    pub events: Vec<B::Event>,
    /// What is to be started once they are durable.
    pub effects: Vec<(EffectId, B::Effect)>,
    /// What the asker is told then.
    pub reply: B::Reply,
    /// Set when the asker is refused although something is recorded: an attempt to exceed rights.
    pub refused: Option<B::Refusal>,
}

impl<B: Behaviour> Decision<B> {
    /// Nothing happens; the asker is told.
    pub fn read(reply: B::Reply) -> Self {
        Decision { events: Vec::new(), effects: Vec::new(), reply, refused: None }
    }

    /// One thing happens.
    pub fn event(event: B::Event, reply: B::Reply) -> Self {
        Decision { events: vec![event], effects: Vec::new(), reply, refused: None }
    }

    /// And then this is to be done outside.
    pub fn effect(mut self, id: EffectId, effect: B::Effect) -> Self {
        self.effects.push((id, effect));
        self
    }
}

/// Names one effect of one actor, for good: an id is never used for another one. The host runs each
/// at most once at a time and hands what still runs to the next incarnation.
pub type EffectId = u64;

/// Everything impure that a decision may use.
pub struct Delivery<'a> {
    /// The runtime's clock.
    pub now: Millis,
    /// Who asks: identity only, never rights.
    pub asker: SessionId,
    /// What set it off.
    pub cause: Cause,
    /// The actor's own stream.
    pub stream: StreamId,
    /// The number that the next entry of the stream will have.
    pub seq: u64,
    /// The atoms, with what is decided but not yet durable laid over them.
    pub view: &'a dyn View,
    /// Who may do what.
    pub authority: &'a dyn Authority,
    /// What one mutation may carry.
    pub limits: &'a Limits,
    /// Sixteen fresh bytes for an id.
    pub fresh: &'a mut dyn FnMut() -> [u8; 16],
}

/// The atoms of all spaces, by their newest version where none is named.
pub trait View {
    /// The atom, whole.
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>>;
    /// One version of it.
    fn version(&self, id: AtomId, version: u64) -> Option<Arc<Atom>>;
    /// The space it lives in; cheaper than the atom.
    fn space_of(&self, id: AtomId) -> Option<SpaceId>;
    /// The atoms that refer to `target` by `relation`, by any relation when there is none named.
    fn sources(&self, target: AtomId, relation: Option<&str>) -> Vec<(String, AtomId)>;
    /// Every atom of a space, each once, in any order. It reads the whole space.
    fn each_atom(&self, space: SpaceId, to: &mut dyn FnMut(&Arc<Atom>));
}

/// Who may do what in a space, now.
pub trait Authority {
    /// The level at which `holder` may use `space`.
    fn level(&self, holder: SessionId, space: SpaceId, now: Millis) -> Option<Level>;
}

/// One derived row. The log writer fills in the position of the entry it comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Row {
    /// Where the newest version of an atom stands.
    Atom {
        id: AtomId,
        space: SpaceId,
        /// Which event of the entry holds it.
        index: u16,
    },
    /// An atom that was not there before.
    NewAtom { id: AtomId },
    /// Where one version after the first stands; the first is at the atom's `born`.
    Version {
        id: AtomId,
        version: u64,
        /// Which event of the entry holds it.
        index: u16,
    },
    /// `source` refers to `target`.
    Reference {
        /// The atom pointed at.
        target: AtomId,
        relation: String,
        /// The atom that points.
        source: AtomId,
    },
    /// It no longer does.
    NoReference {
        /// The atom no longer pointed at.
        target: AtomId,
        /// How it was.
        relation: String,
        /// The atom that pointed.
        source: AtomId,
    },
    /// Something is due at a time: a lease may have run out.
    Due {
        at: Millis,
        /// Whose business it is.
        stream: StreamId,
        /// Which of several at that time.
        token: u64,
    },
    /// It no longer is.
    NotDue {
        /// When it would have been.
        at: Millis,
        /// Whose business it was.
        stream: StreamId,
        /// Which of several at that time.
        token: u64,
    },
    /// An atom is erased, and what its versions said is yet to leave the log.
    Erase { id: AtomId },
    /// It has left it.
    Redacted { id: AtomId },
    /// A message is owed by an actor: it is brought up after a crash to deliver it.
    Owed { stream: StreamId, effect: EffectId },
    /// It was answered.
    NotOwed {
        /// By whom it was owed.
        stream: StreamId,
        effect: EffectId,
    },
    /// A row of a table that the kind keeps for itself; see [`Row::own`].
    Own {
        /// The kind of actor.
        kind: &'static str,
        /// Its key there.
        key: Vec<u8>,
        /// What it says; nothing where there must be none.
        value: Option<Vec<u8>>,
    },
    /// A request that must be answered once.
    Answer {
        /// Whom it asked.
        stream: StreamId,
        asker: SessionId,
        /// Under which key.
        key: String,
    },
}

/// Bytes of the key of a row that a kind keeps for itself.
pub const OWN_KEY_BYTES_MAX: usize = 1 << 10;

impl Row {
    /// A row of a derived table that an actor's kind keeps for itself: read in the order of its keys,
    /// written with the entry, derived anew with everything else. The last entry that says something
    /// of a key counts; nothing takes the row out.
    ///
    /// Panics for a key of more than [`OWN_KEY_BYTES_MAX`]: it would be a broken invariant of the
    /// kind, found at its first test.
    pub fn own<B: Behaviour>(key: impl Into<Vec<u8>>, value: Option<Vec<u8>>) -> Row {
        let key = key.into();
        assert!(key.len() <= OWN_KEY_BYTES_MAX, "a key of {} bytes is too long", key.len());
        Row::Own { kind: B::KIND, key, value }
    }

    /// The atom that is to leave the log because of it.
    pub fn erases(&self) -> Option<AtomId> {
        match self {
            Row::Erase { id } => Some(*id),
            _ => None,
        }
    }

    /// When something is due because of it.
    pub fn due(&self) -> Option<Millis> {
        match self {
            Row::Due { at, .. } => Some(*at),
            _ => None,
        }
    }
}

/// An authority that permits everything: for actors without rights of their own, and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anyone;

impl Authority for Anyone {
    fn level(&self, _: SessionId, _: SpaceId, _: Millis) -> Option<Level> {
        Some(Level::Grant)
    }
}
