//! [ack] [chain] over what a disk holds after the power went: a kill leaves the system's memory of
//! the files, a power cut only what was synced.
//!
//! A process writes to a data directory in two lives, the first of which ends without a stop, while
//! `strace` sees what it asks of the file system. From that a model of the file system (`disk`) makes
//! the directory as it may be if the power goes at a random instant; it is opened, and holds
//! everything that was acknowledged before. The control runs are the same with syncs that do
//! nothing, and have to find what is lost.

#![expect(clippy::expect_used, reason = "a test says what it takes for given")]
#![expect(clippy::print_stdout, reason = "it is its own harness, and a child speaks to its parent")]
#![expect(clippy::disallowed_methods, reason = "a run is its seed, and the seed is a setting")]

#[path = "power/chance.rs"]
mod chance;
#[path = "power/disk.rs"]
mod disk;
#[path = "power/history.rs"]
mod history;
#[path = "power/trace.rs"]
mod trace;

use chance::Chance;
use disk::{Disk, Ignored};
use history::Mood;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use stoa::audit::audit;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::runtime::kinds;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::log::{Breach, Hash};
use stoa_actors::space::{Draft, Expect, Patch};
use trace::Event;

/// Power cuts, all of which everything acknowledged must survive.
const CUTS: usize = 90;
/// Of a control run, at most.
const CONTROL_CUTS: usize = 24;
const WRITERS: u64 = 4;
/// Acknowledgements of each writer in each life.
const WRITES: u64 = 45;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [child, dir, seed, life] = &args[..]
        && child == "--child"
    {
        write_all(Path::new(dir), seed.parse().expect("a number"), life == "last");
        return ExitCode::SUCCESS;
    }
    let seed = std::env::var("STOA_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(41);
    println!("power: seed {seed} (STOA_SEED=N for another run)");
    let Some(run) = Run::record(seed) else {
        println!("SKIPPED: power cuts, where `strace` is missing or may not trace");
        return ExitCode::SUCCESS;
    };
    run.everything_acknowledged_survives_a_power_cut();
    run.what_no_sync_has_kept_is_seen_to_be_lost();
    run.a_journal_that_was_not_synced_is_refused_and_never_a_quiet_loss();
    println!("3 passed, 0 failed");
    ExitCode::SUCCESS
}

/// Small steps between checkpoints, so that tables are written and merged as well.
fn config(dir: &Path) -> Config {
    Config {
        log: LogConfig { checkpoint_entries: 60, checkpoint_stop_entries: 1, ..LogConfig::at(dir) },
        ..Config::at(dir)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn write_all(dir: &Path, seed: u64, stops: bool) {
    let runtime = stoa::open(config(dir)).await.expect("the directory opens");
    let caller = runtime.caller(ROOT);
    let space = match caller.resolve("power") {
        Ok(space) => space,
        Err(_) => caller.create_space("power", "").await.expect("a space"),
    };
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(caller.clone(), space, seed ^ writer << 32)))
        .collect();
    for writer in writers {
        writer.await.expect("nothing ends a writer");
    }
    if stops {
        runtime.stop().await.expect("it stops in order");
    }
    // Otherwise no destructor runs, as in a crash.
    std::process::exit(0);
}

