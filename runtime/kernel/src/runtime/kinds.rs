//! Which kinds of actor this build knows: how to read a stream without its actor, and how to reach
//! the actor.

use super::{Part, Runtime};
use crate::decoders::Decoders;
use crate::failure::StoreError;
use crate::host::{ActorAddress, AskError, Boxed, Perform};
use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::StreamId;
use stoa_actors::incarnation::Request;
use stoa_actors::log::Body;
use stoa_actors::outbox::{Outcome, Outgoing};
use stoa_actors::retry::Unanswered;

/// The kinds of actor whose entries can be read. A library adds its own at [`Kinds::with`].
#[derive(Clone, Default)]
pub struct Kinds {
    decoders: Decoders,
    addresses: BTreeMap<&'static str, Arc<dyn Address>>,
    parts: Vec<Arc<dyn Part>>,
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.decoders.fmt(f)
    }
}

/// What reads entries needs nothing else of the kinds.
impl AsRef<Decoders> for Kinds {
    fn as_ref(&self) -> &Decoders {
        &self.decoders
    }
}

impl Kinds {
    /// Adds one. What other actors send to one of its actors waits until somebody has that one's
    /// [`ActorAddress`]; [`Kinds::performed`] lets it be delivered at any time.
    #[must_use]
    pub fn with<B: Behaviour + Sync>(self) -> Kinds {
        self.add::<B>(Arc::new(Registered::<B>(PhantomData)))
    }

    /// Adds one whose actors are brought up by whoever sends them something, and after an open to
    /// deliver what they owe: `perform` makes the performer of one.
    #[must_use]
    pub fn performed<B: Behaviour + Sync>(
        self,
        perform: impl Fn(&Runtime, StreamId) -> Arc<dyn Perform<B>> + Send + Sync + 'static,
    ) -> Kinds {
        self.add::<B>(Arc::new(Performed { perform: Box::new(perform), prepare: None }))
    }

    /// The same with what a request is made ready by before it is asked.
    #[must_use]
    pub(crate) fn prepared<B: Behaviour + Sync>(
        self,
        perform: impl Fn(&Runtime, StreamId) -> Arc<dyn Perform<B>> + Send + Sync + 'static,
        prepare: Prepare<B>,
    ) -> Kinds {
        self.add::<B>(Arc::new(Performed { perform: Box::new(perform), prepare: Some(prepare) }))
    }

    /// With what somebody keeps in every runtime that is opened with these kinds; one of a type, the
    /// last that was given.
    #[must_use]
    pub(crate) fn part<P: Part>(mut self, part: P) -> Kinds {
        let other = |it: &Arc<dyn Part>| !(&**it as &dyn Any).is::<P>();
        self.parts.retain(other);
        self.parts.push(Arc::new(part));
        self
    }

    /// What is kept in every runtime that is opened with them.
    pub(super) fn parts(&self) -> &[Arc<dyn Part>] {
        &self.parts
    }

    fn add<B: Behaviour + Sync>(mut self, address: Arc<dyn Address>) -> Kinds {
        self.decoders = self.decoders.with::<B>();
        self.addresses.insert(B::KIND, address);
        self
    }

    /// The types of an entry's events, as the outside reads them.
    pub fn names(&self, body: &Body) -> Result<Vec<&'static str>, StoreError> {
        Ok(self.decoders.names(body)?)
    }

    /// Delivers a message once. A kind that is not known here may be in another build.
    pub(crate) async fn send(
        &self,
        runtime: &Runtime,
        outgoing: &Outgoing,
        key: &str,
    ) -> Result<Outcome, Unanswered> {
        let Some(address) = self.addresses.get(outgoing.kind()) else {
            return Err(Unanswered::Unregistered);
        };
        address.send(runtime, outgoing, key).await
    }

    /// The actor of a stream, with what its kind was given to perform with; one that is registered, of a
    /// kind that was given nothing.
    ///
    /// Errors: [`StoreError::Invariant`] when the stream is registered with another kind, or with none.
    pub(crate) fn actor<B: Behaviour + Sync>(
        &self,
        runtime: &Runtime,
        stream: StreamId,
    ) -> Result<Arc<ActorAddress<B>>, StoreError> {
        let address = self.addresses.get(B::KIND);
        let performed = address.and_then(|it| (&**it as &dyn Any).downcast_ref::<Performed<B>>());
        match performed {
            Some(address) => address.address(runtime, stream),
            None => runtime.registered::<B>(stream).ok_or_else(|| {
                StoreError::Invariant(format!("stream {stream} is registered with no {}", B::KIND))
            }),
        }
    }

    /// Tells an actor that something of its own is due; whether it has recorded anything.
    pub(crate) async fn due(
        &self,
        runtime: &Runtime,
        kind: &str,
        stream: StreamId,
    ) -> Result<bool, StoreError> {
        match self.addresses.get(kind) {
            Some(address) => address.due(runtime, stream).await,
            None => Ok(false),
        }
    }

    /// Brings an actor up, so that it delivers what it owes.
    pub(crate) async fn bring_up(
        &self,
        runtime: &Runtime,
        kind: &str,
        stream: StreamId,
    ) -> Result<(), StoreError> {
        match self.addresses.get(kind) {
            Some(address) => address.bring_up(runtime, stream).await,
            None => Ok(()),
        }
    }
}

