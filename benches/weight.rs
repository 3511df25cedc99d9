//! What an agent weighs: one that is up, and one that is put away; and what of it is where.
//!
//! Heap is what was allocated and not freed, counted by the allocator; resident is what the system
//! says. Both as the slope between two sizes, each in a fresh process after an orderly stop: what
//! is bounded (tables in memory, caches) is on both sides and falls out.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]
#![expect(unsafe_code, reason = "an allocator that counts is an allocator")]

use measure::load;
use mimalloc::MiMalloc;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::alloc::{GlobalAlloc, Layout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use stoa::agents::SpawnAsk;
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa::runtime::Runtime;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::codec;
use stoa_actors::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
use stoa_actors::rights::{AgentSpawn, Message, Right, RightRequest, Rights, Subject};
use stoa_actors::session::{AgentSpec, Budget, FollowSpec, Thought};
use stoa_actors::trust::HostGrants;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is the allocator's own; only sizes are noted beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { MiMalloc.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { MiMalloc.realloc(at, layout, size) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

fn heap() -> f64 {
    LIVE.load(Ordering::Relaxed) as f64
}

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0.0);
    pages * 4096.0
}

/// Agents of the smaller size; the larger is three times that.
fn agents() -> usize {
    std::env::var("AGENTS").ok().and_then(|it| it.parse().ok()).unwrap_or(20_000)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    match &args[..] {
        [_, flag, data] if flag == "--at-rest" => tell_at_rest(data).await,
        [_, flag] if flag == "--rights" => tell_rights(),
        _ => {
            println!("load {}", load());
            floor().await;
            up().await;
            at_rest().await;
            println!("load {}", load());
        }
    }
}

/// Says nothing: a turn is over as soon as it is asked.
struct Silent;

impl Model for Silent {
    fn think(&self, _: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async { Ok(Thought::default()) })
    }
}

