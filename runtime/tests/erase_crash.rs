//! [ack] [atomic] of an erase over the real store: one directory, killed at random instants while
//! many atoms are erased.
//!
//! The child puts atoms that each say a word of their own, in entries alone and together, and
//! erases them; every acknowledgement goes down a pipe as it comes. The parent kills it, also while
//! it recovers, and opens the directory: each atom is erased whole or says all that it said; what
//! was acknowledged is in no entry of the log. At the end, stopped in order, it is in no file.

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
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Position, ROOT, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::space::{Draft, Expect, Mutation, Patch, Space};

const KILLS: u64 = 30;
const WRITERS: u64 = 4;
/// What one writer does in one life at most, however fast the machine is: every round reads it all.
const DEEDS: u64 = 100;

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

    /// Nothing else says it, and it cannot be packed.
    fn word(&mut self) -> String {
        format!("w{:016x}{:016x}", self.next(), self.next())
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

/// Frequent checkpoints and small commits, so that kills hit those and the pieces as well.
fn config(dir: &Path) -> Config {
    Config {
        log: LogConfig { checkpoint_entries: 300, commit_bytes_max: 4_096, ..LogConfig::at(dir) },
        ..Config::at(dir)
    }
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

async fn write(caller: Caller, space: SpaceId, seed: u64) {
    let mut chance = Chance(seed);
    let mut own: Vec<(AtomId, String)> = Vec::new();
    for _ in 0..DEEDS {
        match chance.below(4) {
            0 | 1 => {
                // Two in one entry: the one is erased and the other stays.
                let words = [chance.word(), chance.word()];
                let draft = |word: &String| {
                    let content = Content::Text(format!("{word} {}", "x".repeat(900)));
                    Mutation::Put(Box::new(Draft { content, ..Draft::default() }))
                };
                let both = words.iter().map(draft).collect();
                let made =
                    caller.transact(space, both, WriteOptions::comment("put")).await.expect("puts");
                for (it, word) in made.iter().zip(words) {
                    say(&format!("put {} {word}", it.id));
                    own.push((it.id, word));
                }
            }
            2 if !own.is_empty() => {
                let (id, word) = &own[chance.below(own.len() as u64) as usize];
                let annotation = Some(format!("again {word}"));
                let patch = Patch { annotation, ..Patch::default() };
                caller
                    .update(*id, Expect::Any, patch, WriteOptions::comment("say"))
                    .await
                    .expect("updates");
            }
            _ if !own.is_empty() => {
                let (id, _) = own.swap_remove(chance.below(own.len() as u64) as usize);
                say(&format!("erasing {id}"));
                caller
                    .erase(id, Expect::Any, WriteOptions::comment("erase"))
                    .await
                    .expect("erases");
                say(&format!("erased {id}"));
            }
            _ => {}
        }
    }
    std::future::pending().await
}

fn say(line: &str) {
    let mut to = std::io::stdout().lock();
    writeln!(to, "{line}").and_then(|()| to.flush()).expect("the parent listens");
}

/// What the children of all rounds have said.
#[derive(Default)]
struct Heard {
    words: BTreeMap<AtomId, String>,
    erasing: BTreeSet<AtomId>,
    erased: BTreeSet<AtomId>,
}

impl Heard {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let id = || words[1].parse::<AtomId>().expect("an id");
        match words[0] {
            "put" => drop(self.words.insert(id(), words[2].to_owned())),
            "erasing" => drop(self.erasing.insert(id())),
            "erased" => drop(self.erased.insert(id())),
            other => panic!("what is {other}"),
        }
    }
}

fn parent() {
    let seed = std::env::var("STOA_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(43);
    println!("erase_crash: seed {seed}, {KILLS} kills of one directory (STOA_SEED=N for another)");
    let dir = tempfile::tempdir().expect("a directory");
    let (mut chance, mut heard, begun) = (Chance(seed), Heard::default(), Instant::now());
    let mut between = 0;
    for round in 0..KILLS {
        let (mut child, lines) = start(dir.path(), chance.next());
        // One in eight is killed while it opens.
        let early = round % 8 == 7;
        if !early {
            let line = lines.recv_timeout(Duration::from_secs(60)).expect("it opens in a minute");
            assert_eq!(line.trim(), "ready");
        }
        let until =
            Instant::now() + Duration::from_millis(chance.below(if early { 40 } else { 180 }));
        listen(&lines, &mut heard, until);
        child.kill().expect("it can be killed");
        child.wait().expect("it is gone");
        listen(&lines, &mut heard, Instant::now() + Duration::from_secs(60));
        between = check(dir.path(), &heard, round, round + 1 == KILLS);
    }
    assert!(heard.erased.len() > KILLS as usize, "there were erases: {}", heard.erased.len());
    assert!(between > 0, "no kill came in the middle of an erase");
    println!(
        "erase_crash: {KILLS} kills, {} atoms, {} erased and acknowledged, {between} caught in \
         between, none half; {:?} in all",
        heard.words.len(),
        heard.erased.len(),
        begun.elapsed()
    );
    println!("1 passed, 0 failed");
}

fn start(dir: &Path, seed: u64) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--child", &dir.display().to_string(), &seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        // A line without its end was cut by the kill: it was not told whole.
        let mut line = String::new();
        while out.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
            if tell.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    (child, lines)
}

fn listen(lines: &Receiver<String>, heard: &mut Heard, until: Instant) {
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) if line.trim() == "ready" => {}
            Ok(line) => heard.take(&line),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// How many of those that were being erased are, though nobody was told.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn check(dir: &Path, heard: &Heard, round: u64, last: bool) -> usize {
    let runtime = stoa::open(config(dir)).await.expect("the directory opens");
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).expect("it can be read");
    assert!(audited.breaches.is_empty(), "round {round}: {:?}", audited.breaches);
    // What the log says of each atom, and all of its text.
    let (mut says, mut text) = (BTreeMap::<AtomId, Vec<Content>>::new(), Vec::new());
    for at in 1..=runtime.durable().0 {
        let entry = runtime.store().entry(Position(at)).expect("it reads").expect("it is there");
        text.extend(entry.body.encode().expect("it encodes"));
        if entry.body.kind == Space::KIND {
            for event in incarnation::events::<Space>(&entry.body).expect("they read") {
                if let Some(atom) = Space::atom(&event) {
                    says.entry(atom.id).or_default().push(atom.content.clone());
                }
            }
        }
    }
    let (mut between, words) = (0, words(&text));
    for (id, word) in &heard.words {
        let versions = &says[id];
        let erased = versions.last() == Some(&Content::Erased);
        assert!(erased || !heard.erased.contains(id), "round {round}: {id} is back");
        assert!(!erased || heard.erasing.contains(id), "round {round}: nobody erased {id}");
        assert_eq!(erased, versions.iter().all(Content::is_gone), "round {round}: {id} is half");
        assert_eq!(erased, !words.contains(word.as_bytes()), "round {round}: {id} is half");
        between += usize::from(erased && !heard.erased.contains(id));
    }
    // An orderly stop has the files purged: once, at the end, of what all rounds have left.
    if last {
        runtime.stop().await.expect("it stops");
    }
    drop(runtime);
    let lock = dir.join("lock");
    while std::fs::File::open(&lock).expect("a lock").try_lock().is_err() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    if last {
        files_hold_what_they_should(dir, heard, &says);
    }
    between
}

/// Everything that may be a word.
fn words(bytes: &[u8]) -> BTreeSet<&[u8]> {
    let hex = |it: &[u8]| it[1..].iter().all(u8::is_ascii_hexdigit);
    bytes.windows(33).filter(|it| it[0] == b'w' && hex(it)).collect()
}

fn files_hold_what_they_should(dir: &Path, heard: &Heard, says: &BTreeMap<AtomId, Vec<Content>>) {
    let mut bytes = Vec::new();
    read_all(dir, &mut bytes);
    let words = words(&bytes);
    let (mut gone, mut there) = (0, 0);
    for (id, word) in &heard.words {
        let found = words.contains(word.as_bytes());
        if says[id].last() == Some(&Content::Erased) {
            assert!(!found, "{id} is in a file");
            gone += 1;
        } else {
            there += usize::from(found);
        }
    }
    println!(
        "erase_crash: of {gone} erased atoms no file holds a word, of others {there} are found"
    );
    assert!(there > 0, "the search finds nothing at all");
}

fn read_all(dir: &Path, to: &mut Vec<u8>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, to);
        } else {
            to.extend(std::fs::read(&path).expect("a file"));
        }
    }
}
