//! Two builds beside each other: everything that a user waits for, measured in turns.
//!
//!     cargo bench -p stoa-benches --bench builds                    one round of this build
//!     cargo bench -p stoa-benches --bench builds -- against OTHER   this one and another one's bench
//!
//! `OTHER` is the file that `cargo bench --no-run` made of another checkout, into which this file was
//! copied; it uses nothing that is new. Every round is a process of its own, and who goes first
//! changes from round to round, so that what else the machine does falls on both. Rates: higher is
//! better. `ONLY=put` leaves out what does not begin so.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, rounds, spread};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stoa::agents::{SpaceAsk, SpawnAsk};
use stoa::caller::{Caller, ClaimAsk, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::runtime::Runtime;
use stoa::sandbox::{Action, Boxed, CodeRunner, Host, Workers, WorkersConfig};
use stoa_actors::atom::{Content, Embedding};
use stoa_actors::code::{ActionEnd, HostCall, Item, Object, Raise};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::space::{ClaimPredicate, Draft, Expect, Mutation, Patch, Resource};
use stoa_actors::value::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TIME: Duration = Duration::from_millis(600);
const TASKS: usize = 6_000;
const CLAIMERS: usize = 32;
const BIRTHS: usize = 3_200;
const FOUND: usize = 4_000;

fn main() {
    stoa::worker_main_if_asked();
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(2).enable_all();
            runtime.build().expect("a runtime").block_on(round());
        }
        ["against", other] => against(other),
        _ => println!("builds [against OTHER]"),
    }
}

fn against(other: &str) {
    println!("load {}", load());
    let own = std::env::current_exe().expect("this bench").display().to_string();
    // Of each measure what this build did, and the other one in the same round.
    let mut measured: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for n in 0..rounds() {
        let (new, old) = match n % 2 {
            0 => (rates(&own), rates(other)),
            _ => {
                let old = rates(other);
                (rates(&own), old)
            }
        };
        for (name, new) in new {
            let Some(old) = old.get(&name) else { continue };
            measured.entry(name).or_default().push((new, *old));
        }
    }
    for (name, rounds) in measured {
        let of = |what: fn(&(f64, f64)) -> f64| spread(rounds.iter().map(what).collect());
        let (low, mid, high) = of(|(new, old)| new / old);
        let (new, old) = (of(|it| it.0).1, of(|it| it.1).1);
        println!("{name:<18} {mid:>6.2} [{low:.2}-{high:.2}]   {new:>9.0}/s : {old:>9.0}/s");
    }
    println!("load {}", load());
}

