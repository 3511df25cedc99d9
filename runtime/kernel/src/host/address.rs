//! A address: the lasting address of one actor, over all its incarnations.

mod effects;
mod passivate;
mod perform;
mod supervised;

pub(crate) use effects::Heard;
pub(crate) use passivate::Passivate;
pub use perform::{Boxed, Nothing, Perform};
pub(crate) use supervised::Supervised;

use super::actor::{Delivered, Heed, Hook, Mail};
use super::stream_head::{Publisher, StreamHead};
use super::supervisor::Supervisors;
use super::{AskError, Shared};
use crate::log::Urgency;
use parking_lot::Mutex;
use ractor::{ActorRef, MessagingErr};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use stoa_actors::behaviour::{Behaviour, EffectId};
use stoa_actors::id::{Position, StreamId};
use stoa_actors::incarnation::{Incarnation, Request};
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::task::AbortHandle;

/// A reply, and the entry it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt<R> {
    /// What the actor says.
    pub reply: R,
    /// Where the entry stands that says so; nothing when nothing was written.
    pub position: Option<Position>,
}

/// What an asker gets.
pub type Asked<B> = Result<Receipt<<B as Behaviour>::Reply>, AskError<<B as Behaviour>::Refusal>>;

/// Whether an actor can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Standing {
    /// Nobody asks it: not yet, or not for a while. The next message starts it.
    Idle,
    Live,
    /// It died and is about to be started again.
    Restarting,
    /// It died too often.
    Quarantined(String),
}

enum Registered<B: Behaviour> {
    Idle,
    Live(ActorRef<Mail<B>>),
    Restarting,
    Quarantined(String),
}

/// The address of an actor.
pub struct ActorAddress<B: Behaviour> {
    pub(crate) stream: StreamId,
    pub(crate) shared: Arc<Shared>,
    /// How far its stream is durable, and who waits for more.
    pub stream_head: Arc<StreamHead>,
    pub(crate) hook: Option<Hook<B>>,
    /// What its first incarnation begins with, loaded already.
    first: Mutex<Option<Incarnation<B>>>,
    pub(crate) performer: Arc<dyn Perform<B>>,
    /// Effects that run, whatever becomes of the incarnation that asked for them.
    running: Mutex<BTreeMap<EffectId, AbortHandle>>,
    /// Rung whenever one of them is done.
    performed: Notify,
    registered: watch::Sender<Registered<B>>,
    starting: tokio::sync::Mutex<()>,
    gate: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    supervisors: Supervisors,
    /// When it was asked last, or gave an answer.
    used: AtomicU64,
    /// How often it was asked.
    asked: AtomicU64,
    astray: AtomicBool,
}

/// What an address needs of its runtime.
#[derive(Clone)]
pub(crate) struct Deps {
    pub(crate) shared: Arc<Shared>,
    pub(crate) supervisors: Supervisors,
    pub(crate) publisher: Publisher,
    pub(crate) bytes: Arc<Semaphore>,
}

impl<B: Behaviour + Sync> ActorAddress<B> {
    pub(crate) fn new(
        stream: StreamId,
        deps: &Deps,
        performer: Arc<dyn Perform<B>>,
    ) -> Arc<ActorAddress<B>> {
        ActorAddress::with(stream, deps, None, None, performer)
    }

    /// With a hook, and with what its first incarnation begins with.
    pub(crate) fn with(
        stream: StreamId,
        deps: &Deps,
        hook: Option<Hook<B>>,
        first: Option<Incarnation<B>>,
        performer: Arc<dyn Perform<B>>,
    ) -> Arc<ActorAddress<B>> {
        let shared = deps.shared.clone();
        let head = shared.store.head_of_stream(stream).unwrap_or_default();
        Arc::new(ActorAddress {
            stream,
            stream_head: StreamHead::new(head, deps.publisher.clone()),
            hook,
            first: Mutex::new(first),
            performer,
            running: Mutex::default(),
            performed: Notify::new(),
            registered: watch::Sender::new(Registered::Idle),
            starting: tokio::sync::Mutex::default(),
            gate: Arc::new(Semaphore::new(shared.config.mailbox_messages_max)),
            bytes: deps.bytes.clone(),
            supervisors: deps.supervisors.clone(),
            used: AtomicU64::new(shared.clock.now().0),
            asked: AtomicU64::new(0),
            astray: AtomicBool::new(false),
            shared,
        })
    }

