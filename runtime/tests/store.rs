//! The store's promises over real fjall: loss is refused loudly and accepted only by hand, state
//! is a fold of the log, and a request is answered once, also over a restart.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "store/endings.rs"]
mod endings;

use std::path::Path;
use stoa::audit::audit;
use stoa::caller::{Caller, WriteOptions, Written};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::problem::ProblemKind;
use stoa::runtime::{Runtime, kinds};
use stoa::store::{AcceptError, accept_loss, rebuild};
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::log::{Breach, Hash};
use stoa_actors::space::{Draft, Expect, Patch};

fn text(text: impl Into<String>) -> Draft {
    Draft { content: Content::Text(text.into()), ..Draft::default() }
}

async fn open(dir: &Path) -> (Runtime, Caller, SpaceId) {
    let runtime = stoa::open(Config::at(dir)).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = match caller.resolve("notes") {
        Ok(space) => space,
        Err(_) => caller.create_space("notes", "").await.unwrap(),
    };
    (runtime, caller, space)
}

async fn fill(caller: &Caller, space: SpaceId, count: usize) -> Vec<Written> {
    let mut written = Vec::new();
    for n in 0..count {
        let draft = text(format!("note {n} {}", "x".repeat(n * 7 % 900)));
        written.push(caller.put(space, draft, WriteOptions::comment("fill")).await.unwrap());
    }
    written
}

/// The journal of a store that was not stopped in order, and how much of it is used.
fn journal(dir: &Path) -> (std::path::PathBuf, usize) {
    let used = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1)
    };
    let entries = std::fs::read_dir(dir.join("db")).unwrap().flatten().map(|it| it.path());
    let journals = entries.filter(|it| it.extension().is_some_and(|it| it == "jnl"));
    let fullest = journals.max_by_key(|it| used(it)).unwrap();
    let bytes = used(&fullest);
    (fullest, bytes)
}

fn damage(path: &Path, from: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[from..].fill(0);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_tail_is_refused_with_both_heads_and_accepted_only_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    let written = fill(&caller, space, 200).await;
    let acknowledged = runtime.head().unwrap();
    // Not stopped in order: everything is in the journal only.
    drop((runtime, caller));
    settle(dir.path()).await;
    let (path, used) = journal(dir.path());
    damage(&path, used * 3 / 4);

    let config = Config::at(dir.path());
    let refused = stoa::open(config.clone()).await.err().unwrap();
    let StoreError::Breach(Breach::LostTail { log, witness }) = refused else {
        panic!("not a lost tail: {refused}");
    };
    assert_eq!(witness, acknowledged);
    assert!(log.position < acknowledged.position);

    let wrong = accept_loss(&config.log, &acknowledged.to_string(), &kinds());
    assert!(matches!(wrong, Err(AcceptError::OtherHead { head, .. }) if head == log));
    let refused = stoa::open(config.clone()).await;
    assert!(refused.is_err(), "a wrong head changes nothing");

    let loss = accept_loss(&config.log, &log.to_string(), &kinds()).unwrap();
    assert_eq!((loss.kept, loss.removed), (log, 0));
    let (runtime, caller, space) = open(dir.path()).await;
    let (kept, lost): (Vec<&Written>, Vec<&Written>) =
        written.iter().partition(|it| it.position <= log.position);
    assert!(!lost.is_empty());
    for it in kept {
        assert_eq!(caller.get(it.id).await.unwrap().position, it.position);
    }
    for it in lost {
        assert_eq!(caller.get(it.id).await.unwrap_err().kind, ProblemKind::Unknown);
    }
    fill(&caller, space, 10).await;
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).unwrap();
    assert_eq!(audited.breaches, Vec::<String>::new());
    assert!(matches!(accept_loss(&config.log, "1:0", &kinds()), Err(AcceptError::Store(_))));
    runtime.stop().await.unwrap();
}

/// Found by cutting the power: a page in the middle of the last batch had not come to the disk, and
/// the engine refused to open.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_a_hole_is_cut_off_unless_it_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    let written = fill(&caller, space, 20).await;
    drop((runtime, caller));
    settle(dir.path()).await;
    let witness = dir.path().join("witness");
    let vouched = std::fs::read(&witness).unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    // Nothing in it repeats, so that the journal holds it as it is.
    let bytes: Vec<u8> = (0..1_000_u64).flat_map(|n| Hash::of(&n.to_be_bytes()).0).collect();
    let content = Content::Bytes { media_type: "application/octet-stream".into(), bytes };
    let draft = Draft { content, ..Draft::default() };
    let last = caller.put(space, draft, WriteOptions::comment("last")).await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    let (path, used) = journal(dir.path());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[used - 9_000..used - 8_000].fill(0);
    std::fs::write(&path, &bytes).unwrap();

    let refused = stoa::open(Config::at(dir.path())).await.err().unwrap();
    assert!(matches!(refused, StoreError::Engine(_)), "it was acknowledged: {refused}");
    assert_eq!(std::fs::read(&path).unwrap().len(), bytes.len(), "and nothing is cut off");

    std::fs::write(&witness, vouched).unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    for it in written {
        assert_eq!(caller.get(it.id).await.unwrap().position, it.position);
    }
    assert_eq!(caller.get(last.id).await.unwrap_err().kind, ProblemKind::Unknown);
    fill(&caller, space, 3).await;
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).unwrap();
    assert_eq!(audited.breaches, Vec::<String>::new());
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_witness_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    fill(&caller, space, 5).await;
    let head = runtime.stop().await.unwrap().unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    std::fs::remove_file(dir.path().join("witness")).unwrap();
    let refused = stoa::open(Config::at(dir.path())).await.err().unwrap();
    assert!(
        matches!(&refused, StoreError::Breach(Breach::NoWitness { log }) if *log == head),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_derived_table_comes_back_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    let written = fill(&caller, space, 50).await;
    for pair in written.windows(2) {
        let references = [("after".to_owned(), vec![pair[0].id])].into_iter().collect();
        let patch = Patch { references, ..Patch::default() };
        let expect = Expect::Version(pair[1].version);
        caller.update(pair[1].id, expect, patch, WriteOptions::comment("link").key("k")).await.ok();
    }
    let before = picture(&caller, &written).await;
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    empty_derived(&dir.path().join("db"));

    let entries = rebuild(&Config::at(dir.path()).log, &kinds()).unwrap();
    assert!(entries > 50);
    let (runtime, caller, _) = open(dir.path()).await;
    assert_eq!(picture(&caller, &written).await, before);
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).unwrap();
    assert_eq!(audited.breaches, Vec::<String>::new());
    assert_eq!(audited.entries, entries);
    runtime.stop().await.unwrap();
}

