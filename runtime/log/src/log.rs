//! The log: the one place where something becomes durable. How a commit goes through:
//!
//! 1. **Drain.** Actors send entries, states to come back to and questions of the kind "is all
//!    before this durable?". The writer thread blocks for one, takes what waits besides, and that
//!    is a commit: while one is on its way the next gathers by itself. Actors are not batched by
//!    their hosts, and nobody lingers.
//! 2. **Offer.** The commit, plain data under an id, goes to the [order](crate::order). Whoever
//!    waits for it stays behind as a *flight*, under the same id.
//! 3. **Materialise.** The order hands out what stands, in one sequence for everybody: own commits
//!    and those of other nodes. Each is judged ([`stoa_actors::commit`]): applied whole, or void.
//!    What is applied gets positions, chain, rows and numbers, in one batch with one sync.
//! 4. **Tell.** The acker thread writes the witness and then completes replies, effects and wakes,
//!    while the writer is in the next commit; where nothing waits for that, the writer does. A commit that nobody here waits for rings the
//!    followers of its streams and nothing else.
//!
//! With the local order steps 2 and 3 are two calls on the writer's thread, and the batch that
//! materialises a commit is what makes it durable. A shared order may answer late and has made a
//! commit durable before it hands it out; several of ours may be on their way then.
//!
//! | what may happen in a shared order | what becomes of it |
//! |---|---|
//! | a commit comes late | its flight waits; mailboxes bound what gathers behind it |
//! | it comes twice | it is known by its id: judged once, its waiters are told once |
//! | the reply to an offer is lost | nobody looks at replies, only at what stands |
//! | it is refused | its waiters are told, its actors begin anew, nothing of it is stored |
//! | another's entry took a number of ours | ours is void on every node; as if it were refused |
//! | we die with offers on their way | they are applied at the next open, if they stand |
//!
//! A void or refused commit ends a *life*: what was offered behind it is void as well, and its
//! streams are *astray* until their actors have loaded again, because what they decide meanwhile
//! rests on what never happened. Nothing is offered before what was offered before it is judged. In the local order a commit cannot be void; if one is, the store
//! stops, as after any error: nothing is acknowledged any more.

mod acker;
mod flight;
mod gathered;
mod load;
mod materialiser;
mod pulse;
mod redact;
mod writer;

use crate::decoders::Decoders;
use crate::failure::{StoreError, StoreFailure};
use crate::limits::LogConfig;
use crate::order::{Joining, OrderWaker};
use crate::store::Opened;
use acker::{Acker, Telling};
use gathered::Gathered;
use load::{Held, Load};
use materialiser::Materialiser;
use pulse::Pulse;
use redact::Owed;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stoa_actors::id::{Millis, Position, SessionId, StreamId};
use stoa_actors::incarnation::Append;
use stoa_actors::log::Head;
use writer::Writer;

/// Runs, on the acker's thread or the writer's, once the request, and all before it, is durable and witnessed; or with what stopped it.
/// The position is the entry's own; nothing for a request without an entry.
pub type Done = Box<dyn FnOnce(Result<Option<Position>, &StoreError>) + Send>;

enum Request {
    /// An entry to be made durable; `lazy` ones ride along with the next that is not.
    Append { append: Box<Append>, urgency: Urgency, done: Done },
    /// No entry: it rides along with the next one that asks for a sync.
    Beside(Beside),
    /// Done when everything before it that an actor can rest on is durable; refused when something
    /// that this actor rests on is not.
    Behind { stream: StreamId, done: Done },
    /// Done when everything before it is judged, and what is applied of it is durable. From here on
    /// what the stream's actor decides rests on what it loads.
    Begin { stream: Option<StreamId>, done: Done },
    /// Somebody waits for room that what is lazy holds.
    Hurry,
    /// The order may have something.
    Bell,
    /// The last one: what is lazy is written, then both threads end.
    Stop,
}

impl Request {
    fn refuse(self, error: &StoreError) {
        match self {
            Request::Append { done, .. }
            | Request::Behind { done, .. }
            | Request::Begin { done, .. } => done(Err(error)),
            Request::Beside(_) | Request::Hurry | Request::Bell | Request::Stop => {}
        }
    }
}

