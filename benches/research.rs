//! Questions answered from real documentation: how long the first and the next one take over 2,000
//! files, how much memory, and how good the answers from all of them are. Every citation is checked
//! against the file it names.
//!
//!     apt-get install postgresql-doc-15 python3-doc git-doc
//!     cargo bench -p stoa-benches --bench research

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::expect_used, reason = "a bench that cannot run ends")]

use measure::{load, quantile};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::research::{Report, ResearchAsk, ResearchLimits, research};
use stoa::runtime::Runtime;
use stoa_actors::id::ROOT;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DOCUMENTS: [&str; 3] = [
    "/usr/share/doc/postgresql-doc-15/html",
    "/usr/share/doc/git/html",
    "/usr/share/doc/python3.11/html",
];

/// A question, and the files that answer it; none when none does.
struct Asked {
    question: String,
    files: Vec<String>,
}

fn questions() -> Vec<Asked> {
    let lines = include_str!("questions.txt").lines().filter(|it| !it.starts_with('#'));
    let asked = |line: &str| {
        let (question, files) = line.split_once('|').expect("a question and its files");
        let files = files.split_whitespace().filter(|it| *it != "-").map(str::to_owned);
        Asked { question: question.trim().to_owned(), files: files.collect() }
    };
    lines.map(asked).collect()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    stoa::worker_main_if_asked();
    let paths: Vec<PathBuf> =
        DOCUMENTS.iter().map(PathBuf::from).filter_map(|it| it.canonicalize().ok()).collect();
    if paths.len() < DOCUMENTS.len() {
        println!("SKIPPED: apt-get install postgresql-doc-15 python3-doc git-doc");
        return;
    }
    println!("load {}", load());
    let dir = tempfile::tempdir().expect("a directory");
    let questions = questions();
    let runtime = open(dir.path()).await;
    let begun = Instant::now();
    let some = files(&paths, FILES);
    let report = ask(&runtime, &some, &questions[0].question).await;
    println!(
        "cold: {} files, {} passages, answered in {:.1} s (aim 15)",
        report.files,
        report.passages,
        begun.elapsed().as_secs_f64()
    );
    println!("peak memory {:.0} MiB (aim 600), without the worker's", peak_mib());
    runtime.stop().await.expect("it stops");
    drop(runtime);
    let begun = Instant::now();
    let runtime = open(dir.path()).await;
    println!("opened again in {:.2} s", begun.elapsed().as_secs_f64());
    ask(&runtime, &some, &questions[1].question).await;
    println!(
        "the next one, in a new process's state: {:.2} s (aim 2)",
        begun.elapsed().as_secs_f64()
    );
    quality(&runtime, &paths, &questions).await;
    println!("peak memory {:.0} MiB after all questions", peak_mib());
    runtime.stop().await.expect("it stops");
    println!("load {}", load());
}

/// Files that the times are taken over.
const FILES: usize = 2_000;

/// So many of them all, evenly spread over the folders.
fn files(under: &[PathBuf], count: usize) -> Vec<PathBuf> {
    fn walk(path: &Path, found: &mut Vec<PathBuf>) {
        match std::fs::read_dir(path) {
            Ok(entries) => entries.flatten().for_each(|it| walk(&it.path(), found)),
            Err(_) => found.extend(path.canonicalize()),
        }
    }
    let mut all = Vec::new();
    under.iter().for_each(|it| walk(it, &mut all));
    all.sort();
    all.dedup();
    let step = all.len() as f64 / count as f64;
    (0..count).filter_map(|n| all.get((n as f64 * step) as usize).cloned()).collect()
}

async fn open(data: &Path) -> Runtime {
    loop {
        match stoa::open(Config::at(data)).await {
            // The tasks of the runtime before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => return opened.expect("it opens"),
        }
    }
}

async fn ask(runtime: &Runtime, paths: &[PathBuf], question: &str) -> Report {
    let ask = ResearchAsk {
        question: question.to_owned(),
        paths: paths.to_owned(),
        agents: 3,
        model: "recipe".into(),
        fresh: false,
    };
    let report =
        research(&runtime.caller(ROOT), &ask, &ResearchLimits::default(), &mut |_| ()).await;
    let report = report.expect("an answer");
    runtime.at_rest().await;
    report
}

async fn quality(runtime: &Runtime, paths: &[PathBuf], questions: &[Asked]) {
    let (mut right, mut answerable, mut refused, mut unanswerable) = (0, 0, 0, 0);
    let (mut cited, mut true_to_file) = (0, 0);
    let mut took: Vec<f64> = Vec::new();
    for Asked { question, files } in questions {
        let begun = Instant::now();
        let report = ask(runtime, paths, question).await;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        let holds = report.citations.iter().filter(|it| holds(it)).count();
        cited += report.citations.len();
        true_to_file += holds;
        if files.is_empty() {
            unanswerable += 1;
            refused += usize::from(!report.found);
        } else {
            answerable += 1;
            let fits = |path: &str| files.iter().any(|it| path.contains(it.as_str()));
            let hit = report.found && report.citations.iter().any(|it| fits(&it.path));
            right += usize::from(hit);
            if !hit {
                let paths: Vec<&str> =
                    report.citations.iter().filter_map(|it| it.path.rsplit('/').next()).collect();
                println!("  missed ({}): {question} {paths:?}", report.found);
            }
        }
        if files.is_empty() && report.found {
            println!("  made up: {question}\n    {}", report.text.replace('\n', "\n    "));
        }
    }
    let part = |some: usize, all: usize| 100.0 * some as f64 / all.max(1) as f64;
    println!(
        "right file cited       {right:>4} of {answerable:<4} {:>5.1} % (aim 80)",
        part(right, answerable)
    );
    println!(
        "unanswerable refused   {refused:>4} of {unanswerable:<4} {:>5.1} % (aim 80)",
        part(refused, unanswerable)
    );
    println!(
        "citations that hold    {true_to_file:>4} of {cited:<4} {:>5.1} % (aim 100)",
        part(true_to_file, cited)
    );
    println!(
        "an answer              {:>6.0} ms p50, {:.0} ms p99",
        quantile(&mut took, 0.5),
        quantile(&mut took, 0.99)
    );
}

/// Whether the words of a citation stand on the lines it names, in the file as it is.
fn holds(citation: &stoa::research::Citation) -> bool {
    let Ok(mut bytes) = std::fs::read(&citation.path) else { return false };
    if citation.path.ends_with(".gz") {
        let mut unpacked = Vec::new();
        let read = flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked);
        read.expect("a gzipped file");
        bytes = unpacked;
    }
    let file = String::from_utf8_lossy(&bytes);
    let (first, last) = (citation.line as usize, citation.last as usize);
    let lines: Vec<&str> = file.lines().skip(first - 1).take(last + 1 - first).collect();
    let lines = lines.join(" ");
    let words = citation.text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|it| it.len() > 1);
    let holds = words.filter(|it| !it.is_empty()).all(|it| lines.contains(it));
    if !holds {
        println!("  not there: {citation:?}");
    }
    holds
}

/// The most memory this process has had.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmHWM")).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}
