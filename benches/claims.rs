//! Claims: how many a second, whether their cost grows with what is done or blocked or with the number
//! of conditions they go by, and beside PostgreSQL's `FOR UPDATE SKIP LOCKED` in the same run.
//!
//! A task is claimed and completed: two durable commits on both sides. Every fifth task waits for
//! the one before it. PostgreSQL is the one installed here (`apt-get install postgresql-15`), with
//! its defaults (`synchronous_commit` and `fsync` on), one connection a worker over its Unix
//! socket, a partial index over the open tasks; ours is asked over its own socket.
//!
//!     cargo bench -p stoa-benches --bench claims
//!     cargo bench -p stoa-benches --bench claims -- growth
//!     cargo bench -p stoa-benches --bench claims -- conditions
//!     cargo bench -p stoa-benches --bench claims -- order
//!     cargo bench -p stoa-benches --bench claims -- peer

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

#[path = "claims/postgres.rs"]
mod postgres;

use measure::{load, rounds, spread};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;
use stoa::answer::AtomAnswer;
use stoa::caller::{Caller, ClaimAsk, WriteOptions};
use stoa::config::{Config, DoorLimits};
use stoa::door::{Client, Door, DoorRequest, Identity, Reached, reach};
use stoa::operation::{Conditions, Meta, Span};
use stoa::operations::{Claim, Transaction, TransactionLine};
use stoa::problem::ProblemKind;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::{Condition, Which};
use stoa_actors::space::{ClaimPredicate, Declarations, Draft, Expect, Mutation, Patch, Resource};
use stoa_actors::value::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CALLERS: usize = 32;

fn status(word: &str) -> Metadata {
    [("status".to_owned(), Value::from(word))].into()
}

/// Open, and its blockers done.
fn ask(blockers: bool) -> ClaimAsk {
    let done = Condition { which: Which::All, metadata: status("done") };
    let references = BTreeMap::from([("blocked_by".to_owned(), done)]);
    let references = if blockers { references } else { BTreeMap::new() };
    let wanted = ClaimPredicate { metadata: status("open"), references };
    let (set, lease_ms) = (status("doing"), 3_600_000);
    ClaimAsk { wanted, set, lease_ms, ..ClaimAsk::default() }
}

fn completion(id: AtomId, token: u64) -> Vec<Mutation> {
    let patch = Box::new(Patch { metadata: status("done"), ..Patch::default() });
    let resource = Resource::Atom(id);
    let token = Some(token);
    vec![
        Mutation::Update { id, expect: Expect::Any, patch },
        Mutation::Release { resource, token, undo: false },
    ]
}

/// So many tasks, some of them done from the start.
async fn put(caller: &Caller, name: &str, count: usize, done: usize, blockers: bool) -> SpaceId {
    let space = caller.create_space(name, "").await.expect("a space");
    let id = move |n: usize| {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        id[8..].copy_from_slice(&space.0[8..]);
        AtomId(id)
    };
    let draft = move |n: usize| {
        let blocked = blockers && n % 5 == 4;
        let before = vec![id(n - usize::from(n > 0))];
        let references = BTreeMap::from([("blocked_by".to_owned(), before)]);
        Draft {
            id: Some(id(n)),
            content: Content::Text(format!("task {n}: {}", "words to be done ".repeat(10))),
            metadata: status(if n < done { "done" } else { "open" }),
            references: if blocked { references } else { BTreeMap::new() },
            ..Draft::default()
        }
    };
    // Who is referred to comes first.
    for step in [false, true] {
        let mut tasks = tokio::task::JoinSet::new();
        for of in 0..512 {
            let caller = caller.clone();
            let mine = (of..count).step_by(512).filter(move |n| (n % 5 == 4) == step);
            tasks.spawn(async move {
                for n in mine {
                    caller.put(space, draft(n), WriteOptions::default()).await.expect("it is put");
                }
            });
        }
        tasks.join_all().await;
    }
    space
}

