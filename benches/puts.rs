//! Durable puts against a bare fjall loop that writes the same rows, interleaved in one process.
//!
//! Rows of one put on both sides: log (88 B header + body), atom pointer, two references, answer;
//! and one row a commit for the stream. Atom: 1 KB of text, 8 metadata keys, 2 references, an
//! idempotency key, an embedding of 256 bytes that was made before.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use fjall::{Database, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use measure::{load, micros, quantile, rounds, spread};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa_actors::atom::{Content, Embedding};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn draft(n: u64, targets: &[AtomId]) -> Draft {
    let text: String = (0..64).map(|i| format!("word{:011} ", (n * 64 + i) % 7919)).collect();
    Draft {
        id: None,
        content: Content::Text(text),
        annotation: format!("note {n}"),
        metadata: (0..8).map(|k| (format!("key{k}"), Value::Int((n % 100) as i64 + k))).collect(),
        references: BTreeMap::from([("blocked_by".to_owned(), targets.to_vec())]),
        embedding: Some(Embedding { fingerprint: 1, scale: 0.01, dims: vec![n as u8; 256] }),
    }
}

/// `embed`: the vector of each atom is made as it is put, of 64 words.
async fn stoa(
    caller: &Caller,
    space: SpaceId,
    flight: u64,
    time: Duration,
    embed: bool,
) -> (f64, Vec<u64>) {
    let targets = [
        caller.put(space, draft(0, &[]), WriteOptions::default()).await.expect("put").id,
        caller.put(space, draft(1, &[]), WriteOptions::default()).await.expect("put").id,
    ];
    // Made before: what is measured is putting them, not making them up.
    let made = |n| {
        let draft = draft(n, &targets);
        if embed { Draft { embedding: None, ..draft } } else { draft }
    };
    let drafts: Arc<Vec<Draft>> = Arc::new((0..256).map(made).collect());
    let count = Arc::new(AtomicU64::new(0));
    let stamp = caller.session().to_string() + &targets[0].to_string();
    let start = Instant::now();
    let tasks: Vec<_> = (0..flight)
        .map(|task| {
            let (caller, count, drafts) = (caller.clone(), count.clone(), drafts.clone());
            let stamp = stamp.clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                let mut n = 0u64;
                while start.elapsed() < time {
                    let begun = Instant::now();
                    let why = WriteOptions::comment("bench").key(format!("{task}-{n}-{stamp}"));
                    let draft = drafts[(n % 256) as usize].clone();
                    caller.put(space, draft, why).await.expect("put");
                    took.push(begun.elapsed().as_micros() as u64);
                    n += 1;
                    count.fetch_add(1, Ordering::Relaxed);
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.expect("task"));
    }
    took.sort_unstable();
    (count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64(), took)
}

/// A tight loop: no actors, no callers, no chain, no witness.
fn bare(db: &Database, group: u64, time: Duration, from: &mut u64) -> f64 {
    let space = |name: &str| db.keyspace(name, KeyspaceCreateOptions::default).expect("keyspace");
    let (log, atoms, references, answers, streams) =
        (space("log"), space("atoms"), space("references"), space("answers"), space("streams"));
    let body = vec![7u8; 1_700];
    let (start, mut n) = (Instant::now(), 0);
    while start.elapsed() < time {
        let mut batch = OwnedWriteBatch::with_capacity(db.clone(), group as usize * 5 + 1)
            .durability(Some(PersistMode::SyncData));
        let mut places = Vec::new();
        for _ in 0..group {
            *from += 1;
            n += 1;
            let at = from.to_be_bytes();
            let atom = [&at[..], &[9; 8]].concat();
            batch.insert(&log, at, body.clone());
            batch.insert(&atoms, atom.clone(), [0u8; 26]);
            for target in [1u8, 2] {
                let key = [&[target; 16][..], b"blocked_by", &[0], &atom].concat();
                batch.insert(&references, key, []);
            }
            let key = [&[5u8; 32][..], format!("{n}-{from}-Instant").as_bytes()].concat();
            batch.insert(&answers, key, at);
            places.extend(at);
        }
        batch.insert(&streams, [&[5u8; 16][..], &from.to_be_bytes()].concat(), places);
        batch.commit().expect("commit");
    }
    n as f64 / start.elapsed().as_secs_f64()
}

/// One overwrite of 512 prewritten bytes and its sync, in microseconds: what a disk can do.
fn one_sync(path: &std::path::Path, count: usize) -> f64 {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::create(path).expect("a file");
    file.write_all_at(&[0; 8192], 0).expect("write");
    file.sync_all().expect("sync");
    let mut took: Vec<f64> = (0..count)
        .map(|n| {
            let begun = Instant::now();
            file.write_all_at(&[n as u8; 512], (n as u64 % 2) * 4096).expect("write");
            file.sync_data().expect("sync");
            micros(begun)
        })
        .collect();
    quantile(&mut took, 0.5)
}

/// Seconds of the sustained run; `SUSTAINED=n` for another.
fn sustained() -> u64 {
    std::env::var("SUSTAINED").ok().and_then(|it| it.parse().ok()).unwrap_or(30)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path().join("stoa"))).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("bench", "").await.expect("space");
    let db = Database::builder(dir.path().join("bare"))
        .cache_size(32 << 20)
        .max_journaling_size(128 << 20)
        .open()
        .expect("opens");
    let mut from = 0;
    println!("load {}", load());
    // Flushes and compactions are part of what is sustained.
    let (rate, took) = stoa(&caller, space, 512, Duration::from_secs(sustained()), false).await;
    let p99 = took[took.len() * 99 / 100];
    println!(
        "puts  {rate:>8.0}/s over {} s, 512 in flight, p99 {p99} us (aim 25000/s over 30 s)",
        sustained()
    );
    for flight in [1u64, 64, 512] {
        let time = Duration::from_millis(700);
        let (mut ratios, mut ours, mut floor, mut p50, mut p99) =
            (vec![], vec![], vec![], vec![], vec![]);
        let mut syncs = Vec::new();
        for _ in 0..rounds() {
            syncs.push(one_sync(&dir.path().join("sync"), 200));
            // In a closed loop half of what is in flight makes one commit.
            let base = bare(&db, flight.div_ceil(2), time, &mut from);
            let (rate, took) = stoa(&caller, space, flight, time, false).await;
            p50.push(took[took.len() / 2] as f64);
            p99.push(took[took.len() * 99 / 100] as f64);
            ratios.push(rate / base);
            ours.push(rate);
            floor.push(base);
        }
        if flight == 1 {
            let (sync, put) = (spread(syncs).1, spread(p50.clone()).1);
            println!(
                "one put p50 {put:.0} us, one fdatasync p50 {sync:.0} us, ratio {:.1} (aim 4)",
                put / sync
            );
        }
        let (low, mid, high) = spread(ratios);
        println!(
            "puts  {flight:>4} in flight  {:>8.0}/s  bare {:>8.0}/s  ratio {mid:.2} [{low:.2}-{high:.2}]  p50 {:>7.0} us  p99 {:>7.0} us",
            spread(ours).1,
            spread(floor).1,
            spread(p50).1,
            spread(p99).1,
        );
    }
    let mut parts = Vec::new();
    for _ in 0..rounds() {
        let time = Duration::from_millis(700);
        let (before, _) = stoa(&caller, space, 512, time, false).await;
        let (inside, _) = stoa(&caller, space, 512, time, true).await;
        parts.push(inside / before);
    }
    let (low, mid, high) = spread(parts);
    println!("the embedding made inside: {mid:.2} of the rate [{low:.2}-{high:.2}], 512 in flight");
    println!("load {}", load());
    runtime.stop().await.expect("stops");
}
