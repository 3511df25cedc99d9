//! What a durable put costs as a store grows, and how much room it takes: a store of 10,000 atoms
//! and one of a million, put into by turns. `ATOMS=n` for another size of the larger.
//!
//! Atoms: 40 words of text, six of annotation, four metadata keys, every other with a reference; the
//! vector is made before the write, by the built-in embedder. Promise: flat within a fifth, and at
//! most three times the bytes of what the atoms themselves say, their vectors included.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, rounds, spread};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the atoms of a store say, in bytes: text, annotation, metadata, references, comment, and a
/// vector of eight bits a dimension.
#[derive(Default)]
struct Said(AtomicU64);

const VECTOR_BYTES: usize = 256 + 8;

fn words(seed: u64, count: u64) -> String {
    (0..count).map(|i| format!("word{:04} ", (seed * 7_919 + i * 104_729) % 9_973)).collect()
}

fn draft(n: u64, before: Option<AtomId>, said: &Said) -> Draft {
    let text = words(n, 40);
    let annotation = words(n ^ 0x5555, 6);
    let metadata = [
        ("status".to_owned(), Value::from(["open", "doing", "done"][(n % 3) as usize])),
        ("priority".to_owned(), Value::Int((n % 5) as i64)),
        ("team".to_owned(), Value::from(format!("team{}", n % 12))),
        ("ticket".to_owned(), Value::Int(n as i64)),
    ];
    let target = before.filter(|_| n.is_multiple_of(2));
    let bytes = text.len() + annotation.len() + 48 + VECTOR_BYTES + "bench".len();
    let bytes = bytes + target.map_or(0, |_| "after".len() + 16);
    said.0.fetch_add(bytes as u64, Ordering::Relaxed);
    Draft {
        content: Content::Text(text),
        annotation,
        metadata: metadata.into(),
        references: target.iter().map(|id| ("after".to_owned(), vec![*id])).collect(),
        ..Draft::default()
    }
}

/// Puts so many, by 64 at once; how many a second.
async fn put(caller: &Caller, space: SpaceId, from: u64, count: u64, said: &Arc<Said>) -> f64 {
    let begun = Instant::now();
    let next = Arc::new(AtomicU64::new(from));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (caller, next, said) = (caller.clone(), next.clone(), said.clone());
        writers.spawn(async move {
            let mut before = None;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= from + count {
                    return;
                }
                let draft = draft(n, before, &said);
                let put = caller.put(space, draft, WriteOptions::comment("bench")).await;
                before = Some(put.expect("a put").id);
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.expect("a writer");
    }
    count as f64 / begun.elapsed().as_secs_f64()
}

/// Bytes of all files below.
fn room(under: &Path) -> u64 {
    let entries = std::fs::read_dir(under).expect("a directory");
    entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let about = entry.metadata().expect("its size");
            if about.is_dir() { room(&entry.path()) } else { about.len() }
        })
        .sum()
}

struct Store {
    runtime: Runtime,
    space: SpaceId,
    said: Arc<Said>,
    atoms: u64,
}

impl Store {
    async fn of(data: &Path, atoms: u64) -> Store {
        let runtime = stoa::open(Config::at(data)).await.expect("it opens");
        let space = runtime.caller(ROOT).create_space("bench", "").await.expect("a space");
        let mut store = Store { runtime, space, said: Arc::default(), atoms: 0 };
        store.put(atoms).await;
        store
    }

    async fn put(&mut self, count: u64) -> f64 {
        let caller = self.runtime.caller(ROOT);
        let rate = put(&caller, self.space, self.atoms, count, &self.said).await;
        self.atoms += count;
        rate
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let large = std::env::var("ATOMS").ok().and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    let directory = tempfile::tempdir().expect("a directory");
    println!("load {}", load());
    let mut few = Store::of(&directory.path().join("few"), 10_000).await;
    let begun = Instant::now();
    let mut many = Store::of(&directory.path().join("many"), large).await;
    println!("{large} atoms in {:.0} s", begun.elapsed().as_secs_f64());
    let (mut ratios, mut small, mut big) = (vec![], vec![], vec![]);
    for _ in 0..rounds() {
        let (one, other) = (few.put(1_000).await, many.put(1_000).await);
        ratios.push(one / other);
        small.push(one);
        big.push(other);
    }
    let (low, mid, high) = spread(ratios);
    println!(
        "puts, 64 in flight  at 10,000 {:>7.0}/s  at {large} {:>7.0}/s  cost {mid:.2} \
         [{low:.2}-{high:.2}] (aim 0.8-1.2)",
        spread(small).1,
        spread(big).1,
    );
    many.runtime.stop().await.expect("it stops");
    few.runtime.stop().await.expect("it stops");
    for (name, said) in [("few", &few.said), ("many", &many.said)] {
        let (room, said) = (room(&directory.path().join(name)), said.0.load(Ordering::Relaxed));
        println!(
            "{name:<5} {:>6} MiB on disk for {:>6} MiB: {:.2} times (aim 3)",
            room >> 20,
            said >> 20,
            room as f64 / said as f64,
        );
    }
    println!("load {}", load());
}
