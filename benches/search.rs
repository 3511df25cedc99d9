//! Search over a real store: text, metadata and the state of references in one question, against
//! 10,000 and 100,000 atoms; `ATOMS=1000000` for another size. Prints the first search of a space,
//! which makes its index, apart.
//!
//! Atoms: 40 words, three of four from one of some hundred topics (`SALAD=1` for none), 4
//! metadata keys, every other one with up to three `blocked_by`. Promises:
//! text + metadata + references p99 of 10 ms over 100,000 and of 60 ms over 1,000,000; with a filter
//! that leaves 1 % of 100,000 p99 of 2 ms. Then the same with segments of vectors (`SEAL=n` for
//! another number of vectors, 0 for none): recall of the best ten of .95 against the scan.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::runtime::Runtime;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::{Condition, Query, SearchOrder, Which};
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
        include_str!("../runtime/log/src/log.rs"),
        include_str!("../runtime/log/src/store.rs"),
        include_str!("../runtime/embedder/data/PROVENANCE.md"),
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

/// What an atom or a question is about: some of the words, three of four in it are of these.
const TOPIC_WORDS: u64 = 40;

fn about(words: &[String], chance: &mut Chance, count: u64) -> String {
    if std::env::var_os("SALAD").is_some() {
        return sentence(words, chance, count);
    }
    let topics = words.len() as u64 / 4;
    let topic = chance.below(topics) * 4;
    let one = |n: u64| {
        if n % 4 == 3 {
            return words[chance.skewed(words.len() as u64)].as_str();
        }
        words[((topic + chance.skewed(TOPIC_WORDS) as u64 * 7) % words.len() as u64) as usize]
            .as_str()
    };
    (0..count).map(one).collect::<Vec<_>>().join(" ")
}

