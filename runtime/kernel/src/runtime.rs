//! The runtime: the log, the clock and the actors of an open data directory, which it keeps alive
//! and stops in order.
//!
//! It knows nothing of what is built on it: whoever has something to keep in it does so by a
//! `Part`, and adds the questions about that to [`Runtime`] himself.

mod copy;
mod kinds;
mod others;
mod parts;
mod reached;
mod start;
mod stop;
mod waiting;

pub use crate::store::Undone;
pub use kinds::Kinds;
pub(crate) use parts::{Begin, Part, Parts};
pub(crate) use start::unstarted;
pub use waiting::Waiting;

use crate::facts::Facts;
use crate::failure::StoreError;
use crate::host::{ActorAddress, Deps, Nothing, Perform, Registry, Shared, Standing};
use crate::keyed_lock::KeyedLock;
use crate::limits::Config;
use crate::log::Threads;
use crate::sandbox::{CodeRunner, Workers};
use crate::store::{Scrub, Store};
use parking_lot::Mutex;
use std::any::Any;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock, Weak};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{Millis, Position, RIGHTS, SessionId, SpaceId, StreamId};
use stoa_actors::log::Head;
use stoa_actors::rights::Rights;
use stoa_actors::scrub::Scrubbed;
use stoa_actors::space::Space;
use stoa_actors::supervisor::State;

/// An open data directory and everything that lives in it; cheap to clone.
///
/// After a crash of the process at any instant, opening it again shows everything that was
/// acknowledged. One process has it at a time.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

/// Does not keep the runtime open.
#[derive(Clone)]
pub(crate) struct WeakRuntime(Weak<Inner>);

impl WeakRuntime {
    pub(crate) fn upgrade(&self) -> Option<Runtime> {
        self.0.upgrade().map(Runtime)
    }
}

struct Inner {
    deps: Deps,
    kinds: Kinds,
    rights: Arc<ActorAddress<Rights>>,
    registry: Arc<Registry>,
    parts: Parts,
    facts: Facts,
    threads: Mutex<Option<Threads>>,
    scrub: Scrub,
    workers: OnceLock<Arc<Workers>>,
    /// One action of a session at a time.
    turns: KeyedLock,
    /// What the stop could not do.
    undone: Mutex<Vec<Undone>>,
}

/// Dropped without [`Runtime::stop`] it goes like a killed process: what is in flight is not
/// answered, what was acknowledged is there at the next open.
impl Drop for Inner {
    fn drop(&mut self) {
        if self.threads.get_mut().take().is_some() {
            self.deps.shared.store.failure.trip(StoreError::Stopping);
            self.scrub.stop();
            self.parts.stop();
            self.deps.shared.log.stop();
            self.deps.supervisors.kill();
        }
    }
}

impl Runtime {
    /// The actor of a stream, of a kind without effects: the same address for the same stream. A
    /// stream belongs to one kind.
    ///
    /// The stream [`RIGHTS`] has the address that every revoke passes through; it takes no performer.
    ///
    /// Errors: [`StoreError::Invariant`] when the stream is registered with another kind.
    pub fn actor<B: Behaviour<Effect = Infallible> + Sync>(
        &self,
        stream: StreamId,
    ) -> Result<Arc<ActorAddress<B>>, StoreError> {
        self.actor_with(stream, Arc::new(Nothing))
    }

    /// The same for a kind with effects, which nobody can address without a performer: an effect is
    /// never owed in silence. The performer that a stream is registered with stays; one that is given
    /// while it is registered is not used.
    ///
    /// Errors: as those of [`Runtime::actor`].
    pub fn actor_with<B: Behaviour + Sync>(
        &self,
        stream: StreamId,
        performer: Arc<dyn Perform<B>>,
    ) -> Result<Arc<ActorAddress<B>>, StoreError> {
        if stream == RIGHTS {
            let rights: Arc<dyn Any + Send + Sync> = self.0.rights.clone();
            return rights.downcast::<ActorAddress<B>>().map_err(|_| {
                StoreError::Invariant(format!("stream {stream} is not of kind {}", B::KIND))
            });
        }
        self.0.registry.take(stream, performer)
    }

    /// The actor of a stream that somebody has registered as one of this kind.
    pub(crate) fn registered<B: Behaviour + Sync>(
        &self,
        stream: StreamId,
    ) -> Option<Arc<ActorAddress<B>>> {
        if stream == RIGHTS {
            let rights: Arc<dyn Any + Send + Sync> = self.0.rights.clone();
            return rights.downcast::<ActorAddress<B>>().ok();
        }
        self.0.registry.get(stream)?.into_any().downcast::<ActorAddress<B>>().ok()
    }