    /// What it begins with, the first time: nothing was asked of it since that was loaded.
    pub(crate) fn loaded(&self) -> Option<Incarnation<B>> {
        self.first.lock().take()
    }

    /// Asks, and waits until the answer and everything it rests on are durable.
    ///
    /// Errors: see [`AskError`]. After [`AskError::Restarted`] and after a lost connection the
    /// outcome is unknown until it is asked again with the same idempotency key.
    pub async fn ask(self: &Arc<Self>, ask: Request<B::Message>) -> Asked<B> {
        self.ask_with(ask, Urgency::Synced).await
    }

    /// The same without asking for a sync: the entry rides along with the next one that does, and
    /// the answer comes then. For notes that a later durable write vouches for.
    pub async fn ask_lazily(self: &Arc<Self>, ask: Request<B::Message>) -> Asked<B> {
        self.ask_with(ask, Urgency::Lazy).await
    }

    /// The same, and returns as soon as the actor has taken it in: whatever is asked to be made durable
    /// after that makes this durable as well. A refusal comes when what it rests on is durable.
    pub(crate) async fn ask_aside(
        self: &Arc<Self>,
        ask: Request<B::Message>,
    ) -> Result<(), AskError<B::Refusal>> {
        let (taken, hear) = oneshot::channel();
        let heed = Heed { taken: Some(taken), sent: None };
        let answer = self.send(ask, Urgency::Lazy, heed).await?;
        match hear.await {
            Ok(true) => Ok(()),
            // The answer says why.
            Ok(false) | Err(_) => self.answered(answer).await.map(drop),
        }
    }

    async fn ask_with(self: &Arc<Self>, ask: Request<B::Message>, urgency: Urgency) -> Asked<B> {
        let answer = self.send(ask, urgency, Heed::default()).await?;
        self.answered(answer).await
    }

    /// Puts a request into the mailbox, once there is room for it there and for its weight among all
    /// mailboxes' bytes: every request of every kind comes through here. One that weighs more than there
    /// is room is taken in alone.
    async fn send(
        self: &Arc<Self>,
        ask: Request<B::Message>,
        urgency: Urgency,
        heed: Heed,
    ) -> Result<oneshot::Receiver<Asked<B>>, AskError<B::Refusal>> {
        let shared = &self.shared;
        if let Some(error) = shared.refuses() {
            return Err(AskError::Store(error));
        }
        let weight = ask.weight::<B>();
        let kib =
            weight.div_ceil(1024).clamp(1, (shared.config.mailbox_bytes_max / 1024).max(1)) as u32;
        let wait = Duration::from_millis(shared.config.mailbox_wait_ms_max);
        let room = tokio::time::timeout(wait, async {
            let message = self.gate.clone().acquire_owned().await.ok()?;
            Some((message, self.bytes.clone().acquire_many_owned(kib).await.ok()?))
        });
        let room = match self.room_now(kib) {
            Some(room) => room,
            None => {
                let _hurry = shared.log.hurry();
                room.await.ok().flatten().ok_or(AskError::Busy)?
            }
        };
        let (reply, answer) = oneshot::channel();
        self.touch();
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut delivered = Delivered { ask, urgency, reply, room, heed };
        // A mailbox that does not take the request has not had it: the next incarnation will.
        for _ in 0..shared.config.mailbox_deliveries_max {
            let actor = self.live().await?;
            match actor.cast(Mail::Request(delivered)) {
                Ok(()) => return Ok(answer),
                Err(MessagingErr::SendErr(Mail::Request(back))) => delivered = back,
                Err(_) => return Err(AskError::Restarted),
            }
            self.gone(&actor).await;
        }
        Err(AskError::Restarted)
    }

    /// The same, with who hears what becomes of the messages that are sent because of it.
    async fn send_and_hear(
        self: &Arc<Self>,
        ask: Request<B::Message>,
        sent: oneshot::Sender<Vec<Heard>>,
    ) -> Result<oneshot::Receiver<Asked<B>>, AskError<B::Refusal>> {
        self.send(ask, Urgency::Synced, Heed { taken: None, sent: Some(sent) }).await
    }