/// Without the rows that are derived from it, the log past the checkpoint heals at open.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_writes_again_what_a_crash_took_from_the_derived_tables() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    let written = fill(&caller, space, 30).await;
    let before = picture(&caller, &written).await;
    drop((runtime, caller));
    settle(dir.path()).await;
    empty_derived(&dir.path().join("db"));
    let (runtime, caller, _) = open(dir.path()).await;
    assert_eq!(picture(&caller, &written).await, before);
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).unwrap();
    assert_eq!(audited.breaches, Vec::<String>::new());
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_sees_a_derived_row_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    // More than an orderly stop leaves to the next open.
    let mut tasks = Vec::new();
    for n in 0..2_200 {
        let caller = caller.clone();
        tasks.push(tokio::spawn(async move {
            caller.put(space, text(n.to_string()), WriteOptions::default()).await.unwrap()
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    empty_derived(&dir.path().join("db"));
    let runtime = stoa::open(Config::at(dir.path())).await.unwrap();
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).unwrap();
    assert!(!audited.breaches.is_empty(), "the rows under the checkpoint are gone");
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_answered_once_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let why = || WriteOptions::comment("once").key("the-key");
    let mut first = None;
    for _ in 0..3 {
        let (runtime, caller, space) = open(dir.path()).await;
        let written = caller.put(space, text("same"), why()).await.unwrap();
        assert_eq!(*first.get_or_insert(written), written);
        let other = caller.put(space, text("other"), why()).await.unwrap_err();
        assert_eq!(other.kind, ProblemKind::Conflict);
        drop((runtime, caller));
        settle(dir.path()).await;
    }
}

/// What a caller can see of these atoms.
async fn picture(caller: &Caller, written: &[Written]) -> Vec<String> {
    let mut out = Vec::new();
    for it in written {
        let read = caller.get(it.id).await.unwrap();
        let sources = caller.sources(it.id, None, 0).await.unwrap().found;
        let sources: Vec<AtomId> = sources.iter().map(|(_, it)| it.atom.id).collect();
        let first = caller.get_version(it.id, 1).await.unwrap();
        out.push(format!("{read:?} {sources:?} {first:?}"));
    }
    out
}

fn empty_derived(db: &Path) {
    let db = fjall::Database::builder(db).open().unwrap();
    for name in ["atoms", "streams", "references", "answers", "snapshots"] {
        db.keyspace(name, fjall::KeyspaceCreateOptions::default).unwrap().clear().unwrap();
    }
    db.persist(fjall::PersistMode::SyncAll).unwrap();
}

/// Waits until the directory is free: threads of a dropped runtime let go of it one by one.
async fn settle(dir: &Path) {
    for _ in 0..2_000 {
        let lock = std::fs::File::open(dir.join("lock")).unwrap();
        if lock.try_lock().is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the directory is not let go");
}

/// Found by killing a run in its first moments: the engine cannot go on from the middle of its own
/// making.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_whose_making_was_cut_off_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("db/keyspaces")).unwrap();
    std::fs::write(dir.path().join("format.new"), "").unwrap();
    std::fs::write(dir.path().join("db/0.jnl"), "half").unwrap();
    std::fs::write(dir.path().join("witness"), "half").unwrap();
    let runtime = stoa::open(Config::at(dir.path())).await.unwrap();
    runtime.caller(ROOT).create_space("notes", "").await.unwrap();
    runtime.stop().await.unwrap();
    assert!(dir.path().join("format").exists());
    assert!(!dir.path().join("format.new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_stoa_has_begun_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("db")).unwrap();
    std::fs::write(dir.path().join("db/mine"), "precious").unwrap();
    let refused = stoa::open(Config::at(dir.path())).await.err().unwrap().to_string();
    assert!(refused.contains("it was there before stoa was"), "{refused}");
    assert_eq!(std::fs::read_to_string(dir.path().join("db/mine")).unwrap(), "precious");
}