async fn write(caller: Caller, space: SpaceId, seed: u64) {
    let mut chance = Chance(seed);
    let mut own: Vec<(AtomId, u64)> = Vec::new();
    for count in 0..WRITES {
        let bytes = match chance.below(60) {
            0 => (64 << 10) + chance.below(64 << 10),
            1..=20 => 1 + chance.below(20 << 10),
            _ => 1 + chance.below(600),
        };
        let content = content(chance.bytes(bytes as usize));
        let digest = digest(&content);
        let why = WriteOptions::comment("power").key(format!("{seed}-{count}"));
        let pick = chance.below(own.len().max(1) as u64) as usize;
        let written = match own.get(pick).copied().filter(|_| chance.below(3) == 0) {
            Some((id, version)) => {
                let patch = Patch { content: Some(content), ..Patch::default() };
                caller.update(id, Expect::Version(version), patch, why).await
            }
            None => caller.put(space, Draft { content, ..Draft::default() }, why).await,
        };
        let written = written.expect("nothing refuses this");
        say(&format!("ack {} {} {} {digest}", written.id, written.version, written.position));
        own.retain(|it| it.0 != written.id);
        own.push((written.id, written.version));
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

/// One line is one write, so that the trace has it where it was told.
fn say(line: &str) {
    let line = format!("{line}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).expect("somebody listens");
}

struct Acknowledged {
    id: AtomId,
    version: u64,
    position: u64,
    digest: String,
}

impl Acknowledged {
    /// What a line of the process says, if this is one.
    fn of(event: &Event) -> Option<Acknowledged> {
        let Event::Begun { call, args, .. } = event else { return None };
        if call != "write" || args[0] != "1" {
            return None;
        }
        let line = String::from_utf8(trace::bytes(&args[1])).ok()?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["ack", id, version, position, digest] = words[..] else { return None };
        Some(Acknowledged {
            id: id.parse().ok()?,
            version: version.parse().ok()?,
            position: position.parse().ok()?,
            digest: digest.to_owned(),
        })
    }
}

/// How an image was found.
#[derive(Debug)]
#[expect(dead_code, reason = "what was found is told by its Debug")]
enum Found {
    Whole,
    /// Opened, and something is not there or not right.
    Lost(String),
    Refused(StoreError),
    /// The opening process would have died.
    Died(String),
}

/// What the two lives have asked for, and where it was.
struct Run {
    root: tempfile::TempDir,
    lives: Vec<Vec<Event>>,
    seed: u64,
}

impl Run {
    fn record(seed: u64) -> Option<Run> {
        let root = tempfile::tempdir().expect("a directory");
        let (data, log) = (root.path().join("data"), root.path().join("trace"));
        let exe = std::env::current_exe().expect("this test").display().to_string();
        let mut lives = Vec::new();
        for (n, life) in ["first", "last"].into_iter().enumerate() {
            let seed = (seed + n as u64).to_string();
            let command = [&exe, "--child", &data.display().to_string(), &seed, life];
            lives.push(trace::traced(&command, &log)?);
        }
        std::fs::remove_dir_all(&data).expect("the images are made without it");
        Some(Run { root, lives, seed })
    }

    /// Cuts the power at random instants, and has each image judged. `judge` says whether to go on.
    fn cut(
        &self,
        ignored: Ignored,
        cuts: usize,
        mut judge: impl FnMut(&str, Found) -> bool,
    ) -> usize {
        let mut chance = Chance(self.seed ^ ignored as u64);
        let all: usize = self.lives.iter().map(Vec::len).sum();
        // Half of them while a commit waits for its sync: there most is not sure.
        let waits = |it: &Event| matches!(it, Event::Returned { call, .. } if call == "fdatasync");
        let waiting = self.lives.iter().flatten().enumerate().filter(|(_, it)| waits(it));
        let waiting: Vec<usize> = waiting.map(|(at, _)| at).collect();
        let mut at: Vec<usize> = (0..cuts)
            .map(|n| match n % 2 {
                0 => chance.below(all as u64) as usize,
                _ => waiting[chance.below(waiting.len() as u64) as usize],
            })
            .collect();
        at.sort_unstable();
        let mut at = at.into_iter().peekable();
        let mut disk = Disk::new(&self.root.path().join("data"), ignored);
        let (mut acked, mut count) = (Vec::new(), 0);
        for life in &self.lives {
            disk.died();
            for event in life {
                while at.next_if_eq(&count).is_some() {
                    let mood = match chance.below(6) {
                        0 => Mood::Nothing,
                        1 => Mood::Everything,
                        _ => Mood::Coin,
                    };
                    let image = self.root.path().join("image");
                    disk.image(&image, mood, &mut chance);
                    let found = look(&image, &acked);
                    std::fs::remove_dir_all(&image).expect("it can be removed");
                    let what = format!(
                        "seed {}, cut at {count} of {all}, {mood:?}, {} acknowledged",
                        self.seed,
                        acked.len()
                    );
                    if !judge(&what, found) {
                        return acked.len();
                    }
                }
                acked.extend(Acknowledged::of(event));
                disk.take(event);
                count += 1;
            }
        }
        assert!(disk.syncs > 100, "syncs were seen: {}", disk.syncs);
        acked.len()
    }

    fn everything_acknowledged_survives_a_power_cut(&self) {
        let begun = Instant::now();
        let mut whole = 0;
        let mut wrong = Vec::new();
        let acked = self.cut(Ignored::None, CUTS, |what, found| {
            match found {
                Found::Whole => whole += 1,
                found => wrong.push(format!("{what}: {found:?}")),
            }
            true
        });
        assert!(wrong.is_empty(), "{} of {CUTS} images: {wrong:#?}", wrong.len());
        assert_eq!((whole, acked as u64), (CUTS, 2 * WRITERS * WRITES));
        println!("power: {CUTS} cuts, {acked} acknowledged, 0 lost, {:?}", begun.elapsed());
    }

    fn what_no_sync_has_kept_is_seen_to_be_lost(&self) {
        let (mut cuts, mut lost) = (0, 0);
        self.cut(Ignored::Content, CONTROL_CUTS, |_, found| {
            cuts += 1;
            lost += usize::from(!matches!(found, Found::Whole));
            lost == 0
        });
        assert!(lost > 0, "{cuts} cuts without any sync of content, and nothing is lost");
        println!("power: without syncs something is lost within {cuts} cuts");
    }

    fn a_journal_that_was_not_synced_is_refused_and_never_a_quiet_loss(&self) {
        let (mut whole, mut refused) = (0, 0);
        self.cut(Ignored::Journals, CONTROL_CUTS, |what, found| {
            match found {
                Found::Whole => whole += 1,
                Found::Refused(StoreError::Breach(Breach::LostTail { .. })) => refused += 1,
                // A batch that was acknowledged and is torn is damage.
                Found::Refused(StoreError::Engine(_)) => {}
                found => panic!("{what}: {found:?}"),
            }
            true
        });
        assert!(refused > 0, "the witness refuses what the journal has lost");
        println!("power: of journals that were not synced {refused} are refused, {whole} whole");
    }
}

/// Opens an image in a thread of its own, which may die.
fn look(image: &Path, acked: &[Acknowledged]) -> Found {
    let looked = std::thread::scope(|scope| scope.spawn(|| open(image, acked)).join());
    looked.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
        Found::Died(text.unwrap_or_default())
    })
}

#[tokio::main(flavor = "current_thread")]
async fn open(image: &Path, acked: &[Acknowledged]) -> Found {
    let runtime = match stoa::open(config(image)).await {
        Ok(runtime) => runtime,
        Err(error) => return Found::Refused(error),
    };
    for it in acked {
        let name = format!("atom {} version {}", it.id, it.version);
        match runtime.store().version(it.id, it.version) {
            Ok(Some((position, atom))) if position.0 == it.position => {
                if digest(&atom.content) != it.digest {
                    return Found::Lost(format!("{name} is another"));
                }
            }
            other => return Found::Lost(format!("{name} at {}: {other:?}", it.position)),
        }
    }
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).expect("the audit reads");
    if !audited.breaches.is_empty() || audited.entries != runtime.durable().0 {
        return Found::Lost(format!("{:?}", audited.breaches));
    }
    let caller = runtime.caller(ROOT);
    if let Ok(space) = caller.resolve("power") {
        let draft = Draft { content: Content::from("still here"), ..Draft::default() };
        caller.put(space, draft, WriteOptions::default()).await.expect("it takes writes again");
    } else if !acked.is_empty() {
        return Found::Lost("the space".into());
    }
    runtime.stop().await.map_or_else(Found::Refused, |_| Found::Whole)
}
