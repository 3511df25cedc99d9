//! Births of agents, durable and in memory, and how long one that was put away takes to take a
//! turn. What agents weigh is in `weight.rs`.
//!
//! A birth in memory is what the runtime does to bring an agent into being, but for the disk and
//! what is made for it (encoding, hash, rows): the spawn is decided by the rights and applied (the
//! DM space, two links on it, the charter), the session decides to begin and applies it (its
//! charter kept, its first turn owed), a ractor actor that holds the session is started and linked
//! to a supervisor, and its birth is confirmed in the rights. Its floor, in the same round, is a
//! bare `Actor::spawn_linked` of an actor without state. Both on one thread, each actor polled
//! once before the next: neither is to measure how long a parked thread takes to wake.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, quantile, rounds, spread};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use stoa::agents::SpawnAsk;
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa::runtime::Runtime;
use stoa_actors::behaviour::{Anyone, Behaviour, Delivery};
use stoa_actors::id::{LinkId, Millis, Position, ROOT, SessionId, SpaceId};
use stoa_actors::limits::Limits;
use stoa_actors::log::Cause;
use stoa_actors::rights::{self, Rights};
use stoa_actors::session::{AgentSpec, Budget, FollowSpec, Message, Session, Thought};
use stoa_actors::trust::HostGrants;
use stoa_actors::world::{Disk, WorldKinds};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Agents that are born in one round.
const BIRTHS: usize = 1_000;
/// Spawns in flight.
const IN_FLIGHT: usize = 64;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("--memory") {
        return in_memory_only();
    }
    println!("load {}", load());
    births().await;
    decisions();
    wakes().await;
    println!("load {}", load());
}

/// On a thread of its own.
fn alone(work: impl Future<Output = f64> + Send + 'static) -> f64 {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(work)
    });
    thread.join().expect("it works")
}

/// For a profiler.
fn in_memory_only() {
    let (mut memory, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        memory.push(1e6 / alone(in_memory()));
        bare.push(1e6 / alone(floor()));
    }
    let ratios = bare.iter().zip(&memory).map(|(bare, memory)| bare / memory).collect();
    let (low, middle, high) = spread(ratios);
    println!("in memory {:.2} us, bare {:.2} us", spread(memory).1, spread(bare).1);
    println!("in memory : bare   {middle:>9.2} [{low:.2}-{high:.2}] (aim 0.5)");
}

fn ask(model: Option<&str>) -> SpawnAsk {
    let (task, model) = ("stand by".to_owned(), model.map(str::to_owned));
    SpawnAsk { task, model, ..SpawnAsk::default() }
}