/// Claims, and completes if it is to, until nothing is left: seconds, and what was claimed.
async fn in_process(
    caller: &Caller,
    space: SpaceId,
    ask: ClaimAsk,
    complete: bool,
    most: usize,
) -> (f64, Vec<AtomId>) {
    // The set of what can be claimed is made by the first claim.
    let wanted = ask.wanted.clone();
    let warm = ClaimAsk { wanted, lease_ms: 600_000, ..ClaimAsk::default() };
    let first = caller.claim(space, warm, WriteOptions::default()).await.expect("a claim");
    if let Some(first) = first {
        let (resource, token) = (first.lease.resource, Some(first.lease.token));
        caller
            .release(space, resource, token, true, WriteOptions::default())
            .await
            .expect("released");
    }
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (caller, ask) = (caller.clone(), ask.clone());
        tasks.spawn(async move {
            let mut got = Vec::new();
            while got.len() < most / CALLERS
                && let Some(taken) = caller
                    .claim(space, ask.clone(), WriteOptions::default())
                    .await
                    .expect("a claim")
            {
                let id = taken.read.atom.id;
                got.push(id);
                if complete {
                    let done = completion(id, taken.lease.token);
                    caller.transact(space, done, WriteOptions::default()).await.expect("done");
                }
            }
            got
        });
    }
    let got: Vec<AtomId> = tasks.join_all().await.into_iter().flatten().collect();
    (begun.elapsed().as_secs_f64(), got)
}

/// Nobody got what another one got.
fn once(got: &[AtomId]) {
    assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), got.len(), "a task was claimed twice");
}

async fn rates(caller: &Caller) {
    let (mut free, mut whole) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        let space = put(caller, &format!("free{round}"), 10_000, 0, false).await;
        let (took, got) = in_process(caller, space, ask(false), false, 10_000).await;
        once(&got);
        free.push(got.len() as f64 / took);
        let space = put(caller, &format!("whole{round}"), 5_000, 0, true).await;
        let (took, got) = in_process(caller, space, ask(true), true, usize::MAX).await;
        once(&got);
        assert_eq!(got.len(), 5_000, "every task is done");
        whole.push(got.len() as f64 / took);
    }
    let told = |what: &str, of: Vec<f64>, aim: u32| {
        let (low, middle, high) = spread(of);
        println!("{what:<46} {middle:>8.0}/s [{low:.0}-{high:.0}] (aim {aim})");
    };
    told("claims, free, 32 callers in process", free, 15_000);
    told("tasks with blockers claimed and completed", whole, 8_000);
}

/// Pieces that a round of growth is measured in, each of as many claims as few tasks have to give.
const PIECES: usize = 5;

/// The same number of claims out of few tasks, out of many, and out of many that are done: in turns,
/// so that all three are measured beside the same work of the machine.
async fn growth(caller: &Caller) {
    let (few, piece, count) = (1_000, 900, 100_000);
    let (mut many, mut done) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        let all = put(caller, &format!("many{round}"), count, 0, true).await;
        let most = count - PIECES * few;
        let most = put(caller, &format!("most{round}"), count, most, true).await;
        let mut took = [0.0; 3];
        for at in 0..PIECES {
            let few = put(caller, &format!("few{round}-{at}"), few, 0, true).await;
            for (took, space) in took.iter_mut().zip([few, all, most]) {
                let (seconds, got) = in_process(caller, space, ask(true), true, piece).await;
                once(&got);
                *took += seconds / got.len() as f64;
            }
        }
        let [few, all, most] = took;
        many.push(all / few);
        done.push(most / few);
    }
    let told = |what: &str, of: Vec<f64>| {
        let (low, middle, high) = spread(of);
        println!("{what:<46} {middle:>8.2} [{low:.2}-{high:.2}] (aim .75-1.25)");
    };
    told("cost of 100,000 tasks : of 1,000", many);
    told("the same, 95,000 of them done", done);
}

