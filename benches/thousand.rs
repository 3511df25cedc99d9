//! 1,000 agents on a model that answers at once: how long a turn takes besides its model where 100 turns a
//! second are asked for, and how many turns a second there are where as many are asked for as are done,
//! against what the log takes in the same run.
//!
//! A turn is a word to the agent, a thought, and the letter that tells it. Its time is counted from the
//! acknowledged word to the letter, without the model's.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, quantile};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use stoa::agents::{AgentCard, SpawnAsk};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::id::{ROOT, SessionId};
use stoa_actors::session::Thought;
use stoa_actors::space::{Draft, Filter};
use stoa_actors::trust::HostGrants;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AGENTS: usize = 1_000;
const OFFERED: usize = 100;
const SECONDS: usize = 20;
const SATURATED: Duration = Duration::from_secs(10);
const PUTTERS: usize = 256;

/// How long it was asked, by agent.
#[derive(Clone, Default)]
struct Quick {
    took: Arc<Mutex<HashMap<SessionId, f64>>>,
}

impl Model for Quick {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        let begun = Instant::now();
        Box::pin(async move {
            let thought = Thought { text: "It is so.".to_owned(), ..Thought::default() };
            self.took.lock().expect("a lock").insert(context.session, micros(begun));
            Ok(thought)
        })
    }

    fn window_bytes(&self) -> Option<usize> {
        Some(64 << 10)
    }
}

/// Tells of each letter that an agent writes.
fn listen(root: &Caller, agent: &AgentCard, to: UnboundedSender<SessionId>) {
    let after = root.runtime().durable();
    let mut reader = root.watch(agent.dm, after, Filter::default()).expect("it is there");
    let id = agent.id;
    tokio::spawn(async move {
        while let Ok(changes) = reader.next(64).await {
            for change in changes {
                if change.by == id && to.send(id).is_err() {
                    return;
                }
            }
        }
    });
}

/// Durable puts a second.
async fn puts(runtime: &Runtime) -> f64 {
    let root = runtime.caller(ROOT);
    let mut spaces = Vec::new();
    for n in 0..16 {
        spaces.push(root.create_space(&format!("floor{n}"), "").await.expect("a space"));
    }
    let (done, until) = (Arc::new(AtomicU64::new(0)), Instant::now() + SATURATED / 2);
    let mut putters = Vec::new();
    for n in 0..PUTTERS {
        let (root, done, space) = (root.clone(), done.clone(), spaces[n % spaces.len()]);
        putters.push(tokio::spawn(async move {
            while Instant::now() < until {
                let content = Content::Text("It is so.".into());
                let draft = Draft { content, ..Draft::default() };
                root.put(space, draft, WriteOptions::comment("put")).await.expect("a put");
                done.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for putter in putters {
        putter.await.expect("it puts");
    }
    done.load(Ordering::Relaxed) as f64 / (SATURATED / 2).as_secs_f64()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!("load {}", load());
    let dir = tempfile::tempdir().expect("a directory");
    let mut config = Config::at(dir.path());
    let quick = Quick::default();
    config.models = Models::default().with("quick", quick.clone());
    config.host_grants = HostGrants::Live;
    let runtime = stoa::open(config).await.expect("it opens");
    runtime.start_agents().await.expect("they start");
    let root = runtime.caller(ROOT);
    for n in 0..AGENTS {
        let ask = SpawnAsk {
            task: "Talk.".into(),
            name: Some(format!("talker{n}")),
            model: Some("quick".into()),
            ..SpawnAsk::default()
        };
        root.spawn(ask).await.expect("it is born");
    }
    runtime.at_rest().await;
    let agents = root.agents().await.expect("they are there");
    let names: HashMap<SessionId, String> =
        agents.iter().map(|it| (it.id, it.id.to_string())).collect();
    let (to, mut letters) = unbounded_channel();
    agents.iter().for_each(|agent| listen(&root, agent, to.clone()));

    // So many turns a second are asked for, whatever becomes of them.
    let (told, begun) = (Arc::new(Mutex::new(HashMap::new())), Instant::now());
    let all = OFFERED * SECONDS;
    let asking = tokio::spawn({
        let (root, told) = (root.clone(), told.clone());
        let ids: Vec<SessionId> = agents.iter().map(|it| it.id).collect();
        async move {
            for n in 0..all {
                let due = begun + Duration::from_micros(1_000_000 / OFFERED as u64) * n as u32;
                tokio::time::sleep_until(due.into()).await;
                let id = ids[(n * 7) % ids.len()];
                let (root, told) = (root.clone(), told.clone());
                tokio::spawn(async move {
                    root.say(&id.to_string(), "and then?").await.expect("a word");
                    told.lock().expect("a lock").insert(id, Instant::now());
                });
            }
        }
    });
    let mut times = Vec::new();
    while times.len() < all {
        let id = letters.recv().await.expect("a letter");
        let arrived = Instant::now();
        let said = told.lock().expect("a lock").get(&id).copied();
        let model = quick.took.lock().expect("a lock").get(&id).copied().unwrap_or(0.0);
        // A letter may be there before the word is acknowledged.
        let took =
            said.map_or(0.0, |said| arrived.saturating_duration_since(said).as_secs_f64() * 1e6);
        times.push((took - model).max(0.0));
    }
    asking.await.expect("it asks");
    let over = begun.elapsed().as_secs_f64();
    let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    println!(
        "{all} turns of {AGENTS} agents, {OFFERED} a second offered, {:.1} done",
        all as f64 / over
    );
    println!(
        "  besides the model {:.1} ms at the median (aim 5), {:.1} at p99 (aim 25)",
        p50 / 1e3,
        p99 / 1e3
    );

    // As many as are done.
    runtime.at_rest().await;
    let (before, begun) = (runtime.durable().0, Instant::now());
    let mut turns = 0_u64;
    let say = |id: SessionId| {
        let (root, name) = (root.clone(), names[&id].clone());
        tokio::spawn(async move { root.say(&name, "and then?").await.expect("a word") });
    };
    agents.iter().for_each(|it| say(it.id));
    while begun.elapsed() < SATURATED {
        let id = letters.recv().await.expect("a letter");
        turns += 1;
        say(id);
    }
    let took = begun.elapsed().as_secs_f64();
    let entries = (runtime.durable().0 - before) as f64 / turns as f64;
    runtime.at_rest().await;
    let turns = turns as f64 / took;
    let puts = puts(&runtime).await;
    println!(
        "saturated: {turns:.0} turns a second of {entries:.1} entries each; {puts:.0} puts a second"
    );
    println!("  {:.2} of what the log takes (aim 0.5)", turns / (puts / entries));
    runtime.stop().await.expect("it stops");
    println!("load {}", load());
}