/// What is kept outside the log: lost, it costs time or comfort, and never a fact.
enum Beside {
    /// After an entry that is durable.
    State(State),
    /// What an action has left for the next.
    Repl { session: SessionId, left: Vec<u8>, _held: Held },
}

impl Beside {
    fn bytes(&self) -> usize {
        match self {
            Beside::State(it) => it.state.len(),
            Beside::Repl { left, .. } => left.len(),
        }
    }
}

/// A state to come back to, after an entry.
struct State {
    stream: StreamId,
    seq: u64,
    state: Vec<u8>,
    /// Its bytes; nothing where the entry that it came with holds them.
    _held: Option<Held>,
}

/// Whether an entry asks for a sync or rides along with the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Urgency {
    Synced,
    /// Ride along; delays nobody.
    Lazy,
}

/// Sends to the writer; cheap to clone.
#[derive(Clone)]
pub struct Log {
    requests: Arc<Sender<Request>>,
    pulse: Arc<Pulse>,
    failure: StoreFailure,
    others: Arc<Others>,
    load: Arc<Load>,
}

/// Commits that are in the store and not told of: with more of them the writer waits for the acker,
/// which takes as many together.
const TOLD_COMMITS_MAX: usize = 64;

/// Hears, on the acker's thread, whose entries have become durable that nobody here has offered,
/// and where the log ends with them.
type Others = OnceLock<Box<dyn Fn(StreamId, Position) + Send + Sync>>;

/// How often it is looked whether both threads have ended.
const JOIN_LOOK: Duration = Duration::from_millis(1);

/// The two threads.
pub struct Threads {
    /// Gives the number of entries since the last checkpoint.
    writer: JoinHandle<u64>,
    acker: JoinHandle<Head>,
}

struct Committed {
    head: Head,
    /// The earliest thing that is due because of it.
    due: Option<Millis>,
    done: Vec<(Done, Option<Position>)>,
    /// Streams of a commit that nobody here waits for.
    others: Vec<StreamId>,
}

impl Log {
    /// Starts both threads on an open store.
    pub fn start(
        config: &LogConfig,
        kinds: &Decoders,
        opened: Opened,
    ) -> Result<(Log, Threads), StoreError> {
        // What a crash has left half done is gone on with before anything else.
        let owed = opened.store.erasures()?.into_iter();
        let owed = owed.map(|atom| Owed::new(vec![atom], None)).collect();
        let unstarted = |error: std::io::Error| StoreError::NoThreads(error.to_string());
        let (requests, queue) = channel();
        let requests = Arc::new(requests);
        let failure = opened.store.failure.clone();
        let pulse = Arc::new(Pulse::new(opened.head.position));
        let node = config.order.node();
        let (after, authors) = opened.store.ordered()?;
        let epoch = node.map(|it| opened.store.begin_life(it, &authors)).transpose()?.unwrap_or(0);
        let bell = bell(&requests, &pulse);
        opened.store.ends_at(opened.head.position);
        let others = Arc::new(Others::new());
        let order = config.order.join(Joining { after, bell })?;
        let (telling, acker) = Telling::start(Acker {
            witness: opened.witness,
            head: opened.head,
            pulse: pulse.clone(),
            failure: failure.clone(),
            faults: config.faults.clone(),
            others: others.clone(),
        })
        .map_err(unstarted)?;
        let writer = Writer {
            order,
            materialiser: Materialiser {
                store: opened.store.clone(),
                kinds: kinds.clone(),
                head: opened.head,
                authors,
                seqs: HashMap::new(),
                unsorted: None,
                config: config.clone(),
                failure: failure.clone(),
                unpointed: opened.walked,
                checkpoint: None,
            },
            node,
            born: epoch,
            epoch,
            number: 0,
            flights: VecDeque::new(),
            astray: HashSet::new(),
            gathered: Gathered::default(),
            stopping: false,
            ending: false,
            config: config.clone(),
            pulse: pulse.clone(),
            failure: failure.clone(),
            telling,
            owed,
        };
        let writer = std::thread::Builder::new()
            .name("stoa-log-writer".into())
            .spawn(move || writer.run(&queue))
            .map_err(unstarted)?;
        // What is lazy is not written before a commit is full: there is room for that and more.
        let load = Load::new(config.log_bytes_max.max(2 * config.commit_bytes_max));
        Ok((Log { requests, pulse, failure, others, load }, Threads { writer, acker }))
    }