/// Claims in an order by what atoms say beside claims of the oldest, out of 100,000 atoms in one space.
async fn order(caller: &Caller) {
    let (count, piece) = (100_000, 1_000);
    let declares = |all: &[&str]| {
        let mut declares = Declarations::default();
        for one in all {
            declares.add(one.parse().expect("it is one")).expect("each once");
        }
        declares
    };
    let (mut ratios, mut firsts) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        let space = caller.create_space(&format!("order{round}"), "").await.expect("a space");
        let all = declares(&["status:text", "rank:number"]);
        caller.declare(space, all).await.expect("declared");
        put_ranked(caller, space, count).await;
        let by = |order: &[&str]| ClaimAsk {
            order: order.iter().map(|it| it.parse().expect("it is one")).collect(),
            ..ask(false)
        };
        let (oldest, ranked) = (by(&[]), by(&["rank", "-created"]));
        let begun = Instant::now();
        in_process(caller, space, ranked.clone(), false, CALLERS).await;
        firsts.push(begun.elapsed().as_secs_f64());
        let mut took = [0.0; 2];
        for _ in 0..PIECES {
            for (took, ask) in took.iter_mut().zip([&oldest, &ranked]) {
                let (seconds, got) = in_process(caller, space, ask.clone(), false, piece).await;
                once(&got);
                *took += seconds / got.len() as f64;
            }
        }
        ratios.push(took[1] / took[0]);
    }
    let (low, middle, high) = spread(ratios);
    println!(
        "{:<46} {middle:>8.2} [{low:.2}-{high:.2}] (aim .75-1.25)",
        "cost in an order : of the oldest"
    );
    let (low, middle, high) = spread(firsts);
    println!(
        "{:<46} {middle:>7.2}s [{low:.2}-{high:.2}]",
        "the first claims in it, which read 100,000 atoms"
    );
}

/// Open atoms with ranks.
async fn put_ranked(caller: &Caller, space: SpaceId, count: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for of in 0..512 {
        let caller = caller.clone();
        tasks.spawn(async move {
            for n in (of..count).step_by(512) {
                let mut metadata = status("open");
                metadata.insert("rank".to_owned(), Value::Int(n as i64 % 1_000));
                let draft = Draft { metadata, ..Draft::default() };
                caller.put(space, draft, WriteOptions::default()).await.expect("it is put");
            }
        });
    }
    tasks.join_all().await;
}

/// Conditions that are claimed by in turns.
const CONDITIONS: usize = 40;

/// Claims by so many conditions in turns, each of which most atoms of the space match: seconds a claim.
async fn in_turns(caller: &Caller, space: SpaceId, conditions: usize, count: usize) -> f64 {
    let asks = move |n: usize| {
        let least = Value::Map([(">=".to_owned(), Value::Int((n % conditions) as i64))].into());
        let metadata = [("status".to_owned(), Value::from("open")), ("rank".to_owned(), least)];
        let wanted = ClaimPredicate { metadata: metadata.into(), ..ClaimPredicate::default() };
        ClaimAsk { wanted, set: status("doing"), lease_ms: 3_600_000, ..ClaimAsk::default() }
    };
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for of in 0..CALLERS {
        let caller = caller.clone();
        tasks.spawn(async move {
            for n in (of..count).step_by(CALLERS) {
                let taken = caller.claim(space, asks(n), WriteOptions::default()).await;
                assert!(taken.expect("a claim").is_some(), "there is more");
            }
        });
    }
    tasks.join_all().await;
    begun.elapsed().as_secs_f64() / count as f64
}

/// Many conditions beside one, out of 100,000 atoms; the first claims make the sets of all of them.
async fn conditions(caller: &Caller) {
    let (count, piece) = (100_000, 1_000);
    let (mut ratios, mut firsts) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        let space = caller.create_space(&format!("turns{round}"), "").await.expect("a space");
        put_ranked(caller, space, count).await;
        let begun = Instant::now();
        in_turns(caller, space, 1, 1).await;
        firsts.push(begun.elapsed().as_secs_f64());
        let (mut one, mut many) = (0.0, 0.0);
        for _ in 0..PIECES {
            one += in_turns(caller, space, 1, piece).await;
            many += in_turns(caller, space, CONDITIONS, piece).await;
        }
        ratios.push(many / one);
    }
    let (low, middle, high) = spread(ratios);
    println!(
        "{:<46} {middle:>8.2} [{low:.2}-{high:.2}] (aim .67-1.5)",
        "cost by 40 conditions in turns : by one"
    );
    let (low, middle, high) = spread(firsts);
    println!(
        "{:<46} {middle:>7.2}s [{low:.2}-{high:.2}]",
        "the first claim, which reads 100,000 atoms"
    );
}

