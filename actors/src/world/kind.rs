//! Actors of any kind, for a host that has several: what is typed in an [`Incarnation`] is not here.

use super::Disk;
use crate::atom::Atom;
use crate::behaviour::{Behaviour, EffectId, Row};
use crate::behaviour::{Outcome, Outgoing};
use crate::codec::CodecError;
use crate::id::{SessionId, StreamId};
use crate::incarnation::{self, Append, HostContext, Incarnation, Request};
use crate::log::{Body, Cause};
use crate::rights::Rights;
use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// The kinds of actor that a world has.
#[derive(Clone, Default)]
pub struct WorldKinds(BTreeMap<&'static str, Arc<dyn Kind>>);

impl WorldKinds {
    /// Adds a kind of actor.
    #[must_use]
    pub fn with<B: Behaviour>(mut self) -> WorldKinds {
        self.0.insert(B::KIND, Arc::new(Of::<B>(PhantomData)));
        self
    }

    pub(super) fn get(&self, kind: &str) -> Option<&Arc<dyn Kind>> {
        self.0.get(kind)
    }
}

/// What happened in an entry: a `Vec` of the events of its kind of actor.
pub(super) type AnyEvents = Arc<dyn Any + Send + Sync>;

/// The same, typed; nothing where they are of another kind.
pub(super) fn typed<B: Behaviour>(events: &AnyEvents) -> Option<&[B::Event]> {
    events.downcast_ref::<Vec<B::Event>>().map(Vec::as_slice)
}

/// A request to an actor of any kind.
pub(super) struct AnyAsk {
    pub(super) message: Box<dyn Any>,
    pub(super) asker: SessionId,
    pub(super) key: Option<String>,
    pub(super) comment: String,
    pub(super) cause: Cause,
}

impl AnyAsk {
    pub(super) fn of<B: Behaviour>(ask: Request<B::Message>) -> AnyAsk {
        let Request { message, asker, key, comment, cause } = ask;
        AnyAsk { message: Box::new(message), asker, key, comment, cause }
    }
}

/// What an actor of any kind wants done.
#[derive(Clone)]
pub(super) struct AnyEffect {
    /// As the actor has it.
    pub(super) effect: Rc<dyn Any>,
    /// The message that it is, if it is one.
    pub(super) outgoing: Option<Outgoing>,
    /// Of which kind of actor.
    pub(super) kind: &'static str,
}

/// What came of a request.
pub(super) struct AnyStep {
    pub(super) append: Option<Append>,
    /// A `Result` of the kind's reply and refusal.
    pub(super) answer: Box<dyn Any>,
    pub(super) seq: Option<u64>,
    /// A `Vec` of the kind's events.
    pub(super) events: Box<dyn Any>,
    pub(super) effects: Vec<(EffectId, AnyEffect)>,
    pub(super) goes_on: Option<Vec<EffectId>>,
}

/// One life of an actor of any kind.
pub(super) trait Life {
    /// One delivery; nothing where the message is for another kind.
    fn deliver(&mut self, ask: AnyAsk, given: HostContext<'_>) -> Option<AnyStep>;
    fn owed(&self) -> Vec<(EffectId, AnyEffect)>;
    fn state(&self) -> &dyn Any;
    fn rights_mut(&mut self) -> Option<&mut Rights>;
    /// Whether it can be put away.
    fn may_rest(&self) -> bool;
}

/// What is known of a kind.
pub(super) trait Kind: Send + Sync {
    fn name(&self) -> &'static str;
    fn load(&self, stream: StreamId, disk: &Disk) -> Box<dyn Life>;
    fn events(&self, body: &Body) -> Result<AnyEvents, CodecError>;
    /// The atom version that an event of an entry leaves behind.
    fn atom<'a>(&self, events: &'a AnyEvents, index: u16) -> Option<&'a Arc<Atom>>;
    fn rows(&self, stream: StreamId, body: &Body, events: &AnyEvents) -> Vec<Row>;
    fn due(&self) -> Option<Box<dyn Any>>;
    /// The request that a message is.
    fn ask(&self, outgoing: &Outgoing, key: &str) -> Option<AnyAsk>;
    /// What an answer is to whoever has sent it.
    fn outcome(&self, answer: Box<dyn Any>) -> Outcome;
    /// What an actor is told of the answer to a message of its own.
    fn settled(&self, id: EffectId, effect: &dyn Any, outcome: &Outcome) -> Option<Box<dyn Any>>;
    /// A message of it again.
    fn again(&self, message: &dyn Any) -> Option<Box<dyn Any>>;
}

struct Of<B>(PhantomData<fn() -> B>);

fn effect<B: Behaviour>(stream: StreamId, effect: B::Effect) -> AnyEffect {
    let outgoing = B::outgoing(stream, &effect);
    AnyEffect { effect: Rc::new(effect), outgoing, kind: B::KIND }
}

struct Alive<B: Behaviour>(StreamId, Incarnation<B>);

impl<B: Behaviour> Life for Alive<B> {
    fn deliver(&mut self, ask: AnyAsk, given: HostContext<'_>) -> Option<AnyStep> {
        let AnyAsk { message, asker, key, comment, cause } = ask;
        let message = *message.downcast::<B::Message>().ok()?;
        let step = self.1.deliver(Request { message, asker, key, comment, cause }, given);
        let effects = step.effects.into_iter().map(|(id, it)| (id, effect::<B>(self.0, it)));
        Some(AnyStep {
            append: step.append,
            answer: Box::new(step.answer),
            seq: step.seq,
            events: Box::new(step.events),
            effects: effects.collect(),
            goes_on: step.goes_on,
        })
    }

    fn owed(&self) -> Vec<(EffectId, AnyEffect)> {
        let owed = self.1.state().resume().into_iter();
        owed.map(|(id, it)| (id, effect::<B>(self.0, it))).collect()
    }

    fn state(&self) -> &dyn Any {
        self.1.state()
    }

    fn may_rest(&self) -> bool {
        self.1.state().may_rest()
    }

    fn rights_mut(&mut self) -> Option<&mut Rights> {
        (self.1.state_mut() as &mut dyn Any).downcast_mut()
    }
}

impl<B: Behaviour> Kind for Of<B> {
    fn name(&self) -> &'static str {
        B::KIND
    }

    fn load(&self, stream: StreamId, disk: &Disk) -> Box<dyn Life> {
        Box::new(Alive::<B>(stream, disk.incarnation(stream)))
    }

    fn events(&self, body: &Body) -> Result<AnyEvents, CodecError> {
        Ok(Arc::new(incarnation::events::<B>(body)?))
    }

    fn atom<'a>(&self, events: &'a AnyEvents, index: u16) -> Option<&'a Arc<Atom>> {
        B::atom(typed::<B>(events)?.get(usize::from(index))?)
    }

    fn rows(&self, stream: StreamId, body: &Body, events: &AnyEvents) -> Vec<Row> {
        crate::behaviour::rows_of::<B>(stream, body, typed::<B>(events).unwrap_or_default())
    }

    fn due(&self) -> Option<Box<dyn Any>> {
        B::due().map(|it| Box::new(it) as Box<dyn Any>)
    }

    fn ask(&self, outgoing: &Outgoing, key: &str) -> Option<AnyAsk> {
        outgoing.ask::<B>(key).map(AnyAsk::of::<B>)
    }

    fn outcome(&self, answer: Box<dyn Any>) -> Outcome {
        match answer.downcast::<incarnation::Response<B>>() {
            Ok(answer) => Outcome::of::<B>(*answer),
            Err(_) => Outcome::nobody("it is for another kind of actor"),
        }
    }

    fn settled(&self, id: EffectId, effect: &dyn Any, outcome: &Outcome) -> Option<Box<dyn Any>> {
        let message = B::settled(id, effect.downcast_ref()?, outcome)?;
        Some(Box::new(message))
    }

    fn again(&self, message: &dyn Any) -> Option<Box<dyn Any>> {
        let message = message.downcast_ref::<B::Message>()?;
        Some(Box::new(message.clone()))
    }
}
