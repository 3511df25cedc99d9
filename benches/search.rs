//! Search over a real store: text, metadata and the state of references in one question, against
//! 10,000 and 100,000 atoms. Prints the first search of a space, which makes its index, apart.
//!
//! Atoms: about 40 words, 4 metadata keys, every other one with up to three `blocked_by`. Promise:
//! p99 of 5 ms over 10,000 and of 15 ms over 100,000.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::{Condition, Order, Query, Which};
use stoa_actors::space::Draft;
use stoa_actors::value::Value;
use stoa_runtime::caller::{Caller, Why};
use stoa_runtime::config::Config;
use stoa_runtime::runtime::Runtime;

/// A small generator of its own: the same atoms every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// By Zipf, roughly: the small ones are common.
    fn skewed(&mut self, end: u64) -> usize {
        let (a, b) = (self.below(end) + 1, self.below(end) + 1);
        (a * b / end).min(end - 1) as usize
    }
}

/// The words of this repository's own sources.
fn vocabulary() -> Vec<String> {
    let texts = [
        include_str!("../actors/src/space.rs"),
        include_str!("../actors/src/rights.rs"),
        include_str!("../actors/src/supervisor.rs"),
        include_str!("../actors/src/incarnation.rs"),
        include_str!("../runtime/src/log.rs"),
        include_str!("../runtime/src/store.rs"),
        include_str!("../runtime/data/PROVENANCE.md"),
        include_str!("../LICENSE-APACHE"),
    ];
    let words = texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphabetic()));
    let long: std::collections::BTreeSet<String> =
        words.filter(|word| word.len() > 2).map(str::to_lowercase).collect();
    long.into_iter().collect()
}