/// Makes a request ready before it is asked.
pub(crate) type Prepare<B> = fn(
    Runtime,
    Request<<B as Behaviour>::Message>,
) -> Boxed<'static, Request<<B as Behaviour>::Message>>;

type MakePerformer<B> = Box<dyn Fn(&Runtime, StreamId) -> Arc<dyn Perform<B>> + Send + Sync>;

/// How the actors of a kind are reached, whatever the kind.
trait Address: Any + Send + Sync {
    fn send<'a>(
        &'a self,
        runtime: &'a Runtime,
        outgoing: &'a Outgoing,
        key: &'a str,
    ) -> Boxed<'a, Result<Outcome, Unanswered>>;

    fn due<'a>(
        &'a self,
        runtime: &'a Runtime,
        stream: StreamId,
    ) -> Boxed<'a, Result<bool, StoreError>>;

    fn bring_up<'a>(
        &'a self,
        runtime: &'a Runtime,
        stream: StreamId,
    ) -> Boxed<'a, Result<(), StoreError>>;
}

/// Actors that somebody has registered.
struct Registered<B>(PhantomData<fn() -> B>);

/// Actors that anybody may bring up.
struct Performed<B: Behaviour> {
    perform: MakePerformer<B>,
    prepare: Option<Prepare<B>>,
}

/// Why a message is never delivered.
const OTHER_KIND: &str = "it is for another kind of actor";

impl<B: Behaviour + Sync> Address for Registered<B> {
    fn send<'a>(
        &'a self,
        runtime: &'a Runtime,
        outgoing: &'a Outgoing,
        key: &'a str,
    ) -> Boxed<'a, Result<Outcome, Unanswered>> {
        Box::pin(async move {
            let address = runtime.registered::<B>(outgoing.to()).ok_or(Unanswered::Unregistered)?;
            match outgoing.ask::<B>(key) {
                Some(ask) => answer(&address, ask, outgoing.waits()).await,
                None => Ok(Outcome::nobody(OTHER_KIND)),
            }
        })
    }

    fn due<'a>(
        &'a self,
        runtime: &'a Runtime,
        stream: StreamId,
    ) -> Boxed<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            match runtime.registered::<B>(stream) {
                Some(address) => tell_due(&address).await,
                None => Ok(false),
            }
        })
    }

    fn bring_up<'a>(
        &'a self,
        runtime: &'a Runtime,
        stream: StreamId,
    ) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(async move {
            match runtime.registered::<B>(stream) {
                Some(address) => bring_up(&address).await,
                None => Ok(()),
            }
        })
    }
}

impl<B: Behaviour + Sync> Performed<B> {
    fn address(
        &self,
        runtime: &Runtime,
        stream: StreamId,
    ) -> Result<Arc<ActorAddress<B>>, StoreError> {
        runtime.actor_with(stream, (self.perform)(runtime, stream))
    }
}

impl<B: Behaviour + Sync> Address for Performed<B> {
    fn send<'a>(
        &'a self,
        runtime: &'a Runtime,
        outgoing: &'a Outgoing,
        key: &'a str,
    ) -> Boxed<'a, Result<Outcome, Unanswered>> {
        Box::pin(async move {
            let address = match self.address(runtime, outgoing.to()) {
                Ok(address) => address,
                // Somebody of another kind sits there, and always will.
                Err(_) => return Ok(Outcome::nobody(OTHER_KIND)),
            };
            let Some(mut ask) = outgoing.ask::<B>(key) else {
                return Ok(Outcome::nobody(OTHER_KIND));
            };
            if let Some(prepare) = self.prepare {
                ask = prepare(runtime.clone(), ask).await;
            }
            answer(&address, ask, outgoing.waits()).await
        })
    }

    fn due<'a>(
        &'a self,
        runtime: &'a Runtime,
        stream: StreamId,
    ) -> Boxed<'a, Result<bool, StoreError>> {
        Box::pin(async move { tell_due(&self.address(runtime, stream)?).await })
    }

    fn bring_up<'a>(
        &'a self,
        runtime: &'a Runtime,
        stream: StreamId,
    ) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(async move { bring_up(&self.address(runtime, stream)?).await })
    }
}

async fn answer<B: Behaviour + Sync>(
    address: &Arc<ActorAddress<B>>,
    ask: Request<B::Message>,
    waits: bool,
) -> Result<Outcome, Unanswered> {
    let asked = match waits {
        true => address.ask_and_what_follows(ask).await.map(|(receipt, _)| receipt),
        false => address.ask(ask).await,
    };
    match asked {
        Ok(receipt) => Ok(Outcome::of::<B>(Ok(receipt.reply))),
        Err(AskError::Refused(refused)) => Ok(Outcome::of::<B>(Err(refused))),
        Err(error) => Err(error.unanswered()),
    }
}

async fn tell_due<B: Behaviour + Sync>(address: &Arc<ActorAddress<B>>) -> Result<bool, StoreError> {
    let Some(message) = B::due() else { return Ok(false) };
    let ask = Request::new(stoa_actors::id::ROOT, message).comment("due");
    let asked = address.ask(ask).await;
    asked.map(|it| it.position.is_some()).map_err(|error| StoreError::Invariant(error.to_string()))
}

async fn bring_up<B: Behaviour + Sync>(address: &Arc<ActorAddress<B>>) -> Result<(), StoreError> {
    address.bring_up().await.map_err(|error| StoreError::Invariant(error.to_string()))
}
