//! The law [bound]: every queue has a limit, by number and by bytes. Each test here fills one whose
//! consumer stands still, sees that it stays under its limit and that who fills it waits or is told
//! no, and that all goes on once the consumer does.
//!
//! | queue | limit | over it | test |
//! |---|---|---|---|
//! | mailboxes | `mailbox_messages_max` each, `mailbox_bytes_max` together | who asks waits, then is told that it is busy | `mailboxes_hold_what_they_have_room_for` |
//! | to the log writer, and what is gathered for a commit | `log_bytes_max`; by number the mailboxes: a place is held until the answer | actors decide nothing more | `an_actor_decides_while_there_is_room_in_the_log` |
//! | commits in flight | `offers_max` of the order; one in the local one | the next gathers | the same |
//! | to the acker | `TOLD_COMMITS_MAX` | the writer waits | `the_writer_waits_for_the_acker` |
//! | to who shows rights | the mailbox of the rights | who asks is told that it is busy | `what_is_to_be_shown_of_rights_is_bounded_by_their_mailbox` (`host/address/tests.rs`) |
//! | to the publisher | one place a stream that is followed | it is there already | `however_often_it_goes_on_a_stream_is_queued_once` (`host/stream_head.rs`) |
//! | answers to one client | `answers_max` | the work waits | `who_does_not_read_does_not_stop_the_others` |
//! | answers and frames to all clients | `answers_bytes_max` | the work waits, who takes nothing goes | the same |
//! | requests of all clients | `requests_bytes_max` | it is not read, who sends nothing goes | `who_announces_and_does_not_send_does_not_stop_the_others` |
//! | what models say to those who look on | `live_bytes_max` each | the oldest goes, and the reader is told how much | `who_reads_too_late_is_told_what_is_not_shown` (`steering/live.rs`) |
//! | notes of a running action | `notes_max`, `notes_bytes_max` | the code is told | `the_code_of_an_agent_hears_that_its_notes_are_full` |
//!
//! Every other queue in the sources is listed in `bounds/scan.rs`, with what bounds it: a new one that
//! is not listed fails there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "bounds/door.rs"]
mod door;
#[path = "bounds/scan.rs"]
mod scan;
#[path = "harness/sources.rs"]
mod sources;

use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use stoa::agents::{SpaceAsk, SpawnAsk};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::fault::Point;
use stoa::host::AskError;
use stoa::problem::ProblemKind;
use stoa_actors::atom::Content;
use stoa_actors::behaviour::{Behaviour, Decision, Delivery};
use stoa_actors::id::{ROOT, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::rights::Level;
use stoa_actors::space::{Draft, Expect, Patch};
use stoa_actors::value::Value;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn large(bytes: usize) -> Draft {
    Draft { content: Content::Text("x".repeat(bytes)), ..Draft::default() }
}

/// Returns once it holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    assert!(waited.is_ok(), "{what}");
}