fn config(data: &Path) -> Config {
    let mut config = Config::at(data);
    config.models = Models::default().with("silent", Silent);
    config.host_grants = HostGrants::Live;
    (config.addresses_max, config.passivate_idle_ms) = (16, 10);
    // A larger one is fuller the more agents there are, and bounded all the same.
    config.log.cache_bytes = 1 << 20;
    config
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

async fn spawn(runtime: &Runtime, count: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..64 {
        let root = runtime.caller(ROOT);
        tasks.spawn(async move {
            for _ in (n..count).step_by(64) {
                let (task, model) = ("stand by".to_owned(), Some("silent".to_owned()));
                root.spawn(SpawnAsk { task, model, ..SpawnAsk::default() }).await.expect("a birth");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a spawner");
    }
    runtime.at_rest().await;
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

/// Actors of ractor without a state, each linked to a supervisor.
async fn floor() {
    let count = 4_000;
    let (parent, _) = Actor::spawn(None, Bare, ()).await.expect("a parent");
    let (held, kept) = (heap(), resident());
    for _ in 0..count {
        Actor::spawn_linked(None, Bare, (), parent.get_cell()).await.expect("an actor");
    }
    let each = |now: f64, before: f64| (now - before) / f64::from(count);
    println!(
        "a bare actor            {:>6.0} bytes of heap, {:>6.0} resident",
        each(heap(), held),
        each(resident(), kept)
    );
    parent.stop(None);
}

/// Agents that are all up: host, mailbox and state beside what stays of those at rest.
async fn up() {
    let count = 4_000;
    let dir = tempfile::tempdir().expect("a directory");
    let (addresses_max, passivate_idle_ms) = (count * 3, 600_000);
    let runtime = open(&Config { addresses_max, passivate_idle_ms, ..config(dir.path()) }).await;
    // What the first ones bring into being is not of the others.
    spawn(&runtime, 200).await;
    let (held, kept, addresses) = (heap(), resident(), runtime.addresses());
    spawn(&runtime, count).await;
    let each = |now: f64, before: f64| (now - before) / count as f64;
    let addresses = (runtime.addresses() - addresses) as f64 / count as f64;
    println!(
        "one that is up          {:>6.0} bytes of heap, {:>6.0} resident ({addresses:.1} addresses each)",
        each(heap(), held),
        each(resident(), kept)
    );
    runtime.stop().await.expect("it stops");
}

/// What a fresh process says: bytes of heap, bytes resident.
fn ask(args: &[&std::ffi::OsStr]) -> Vec<f64> {
    let me = std::env::current_exe().expect("this program");
    let said = std::process::Command::new(me).args(args).output().expect("a process");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).expect("text");
    said.split_whitespace().map(|it| it.parse().expect("a number")).collect()
}

async fn at_rest() {
    let mut sizes = Vec::new();
    for count in [agents(), 3 * agents()] {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = open(&config(dir.path())).await;
        spawn(&runtime, count).await;
        runtime.stop().await.expect("it stops");
        drop(runtime);
        let said = ask(&["--at-rest".as_ref(), dir.path().as_os_str()]);
        println!(
            "  {count} put away: {:.1} MB of heap, {:.1} MB resident",
            said[0] / 1e6,
            said[1] / 1e6
        );
        sizes.push(said);
    }
    let slope = |at: usize| (sizes[1][at] - sizes[0][at]) / (2 * agents()) as f64;
    println!(
        "one that is put away    {:>6.0} bytes of heap, {:>6.0} resident (aim 512)",
        slope(0),
        slope(1)
    );
    let rights = ask(&["--rights".as_ref()]);
    println!(
        "  of these in the rights {:>5.0} as loaded, {:.0} as they came to be",
        rights[0], rights[1]
    );
    println!("  and the follow of its DM space, and what the store keeps for its rows");
}

/// What a process with this directory open takes, everybody at rest.
async fn tell_at_rest(data: &str) {
    let runtime = open(&config(data.as_ref())).await;
    while runtime.addresses() > 0 {
        tokio::task::yield_now().await;
    }
    println!("{} {}", heap(), resident());
    runtime.stop().await.expect("it stops");
}

/// The table of rights alone: heap an agent, loaded from a snapshot, and grown by births.
fn tell_rights() {
    let before = heap();
    let mut rights = Rights::default();
    let mut tell = |by: SessionId, message: Message| {
        let decision = rights.decide(by, Millis(1), message).expect("it may");
        decision.events.iter().for_each(|event| rights.apply(event));
    };
    let model = Subject::Model("silent".into());
    let (link, reason) = (LinkId([9; 16]), "configured".to_owned());
    tell(ROOT, Message::Install { link, subject: model.clone(), reason });
    for n in 0..agents() as u128 {
        let id = |kind: u128| (n * 8 + kind).to_be_bytes();
        let (child, dm) = (SessionId(id(1)), SpaceId(id(2)));
        let follow = FollowSpec::default();
        let charter = Arc::new(AgentSpec {
            parent: ROOT,
            task: "stand by".into(),
            instructions: None,
            model: "silent".into(),
            dm,
            first: None,
            follows: vec![(dm, follow)],
            memory: Vec::new(),
            root: None,
        });
        let right = Right::whole(model.clone());
        let asks = vec![RightRequest { link: LinkId(id(5)), alias: None, right, expires: None }];
        let (dm_links, reason) = ([LinkId(id(3)), LinkId(id(4))], "spawn".to_owned());
        let (alias, budget) = (None, Budget::default());
        let spawn = AgentSpawn { child, alias, asks, dm_links, charter, budget, reason };
        tell(ROOT, Message::SpawnAgent(Box::new(spawn)));
        tell(child, Message::ConfirmBirth { session: child });
    }
    let grown = heap() - before;
    let snapshot = codec::encode_state(Rights::SNAPSHOT_FORM, &rights).expect("it encodes");
    drop(rights);
    let before = heap();
    let back: Rights = codec::decode_state(Rights::SNAPSHOT_FORM, &snapshot).expect("it decodes");
    let loaded = heap() - before;
    assert_eq!(back.agents().count(), agents());
    println!("{} {}", loaded / agents() as f64, grown / agents() as f64);
}