fn draft(n: u64, words: &[String], known: &[AtomId], chance: &mut Chance) -> Draft {
    let status = ["open", "open", "claimed", "completed", "completed"][chance.below(5) as usize];
    let blockers = if n.is_multiple_of(2) { chance.below(4) } else { 0 };
    let any = |_| known[chance.below(known.len() as u64) as usize];
    let targets: Vec<AtomId> =
        if known.is_empty() { Vec::new() } else { (0..blockers).map(any).collect() };
    Draft {
        id: None,
        content: Content::Text(about(words, chance, 40)),
        annotation: String::new(),
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
                tokio::spawn(async move { caller.put(space, draft, WriteOptions::default()).await })
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
fn questions(text: String, chance: &mut Chance, atoms: u64) -> Vec<(&'static str, Query)> {
    let open = state(&[("status", "open")]);
    let team = format!("team{}", chance.below(12));
    let team = state(&[("status", "open"), ("team", &team)]);
    let first = chance.below(atoms - atoms / 100);
    let range = |from: u64, to: u64| {
        let ends = [(">=", from), ("<", to)];
        let ends = ends.map(|(operator, it)| (operator.to_owned(), Value::Int(it as i64)));
        Metadata::from([("ticket".to_owned(), Value::Map(ends.into()))])
    };
    let never = Condition { which: Which::Any, metadata: state(&[("status", "no such")]) };
    let never = BTreeMap::from([("blocked_by".to_owned(), never)]);
    let plain = Query { text: Some(text), ..Query::default() };
    let of = |metadata: Metadata, references| Query { metadata, references, ..plain.clone() };
    let none = BTreeMap::new;
    vec![
        ("text + metadata + references", of(open.clone(), unblocked())),
        ("text + two keys + references", of(team, unblocked())),
        ("text + a range of 1 % + references", of(range(first, first + atoms / 100), unblocked())),
        ("text + a range of half", of(range(0, atoms / 2), none())),
        ("text", plain.clone()),
        (
            "metadata + references, newest",
            Query { text: None, order: SearchOrder::Newest, ..of(open, unblocked()) },
        ),
        ("text + references that nothing meets", of(Metadata::new(), never)),
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

/// Opens a directory that another has just let go of.
async fn opened(config: &Config) -> Runtime {
    let free = || std::fs::File::options().write(true).open(config.log.data.join("lock"));
    // The last tasks let go of the directory a moment later.
    while free().is_ok_and(|it| it.try_lock().is_err()) {
        tokio::task::yield_now().await;
    }
    stoa::open(config.clone()).await.expect("opens")
}

/// What each question found, as scores, the same texts in the same order.
type Answers = Vec<Vec<f32>>;

/// Asks everything so many times, and prints how long it took.
async fn ask(caller: &Caller, space: SpaceId, words: &[String], atoms: u64, how: &str) -> Answers {
    let rounds: u64 = std::env::var("ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(300);
    let mut chance = Chance(99);
    let mut took: BTreeMap<usize, (&str, Vec<Duration>, usize)> = BTreeMap::new();
    let mut answers = Vec::new();
    for round in 0..rounds {
        let start = Instant::now();
        tokio::task::spawn_blocking(|| ()).await.expect("a thread");
        let floor = took.entry(usize::MAX).or_insert(("floor: an idle thread", Vec::new(), 0));
        floor.1.push(start.elapsed());
        let text = about(words, &mut chance, 4);
        let mut asked: Vec<_> =
            questions(text, &mut chance, atoms).into_iter().enumerate().collect();
        // None of them is always the first with a new text.
        let count = asked.len();
        asked.rotate_left(round as usize % count);
        for (n, (name, query)) in asked {
            let start = Instant::now();
            let found = caller.search(space, query).await.expect("search");
            let kept = took.entry(n).or_insert((name, Vec::new(), 0));
            kept.1.push(start.elapsed());
            kept.2 += found.len();
            answers.push(found.iter().take(10).map(|it| it.score).collect());
        }
    }
    for (name, mut times, found) in took.into_values() {
        times.sort_unstable();
        println!(
            "{atoms:>7} atoms, {how}: {name:<36} p50 {:>6.2} ms  p99 {:>6.2} ms  ({:.1} hits)",
            ms(times[times.len() / 2]),
            ms(times[times.len() * 99 / 100]),
            found as f64 / rounds as f64,
        );
    }
    answers
}

/// Of the best ten of each question, how many score as high as the worst of the scan's.
fn recall(scanned: &Answers, found: &Answers) -> f64 {
    let (mut all, mut there) = (0, 0);
    for (scanned, found) in scanned.iter().zip(found) {
        let worst = scanned.last().copied().unwrap_or_default();
        all += scanned.len();
        there += found.iter().filter(|it| **it >= worst).count().min(scanned.len());
    }
    there as f64 / all as f64
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let sizes = std::env::var("ATOMS").unwrap_or_else(|_| "10000,100000".into());
    let seal = std::env::var("SEAL").ok().and_then(|it| it.parse().ok()).unwrap_or(100_000);
    let words = vocabulary();
    println!("load {}, {} words", load(), words.len());
    for atoms in sizes.split(',').filter_map(|it| it.parse::<u64>().ok()) {
        let dir = tempfile::tempdir().expect("a directory");
        let config = Config { search_segment_atoms: 0, ..Config::at(dir.path()) };
        let runtime = opened(&config).await;
        let space = runtime.caller(ROOT).create_space("bench", "").await.expect("space");
        let start = Instant::now();
        fill(&runtime.caller(ROOT), space, atoms, &words).await;
        println!("{atoms:>7} atoms: put in {:.1} s", start.elapsed().as_secs_f64());
        runtime.stop().await.expect("stops");
        drop(runtime);
        // Opened anew, so that what an index takes is not what the writes have left behind.
        let runtime = opened(&config).await;
        let caller = runtime.caller(ROOT);
        let (before, start) = (resident(), Instant::now());
        caller.search(space, Query::text("first")).await.expect("search");
        println!(
            "{atoms:>7} atoms: first search {:.0} ms ({:.1} us an atom), at most {} resident bytes an atom",
            ms(start.elapsed()),
            ms(start.elapsed()) * 1e3 / atoms as f64,
            resident().saturating_sub(before) / atoms,
        );
        let scanned = ask(&caller, space, &words, atoms, "scan").await;
        runtime.stop().await.expect("stops");
        drop((caller, runtime));
        if seal == 0 || atoms < seal as u64 {
            continue;
        }
        let config = Config { search_segment_atoms: seal, search_idle_ms: 50, ..config };
        let config = Config { index_follow_for_ms: u64::MAX / 2, ..config };
        let runtime = opened(&config).await;
        let caller = runtime.caller(ROOT);
        caller.search(space, Query::text("first")).await.expect("search");
        let (before, start) = (resident(), Instant::now());
        let mut began = false;
        let sealed = loop {
            let card = runtime.indexes().remove(0);
            began |= card.sealing.is_some();
            if began && card.sealing.is_none() && card.sealed == 0 {
                break 0;
            }
            if card.atoms - card.sealed < seal as u64 && card.sealing.is_none() {
                break card.sealed;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        println!(
            "{atoms:>7} atoms: {sealed} sealed in {:.1} s, {} resident bytes each",
            start.elapsed().as_secs_f64(),
            resident().saturating_sub(before) / sealed.max(1),
        );
        if sealed == 0 {
            println!("{atoms:>7} atoms: no segment finds enough of these; all is scanned");
            runtime.stop().await.expect("stops");
            continue;
        }
        let found = ask(&caller, space, &words, atoms, "segments").await;
        println!("{atoms:>7} atoms: recall@10 {:.4}", recall(&scanned, &found));
        runtime.stop().await.expect("stops");
    }
    println!("load {}", load());
}