fn sentence(words: &[String], chance: &mut Chance, count: u64) -> String {
    let word = |_| words[chance.skewed(words.len() as u64)].as_str();
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

fn draft(n: u64, words: &[String], known: &[AtomId], chance: &mut Chance) -> Draft {
    let status = ["open", "open", "claimed", "completed", "completed"][chance.below(5) as usize];
    let blockers = if n.is_multiple_of(2) { chance.below(4) } else { 0 };
    let any = |_| known[chance.below(known.len() as u64) as usize];
    let targets: Vec<AtomId> =
        if known.is_empty() { Vec::new() } else { (0..blockers).map(any).collect() };
    Draft {
        id: None,
        content: Content::Text(sentence(words, chance, 34)),
        annotation: sentence(words, chance, 6),
        metadata: Metadata::from([
            ("status".into(), Value::from(status)),
            ("priority".into(), Value::Int(chance.below(5) as i64)),
            ("team".into(), Value::from(format!("team{}", chance.below(12)))),
            ("ticket".into(), Value::Int(n as i64)),
        ]),
        references: BTreeMap::from([("blocked_by".to_owned(), targets)]),
        embedding: None,
    }
}

async fn fill(caller: &Caller, space: SpaceId, count: u64, words: &[String]) {
    let mut chance = Chance(7);
    let mut known = Vec::new();
    let mut n = 0;
    while n < count {
        let puts: Vec<_> = (n..count.min(n + 512))
            .map(|n| {
                let (caller, draft) = (caller.clone(), draft(n, words, &known, &mut chance));
                tokio::spawn(async move { caller.put(space, draft, Why::default()).await })
            })
            .collect();
        for put in puts {
            known.push(put.await.expect("task").expect("put").id);
            n += 1;
        }
    }
}

fn state(metadata: &[(&str, &str)]) -> Metadata {
    metadata.iter().map(|(key, it)| ((*key).to_owned(), Value::from(*it))).collect()
}

fn unblocked() -> BTreeMap<String, Condition> {
    let done = Condition { which: Which::All, metadata: state(&[("status", "completed")]) };
    BTreeMap::from([("blocked_by".to_owned(), done)])
}

/// What is asked, by name. The last is the worst there is: a condition that nothing meets.
fn questions(text: String, team: u64) -> Vec<(&'static str, Query)> {
    let open = state(&[("status", "open")]);
    let team = state(&[("status", "open"), ("team", &format!("team{team}"))]);
    let never = Condition { which: Which::Any, metadata: state(&[("status", "no such")]) };
    let never = BTreeMap::from([("blocked_by".to_owned(), never)]);
    let text = Some(text);
    vec![
        (
            "text + metadata + references",
            Query {
                text: text.clone(),
                metadata: open.clone(),
                references: unblocked(),
                ..Query::default()
            },
        ),
        (
            "text + two keys + references",
            Query {
                text: text.clone(),
                metadata: team,
                references: unblocked(),
                ..Query::default()
            },
        ),
        ("text", Query { text: text.clone(), ..Query::default() }),
        (
            "metadata + references, newest",
            Query {
                metadata: open,
                references: unblocked(),
                order: Order::Newest,
                ..Query::default()
            },
        ),
        (
            "text + references that nothing meets",
            Query { text, references: never, ..Query::default() },
        ),
    ]
}

fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let rounds: u64 = std::env::var("ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(300);
    let sizes = std::env::var("ATOMS").unwrap_or_else(|_| "10000,100000".into());
    let words = vocabulary();
    println!("load {}, {} words", load(), words.len());
    for atoms in sizes.split(',').filter_map(|it| it.parse::<u64>().ok()) {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = Runtime::open(Config::at(dir.path())).await.expect("opens");
        let space = runtime.caller(ROOT).create_space("bench", "").await.expect("space");
        fill(&runtime.caller(ROOT), space, atoms, &words).await;
        runtime.stop().await.expect("stops");
        drop(runtime);
        let free = || std::fs::File::options().write(true).open(dir.path().join("lock"));
        // The last tasks let go of the directory a moment later.
        while free().is_ok_and(|it| it.try_lock().is_err()) {
            tokio::task::yield_now().await;
        }
        // Opened anew, so that what an index takes is not what the writes have left behind.
        let runtime = Runtime::open(Config::at(dir.path())).await.expect("opens");
        let caller = runtime.caller(ROOT);
        let (before, start) = (resident(), Instant::now());
        caller.search(space, Query::text("first")).await.expect("search");
        println!(
            "{atoms:>7} atoms: first search {:.0} ms ({:.1} us an atom), at most {} resident bytes an atom",
            ms(start.elapsed()),
            ms(start.elapsed()) * 1e3 / atoms as f64,
            resident().saturating_sub(before) / atoms,
        );
        let mut chance = Chance(99);
        let mut took: BTreeMap<usize, (&str, Vec<Duration>, usize)> = BTreeMap::new();
        for _ in 0..rounds {
            let start = Instant::now();
            tokio::task::spawn_blocking(|| ()).await.expect("a thread");
            let floor = took.entry(usize::MAX).or_insert((
                "floor: a thread that does nothing",
                Vec::new(),
                0,
            ));
            floor.1.push(start.elapsed());
            let text = sentence(&words, &mut chance, 4);
            for (n, (name, query)) in questions(text, chance.below(12)).into_iter().enumerate() {
                let start = Instant::now();
                let found = caller.search(space, query).await.expect("search");
                let kept = took.entry(n).or_insert((name, Vec::new(), 0));
                kept.1.push(start.elapsed());
                kept.2 += found.len();
            }
        }
        for (name, mut times, found) in took.into_values() {
            times.sort_unstable();
            println!(
                "{atoms:>7} atoms: {name:<38} p50 {:>6.2} ms  p99 {:>6.2} ms  ({:.1} hits)",
                ms(times[times.len() / 2]),
                ms(times[times.len() * 99 / 100]),
                found as f64 / rounds as f64,
            );
        }
        runtime.stop().await.expect("stops");
    }
    println!("load {}", load());
}