    /// The kinds of actor that it was opened with.
    pub fn kinds(&self) -> &Kinds {
        &self.0.kinds
    }

    /// How many actors have an address: those in use and those used lately. The others are in the log
    /// and cost nothing until they are asked.
    pub fn addresses(&self) -> usize {
        self.0.registry.len()
    }

    /// Whether the actor of a stream is in memory.
    pub fn is_up(&self, stream: StreamId) -> bool {
        self.0.registry.is_up(stream)
    }

    /// Whether the actor of a stream can be asked; nothing where nobody has asked it lately.
    pub(crate) fn standing(&self, stream: StreamId) -> Option<Standing> {
        self.0.registry.standing(stream)
    }

    /// How many requests the actor of a stream has been sent through its mailbox, since it was put
    /// away last.
    pub fn requests_of(&self, stream: StreamId) -> u64 {
        self.0.registry.asked(stream)
    }

    /// The actor of a space.
    pub fn space(&self, space: SpaceId) -> Result<Arc<ActorAddress<Space>>, StoreError> {
        self.actor(space.stream())
    }

    /// The rights actor.
    pub fn rights(&self) -> &Arc<ActorAddress<Rights>> {
        &self.0.rights
    }

    /// What every actor is handed: store, log, clock, rights, settings.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.0.deps.shared
    }

    /// What somebody keeps in it, made if it is not there.
    pub(crate) fn part<P: Begin>(&self) -> Arc<P> {
        self.0.parts.of(self.shared())
    }

    /// What somebody has put into it, if he has.
    pub(crate) fn find_part<P: Part>(&self) -> Option<Arc<P>> {
        self.0.parts.find()
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    pub(crate) fn downgrade(&self) -> WeakRuntime {
        WeakRuntime(Arc::downgrade(&self.0))
    }

    /// The worker processes for Python, started when they are needed first.
    pub(crate) fn workers(&self) -> std::io::Result<Arc<dyn CodeRunner>> {
        if let Some(workers) = self.0.workers.get() {
            return Ok(workers.clone());
        }
        let config = self.shared().config.workers.clone();
        let workers = Arc::new(Workers::new(config));
        Ok(self.0.workers.get_or_init(|| workers).clone())
    }

    /// Held for as long as an action of the session runs.
    pub(crate) fn turn_of(&self, session: SessionId) -> Arc<tokio::sync::Mutex<()>> {
        self.0.turns.of(session)
    }

    /// What is durable, for reading.
    pub fn store(&self) -> &Store {
        &self.shared().store
    }

    /// Now, by the runtime's clock.
    pub fn now(&self) -> Millis {
        self.shared().clock.now()
    }

    /// How far the log below the checkpoint was walked again, and when: what was written before
    /// this store was opened is read and proved in the background. Nothing before the first walk.
    pub fn scrubbed(&self) -> Option<Scrubbed> {
        self.0.scrub.so_far()
    }

    /// The last position that is durable and witnessed.
    pub fn durable(&self) -> Position {
        self.shared().log.durable()
    }

    /// Returns once more than this is durable.
    pub async fn gone_on(&self, after: Position) {
        self.shared().log.gone_on(after).await;
    }

    /// The last entry that is durable and witnessed.
    pub fn head(&self) -> Result<Head, StoreError> {
        let durable = self.durable();
        self.store().head_of(durable)?.ok_or_else(|| {
            StoreError::Invariant(format!("entry {durable} is durable and not there"))
        })
    }

    /// How many commits there have been.
    pub fn commits(&self) -> u64 {
        self.shared().log.commits()
    }

    /// Every supervised actor and what it is doing.
    pub async fn supervised(&self) -> Vec<(StreamId, State)> {
        self.0.deps.supervisors.status().await
    }

    /// Starts a quarantined actor again, with a clean record. When this returns it is back, and takes
    /// what it is asked; or the text says why it is not.
    pub async fn revive(&self, stream: StreamId) -> Result<(), String> {
        self.0.deps.supervisors.revive(stream).await?;
        match self.0.registry.get(stream) {
            Some(address) => address.is_back().await,
            None => Ok(()),
        }
    }

    /// Returns only when the store has failed: nothing is acknowledged after that.
    pub async fn run(&self) -> StoreError {
        self.store().failure.tripped().await
    }

    /// How it was opened.
    pub fn config(&self) -> &Config {
        &self.shared().config
    }

    /// From now on nothing is taken in: whoever asks an actor hears that the runtime is stopping.
    /// What was taken in before is still decided and made durable.
    pub fn close(&self) {
        self.shared().close();
    }
}