    /// Starts its actor if there is none.
    pub(crate) async fn bring_up(self: &Arc<Self>) -> Result<(), AskError<B::Refusal>> {
        self.touch();
        self.live().await.map(drop)
    }

    async fn answered(&self, answer: oneshot::Receiver<Asked<B>>) -> Asked<B> {
        let shared = &self.shared;
        let answer = answer.await;
        self.touch();
        match answer {
            Ok(answer) => answer,
            Err(_) => {
                Err(shared.store.failure.error().map_or(AskError::Restarted, AskError::Store))
            }
        }
    }

    fn touch(&self) {
        self.used.store(self.shared.clock.now().0, Ordering::Relaxed);
    }

    /// Waits until the tree has noticed that this incarnation is dead.
    async fn gone(&self, actor: &ActorRef<Mail<B>>) {
        let mut registered = self.registered.subscribe();
        let id = actor.get_id();
        let wait = Duration::from_millis(self.shared.config.mailbox_wait_ms_max);
        let gone =
            registered.wait_for(|it| !matches!(it, Registered::Live(live) if live.get_id() == id));
        drop(tokio::time::timeout(wait, gone).await);
    }

    /// Room without waiting: the common case, and cheaper than a timer.
    fn room_now(
        &self,
        kib: u32,
    ) -> Option<(tokio::sync::OwnedSemaphorePermit, tokio::sync::OwnedSemaphorePermit)> {
        let message = self.gate.clone().try_acquire_owned().ok()?;
        Some((message, self.bytes.clone().try_acquire_many_owned(kib).ok()?))
    }

    /// The running incarnation: started if there was none, waited for if it is being restarted.
    async fn live(self: &Arc<Self>) -> Result<ActorRef<Mail<B>>, AskError<B::Refusal>> {
        if let Some(actor) = self.now()? {
            return Ok(actor);
        }
        if matches!(*self.registered.borrow(), Registered::Idle) {
            let _one = self.starting.lock().await;
            if matches!(*self.registered.borrow(), Registered::Idle) {
                // From here on it is the tree's to start: nobody adopts it twice.
                self.restarting();
                self.supervisors.adopt(self.clone()).await.map_err(AskError::Store)?;
            }
        }
        self.settled().await?;
        self.now()?.ok_or(AskError::Restarted)
    }

    /// Waits until it is up, or kept out of service.
    pub(crate) async fn settled(&self) -> Result<(), AskError<B::Refusal>> {
        let mut registered = self.registered.subscribe();
        let wait = Duration::from_millis(self.shared.config.mailbox_wait_ms_max);
        let standing =
            registered.wait_for(|it| !matches!(it, Registered::Restarting | Registered::Idle));
        match tokio::time::timeout(wait, standing).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(AskError::Restarted),
        }
    }

    fn now(&self) -> Result<Option<ActorRef<Mail<B>>>, AskError<B::Refusal>> {
        match &*self.registered.borrow() {
            Registered::Live(actor) => Ok(Some(actor.clone())),
            Registered::Idle | Registered::Restarting => Ok(None),
            // Who could not start because the store has failed is not at fault.
            Registered::Quarantined(why) => Err(match self.shared.store.failure.error() {
                Some(error) => AskError::Store(error),
                None => AskError::Quarantined(self.stream, why.clone()),
            }),
        }
    }

    /// Whether it can be asked.
    pub fn standing(&self) -> Standing {
        match &*self.registered.borrow() {
            Registered::Idle => Standing::Idle,
            Registered::Live(_) => Standing::Live,
            Registered::Restarting => Standing::Restarting,
            Registered::Quarantined(why) => Standing::Quarantined(why.clone()),
        }
    }

    /// What its actor has in memory is not what the log says: something it has decided is not in
    /// there, or others have written to its stream.
    pub(crate) fn lead_astray(&self) {
        self.performer.led_astray();
        if !self.astray.swap(true, Ordering::AcqRel)
            && let Registered::Live(actor) = &*self.registered.borrow()
        {
            drop(actor.cast(Mail::Anew));
        }
    }

    /// Whether its actor has to begin anew.
    pub(crate) fn is_astray(&self) -> bool {
        self.astray.load(Ordering::Acquire)
    }

    /// It begins anew.
    pub(crate) fn find(&self) {
        self.astray.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
