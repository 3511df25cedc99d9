//! The runtime: opens a data directory, keeps its actors alive, stops in order.

mod copy;
mod others;
mod stop;
mod waiting;

pub use crate::store::Undone;
pub use waiting::Waiting;

use crate::agents::Agents;
use crate::blocking::blocking;
use crate::clock::{Clock, Fresh};
use crate::face::Publisher;
use crate::facts::Facts;
use crate::failure::StoreError;
use crate::host::{Hook, Shared, Shown, load};
use crate::kinds::Kinds;
use crate::limits::Config;
use crate::log::{Log, Threads};
use crate::news::News;
use crate::post::Post;
use crate::sandbox::{CodeRunner, Workers};
use crate::search::{IndexCard, Searches};
use crate::seat::{Around, Nothing, Perform, Seat, Standing, Supervised};
use crate::seats::Seats;
use crate::store::{Opened, Owned, Scrub, Store, ready_directory};
use crate::tree::Tree;
use crate::turnstile::Turnstile;
use crate::vectors::Vectors;
use parking_lot::{Mutex, RwLock};
use std::any::Any;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{Millis, Position, RIGHTS, SessionId, SpaceId, StreamId};
use stoa_actors::log::Head;
use stoa_actors::redaction::Redactions;
use stoa_actors::rights::{Rights, Table};
use stoa_actors::scrub::Scrubbed;
use stoa_actors::space::Space;
use stoa_actors::supervisor::State;
use tokio::sync::Semaphore;

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
    around: Around,
    kinds: Kinds,
    rights: Arc<Seat<Rights>>,
    seats: Arc<Seats>,
    searches: Searches,
    vectors: Option<Arc<Vectors>>,
    agents: Agents,
    facts: Facts,
    threads: Mutex<Option<Threads>>,
    scrub: Scrub,
    workers: OnceLock<Arc<Workers>>,
    /// One action of a session at a time.
    turns: Turnstile,
    /// What the stop could not do.
    undone: Mutex<Vec<Undone>>,
}

/// Dropped without [`Runtime::stop`] it goes like a killed process: what is in flight is not
/// answered, what was acknowledged is there at the next open.
impl Drop for Inner {
    fn drop(&mut self) {
        if self.threads.get_mut().take().is_some() {
            self.around.shared.store.failure.trip(StoreError::Stopping);
            self.scrub.stop();
            self.searches.stop();
            self.around.shared.log.stop();
            self.around.tree.kill();
        }
    }
}

/// The kinds of actor that come with the runtime, without what code can call: see
/// [`Kinds::callable`].
pub fn kinds() -> Kinds {
    crate::agents::kinds().performed::<Rights>(|_, _| Arc::new(Nothing)).with::<Redactions>()
}

impl Runtime {
    /// Opens a directory, made if it is not there, with the kinds of actor that it may hold: rows of
    /// a kind that is not among them are not derived.
    ///
    /// Errors: [`StoreError::Locked`] while another process has it, [`StoreError::NewerFormat`],
    /// [`StoreError::Breach`] when the log does not hold what was acknowledged,
    /// [`StoreError::Damaged`] when a scrub has found that and it is so still.
    pub async fn open_with(config: Config, kinds: Kinds) -> Result<Runtime, StoreError> {
        let owned = ready_directory(&config.log.data)?;
        Runtime::open_owned(config, kinds, owned).await
    }

