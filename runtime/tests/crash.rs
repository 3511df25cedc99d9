//! [ack] over the real store: one directory, killed a hundred times at random instants.
//!
//! The child opens the directory and writes with eight writers, values from one byte to eight
//! mebibytes that do not compress, so that journals are rotated on the way; every acknowledgement goes down a pipe as it comes. The parent kills it, also while
//! it recovers, opens the directory itself, holds what it finds against every acknowledgement of
//! all rounds so far, and has the whole log audited.

#![expect(clippy::expect_used, reason = "a test says what it takes for given")]
#![expect(clippy::print_stdout, reason = "it is its own harness, and speaks to its parent")]
#![expect(clippy::disallowed_methods, reason = "a run is its seed, and the seed is a setting")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use stoa::audit::audit;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, LogConfig};
use stoa::runtime::kinds;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT};
use stoa_actors::log::Hash;
use stoa_actors::space::{Draft, Expect, Patch};

const KILLS: usize = 110;
const WRITERS: u64 = 8;

/// SplitMix64: a run is its seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Mostly small, now and then up to the limit.
    fn value(&mut self) -> Vec<u8> {
        let bytes = match self.below(400) {
            0 | 1 => 1 + self.below(8 << 20),
            2..=30 => 1 + self.below(128 << 10),
            _ => 1 + self.below(2_000),
        } as usize;
        // Nothing in it repeats: packed it is no smaller, and journals fill up.
        let words = (0..bytes.div_ceil(8)).flat_map(|_| self.next().to_le_bytes());
        let mut value: Vec<u8> = words.collect();
        value.truncate(bytes);
        value
    }
}

fn content(bytes: Vec<u8>) -> Content {
    Content::Bytes { media_type: "application/octet-stream".into(), bytes }
}

fn digest(content: &Content) -> String {
    match content {
        Content::Bytes { bytes, .. } => Hash::of(bytes).to_string(),
        other => format!("{other:?}"),
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--child") {
        let (dir, seed) = (args.next().expect("a directory"), args.next().expect("a seed"));
        child(Path::new(&dir), seed.parse().expect("a number"));
    } else {
        parent();
    }
    ExitCode::SUCCESS
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn child(dir: &Path, seed: u64) {
    let runtime = stoa::open(config(dir)).await.expect("the directory opens");
    let caller = runtime.caller(ROOT);
    let space = match caller.resolve("crash") {
        Ok(space) => space,
        Err(_) => caller.create_space("crash", "").await.expect("a space"),
    };
    say("ready");
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(caller.clone(), space, seed ^ writer << 32)))
        .collect();
    for writer in writers {
        writer.await.expect("a writer goes on until it is killed");
    }
}

async fn write(caller: Caller, space: stoa_actors::id::SpaceId, seed: u64) {
    let mut chance = Chance(seed);
    let mut own: Vec<(AtomId, u64)> = Vec::new();
    for count in 0.. {
        let content = content(chance.value());
        let digest = digest(&content);
        let why = WriteOptions::comment("crash").key(format!("{seed}-{count}"));
        let pick = chance.below(own.len().max(1) as u64) as usize;
        let written = match own.get(pick).copied().filter(|_| chance.below(3) == 0) {
            Some((id, version)) => {
                let patch = Patch { content: Some(content), ..Patch::default() };
                caller.update(id, Expect::Version(version), patch, why).await
            }
            None => {
                let references = own.get(pick).map(|it| ("after".to_owned(), vec![it.0]));
                let references = references.into_iter().collect();
                let draft = Draft { content, references, ..Draft::default() };
                caller.put(space, draft, why).await
            }
        };
        let written = written.expect("nothing refuses this");
        say(&format!("ack {} {} {} {digest}", written.id, written.version, written.position));
        match own.iter_mut().find(|it| it.0 == written.id) {
            Some(it) => it.1 = written.version,
            None => own.push((written.id, written.version)),
        }
    }
}

fn say(line: &str) {
    let mut to = std::io::stdout().lock();
    writeln!(to, "{line}").and_then(|()| to.flush()).expect("the parent listens");
}

/// Small journals and frequent checkpoints, so that kills hit those as well.
fn config(dir: &Path) -> Config {
    Config {
        log: LogConfig {
            checkpoint_entries: 2_000,
            journal_bytes_max: 64 << 20,
            ..LogConfig::at(dir)
        },
        ..Config::at(dir)
    }
}

struct Acknowledged {
    position: u64,
    digest: String,
}

