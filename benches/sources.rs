//! Documents into a space: the first time, and again when nothing has changed.
//!
//! `SOURCES=DIR:DIR` for real ones; else 2,000 pages of HTML, 20 KB each, are made up. Promise:
//! 2,000 files within 8 s, again within 0.3 s, also from a store that was just opened; 500 MiB at most.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::load;
use std::path::{Path, PathBuf};
use std::time::Instant;
use stoa::config::Config;
use stoa::research::{Ingested, SourceLimits, ingest};
use stoa::runtime::Runtime;
use stoa_actors::id::{ROOT, SpaceId};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

async fn run(what: &str, runtime: &Runtime, space: SpaceId, paths: &[PathBuf]) -> Ingested {
    let caller = runtime.caller(ROOT);
    let start = Instant::now();
    let done = ingest(&caller, space, paths, &SourceLimits::default(), &mut |_| {})
        .await
        .expect("ingests");
    let took = start.elapsed().as_secs_f64();
    println!(
        "{what:<10} {took:>7.3} s  {} files ({} new, {} unchanged, {} skipped), {} passages, \
         {} MiB at most",
        done.files,
        done.new,
        done.unchanged,
        done.skipped.len(),
        done.passages,
        peak_mib(),
    );
    done
}

/// The most memory this process has had resident so far.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

fn made_up(dir: &Path) -> PathBuf {
    let docs = dir.join("docs");
    std::fs::create_dir(&docs).expect("a folder");
    let word = |n: usize| ["store", "agents", "reading", "log", "durable", "where"][n % 6];
    for file in 0..2_000 {
        let mut text = format!("<html><title>Page {file}</title><body>\n<h1>Page {file}</h1>\n");
        for section in 0..8 {
            text.push_str(&format!("<h2>Section {section} of {file}</h2>\n"));
            for line in 0..30 {
                let said: Vec<_> =
                    (0..10).map(|n| word(n * file + line + n * n + section)).collect();
                text.push_str(&format!("<p>{} <b>{line}</b>.</p>\n", said.join(" ")));
            }
        }
        std::fs::write(docs.join(format!("{file}.html")), text).expect("a file");
    }
    docs
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    let paths = match std::env::var_os("SOURCES") {
        Some(real) => std::env::split_paths(&real).collect(),
        None => vec![made_up(dir.path())],
    };
    let config = || Config::at(dir.path().join("stoa"));
    println!("load {}", load());
    let runtime = stoa::open(config()).await.expect("opens");
    let space = runtime.caller(ROOT).create_space("sources", "").await.expect("space");
    let first = run("first", &runtime, space, &paths).await;
    let again = run("again", &runtime, space, &paths).await;
    assert_eq!((again.unchanged, again.passages), (first.files, first.passages));
    runtime.stop().await.expect("stops");
    drop(runtime);
    let runtime = loop {
        match stoa::open(config()).await {
            Ok(runtime) => break runtime,
            Err(stoa::failure::StoreError::Locked { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    run("reopened", &runtime, space, &paths).await;
    runtime.stop().await.expect("stops");
    println!("load {}", load());
}