    /// The same in a directory whose lock is held.
    pub async fn open_owned(
        config: Config,
        kinds: Kinds,
        owned: Owned,
    ) -> Result<Runtime, StoreError> {
        let (settings, known) = (config.clone(), kinds.clone());
        let open = blocking(move || {
            let opened = Opened::open(&settings.log, owned, known.as_ref())?;
            let rights = load::<Rights>(&opened.store, RIGHTS)?;
            Ok::<_, StoreError>((opened, rights))
        });
        let (opened, rights) = open.await??;
        let (head, walked) = (opened.head, opened.walked);
        tracing::info!(directory = %config.log.data.display(), %head, walked, "the directory is open");
        let store = opened.store.clone();
        let vectors = Vectors::configured(&config, &store)?;
        let remote = vectors.clone().map(|it| (it, store.clone()));
        let searches = Searches::new(&config, remote);
        let last = opened.last;
        let clock = Clock::start(last, config.log.clock_ahead_ms_max);
        let unstarted = |error: std::io::Error| StoreError::NoThreads(error.to_string());
        let opened_undone = opened.undone.clone();
        let (log, threads) = Log::start(&config.log, kinds.as_ref(), opened)?;
        let tree = Tree::start(&config, &store.failure).await?;
        let bytes = Arc::new(Semaphore::new((config.mailbox_bytes_max / 1024).max(1)));
        let shared = Arc::new(Shared {
            rights: RwLock::default(),
            spawner: tokio::runtime::Handle::current(),
            config,
            store,
            log,
            clock,
            fresh: Fresh::new(),
            shown: Shown::start().map_err(unstarted)?,
            rights_decided: AtomicU64::new(0),
            rights_durable: AtomicU64::new(0),
            news: News::default(),
            post: Post::new(),
            closed: AtomicBool::new(false),
        });
        let around = Around { shared, tree, publisher: Publisher::start(), bytes };
        let hook = Hook {
            restored: |table, state| *table = Table::new(state),
            exchange: Table::exchange,
            decided: |table, events| events.iter().for_each(|event| table.hide(event)),
            durable: |table, events| events.iter().for_each(|event| table.show(event)),
        };
        let rights = Seat::with(RIGHTS, &around, Some(hook), Some(rights), Arc::new(Nothing));
        Supervised::restarting(&*rights);
        around.tree.adopt_static(rights.clone()).await?;
        rights.settled().await.map_err(|error| StoreError::Invariant(error.to_string()))?;
        searches.start(&around.shared).map_err(unstarted)?;
        // Each answer rides behind a piece of what a crash left half redacted.
        while !around.shared.store.erasures()?.is_empty() {
            around.shared.log.settled().await?;
        }
        let scrub = Scrub::start(&around.shared.config.log, &around.shared.store, last);
        let inner = Inner {
            seats: Seats::start(&around),
            around,
            kinds,
            rights,
            searches,
            vectors,
            agents: Agents::new(),
            facts: Facts::default(),
            threads: Mutex::new(Some(threads)),
            scrub: scrub.map_err(unstarted)?,
            workers: OnceLock::new(),
            turns: Turnstile::default(),
            undone: Mutex::new(opened_undone),
        };
        inner.hear_of_others();
        let runtime = Runtime(Arc::new(inner));
        runtime.watch_commits();
        tokio::spawn(runtime.shared().log.clone().publish());
        runtime.shared().post.open(&runtime);
        runtime.ring_on();
        runtime.deliver_owed().await?;
        runtime.settle_due().await?;
        runtime.end_passing().await;
        runtime.start_timer();
        runtime.start_vectors();
        Ok(runtime)
    }