fn parent() {
    let seed = std::env::var("STOA_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(41);
    println!("crash: seed {seed}, {KILLS} kills of one directory (STOA_SEED=N for another run)");
    let dir = tempfile::tempdir().expect("a directory");
    let mut chance = Chance(seed);
    let mut acked: BTreeMap<(AtomId, u64), Acknowledged> = BTreeMap::new();
    let (mut unready, mut slowest) = (0, Duration::ZERO);
    let mut journals = BTreeSet::new();
    let mut rounds = 0;
    let begun = Instant::now();
    // A slow machine writes less between two kills, and is given more of them.
    for round in 0..4 * KILLS {
        if round >= KILLS && journals.len() > 1 {
            break;
        }
        rounds = round + 1;
        let (mut child, lines) = start(dir.path(), chance.next());
        // One in eight is killed while it opens.
        let early = round % 8 == 7;
        if !early {
            wait_ready(&lines);
        }
        let instant = Duration::from_millis(chance.below(if early { 40 } else { 150 }));
        hear(&lines, &mut acked, Instant::now() + instant);
        child.kill().expect("it can be killed");
        child.wait().expect("it is gone");
        journals.extend(journals_in(dir.path()));
        // What it had written to the pipe before it died was acknowledged.
        let heard = drain(&lines, &mut acked);
        unready += usize::from(!heard && early);
        let opening = Instant::now();
        check(dir.path(), &acked, round);
        slowest = slowest.max(opening.elapsed());
    }
    assert!(acked.len() > KILLS, "there were acknowledgements to hold against the store");
    assert!(journals.len() > 1, "a journal was rotated: {journals:?}");
    println!(
        "crash: {rounds} kills ({unready} before it was open), {} acknowledged, 0 lost, {} journals, \
         slowest open and audit {slowest:?}, {:?} in all",
        acked.len(),
        journals.len(),
        begun.elapsed()
    );
    println!("1 passed, 0 failed");
}

/// The numbers of the engine's journals; each is one more than that before it.
fn journals_in(dir: &Path) -> Vec<u64> {
    let Ok(found) = std::fs::read_dir(dir.join("db")) else { return Vec::new() };
    let number = |name: &str| name.strip_suffix(".jnl")?.parse().ok();
    found.flatten().filter_map(|it| number(it.file_name().to_str()?)).collect()
}

fn start(dir: &Path, seed: u64) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--child", &dir.display().to_string(), &seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        // A line without its end was cut by the kill: it was not told whole.
        let mut out = out;
        let mut line = String::new();
        while out.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
            if tell.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    (child, lines)
}

fn wait_ready(lines: &Receiver<String>) {
    let line = lines.recv_timeout(Duration::from_secs(60)).expect("it opens within a minute");
    assert_eq!(line.trim(), "ready");
}

fn hear(
    lines: &Receiver<String>,
    acked: &mut BTreeMap<(AtomId, u64), Acknowledged>,
    until: Instant,
) {
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => note(&line, acked),
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => panic!("the child died by itself"),
        }
    }
}

fn drain(lines: &Receiver<String>, acked: &mut BTreeMap<(AtomId, u64), Acknowledged>) -> bool {
    let mut any = false;
    while let Ok(line) = lines.recv() {
        note(&line, acked);
        any = true;
    }
    any
}

fn note(line: &str, acked: &mut BTreeMap<(AtomId, u64), Acknowledged>) {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let ["ack", id, version, position, digest] = words[..] {
        let key = (id.parse().expect("an id"), version.parse().expect("a version"));
        let position = position.parse().expect("a position");
        let before = acked.insert(key, Acknowledged { position, digest: digest.to_owned() });
        assert!(before.is_none(), "one version is acknowledged once");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn check(dir: &Path, acked: &BTreeMap<(AtomId, u64), Acknowledged>, round: usize) {
    let runtime = stoa::open(config(dir)).await.unwrap_or_else(|error| {
        panic!("round {round}: the directory does not open: {error}");
    });
    for ((id, version), it) in acked {
        let found = runtime.store().version(*id, *version).expect("the store reads");
        let Some((position, atom)) = found else {
            panic!("round {round}: atom {id} version {version} was acknowledged and is lost");
        };
        assert_eq!(position.0, it.position, "round {round}: {id} version {version}");
        assert_eq!(digest(&atom.content), it.digest, "round {round}: {id} version {version}");
    }
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).expect("the audit reads");
    assert_eq!(audited.breaches, Vec::<String>::new(), "round {round}");
    // It takes writes again.
    let caller = runtime.caller(ROOT);
    if let Ok(space) = caller.resolve("crash") {
        let draft = Draft { content: Content::from("still here"), ..Draft::default() };
        caller.put(space, draft, WriteOptions::default()).await.expect("it takes writes again");
    }
    runtime.stop().await.expect("it stops in order");
}
