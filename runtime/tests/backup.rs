//! A backup of a live store holds what was durable, is noticed when anything about it is damaged, and
//! makes a directory that is what the first one was.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stoa::audit::audit;
use stoa::backup::{BackupError, restore, verify};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT, SpaceId};
use stoa_actors::space::Draft;

fn note(n: usize) -> Draft {
    let text = format!("note {n} {}", "x".repeat(n * 7 % 900));
    Draft { content: Content::Text(text), ..Draft::default() }
}

async fn fill(caller: &Caller, space: SpaceId, count: usize) {
    let puts = (0..count).map(|n| {
        let caller = caller.clone();
        tokio::spawn(async move {
            let why = WriteOptions::comment(format!("put {n}")).key(format!("key {n}"));
            caller.put(space, note(n), why).await.unwrap()
        })
    });
    for put in puts.collect::<Vec<_>>() {
        put.await.unwrap();
    }
}

/// A store with so many notes.
async fn filled(dir: &Path, count: usize) -> Runtime {
    let runtime = stoa::open(Config::at(dir)).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("notes", "what is noted").await.unwrap();
    fill(&caller, space, count).await;
    runtime
}

/// Every entry up to a position, as read.
fn entries(runtime: &Runtime, upto: Position) -> Vec<String> {
    let entry = |at| runtime.store().entry(Position(at)).unwrap().unwrap();
    (1..=upto.0).map(|at| format!("{:?}", entry(at))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_writers_restores_what_was_durable() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = stoa::open(Config::at(dir.path().join("first"))).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("notes", "").await.unwrap();
    fill(&caller, space, 3_000).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (writer, ended) = (caller.clone(), stop.clone());
    let writing = tokio::spawn(async move {
        let mut n = 0;
        while !ended.load(Ordering::Relaxed) {
            writer.put(space, note(n), WriteOptions::comment("meanwhile")).await.unwrap();
            n += 1;
        }
        n
    });
    let asked = runtime.durable();
    let target = dir.path().join("backup");
    let backup = runtime.backup(&target, |_| {}).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0, "somebody wrote meanwhile");
    assert!(backup.head.position >= asked);
    assert_eq!(verify(&target, &mut |_| {}).unwrap().head, backup.head);

    let config = Config::at(dir.path().join("second"));
    let restored = restore(&target, &config.log, &kinds(), &mut |_| {}).unwrap();
    assert_eq!(restored.head, backup.head);
    let again = stoa::open(config).await.unwrap();
    let upto = backup.head.position;
    assert_eq!(again.head().unwrap(), backup.head);
    assert_eq!(entries(&again, upto), entries(&runtime, upto));
    let audited = audit(again.store(), &kinds(), upto).unwrap();
    assert_eq!((audited.breaches, audited.entries), (vec![], upto.0));
    // And it goes on from there, with the same keys answered once.
    let caller = again.caller(ROOT);
    let space = caller.resolve("notes").unwrap();
    let same =
        caller.put(space, note(7), WriteOptions::comment("put 7").key("key 7")).await.unwrap();
    assert!(same.position <= upto);
    assert!(
        caller.put(space, note(1), WriteOptions::comment("more")).await.unwrap().position > upto
    );
    again.stop().await.unwrap();
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_bit_and_every_cut_is_refused_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = filled(&dir.path().join("first"), 12).await;
    let target = dir.path().join("backup");
    runtime.backup(&target, |_| {}).await.unwrap();
    runtime.stop().await.unwrap();
    let whole = std::fs::read(&target).unwrap();
    let bad = dir.path().join("bad");
    let data = dir.path().join("second");
    let refuse = |bytes: &[u8], what: String| {
        std::fs::write(&bad, bytes).unwrap();
        let refused = restore(&bad, &Config::at(&data).log, &kinds(), &mut |_| {});
        assert!(refused.is_err(), "{what}");
        assert!(!data.exists(), "{what}");
    };
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        refuse(&flipped, format!("byte {at}"));
    }
    for cut in 0..whole.len() {
        refuse(&whole[..cut], format!("cut after {cut}"));
    }
    refuse(&[&whole[..], &[0]].concat(), "a byte too many".into());
}

/// Which entry is bad is said; the position asked for, which nothing rests on, is covered as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = filled(&dir.path().join("first"), 12).await;
    let target = dir.path().join("backup");
    runtime.backup(&target, |_| {}).await.unwrap();
    runtime.stop().await.unwrap();
    let mut bytes = std::fs::read(&target).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&target, &bytes).unwrap();
    let refused = verify(&target, &mut |_| {}).unwrap_err();
    let BackupError::Damaged { breach, .. } = &refused else { panic!("{refused}") };
    let after = breach.keeps().position;
    assert!(after > Position(2) && after < Position(12), "{refused}");
    bytes.truncate(middle - 300);
    std::fs::write(&target, &bytes).unwrap();
    let refused = verify(&target, &mut |_| {}).unwrap_err();
    let BackupError::Cut { after, .. } = &refused else { panic!("{refused}") };
    assert!(after.position > Position(2), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_nobody_waits_for_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = filled(&dir.path().join("first"), 4_000).await;
    let place = dir.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let target = place.join("backup");
    let taking = runtime.backup(&target, move |copied| {
        tell.send(copied).ok();
        // Until nobody waits for it any more.
        gone.recv().ok();
    });
    tokio::select! {
        done = taking => panic!("it is done before it is looked at: {done:?}"),
        seen = told.recv() => assert!(seen.is_some()),
    }
    drop(go);
    // The thread has gone once nobody can tell any more.
    while told.recv().await.is_some() {}
    runtime.stop().await.unwrap();
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_never_touches_a_directory_with_something_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let runtime = filled(&first, 3).await;
    let target = dir.path().join("backup");
    runtime.backup(&target, |_| {}).await.unwrap();
    runtime.stop().await.unwrap();
    std::fs::create_dir(&second).unwrap();
    std::fs::write(second.join("mine"), "precious").unwrap();
    for data in [&first, &second] {
        let refused = restore(&target, &Config::at(data).log, &kinds(), &mut |_| {}).unwrap_err();
        let occupied = matches!(&refused, BackupError::Store(StoreError::Occupied { .. }));
        assert!(occupied, "{refused}");
    }
    assert_eq!(std::fs::read_dir(&second).unwrap().count(), 1, "not even a lock");
}
