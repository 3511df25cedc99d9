//! What those who follow cost those who write.
//!
//! Twenty clients follow a space over the socket, five of them stalled: they have read one answer and
//! read no more. Promise: the 99th percentile of a put is at most twice that without them.
//!
//! A backlog of a million entries is paged through (`ENTRIES=n` for another number). Promise: memory
//! stays as it is, and the 99th percentile of what others ask for is at most three times that alone.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros, quantile, rounds, spread};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, DoorLimits};
use stoa::door::{Client, DoorRequest, Identity, Reached, reach};
use stoa::operations::Watch;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, Position, ROOT, SpaceId};
use stoa_actors::space::{Draft, Filter};
use tokio::sync::Semaphore;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FOLLOWERS: usize = 20;
const STALLED: usize = 5;
/// For how long puts are made in one round.
const TIME: Duration = Duration::from_secs(2);
/// One put in so long: others are to have a part of the machine as well.
const EVERY: Duration = Duration::from_millis(2);
/// Changes of one page.
const PAGE: usize = 1_000;

fn draft(n: u64) -> Draft {
    Draft { content: Content::Text(format!("entry {n} of many")), ..Draft::default() }
}

/// What each put takes, one at a time and paced, in microseconds.
async fn puts(root: &Caller, space: SpaceId) -> Vec<f64> {
    let (begun, mut took) = (Instant::now(), Vec::new());
    let mut pace = tokio::time::interval(EVERY);
    while begun.elapsed() < TIME {
        pace.tick().await;
        let asked = Instant::now();
        root.put(space, draft(0), WriteOptions::default()).await.expect("it is put");
        took.push(micros(asked));
    }
    took
}

/// What reads of one atom and puts take beside whatever else goes on.
async fn asks(root: &Caller, space: SpaceId, atom: AtomId) -> (Vec<f64>, Vec<f64>) {
    let (begun, mut puts, mut gets) = (Instant::now(), Vec::new(), Vec::new());
    let mut pace = tokio::time::interval(EVERY);
    while begun.elapsed() < TIME {
        pace.tick().await;
        let asked = Instant::now();
        root.put(space, draft(0), WriteOptions::default()).await.expect("it is put");
        puts.push(micros(asked));
        let asked = Instant::now();
        root.get(atom).await.expect("it is there");
        gets.push(micros(asked));
    }
    (puts, gets)
}

async fn client(config: &Config) -> Client {
    match reach(config.clone(), kinds(), DoorLimits::default()).await {
        Ok(Reached::Client(client)) => client,
        _ => unreachable!("it is served"),
    }
}

/// Follows from now on. A stalled one reads one answer, and no more.
async fn follow(config: Config, ready: Arc<Semaphore>, stalls: bool, seen: Arc<AtomicU64>) {
    let mut client = client(&config).await;
    let watch = Watch { space: Some("news".into()), ..Watch::default() };
    let request = DoorRequest::of(Identity::Owner, &watch).expect("a request");
    let first = tokio::sync::Notify::new();
    let mut asking = Box::pin(client.ask(&request, |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        first.notify_one();
        Ok(())
    }));
    tokio::select! {
        biased;
        () = first.notified() => ready.add_permits(1),
        ended = &mut asking => unreachable!("it ended: {ended:?}"),
    }
    if stalls {
        std::future::pending::<()>().await;
    }
    drop(asking.await);
}

async fn followers() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = Config::at(dir.path());
    let Ok(Reached::Owner(runtime, mut door)) =
        reach(config.clone(), kinds(), DoorLimits::default()).await
    else {
        unreachable!("nobody else has it")
    };
    let root = runtime.caller(ROOT);
    let space = root.create_space("news", "").await.expect("a space");
    let (mut ratios, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds() {
        let mut pair = [0.0; 2];
        for with in [round % 2 == 0, round % 2 != 0] {
            let mut all = tokio::task::JoinSet::new();
            let (ready, seen) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU64::new(0)));
            for n in 0..if with { FOLLOWERS } else { 0 } {
                let (config, ready, seen) = (config.clone(), ready.clone(), seen.clone());
                all.spawn(follow(config, ready, n < STALLED, seen));
            }
            // Until each has been told something.
            while with && ready.available_permits() < FOLLOWERS {
                root.put(space, draft(0), WriteOptions::default()).await.expect("it is put");
                tokio::time::sleep(EVERY).await;
            }
            let mut took = puts(&root, space).await;
            let told = seen.load(Ordering::Relaxed) as usize;
            let reading = FOLLOWERS - STALLED;
            assert!(!with || told > took.len() * reading / 2, "who follows is told: {told}");
            pair[usize::from(with)] = quantile(&mut took, 0.99);
            all.shutdown().await;
        }
        alone.push(pair[0]);
        beside.push(pair[1]);
        ratios.push(pair[1] / pair[0]);
    }
    let (low, middle, high) = spread(ratios);
    let (alone, beside) = (spread(alone).1, spread(beside).1);
    println!(
        "p99 of a put beside {FOLLOWERS} who follow, {STALLED} of them stalled : alone (aim 2)"
    );
    println!("  {middle:.2} [{low:.2}-{high:.2}]   {beside:.0} us : {alone:.0} us");
    door.close().await;
    runtime.stop().await.expect("it stops");
}

