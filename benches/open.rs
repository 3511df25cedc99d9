//! Opening: to the first `get` after an orderly stop and after `kill -9`, to the first search, and
//! what an empty owner weighs. `ENTRIES=1000000` for the full size.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, micros};
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use stoa::caller::WriteOptions;
use stoa::config::Config;
use stoa_actors::atom::{Content, Embedding};
use stoa_actors::id::{AtomId, ROOT};
use stoa_actors::search::Query;
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("fill") => fill(Path::new(&args[2]), args[3].parse().expect("a count"), &args[4]),
        Some("get") => first(Path::new(&args[2]), args[3].parse().expect("an id"), &args[4]),
        Some("empty") => empty(Path::new(&args[2])),
        _ => parent(),
    }
}

fn parent() {
    let entries = std::env::var("ENTRIES").unwrap_or_else(|_| "200000".into());
    println!("load {}; {entries} entries of 300 B with an embedding", load());
    let dir = tempfile::tempdir().expect("a directory");
    run(&["empty", &dir.path().join("empty").display().to_string()]);
    for end in ["stop", "kill"] {
        let data = dir.path().join(end).display().to_string();
        let id = run(&["fill", &data, &entries, end]);
        let id = id.trim();
        run(&["get", &data, id, &format!("first get after {end}")]);
        run(&["get", &data, id, "first get after the open before was stopped"]);
    }
    println!("load {}", load());
}

/// In a process of its own: what one process leaves in memory is not the next one's.
fn run(args: &[&str]) -> String {
    let child = Command::new(std::env::current_exe().expect("this bench"))
        .args(args)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&child.stdout).into_owned();
    if args[0] != "fill" {
        print!("{text}");
    }
    text
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn fill(data: &Path, entries: usize, end: &str) {
    let runtime = stoa::open(Config::at(data)).await.expect("it opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("bench", "").await.expect("a space");
    let mut writing = Vec::new();
    for task in 0..256 {
        let caller = caller.clone();
        writing.push(tokio::spawn(async move {
            let mut last = None;
            for n in (task..entries).step_by(256) {
                let draft = Draft {
                    content: Content::Text(format!("note {n} {}", "words and more ".repeat(18))),
                    metadata: [("n".to_owned(), Value::Int(n as i64 % 100))].into(),
                    embedding: Some(Embedding {
                        fingerprint: 1,
                        scale: 0.01,
                        dims: vec![n as u8; 256],
                    }),
                    ..Draft::default()
                };
                last =
                    Some(caller.put(space, draft, WriteOptions::default()).await.expect("put").id);
            }
            last
        }));
    }
    let mut id = None;
    for task in writing {
        id = task.await.expect("a writer").or(id);
    }
    println!("{}", id.expect("an atom"));
    if end == "kill" {
        std::process::abort();
    }
    runtime.stop().await.expect("it stops");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn first(data: &Path, id: AtomId, what: &str) {
    let begun = Instant::now();
    let runtime = stoa::open(Config::at(data)).await.expect("it opens");
    let caller = runtime.caller(ROOT);
    caller.get(id).await.expect("get");
    println!("{what:<45} {:>8.0} ms  resident {} MiB", micros(begun) / 1e3, resident());
    if what.contains("before") {
        let begun = Instant::now();
        let space = caller.resolve("bench").expect("the space");
        let found = caller.search(space, Query::text("note words")).await.expect("search");
        println!(
            "{:<45} {:>8.0} ms  {} hits, resident {} MiB",
            "first search after that",
            micros(begun) / 1e3,
            found.len(),
            resident()
        );
    }
    runtime.stop().await.expect("it stops");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn empty(data: &Path) {
    let runtime = stoa::open(Config::at(data)).await.expect("it opens");
    println!("{:<45} {:>8} MiB resident (aim 60)", "an empty owner", resident());
    runtime.stop().await.expect("it stops");
}

/// Resident memory in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) / 1024
}