/// A round of one build, by name.
fn rates(of: &str) -> BTreeMap<String, f64> {
    let child = std::process::Command::new(of).output().expect("it runs");
    assert!(child.status.success(), "{of}: {}", String::from_utf8_lossy(&child.stderr));
    let text = String::from_utf8(child.stdout).expect("words");
    let line = |it: &str| {
        let (name, rate) = it.rsplit_once(' ')?;
        Some((name.trim().to_owned(), rate.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

async fn open() -> (tempfile::TempDir, Runtime, Caller) {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = opened(&dir).await;
    let root = runtime.caller(ROOT);
    (dir, runtime, root)
}

async fn opened(dir: &tempfile::TempDir) -> Runtime {
    let mut config = Config::at(dir.path());
    config.limits.session.rest_first_ms = 0;
    config.limits.session.rest_ms_max = 0;
    loop {
        match stoa::open(config.clone()).await {
            // The tasks of the one before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => return opened.expect("it opens"),
        }
    }
}

async fn round() {
    let only = std::env::var("ONLY").unwrap_or_default();
    for flight in [1, 64, 512] {
        let name = format!("put at {flight}");
        if name.starts_with(&only) {
            let (_dir, runtime, root) = open().await;
            println!("{name} {:.1}", puts(&root, flight).await);
            runtime.stop().await.expect("it stops");
        }
    }
    let (_dir, runtime, root) = open().await;
    if "get beside writers".starts_with(&only) {
        println!("get beside writers {:.1}", gets(&root).await);
    }
    if "search".starts_with(&only) {
        println!("search {:.1}", searches(&root).await);
    }
    if "claim".starts_with(&only) {
        println!("claim {:.1}", claims(&root).await);
    }
    if "spawn".starts_with(&only) {
        println!("spawn {:.1}", births(&root).await);
    }
    runtime.stop().await.expect("it stops");
    if "code action".starts_with(&only) {
        println!("code action {:.1}", actions().await);
    }
    for followers in [1, 8, 64] {
        let name = format!("turn of {followers}");
        if name.starts_with(&only) {
            println!("{name} {:.1}", turns(followers).await);
        }
    }
    if "open".starts_with(&only) {
        println!("open {:.3}", opens().await);
    }
}

/// To the first search, of a directory with so many atoms.
async fn opens() -> f64 {
    let (dir, runtime, root) = open().await;
    let space = root.create_space("all", "").await.expect("a space");
    fill(&root, space, FOUND, draft).await;
    runtime.stop().await.expect("it stops");
    drop((root, runtime));
    let begun = Instant::now();
    let runtime = opened(&dir).await;
    let found = runtime.caller(ROOT).search(space, Query { limit: 1, ..Query::default() }).await;
    assert_eq!(found.expect("it searches").len(), 1);
    let rate = 1.0 / begun.elapsed().as_secs_f64();
    runtime.stop().await.expect("it stops");
    rate
}

fn draft(n: u64) -> Draft {
    let text: String = (0..64).map(|i| format!("word{:011} ", (n * 64 + i) % 7919)).collect();
    Draft {
        content: Content::Text(text),
        annotation: format!("note {n}"),
        metadata: (0..8).map(|k| (format!("key{k}"), Value::Int((n % 100) as i64 + k))).collect(),
        embedding: Some(Embedding { fingerprint: 1, scale: 0.01, dims: vec![n as u8; 256] }),
        ..Draft::default()
    }
}

/// As often as it can be done by so many at once.
async fn often<F: Future<Output = ()> + Send + 'static>(
    flight: usize,
    work: impl Fn(u64) -> F + Send + Sync + 'static,
) -> f64 {
    let (work, count, begun) = (Arc::new(work), Arc::new(AtomicU64::new(0)), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..flight {
        let (work, count) = (work.clone(), count.clone());
        tasks.spawn(async move {
            while begun.elapsed() < TIME {
                work(count.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
    }
    tasks.join_all().await;
    count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

async fn puts(root: &Caller, flight: usize) -> f64 {
    let space = root.create_space("all", "").await.expect("a space");
    let (root, drafts) = (root.clone(), Arc::new((0..256).map(draft).collect::<Vec<_>>()));
    often(flight, move |n| {
        let (root, draft) = (root.clone(), drafts[n as usize % drafts.len()].clone());
        async move {
            let why = WriteOptions::comment("bench").key(format!("{flight}-{n}"));
            root.put(space, draft, why).await.expect("it is put");
        }
    })
    .await
}

async fn gets(root: &Caller) -> f64 {
    let space = root.create_space("all", "").await.expect("a space");
    fill(root, space, FOUND, draft).await;
    let query = Query { limit: 500, ..Query::default() };
    let found = root.search(space, query).await.expect("it searches");
    let ids: Arc<Vec<AtomId>> = Arc::new(found.iter().map(|it| it.read.atom.id).collect());
    let writer = root.clone();
    let writes = tokio::spawn(often(8, move |n| {
        let root = writer.clone();
        async move {
            let why = WriteOptions::default().key(format!("beside-{n}"));
            root.put(space, draft(n), why).await.expect("it is put");
        }
    }));
    let root = root.clone();
    let gets = often(2, move |n| {
        let (root, id) = (root.clone(), ids[n as usize % ids.len()]);
        async move {
            root.get(id).await.expect("it is there");
            if n.is_multiple_of(64) {
                tokio::task::yield_now().await;
            }
        }
    });
    let gets = gets.await;
    writes.await.expect("they write");
    gets
}

/// Puts so many at once, and returns when they are there.
async fn fill(root: &Caller, space: SpaceId, count: usize, what: fn(u64) -> Draft) {
    let mut tasks = tokio::task::JoinSet::new();
    for of in 0..256 {
        let root = root.clone();
        tasks.spawn(async move {
            for n in (of..count).step_by(256) {
                root.put(space, what(n as u64), WriteOptions::default()).await.expect("it is put");
            }
        });
    }
    tasks.join_all().await;
}

async fn searches(root: &Caller) -> f64 {
    let space = root.create_space("found", "").await.expect("a space");
    let what = |n| {
        let content = Content::Text(format!("word{} word{} word{}", n % 97, n % 89, n % 83));
        let metadata = [("status".to_owned(), Value::Int((n % 7) as i64))].into();
        let embedding = Some(Embedding { fingerprint: 1, scale: 0.01, dims: vec![n as u8; 256] });
        Draft { content, metadata, embedding, ..Draft::default() }
    };
    fill(root, space, FOUND, what).await;
    let root = root.clone();
    often(2, move |n| {
        let root = root.clone();
        async move {
            let text = format!("word{} word{}", n % 97, n % 89);
            let mut query = Query { limit: 10, ..Query::default() };
            query.text = Some(text);
            root.search(space, query).await.expect("it searches");
        }
    })
    .await
}

async fn claims(root: &Caller) -> f64 {
    let space = root.create_space("tasks", "").await.expect("a space");
    let status = |word: &str| [("status".to_owned(), Value::from(word))].into();
    let what = |n| {
        let metadata = [("status".to_owned(), Value::from("open"))].into();
        Draft { content: Content::Text(format!("task {n}")), metadata, ..Draft::default() }
    };
    fill(root, space, TASKS, what).await;
    let wanted = ClaimPredicate { metadata: status("open"), ..ClaimPredicate::default() };
    let ask = ClaimAsk { wanted, set: status("doing"), lease_ms: 600_000, ..ClaimAsk::default() };
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CLAIMERS {
        let (root, ask) = (root.clone(), ask.clone());
        tasks.spawn(async move {
            let mut count = 0;
            while let Some(taken) =
                root.claim(space, ask.clone(), WriteOptions::default()).await.expect("a claim")
            {
                let (id, token) = (taken.read.atom.id, Some(taken.lease.token));
                let metadata = [("status".to_owned(), Value::from("done"))].into();
                let patch = Box::new(Patch { metadata, ..Patch::default() });
                let resource = Resource::Atom(id);
                let done = vec![
                    Mutation::Update { id, expect: Expect::Any, patch },
                    Mutation::Release { resource, token, undo: false },
                ];
                root.transact(space, done, WriteOptions::default()).await.expect("done");
                count += 1;
            }
            count
        });
    }
    let done: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(done, TASKS, "each once");
    TASKS as f64 / begun.elapsed().as_secs_f64()
}

async fn births(root: &Caller) -> f64 {
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let root = root.clone();
        tasks.spawn(async move {
            for _ in 0..BIRTHS / 32 {
                let ask = SpawnAsk { task: "stand by".to_owned(), ..SpawnAsk::default() };
                root.spawn(ask).await.expect("a birth");
            }
        });
    }
    tasks.join_all().await;
    (BIRTHS / 32 * 32) as f64 / begun.elapsed().as_secs_f64()
}

struct Ten;

impl Host for Ten {
    fn call(&mut self, _: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        Box::pin(async { Ok(Item::Value(Value::Int(1))) })
    }
}

async fn actions() -> f64 {
    let worker = std::env::current_exe().expect("this bench");
    let workers = Arc::new(Workers::new(WorkersConfig::new(worker)));
    let run = move |_| {
        let workers = workers.clone();
        async move {
            let space = Object { class: "Space".into(), handle: 7, fields: vec![] };
            let mut action = Action::new("sum([space.count() for _ in range(10)])");
            action.globals = vec![("space".into(), Item::Object(space))];
            let outcome = workers.run(action, &mut Ten).await;
            assert_eq!(outcome.ending, ActionEnd::Done { value: Some("10".into()) });
        }
    };
    // The first start the workers.
    for n in 0..4 {
        run(n).await;
    }
    often(1, run).await
}

/// Turns of one action, by the recipe, of so many at once.
async fn turns(followers: usize) -> f64 {
    let (_dir, runtime, root) = open().await;
    runtime.start_agents().await.expect("they start");
    let how = root.create_space("how", "").await.expect("a space");
    let content = Content::Text("```python\nlen(spaces)\n```".to_owned());
    let recipe = Draft { content, ..Draft::default() };
    root.put(how, recipe, WriteOptions::default()).await.expect("it is put");
    let news = root.create_space("news", "").await.expect("a space");
    for n in 0..followers {
        let ask = SpawnAsk {
            task: "listen".to_owned(),
            name: Some(format!("agent {n}")),
            instructions: Some("how".to_owned()),
            spaces: vec![SpaceAsk::to_use("news", Level::Read)],
            follows: vec!["news".to_owned()],
            ..SpawnAsk::default()
        };
        root.spawn(ask).await.expect("a birth");
    }
    runtime.at_rest().await;
    let (begun, mut count) = (Instant::now(), 0);
    while begun.elapsed() < TIME {
        let draft = Draft { content: Content::Text("news".to_owned()), ..Draft::default() };
        root.put(news, draft, WriteOptions::default()).await.expect("it is put");
        runtime.at_rest().await;
        count += followers;
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    let turns: u64 = root.agents().await.expect("agents").iter().map(|it| it.turns).sum();
    assert_eq!(turns as usize, count + followers, "each had each turn");
    runtime.stop().await.expect("it stops");
    rate
}