/// Resident memory of this process, in MiB.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / f64::from(1 << 20)
}

async fn fill(data: &Path, entries: u64) -> (Runtime, SpaceId, AtomId) {
    let runtime = stoa::open(Config::at(data)).await.expect("it opens");
    let root = runtime.caller(ROOT);
    let space = root.create_space("news", "").await.expect("a space");
    let first = root.put(space, draft(0), WriteOptions::default()).await.expect("it is put");
    let next = Arc::new(AtomicU64::new(1));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..512 {
        let (root, next) = (root.clone(), next.clone());
        writers.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= entries {
                    return;
                }
                root.put(space, draft(n), WriteOptions::default()).await.expect("it is put");
            }
        });
    }
    writers.join_all().await;
    (runtime, space, first.id)
}

async fn backlog() {
    let entries = std::env::var("ENTRIES").ok().and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir().expect("a directory");
    let (runtime, space, atom) = fill(dir.path(), entries).await;
    let root = runtime.caller(ROOT);
    let other = root.create_space("other", "").await.expect("a space");
    let ended = Arc::new(AtomicBool::new(false));
    let (mut ratios, mut pages, mut most) = ([Vec::new(), Vec::new()], 0u64, Vec::new());
    let mut middles: [Vec<f64>; 4] = Default::default();
    for round in 0..rounds() {
        let mut pair: [[f64; 2]; 2] = Default::default();
        for with in [round % 2 == 0, round % 2 != 0] {
            ended.store(false, Ordering::Relaxed);
            let (reader, stop, before) = (root.clone(), ended.clone(), resident());
            let paging = tokio::spawn(async move {
                let (mut read, mut high) = (0u64, 0f64);
                while with && !stop.load(Ordering::Relaxed) {
                    let filter = Filter::default();
                    let mut from = reader.follow(space, Position(0), filter).expect("a reader");
                    loop {
                        let page = from.ready(PAGE).await.expect("a page");
                        read += page.len() as u64;
                        high = high.max(resident());
                        if page.is_empty() || stop.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                }
                (read, high)
            });
            let (mut puts, mut gets) = asks(&root, other, atom).await;
            ended.store(true, Ordering::Relaxed);
            let (read, high) = paging.await.expect("it reads");
            if with {
                pages += read;
                if std::env::var_os("TELL").is_some() {
                    println!("    {before:.1} MiB before, {high:.1} at most");
                }
                most.push(high - before);
            }
            pair[usize::from(with)] = [quantile(&mut puts, 0.99), quantile(&mut gets, 0.99)];
        }
        for at in 0..2 {
            ratios[at].push(pair[1][at] / pair[0][at]);
            middles[at * 2].push(pair[1][at]);
            middles[at * 2 + 1].push(pair[0][at]);
        }
    }
    let rate = pages as f64 / (rounds() as f64 * TIME.as_secs_f64());
    println!("beside one who pages through {entries} entries ({rate:.0}/s) : alone (aim 3)");
    let [puts, gets] = ratios;
    let [put_beside, put_alone, get_beside, get_alone] = middles.map(|it| spread(it).1);
    for (what, ratios, beside, alone) in
        [("put", puts, put_beside, put_alone), ("get", gets, get_beside, get_alone)]
    {
        let (low, middle, high) = spread(ratios);
        println!(
            "  p99 of a {what}  {middle:.2} [{low:.2}-{high:.2}]   {beside:.0} us : {alone:.0} us"
        );
    }
    let (low, middle, high) = spread(most);
    println!("  memory while it pages: {middle:.1} [{low:.1}-{high:.1}] MiB more");
    runtime.stop().await.expect("it stops");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!("load {}", load());
    followers().await;
    backlog().await;
    println!("load {}", load());
}