async fn births() {
    let (mut durable, mut memory, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds() {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = stoa::open(Config::at(dir.path())).await.expect("it opens");
        let begun = Instant::now();
        spawn(&runtime, BIRTHS, None).await;
        durable.push(BIRTHS as f64 / begun.elapsed().as_secs_f64());
        runtime.stop().await.expect("it stops");
        // Interleaved, and each first in every other round.
        if round % 2 == 0 {
            memory.push(alone(in_memory()));
            bare.push(alone(floor()));
        } else {
            bare.push(alone(floor()));
            memory.push(alone(in_memory()));
        }
    }
    let ratios = memory.iter().zip(&bare).map(|(memory, bare)| memory / bare).collect();
    let (low, middle, high) = spread(ratios);
    println!("durable births     {:>9.0}/s  ({IN_FLIGHT} spawns in flight)", spread(durable).1);
    println!(
        "births in memory   {:>9.0}/s  (rights, DM space, charter, first turn owed, its actor)",
        spread(memory).1
    );
    println!("bare spawn_linked  {:>9.0}/s", spread(bare).1);
    println!("in memory : bare   {middle:>9.2} [{low:.2}-{high:.2}] (aim 0.5)");
}

async fn spawn(runtime: &Runtime, count: usize, model: Option<&'static str>) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let root = runtime.caller(ROOT);
        tasks.spawn(async move {
            for _ in 0..count / IN_FLIGHT {
                root.spawn(ask(model)).await.expect("a birth");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a spawner");
    }
}

/// Ids as the runtime draws them: by time, then counted.
struct Births {
    limits: Limits,
    drawn: u64,
}

impl Births {
    fn new() -> Births {
        Births { limits: Limits::default(), drawn: 0 }
    }

    fn id(&mut self) -> [u8; 16] {
        self.drawn += 1;
        let mut id = [7; 16];
        id[..8].copy_from_slice(&self.drawn.to_be_bytes());
        id
    }

    /// The rights of one more agent, decided and applied: who it is, and what it begins with.
    fn grant(&mut self, rights: &mut Rights) -> (SessionId, Arc<AgentSpec>) {
        let (child, dm) = (SessionId(self.id()), SpaceId(self.id()));
        let dm_links = [LinkId(self.id()), LinkId(self.id())];
        let follow = FollowSpec::default();
        let charter = Arc::new(AgentSpec {
            parent: ROOT,
            task: "stand by".into(),
            instructions: None,
            model: "recipe".into(),
            dm,
            first: None,
            follows: vec![(dm, follow)],
            memory: Vec::new(),
            root: None,
        });
        let message = rights::Message::SpawnAgent(Box::new(rights::AgentSpawn {
            child,
            alias: None,
            asks: Vec::new(),
            dm_links,
            charter: charter.clone(),
            budget: Budget::default(),
            reason: "spawn".to_owned(),
        }));
        self.tell(rights, ROOT, message);
        (child, charter)
    }

    fn tell(&self, rights: &mut Rights, by: SessionId, message: rights::Message) {
        let decision =
            rights.decide_within(&self.limits.rights, by, Millis(1), message).expect("it may");
        decision.events.iter().for_each(|event| rights.apply(event));
    }

    /// A session that has begun.
    fn begin(&self, child: SessionId, charter: Arc<AgentSpec>, disk: &Disk) -> Box<Session> {
        let mut session = Box::new(Session::unborn(child.stream()));
        let decision = Behaviour::decide(
            &*session,
            Message::Begin(charter, Budget::default()),
            &mut Delivery {
                now: Millis(1),
                asker: ROOT,
                cause: Cause::default(),
                stream: child.stream(),
                seq: 1,
                view: disk,
                authority: &Anyone,
                limits: &self.limits,
                fresh: &mut || [0; 16],
            },
        );
        let decision = decision.expect("a birth");
        decision.events.iter().for_each(|event| Behaviour::apply(&mut *session, event));
        session
    }
}

async fn in_memory() -> f64 {
    let (mut births, mut rights, disk) =
        (Births::new(), Rights::default(), Disk::new(WorldKinds::default()));
    let (parent, _) = Actor::spawn(None, Bare, ()).await.expect("a parent");
    let begun = Instant::now();
    for _ in 0..BIRTHS {
        let (child, charter) = births.grant(&mut rights);
        let session = births.begin(child, charter, &disk);
        start(Agent, session, parent.get_cell()).await;
        births.tell(&mut rights, child, rights::Message::ConfirmBirth { session: child });
    }
    let rate = BIRTHS as f64 / begun.elapsed().as_secs_f64();
    parent.stop(None);
    rate
}

/// What a spawn costs the rights among many: it must not depend on how many there are.
fn decisions() {
    let (mut births, mut rights) = (Births::new(), Rights::default());
    let mut at = Vec::new();
    for size in [1_000, 10_000, 100_000] {
        while rights.births().count() < size {
            (0..size / 10).for_each(|_| drop(births.grant(&mut rights)));
        }
        let mut took = Vec::new();
        for _ in 0..rounds() {
            let begun = Instant::now();
            (0..200).for_each(|_| drop(births.grant(&mut rights)));
            took.push(micros(begun) / 200.0);
        }
        at.push((size, spread(took).1));
    }
    let all: Vec<String> = at.iter().map(|(size, us)| format!("{us:.2} us at {size}")).collect();
    println!("a spawn among so many agents, decided and applied: {}", all.join(", "));
    println!("  100,000 : 1,000  {:.2} (aim: flat)", at[2].1 / at[0].1);
}

struct Agent;

impl Actor for Agent {
    type Msg = ();
    type State = Box<Session>;
    type Arguments = Box<Session>;

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        session: Box<Session>,
    ) -> Result<Box<Session>, ActorProcessingErr> {
        Ok(session)
    }
}

async fn start<A: Actor>(actor: A, begun: A::Arguments, under: ActorCell) {
    Actor::spawn_linked(None, actor, begun, under).await.expect("an actor");
    tokio::task::yield_now().await;
}

struct Bare;

impl Actor for Bare {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

async fn floor() -> f64 {
    let (parent, _) = Actor::spawn(None, Bare, ()).await.expect("a parent");
    let begun = Instant::now();
    for _ in 0..BIRTHS {
        start(Bare, (), parent.get_cell()).await;
    }
    let rate = BIRTHS as f64 / begun.elapsed().as_secs_f64();
    parent.stop(None);
    rate
}

/// Says nothing: a turn is over as soon as it is asked.
struct Silent;

impl Model for Silent {
    fn think(&self, _: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async { Ok(Thought::default()) })
    }
}

async fn open(config: &Config) -> Runtime {
    loop {
        match stoa::open(config.clone()).await {
            // The tasks of the runtime before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => {
                let runtime = opened.expect("it opens");
                runtime.start_agents().await.expect("agents");
                runtime.at_rest().await;
                return runtime;
            }
        }
    }
}

/// One bare write and `fdatasync` at a time, in the directory of the store.
fn bare_syncs(dir: &Path, count: usize) -> Vec<f64> {
    let mut file = std::fs::File::create(dir.join("bare")).expect("a file");
    let mut took = Vec::new();
    for _ in 0..count {
        file.write_all(&[7; 512]).expect("it writes");
        let begun = Instant::now();
        file.sync_data().expect("it syncs");
        took.push(micros(begun));
    }
    took
}

/// From the acknowledgement of a word in its space until the first event of the turn is durable.
async fn wakes() {
    let count = 400;
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = Config::at(dir.path());
    config.models = Models::default().with("silent", Silent);
    config.host_grants = HostGrants::Live;
    (config.addresses_max, config.passivate_idle_ms) = (16, 10);
    let runtime = open(&config).await;
    spawn(&runtime, 640, Some("silent")).await;
    runtime.at_rest().await;
    let root = runtime.caller(ROOT);
    let cards = root.agents().await.expect("agents");
    let (mut took, mut syncs) = (Vec::new(), Vec::new());
    for card in cards.iter().take(count) {
        while runtime.addresses() > 0 {
            tokio::task::yield_now().await;
        }
        let word = root.say(&card.id.to_string(), "wake up").await.expect("a word");
        let begun = Instant::now();
        runtime.gone_on(word.position).await;
        took.push(micros(begun));
        let next = runtime.store().entry(Position(word.position.0 + 1)).expect("it reads");
        let stream = next.expect("an entry").header.stream;
        assert_eq!(stream, card.id.stream(), "the next entry is that of the turn");
        runtime.at_rest().await;
        syncs.extend(bare_syncs(dir.path(), 1));
    }
    let sync = quantile(&mut syncs, 0.5);
    let (p50, p99) = (quantile(&mut took, 0.5), quantile(&mut took, 0.99));
    println!("from a word to one that is put away to its turn: p50 {p50:.0} us, p99 {p99:.0} us");
    println!(
        "  less one bare fdatasync ({sync:.0} us): p50 {:.0} us, p99 {:.0} us (aim 1,000)",
        p50 - sync,
        p99 - sync
    );
    runtime.stop().await.expect("it stops");
}
