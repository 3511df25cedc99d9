//! Damage below the checkpoint, which no open walks, is found without an audit, stops the store,
//! and is refused from then on.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use std::path::Path;
use std::time::{Duration, Instant};
use stoa::caller::WriteOptions;
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::runtime::{Runtime, kinds};
use stoa::store::accept_loss;
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT};
use stoa_actors::log::{Breach, HEADER_BYTES, Head};
use stoa_actors::scrub::Scrubbed;
use stoa_actors::space::Draft;

const NOTES: usize = 120;

/// Makes a checkpoint at every stop, and scrubs without a rest.
fn config(dir: &Path) -> Config {
    Config {
        log: LogConfig { checkpoint_stop_entries: 1, scrub_pause_ms: 0, ..LogConfig::at(dir) },
        ..Config::at(dir)
    }
}

/// A store all of which is below its checkpoint, and that no scrub has seen.
async fn filled(dir: &Path) -> Head {
    let runtime = stoa::open(config(dir)).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("notes", "").await.unwrap();
    for n in 0..NOTES {
        let text = format!("note {n} {}", "x".repeat(n * 7 % 900));
        let draft = Draft { content: Content::Text(text), ..Draft::default() };
        caller.put(space, draft, WriteOptions::comment("fill")).await.unwrap();
    }
    let head = runtime.stop().await.unwrap().unwrap();
    drop((runtime, caller));
    let_go(dir).await;
    let note = dir.join("scrub");
    if note.exists() {
        std::fs::remove_file(note).unwrap();
    }
    head
}

/// Flips one bit of one byte of a body, as stored; again brings it back.
fn flip(dir: &Path, at: Position) {
    let db = fjall::Database::builder(dir.join("db")).open().unwrap();
    let log = db.keyspace("log", fjall::KeyspaceCreateOptions::default).unwrap();
    let mut entry = log.get(at.0.to_be_bytes()).unwrap().unwrap().to_vec();
    let middle = HEADER_BYTES + (entry.len() - HEADER_BYTES) / 2;
    entry[middle] ^= 4;
    log.insert(at.0.to_be_bytes(), entry).unwrap();
    db.persist(fjall::PersistMode::SyncAll).unwrap();
}

async fn let_go(dir: &Path) {
    until(|| std::fs::File::open(dir.join("lock")).unwrap().try_lock().is_ok()).await;
}

async fn until(mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < give_up, "it does not come to it");
        tokio::task::yield_now().await;
    }
}

async fn scrubbed(runtime: &Runtime, upto: Position) -> Scrubbed {
    until(|| runtime.scrubbed().is_some_and(|it| it.head.position >= upto)).await;
    runtime.scrubbed().unwrap()
}