/// The most that something was, for as long as it was looked at.
struct Most {
    seen: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Most {
    fn of(look: impl Fn() -> usize + Send + 'static) -> Most {
        let most = Most { seen: Arc::default(), over: Arc::default() };
        let (seen, over) = (most.seen.clone(), most.over.clone());
        tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                seen.fetch_max(look(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        });
        most
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Drop for Most {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// An actor of a user of the library, asked with a text.
#[derive(Serialize, Deserialize)]
struct Own;

impl Behaviour for Own {
    const KIND: &'static str = "own";
    type Message = String;
    type Event = u64;
    type Effect = Infallible;
    type Reply = ();
    type Refusal = Infallible;

    fn unborn(_: StreamId) -> Self {
        Own
    }

    fn decide(&self, text: String, _: &mut Delivery<'_>) -> Result<Decision<Self>, Infallible> {
        Ok(Decision::event(text.len() as u64, ()))
    }

    fn apply(&mut self, _: &u64) {}

    fn name(_: &u64) -> &'static str {
        "own.asked"
    }
}

/// Descriptions, transactions and own messages weighed a kibibyte each, whatever they carried.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes_hold_what_they_have_room_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    (config.mailbox_bytes_max, config.mailbox_wait_ms_max) = (512 * KIB, 300);
    let faults = config.log.faults.clone();
    let runtime = stoa::open(config).await.unwrap();
    let root = runtime.caller(ROOT);
    let space = root.create_space("board", "").await.unwrap();
    let own = runtime.actor::<Own>(StreamId([7; 16])).unwrap();
    // Both are up before the disk stands still.
    root.put(space, large(1), WriteOptions::comment("first")).await.unwrap();
    own.ask(Request::new(ROOT, String::new())).await.unwrap();
    faults.hold(Point::Commit);
    let looking = runtime.clone();
    let most = Most::of(move || looking.waiting().mailbox_bytes);
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..90 {
        let (root, own) = (root.clone(), own.clone());
        asked.spawn(async move {
            let why = || WriteOptions::comment("fill");
            match n % 3 {
                0 => root.describe(space, &"x".repeat(60 * KIB)).await.map_err(|it| it.kind),
                1 => root.put(space, large(60 * KIB), why()).await.map(drop).map_err(|it| it.kind),
                _ => match own.ask(Request::new(ROOT, "x".repeat(60 * KIB))).await {
                    Ok(_) => Ok(()),
                    Err(AskError::Busy) => Err(ProblemKind::Busy),
                    Err(other) => panic!("{other}"),
                },
            }
        });
    }
    // Whoever finds no room is told so; whoever has some waits for the disk.
    let mut busy = 0;
    while busy < 80 {
        let told = tokio::time::timeout(Duration::from_secs(60), asked.join_next()).await;
        assert_eq!(told.unwrap().unwrap().unwrap(), Err(ProblemKind::Busy));
        busy += 1;
    }
    assert!((400 * KIB..=512 * KIB).contains(&most.seen()), "{}", most.seen());
    faults.release();
    let mut done = 0;
    while let Some(told) = asked.join_next().await {
        done += usize::from(told.unwrap().is_ok());
    }
    assert!((5..=10).contains(&done), "of 60 KiB each about eight fit: {done}");
    root.put(space, large(60 * KIB), WriteOptions::comment("on")).await.unwrap();
    until("nothing waits at rest", || runtime.waiting().mailbox_bytes == 0).await;
    runtime.stop().await.unwrap();
}

/// A change of a few bytes makes an entry as large as the atom: what was admitted says nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_decides_while_there_is_room_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    config.log.log_bytes_max = 4 * MIB;
    config.mailbox_wait_ms_max = 60_000;
    let faults = config.log.faults.clone();
    let runtime = stoa::open(config).await.unwrap();
    let root = runtime.caller(ROOT);
    let mut atoms = Vec::new();
    for n in 0..8 {
        let space = root.create_space(&format!("board {n}"), "").await.unwrap();
        atoms.push(root.put(space, large(MIB), WriteOptions::comment("fill")).await.unwrap().id);
    }
    faults.hold(Point::Commit);
    let looking = runtime.clone();
    let most = Most::of(move || looking.waiting().log_bytes);
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..64_i64 {
        let (root, id) = (root.clone(), atoms[n as usize % 8]);
        asked.spawn(async move {
            let metadata = [("n".to_owned(), Value::Int(n))].into();
            let patch = Patch { metadata, ..Patch::default() };
            root.update(id, Expect::Any, patch, WriteOptions::comment("touch")).await.map(drop)
        });
    }
    until("the log is full", || runtime.waiting().log_bytes >= 4 * MIB).await;
    // Nobody decides while it is: what was asked waits in the mailboxes.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(most.seen() <= 4 * MIB + 2 * (MIB + 64 * KIB), "{}", most.seen());
    assert!(asked.try_join_next().is_none(), "nothing is acknowledged");
    faults.release();
    while let Some(told) = asked.join_next().await {
        told.unwrap().unwrap();
    }
    assert!(most.seen() <= 4 * MIB + 2 * (MIB + 64 * KIB), "{}", most.seen());
    until("nothing waits at rest", || runtime.waiting().log_bytes == 0).await;
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_waits_for_the_acker() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    config.log.commit_entries_max = 1;
    let faults = config.log.faults.clone();
    let runtime = stoa::open(config).await.unwrap();
    let root = runtime.caller(ROOT);
    let space = root.create_space("board", "").await.unwrap();
    let before = runtime.commits();
    // Where only one waits there is none: the writer tells itself.
    faults.hold(Point::Commit);
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let root = root.clone();
        asked.spawn(async move { root.put(space, large(8), WriteOptions::comment("fill")).await });
    }
    until("many wait", || runtime.waiting().log_bytes > 100 * 100).await;
    faults.hold(Point::Witness);
    // As many as it takes together, as many as wait, and the one in hand.
    let bound = 1 + 64 + 64 + 1;
    until("the acker is full", || runtime.commits() - before >= 64).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let commits = runtime.commits() - before;
    assert!(commits <= bound, "{commits} commits and nobody was told of one");
    assert!(asked.try_join_next().is_none(), "nothing is acknowledged");
    faults.release();
    while let Some(told) = asked.join_next().await {
        told.unwrap().unwrap();
    }
    runtime.stop().await.unwrap();
}