async fn client(data: &Path) -> Client {
    match reach(Config::at(data), kinds(), DoorLimits::default()).await.expect("it answers") {
        Reached::Client(client) => client,
        Reached::Owner(..) => panic!("it is open here already"),
    }
}

/// Tasks a second, claimed and completed by so many clients of the socket.
async fn over_the_socket(data: &Path, space: SpaceId, workers: usize) -> (f64, usize) {
    let mut clients = Vec::new();
    for _ in 0..workers {
        clients.push(client(data).await);
    }
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for mut client in clients {
        tasks.spawn(async move {
            let mut count = 0;
            let space = space.to_string();
            loop {
                let ask = ask(true);
                let claim = Claim {
                    metadata: Meta(ask.wanted.metadata),
                    references: Conditions(ask.wanted.references),
                    set: Meta(ask.set),
                    lease: Span(ask.lease_ms),
                    ..Claim::of(space.clone())
                };
                let mut taken = None;
                let request = DoorRequest::of(Identity::Owner, &claim).expect("a request");
                let end = client.ask(&request, |said| {
                    taken = said.answer::<AtomAnswer>();
                    Ok(())
                });
                match end.await {
                    Err(problem) if problem.kind == ProblemKind::Unknown => return count,
                    end => end.expect("a claim"),
                }
                let Some(taken) = taken else { panic!("an unexpected answer") };
                let token = taken.lease.map(|it| it.token);
                let completed = Metadata::from([("status".to_owned(), "completed".into())]);
                let update = TransactionLine {
                    update: Some(taken.id.clone()),
                    metadata: Meta(completed),
                    force: true,
                    ..TransactionLine::default()
                };
                let release = TransactionLine {
                    release: Some(taken.id),
                    token,
                    ..TransactionLine::default()
                };
                let changes = vec![update, release];
                let (space, comment, key) = (space.clone(), None, None);
                let done = Transaction { space, changes, comment, key };
                let request = DoorRequest::of(Identity::Owner, &done).expect("a request");
                client.ask(&request, |_| Ok(())).await.expect("done");
                count += 1;
            }
        });
    }
    let count = tasks.join_all().await.into_iter().sum();
    (begun.elapsed().as_secs_f64(), count)
}

async fn beside_postgres(caller: &Caller, data: &Path) {
    let Some(server) = postgres::Server::start() else {
        println!("SKIPPED: beside PostgreSQL; apt-get install postgresql-15");
        return;
    };
    let tasks = 10_000;
    for (workers, aim) in [(2, 1.0), (8, 3.0), (32, 5.0)] {
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds() {
            let space = put(caller, &format!("w{workers}r{round}"), tasks, 0, true).await;
            let (took, count) = over_the_socket(data, space, workers).await;
            assert_eq!(count, tasks, "every task is done, once");
            let own = count as f64 / took;
            let peer = tasks as f64 / server.claim_all(tasks, workers).await;
            ratios.push(own / peer);
            ours.push(own);
            theirs.push(peer);
        }
        let (low, middle, high) = spread(ratios);
        println!(
            "{workers:>2} workers: {:>7.0} tasks/s, PostgreSQL {:>7.0}/s, ratio {middle:.2} [{low:.2}-{high:.2}] (aim {aim})",
            spread(ours).1,
            spread(theirs).1,
        );
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!("load {}", load());
    let dir = tempfile::tempdir().expect("a directory");
    let config = Config::at(dir.path().join("data"));
    let Reached::Owner(runtime, door) =
        reach(config.clone(), kinds(), DoorLimits::default()).await.expect("it opens")
    else {
        panic!("nobody else has it");
    };
    let caller = runtime.caller(ROOT);
    let only = |part: &str| std::env::args().any(|it| it == part);
    if only("peer") {
        beside_postgres(&caller, &config.log.data).await;
    } else if only("growth") {
        growth(&caller).await;
    } else if only("conditions") {
        conditions(&caller).await;
    } else if only("order") {
        order(&caller).await;
    } else {
        rates(&caller).await;
        growth(&caller).await;
        conditions(&caller).await;
        order(&caller).await;
        beside_postgres(&caller, &config.log.data).await;
    }
    println!("load {}", load());
    stop(runtime, door).await;
}

async fn stop(runtime: Runtime, mut door: Door) {
    door.close().await;
    runtime.stop().await.expect("it stops");
}
