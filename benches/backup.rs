//! What a backup takes from those who write meanwhile: their rate beside one and without, round by
//! round, over a store of a million entries. `ENTRIES=n` for another size.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, rounds, spread};
use std::time::{Duration, Instant};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::runtime::kinds;
use stoa_actors::atom::{Content, Embedding};
use stoa_actors::id::{ROOT, SpaceId};
use stoa_actors::space::Draft;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn draft(n: u64) -> Draft {
    let text: String = (0..40).map(|i| format!("word{:09} ", (n * 64 + i) % 7919)).collect();
    let embedding = Embedding { fingerprint: 1, scale: 0.01, dims: vec![n as u8; 256] };
    Draft { content: Content::Text(text), embedding: Some(embedding), ..Draft::default() }
}

/// Puts by so many at once, for a time or a count; how many.
async fn put(caller: &Caller, space: SpaceId, flight: u64, until: (Duration, u64)) -> u64 {
    let start = Instant::now();
    let writers = (0..flight).map(|task| {
        let caller = caller.clone();
        tokio::spawn(async move {
            let mut done = 0;
            while start.elapsed() < until.0 && done < until.1 / flight {
                let draft = draft(task << 32 | done);
                caller.put(space, draft, WriteOptions::comment("bench")).await.expect("put");
                done += 1;
            }
            done
        })
    });
    let mut count = 0;
    for writer in writers.collect::<Vec<_>>() {
        count += writer.await.expect("a writer");
    }
    count
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let entries = std::env::var("ENTRIES").ok().and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path().join("data"))).await.expect("it opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("bench", "").await.expect("a space");
    println!("load {}", load());
    put(&caller, space, 512, (Duration::MAX, entries)).await;
    let time = Duration::from_secs(2);
    for flight in [1u64, 64] {
        let (mut ratios, mut alone, mut beside) = (vec![], vec![], vec![]);
        for round in 0..rounds() {
            let rate = |count: u64, since: Instant| count as f64 / since.elapsed().as_secs_f64();
            let begun = Instant::now();
            let base = rate(put(&caller, space, flight, (time, u64::MAX)).await, begun);
            let target = dir.path().join(format!("beside-{flight}-{round}"));
            let backing = runtime.backup(&target, |_| {});
            let writing = async {
                let begun = Instant::now();
                rate(put(&caller, space, flight, (time, u64::MAX)).await, begun)
            };
            // A backup that is over has left the writers alone: it is no round.
            let with = tokio::select! {
                rate = writing => rate,
                done = backing => {
                    println!("over within a round: {:?}", done.map(|it| it.head.position));
                    continue;
                }
            };
            ratios.push(with / base);
            alone.push(base);
            beside.push(with);
        }
        if ratios.is_empty() {
            continue;
        }
        let (low, mid, high) = spread(ratios);
        println!(
            "puts {flight:>4} in flight  alone {:>8.0}/s  beside a backup {:>8.0}/s  ratio \
             {mid:.2} [{low:.2}-{high:.2}] (aim 0.7)",
            spread(alone).1,
            spread(beside).1,
        );
    }
    let begun = Instant::now();
    let backup = runtime.backup(&dir.path().join("whole"), |_| {}).await.expect("a backup");
    let (took, megabytes) = (begun.elapsed(), backup.bytes >> 20);
    println!("a whole backup: {} entries, {megabytes} MiB in {took:?}", backup.head.position);
    let begun = Instant::now();
    let config = Config::at(dir.path().join("restored"));
    let restoring = tokio::task::spawn_blocking(move || {
        stoa::backup::restore(&backup.path, &config.log, &kinds(), &mut |_| {})
    });
    let restored = restoring.await.expect("a thread").expect("it restores");
    println!("a restore: {} entries in {:?}", restored.head.position, begun.elapsed());
    println!("load {}", load());
    runtime.stop().await.expect("it stops");
}