    /// Appends; `done` runs exactly once, where others wait for it to end, so it must be short.
    pub fn append(&self, append: Append, urgency: Urgency, done: Done) {
        let held = self.load.hold(append.weight());
        let done: Done = Box::new(move |told| {
            done(told);
            drop(held);
        });
        self.send(Request::Append { append: Box::new(append), urgency, done });
    }

    /// Keeps a state to come back to. Lost with nothing but time.
    pub fn snapshot(&self, stream: StreamId, seq: u64, state: Vec<u8>) {
        let _held = Some(self.load.hold(state.len()));
        self.send(Request::Beside(Beside::State(State { stream, seq, state, _held })));
    }

    /// Keeps what an action has left for the next: it is there once an entry sent after this is
    /// durable.
    pub fn keep_repl(&self, session: SessionId, left: Vec<u8>) {
        let _held = self.load.hold(left.len());
        self.send(Request::Beside(Beside::Repl { session, left, _held }));
    }

    /// Runs `done` once everything sent before is durable, on behalf of a stream's actor.
    pub fn behind(&self, stream: StreamId, done: Done) {
        self.send(Request::Behind { stream, done });
    }

    /// Runs `done` once everything sent before is judged and what is in the log of it is durable. A
    /// stream's actor loads behind that, and is heard from then on.
    fn begin(&self, stream: Option<StreamId>, done: Done) {
        self.send(Request::Begin { stream, done });
    }

    /// Returns once everything sent so far is durable, or will never be in the log.
    pub async fn settled(&self) -> Result<(), StoreError> {
        self.judged(None).await
    }

    /// The same, on behalf of an actor that loads behind it.
    pub async fn judged(&self, stream: Option<StreamId>) -> Result<(), StoreError> {
        let (told, hear) = tokio::sync::oneshot::channel();
        let tell = move |done: Result<_, &StoreError>| {
            drop(told.send(done.map(drop).map_err(Clone::clone)));
        };
        self.begin(stream, Box::new(tell));
        hear.await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Who is told of entries that others have written; the first to ask.
    pub fn tell_of_others(&self, tell: impl Fn(StreamId, Position) + Send + Sync + 'static) {
        drop(self.others.set(Box::new(tell)));
    }

    fn send(&self, request: Request) {
        if let Err(gone) = self.requests.send(request) {
            gone.0.refuse(&self.failure.error().unwrap_or(StoreError::Stopping));
        }
    }

    /// Asks both threads to end once everything sent so far is written.
    pub fn stop(&self) {
        self.send(Request::Stop);
    }
}

/// Rings the writer, which takes it as a request like any other; it keeps nobody's log open.
fn bell(requests: &Arc<Sender<Request>>, pulse: &Arc<Pulse>) -> OrderWaker {
    let (requests, pulse) = (Arc::downgrade(requests), pulse.clone());
    OrderWaker::new(move || {
        if let Some(requests) = requests.upgrade()
            && !pulse.rung.swap(true, Ordering::AcqRel)
        {
            // Without a writer nothing is taken any more.
            drop(requests.send(Request::Bell));
        }
    })
}

impl Threads {
    /// Waits for both, and gives the last head and the entries since the last checkpoint. While the
    /// store is whole they end by themselves, however much they have to do. Once it has failed, one
    /// that the engine does not let go of is waited for no longer than that.
    pub fn join(
        self,
        failure: &StoreFailure,
        patience: Duration,
    ) -> Result<Option<(Head, u64)>, StoreError> {
        let mut failed_at = None;
        while !(self.writer.is_finished() && self.acker.is_finished()) {
            if let Some(error) = failure.error()
                && failed_at.get_or_insert_with(Instant::now).elapsed() > patience
            {
                return Err(error);
            }
            std::thread::park_timeout(JOIN_LOOK);
        }
        let (writer, acker) = (self.writer.join(), self.acker.join());
        Ok(acker.ok().zip(writer.ok()))
    }
}