    /// A commit that hangs is a store that failed, and so is a directory that is not there any more.
    fn watch_commits(&self) {
        let shared = self.0.around.shared.clone();
        let limit = shared.config.log.commit_ms_max;
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(1_000.min(limit)));
            loop {
                // Whoever watches holds the directory: it lets go as soon as the store has ended.
                tokio::select! {
                    _ = tick.tick() => {}
                    _ = shared.store.failure.tripped() => return,
                }
                if shared.store.has_moved() {
                    let path = shared.config.log.data.clone();
                    shared.store.failure.trip(StoreError::Moved { path });
                    return;
                }
                let ms = shared.log.commit_ms();
                if ms > limit {
                    let why = format!("a commit has hung for {ms} ms (limit {limit})");
                    shared.store.failure.trip(StoreError::Engine(why));
                }
            }
        });
    }

    /// The actor of a stream, of a kind without effects: the same seat for the same stream. A
    /// stream belongs to one kind.
    ///
    /// The stream [`RIGHTS`] has the seat that every revoke passes through; it takes no performer.
    ///
    /// Errors: [`StoreError::Invariant`] when the stream is seated with another kind.
    pub fn actor<B: Behaviour<Effect = Infallible> + Sync>(
        &self,
        stream: StreamId,
    ) -> Result<Arc<Seat<B>>, StoreError> {
        self.actor_with(stream, Arc::new(Nothing))
    }

    /// The same for a kind with effects, which nobody can seat without a performer: an effect is
    /// never owed in silence. The performer that a stream is seated with stays; one that is given
    /// while it is seated is not used.
    ///
    /// Errors: as those of [`Runtime::actor`].
    pub fn actor_with<B: Behaviour + Sync>(
        &self,
        stream: StreamId,
        performer: Arc<dyn Perform<B>>,
    ) -> Result<Arc<Seat<B>>, StoreError> {
        if stream == RIGHTS {
            let rights: Arc<dyn Any + Send + Sync> = self.0.rights.clone();
            return rights.downcast::<Seat<B>>().map_err(|_| {
                StoreError::Invariant(format!("stream {stream} is not of kind {}", B::KIND))
            });
        }
        self.0.seats.take(stream, performer)
    }

    /// The actor of a stream that somebody has seated as one of this kind.
    pub(crate) fn seated<B: Behaviour + Sync>(&self, stream: StreamId) -> Option<Arc<Seat<B>>> {
        if stream == RIGHTS {
            let rights: Arc<dyn Any + Send + Sync> = self.0.rights.clone();
            return rights.downcast::<Seat<B>>().ok();
        }
        self.0.seats.get(stream)?.into_any().downcast::<Seat<B>>().ok()
    }

    /// The kinds of actor that it was opened with.
    pub fn kinds(&self) -> &Kinds {
        &self.0.kinds
    }

    /// Brings up every actor that owes a message to another one, to deliver it.
    async fn deliver_owed(&self) -> Result<(), StoreError> {
        let store = self.store().clone();
        let owing = blocking(move || {
            let kind = |stream: StreamId| Ok((stream, store.kind_of(stream)?));
            store.owing()?.into_iter().map(kind).collect::<Result<Vec<_>, StoreError>>()
        });
        let mut owing = owing.await??;
        // What the rights owe makes others owe: whoever waits for all of it finds them at it.
        if let Some(rights) = owing.iter().position(|(stream, _)| *stream == RIGHTS) {
            let (stream, kind) = owing.swap_remove(rights);
            self.kinds().bring_up(self, &kind.unwrap_or_default(), stream).await?;
        }
        let weak = self.downgrade();
        tokio::spawn(async move {
            for (stream, kind) in owing {
                let Some(runtime) = weak.upgrade() else { return };
                let kind = kind.unwrap_or_default();
                if let Err(error) = runtime.kinds().bring_up(&runtime, &kind, stream).await {
                    tracing::warn!(%stream, %error, "it cannot deliver what it owes");
                }
            }
        });
        Ok(())
    }

    /// How many actors have a seat: those in use and those used lately. The others are in the log
    /// and cost nothing until they are asked.
    pub fn seats(&self) -> usize {
        self.0.seats.len()
    }

    /// Whether the actor of a stream is in memory.
    pub fn is_up(&self, stream: StreamId) -> bool {
        self.0.seats.is_up(stream)
    }

    /// Whether the actor of a stream can be asked; nothing where nobody has asked it lately.
    pub(crate) fn standing(&self, stream: StreamId) -> Option<Standing> {
        self.0.seats.standing(stream)
    }

    /// How many requests the actor of a stream has been sent through its mailbox, since it was put
    /// away last.
    pub fn requests_of(&self, stream: StreamId) -> u64 {
        self.0.seats.asked(stream)
    }

    /// The actor of a space.
    pub fn space(&self, space: SpaceId) -> Result<Arc<Seat<Space>>, StoreError> {
        self.actor(space.stream())
    }

    /// The rights actor.
    pub fn rights(&self) -> &Arc<Seat<Rights>> {
        &self.0.rights
    }

    /// What every actor is handed: store, log, clock, rights, settings.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.0.around.shared
    }

    pub(crate) fn agents(&self) -> &Agents {
        &self.0.agents
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    pub(crate) fn downgrade(&self) -> WeakRuntime {
        WeakRuntime(Arc::downgrade(&self.0))
    }

    pub(crate) fn searches(&self) -> &Searches {
        &self.0.searches
    }

    pub(crate) fn vectors(&self) -> Option<Arc<Vectors>> {
        self.0.vectors.clone()
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

    /// The indexes of searches in memory, and how far each is.
    pub fn indexes(&self) -> Vec<IndexCard> {
        self.searches().cards()
    }

    /// The index of a space, if it is in memory.
    pub fn index_of(&self, space: SpaceId) -> Option<IndexCard> {
        self.searches().card(space)
    }

    /// How many commits there have been.
    pub fn commits(&self) -> u64 {
        self.shared().log.commits()
    }

    /// Every supervised actor and what it is doing.
    pub async fn supervised(&self) -> Vec<(StreamId, State)> {
        self.0.around.tree.status().await
    }

    /// Starts a quarantined actor again, with a clean record. When this returns it is back, and takes
    /// what it is asked; or the text says why it is not.
    pub async fn revive(&self, stream: StreamId) -> Result<(), String> {
        self.0.around.tree.revive(stream).await?;
        match self.0.seats.get(stream) {
            Some(seat) => seat.is_back().await,
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
