//! Births of agents, durable and in memory; what an agent costs that is up, and one that is put
//! away; how long one that was put away takes to take a turn.
//!
//! The floor of a birth in memory is a bare `Actor::spawn_linked` of an actor without state.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, quantile, rounds, spread};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::path::Path;
use std::time::Instant;
use stoa_actors::id::{LinkId, Millis, Position, ROOT, SessionId, SpaceId};
use stoa_actors::incarnation::Ask;
use stoa_actors::rights::{self, Rights};
use stoa_actors::session::{Budget, Charter, Message, Session, Thought};
use stoa_actors::simulation::Simulation;
use stoa_actors::space::Filter;
use stoa_runtime::agents::SpawnAsk;
use stoa_runtime::config::Config;
use stoa_runtime::failure::StoreError;
use stoa_runtime::model::{Context, Model, ModelError, Models};
use stoa_runtime::runtime::Runtime;
use stoa_runtime::seat::Boxed;

/// Agents that are born in one round.
const BIRTHS: usize = 1_000;
/// Spawns in flight.
const IN_FLIGHT: usize = 64;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, flag, data] = &args[..]
        && flag == "--resident"
    {
        return tell_resident(data).await;
    }
    println!("load {}", load());
    births().await;
    at_rest().await;
    println!("load {}", load());
}

fn ask(model: Option<&str>) -> SpawnAsk {
    let (task, model) = ("stand by".to_owned(), model.map(str::to_owned));
    SpawnAsk { task, model, ..SpawnAsk::default() }
}

async fn births() {
    let (mut durable, mut memory, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds() {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = Runtime::open(Config::at(dir.path())).await.expect("it opens");
        let begun = Instant::now();
        spawn(&runtime, BIRTHS, None).await;
        durable.push(BIRTHS as f64 / begun.elapsed().as_secs_f64());
        runtime.stop().await.expect("it stops");
        memory.push(in_memory(round as u64));
        bare.push(floor().await);
    }
    let ratios = memory.iter().zip(&bare).map(|(memory, bare)| memory / bare).collect();
    let (low, middle, high) = spread(ratios);
    println!("durable births     {:>9.0}/s  ({IN_FLIGHT} spawns in flight)", spread(durable).1);
    println!(
        "births in memory   {:>9.0}/s  (rights, DM space, charter, first turn owed)",
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

/// The same decisions over a log in memory.
fn in_memory(seed: u64) -> f64 {
    let mut rights = Simulation::<Rights>::new(seed);
    let mut sessions = Simulation::<Session>::new(seed + 1);
    let begun = Instant::now();
    for n in 0..BIRTHS as u64 {
        let id = |kind: u64| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&kind.to_be_bytes());
            id[8..].copy_from_slice(&(n + 1).to_be_bytes());
            id
        };
        let (child, dm) = (SessionId(id(1)), SpaceId(id(2)));
        let follow =
            stoa_actors::session::Follow { filter: Filter::default(), cursor: Position(0) };
        let charter = Box::new(Charter {
            parent: ROOT,
            task: "stand by".into(),
            instructions: None,
            model: "recipe".into(),
            dm,
            first: None,
            follows: vec![(dm, follow)],
        });
        let message = rights::Message::SpawnAgent {
            child,
            alias: None,
            asks: Vec::new(),
            dm_links: [LinkId(id(3)), LinkId(id(4))],
            charter: charter.clone(),
            budget: Budget::default(),
            reason: String::new(),
        };
        rights.now = Millis(n + 1);
        rights.call(stoa_actors::id::RIGHTS, Ask::new(ROOT, message)).expect("rights");
        sessions
            .call(child.stream(), Ask::new(ROOT, Message::Begin(charter, Budget::default())))
            .expect("a birth");
    }
    BIRTHS as f64 / begun.elapsed().as_secs_f64()
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
        Actor::spawn_linked(None, Bare, (), parent.get_cell()).await.expect("an actor");
    }
    let rate = BIRTHS as f64 / begun.elapsed().as_secs_f64();
    parent.stop(None);
    rate
}

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    let text = std::fs::read_to_string(Path::new("/proc/self/statm")).unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0.0);
    pages * 4096.0
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
        match Runtime::open(config.clone()).await {
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

async fn at_rest() {
    let agents: usize =
        std::env::var("AGENTS").ok().and_then(|it| it.parse().ok()).unwrap_or(12_800);
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = Config::at(dir.path());
    config.models = Models::default().with("silent", Silent);
    config.passivate_idle_ms = 600_000;
    config.seats_max = agents * 3;
    let runtime = open(&config).await;
    let before = resident();
    spawn(&runtime, agents, Some("silent")).await;
    runtime.at_rest().await;
    let each = (resident() - before) / agents as f64;
    println!("an agent that is up          {each:>7.0} bytes resident, of {agents}");
    runtime.stop().await.expect("it stops");
    drop(runtime);
    // Another process would be cleaner; what was freed is given back as far as the system does.
    config.seats_max = 16;
    config.passivate_idle_ms = 10;
    let me = std::env::current_exe().expect("this program");
    let of = |data: &Path| {
        let said = std::process::Command::new(&me).arg("--resident").arg(data).output();
        let said = String::from_utf8(said.expect("a process").stdout).expect("text");
        said.trim().parse::<f64>().expect("a number")
    };
    let empty = tempfile::tempdir().expect("a directory");
    let each = (of(dir.path()) - of(empty.path())) / agents as f64;
    println!("one that is put away         {each:>7.0} bytes resident (aim 512)");
    let runtime = open(&config).await;
    let root = runtime.caller(ROOT);
    let cards = root.agents().await.expect("agents");
    let mut took: Vec<f64> = Vec::new();
    for card in cards.iter().take(500) {
        let turns = card.turns;
        let begun = Instant::now();
        root.say(&card.id.to_string(), "wake up").await.expect("a word");
        while root.agent(&card.id.to_string()).await.expect("an agent").turns == turns {
            tokio::task::yield_now().await;
        }
        took.push(micros(begun));
    }
    let (p50, p99) = (quantile(&mut took, 0.5), quantile(&mut took, 0.99));
    println!(
        "a word to one that is put away, until its turn has begun  p50 {p50:.0} us, p99 {p99:.0} us"
    );
    println!("  (the word is one durable write, the turn another)");
    runtime.stop().await.expect("it stops");
}

/// What a process with this directory open takes, everybody at rest.
async fn tell_resident(data: &str) {
    let mut config = Config::at(data);
    config.models = Models::default().with("silent", Silent);
    (config.seats_max, config.passivate_idle_ms) = (16, 10);
    let runtime = open(&config).await;
    println!("{}", resident());
    runtime.stop().await.expect("it stops");
}