/// What is lazy is written with the next entry that asks for a sync; who waits for the room that it
/// holds asks for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lazy_is_written_when_somebody_waits_for_its_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    (config.mailbox_messages_max, config.mailbox_wait_ms_max) = (4, 20_000);
    let runtime = stoa::open(config).await.unwrap();
    let own = runtime.actor::<Own>(StreamId([7; 16])).unwrap();
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let own = own.clone();
        asked.spawn(async move { own.ask_lazily(Request::new(ROOT, "note".to_owned())).await });
    }
    let all = async {
        while asked.len() > 4 {
            asked.join_next().await.unwrap().unwrap().unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    // The last four hold all the places, and nobody waits for one.
    own.ask(Request::new(ROOT, "now".to_owned())).await.unwrap();
    while let Some(told) = asked.join_next().await {
        told.unwrap().unwrap();
    }
    runtime.stop().await.unwrap();
}

/// Ten answers of 20 kB that are no atoms: three are noted, and the code hears what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_of_an_agent_hears_that_its_notes_are_full() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    config.limits.session.notes_bytes_max = 64 * KIB;
    let runtime = stoa::open(config).await.unwrap();
    runtime.start_agents().await.unwrap();
    let root = runtime.caller(ROOT);
    let code = r#"
if len(wakes) == 0:
    atom = space.put("x" * 20000)
    got, told = 0, ""
    for n in range(10):
        try:
            got += len(space.read(atom, start=n, end=n + 19000))
        except ValueError as error:
            told = str(error)
    space.put(f"{got}: {told}")
"#;
    let log = root.create_space("log", "").await.unwrap();
    recipe(&root, "how", code).await;
    let ask = SpawnAsk {
        task: "read".into(),
        name: Some("reader".into()),
        instructions: Some("how".into()),
        spaces: vec![SpaceAsk::to_use("log", Level::Append)],
        ..SpawnAsk::default()
    };
    root.spawn(ask).await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), runtime.at_rest()).await.unwrap();
    let query = stoa_actors::search::Query { limit: 10, ..Default::default() };
    let said = root.search(log, query).await.unwrap();
    let texts: Vec<String> = said
        .iter()
        .map(|it| match &it.read.atom.content {
            Content::Text(text) => text.clone(),
            other => format!("{other:?}"),
        })
        .filter(|text| text.len() < 10_000)
        .collect();
    let told = texts.iter().find(|it| it.starts_with("57000: ")).cloned().unwrap_or_default();
    assert!(told.contains("notes_bytes_max is 65536: end the action here"), "{texts:?}");
    runtime.stop().await.unwrap();
}

async fn recipe(root: &Caller, name: &str, python: &str) {
    let space = root.create_space(name, "how to behave").await.unwrap();
    let content = Content::Text(format!("```python\n{python}\n```"));
    let draft = Draft { content, ..Draft::default() };
    root.put(space, draft, WriteOptions::comment("a recipe")).await.unwrap();
}