async fn found(config: Config) -> StoreError {
    let runtime = stoa::open(config).await.unwrap();
    let error = tokio::time::timeout(Duration::from_secs(30), runtime.run()).await.unwrap();
    let caller = runtime.caller(ROOT);
    assert!(caller.create_space("more", "").await.is_err(), "nothing is acknowledged after it");
    drop((runtime, caller));
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_an_old_body_is_found_and_refused_until_it_is_whole_again() {
    let dir = tempfile::tempdir().unwrap();
    let head = filled(dir.path()).await;
    let old = Position(head.position.0 / 2);
    flip(dir.path(), old);

    let error = found(config(dir.path())).await;
    let StoreError::Damaged { breach, checkpoint } = &error else { panic!("{error}") };
    let Breach::Body { after } = &**breach else { panic!("not the damage: {error}") };
    assert_eq!((after.position.0 + 1, *checkpoint), (old.0, head));
    let said = error.to_string();
    assert!(said.contains(&after.to_string()) && said.contains(&head.to_string()), "{said}");

    // The next open looks at that entry first.
    let_go(dir.path()).await;
    let refused = stoa::open(config(dir.path())).await.err().unwrap();
    assert_eq!(refused.to_string(), said);
    let_go(dir.path()).await;

    flip(dir.path(), old);
    let runtime = stoa::open(config(dir.path())).await.unwrap();
    assert_eq!(scrubbed(&runtime, head.position).await.head, head);
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_loss_that_is_accepted_the_store_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let head = filled(dir.path()).await;
    flip(dir.path(), Position(head.position.0 - 3));
    let error = found(config(dir.path())).await;
    let StoreError::Damaged { breach, .. } = error else { panic!("{error}") };
    let_go(dir.path()).await;
    let kept = breach.keeps();
    let loss = accept_loss(&config(dir.path()).log, &kept.to_string(), &kinds()).unwrap();
    assert_eq!((loss.kept, loss.removed), (kept, 4));
    let runtime = stoa::open(config(dir.path())).await.unwrap();
    assert_eq!(scrubbed(&runtime, kept.position).await.head, kept);
    runtime.stop().await.unwrap();
}

/// Below the engine: what it has flushed carries its own checksums, and it says no itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_a_flushed_file_is_found_too() {
    let dir = tempfile::tempdir().unwrap();
    let head = filled(dir.path()).await;
    let needle = b"note 60 xxx";
    let mut flipped = 0;
    let flushed = files(&dir.path().join("db")).into_iter();
    // A damaged journal is refused by the engine at open.
    for file in flushed.filter(|it| it.extension().is_none_or(|it| it != "jnl")) {
        let mut bytes = std::fs::read(&file).unwrap();
        let Some(at) = bytes.windows(needle.len()).position(|it| it == needle) else { continue };
        bytes[at + 8] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        flipped += 1;
    }
    assert!(flipped > 0, "the text stands in no file as it is");
    let error = found(config(dir.path())).await;
    let StoreError::Damaged { breach, checkpoint } = &error else { panic!("{error}") };
    assert!(breach.keeps().position < head.position && *checkpoint == head, "{error}");
    let_go(dir.path()).await;
    assert!(matches!(stoa::open(config(dir.path())).await, Err(StoreError::Damaged { .. })));
}

fn files(under: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_goes_on_where_it_stopped_and_is_not_repeated_at_every_open() {
    let dir = tempfile::tempdir().unwrap();
    let head = filled(dir.path()).await;
    // One entry at a time, and then a rest that only the stop ends.
    let slow = Config {
        log: LogConfig {
            scrub_piece_bytes: 1,
            scrub_pause_ms: 3_600_000,
            ..config(dir.path()).log.clone()
        },
        ..config(dir.path())
    };
    let mut before: Option<Scrubbed> = None;
    for open in 1..=3 {
        let runtime = stoa::open(slow.clone()).await.unwrap();
        let so_far = scrubbed(&runtime, Position(open)).await;
        assert_eq!(so_far.head.position, Position(open), "one more entry in each open");
        assert_eq!(so_far.began, before.map_or(so_far.began, |it| it.began));
        before = Some(so_far);
        runtime.stop().await.unwrap();
        drop(runtime);
        let_go(dir.path()).await;
    }
    let runtime = stoa::open(config(dir.path())).await.unwrap();
    let whole = scrubbed(&runtime, head.position).await;
    assert_eq!(whole.began, before.unwrap().began);
    runtime.stop().await.unwrap();
    drop(runtime);
    let_go(dir.path()).await;
    let runtime = stoa::open(config(dir.path())).await.unwrap();
    assert_eq!(scrubbed(&runtime, head.position).await, whole, "nothing is walked again");
    runtime.stop().await.unwrap();
    drop(runtime);
    let_go(dir.path()).await;
    let again = Config { log: LogConfig { scrub_every_ms: 0, ..slow.log.clone() }, ..slow };
    let runtime = stoa::open(again).await.unwrap();
    until(|| runtime.scrubbed().is_some_and(|it| it.head.position == Position(1))).await;
    assert!(runtime.scrubbed().unwrap().began > whole.began, "another pass");
    runtime.stop().await.unwrap();
}
