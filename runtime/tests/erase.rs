//! What is erased cannot be read by any path, leaves the files at the next orderly stop, and the
//! log still proves itself: a body is another than its header says only where the log accounts for
//! it.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "erase/copies.rs"]
mod copies;
#[path = "erase/loss.rs"]
mod loss;
#[path = "erase/rights.rs"]
mod rights;

use std::path::{Path, PathBuf};
use std::time::Duration;
use stoa::audit::{Audited, audit};
use stoa::backup::{restore, verify};
use stoa::caller::{Caller, ClaimAsk, HistoryQuery, Of, WriteOptions};
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::fault::Point;
use stoa::problem::ProblemKind;
use stoa::runtime::{Runtime, kinds};
use stoa::store::rebuild;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, Position, ROOT, SpaceId};
use stoa_actors::log::{Breach, HEADER_BYTES};
use stoa_actors::search::Query;
use stoa_actors::space::{ClaimPredicate, Draft, Expect, Mutation, Patch};
use stoa_actors::value::Value;

/// A word that cannot be packed and that nothing else says.
fn secret(n: u64) -> String {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + (state >> 40) as u8 % 26)
    };
    (0..48).map(|_| next()).collect()
}

/// Small, so that a stop makes a checkpoint, and a scrub walks at once.
fn config(dir: &Path) -> Config {
    Config {
        log: LogConfig { checkpoint_stop_entries: 1, scrub_pause_ms: 0, ..LogConfig::at(dir) },
        ..Config::at(dir)
    }
}

async fn open(dir: &Path) -> (Runtime, Caller, SpaceId) {
    let runtime = stoa::open(config(dir)).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = match caller.resolve("notes") {
        Ok(space) => space,
        Err(_) => caller.create_space("notes", "").await.unwrap(),
    };
    (runtime, caller, space)
}

/// Until the threads of a runtime that is gone have let go of the directory.
async fn let_go(dir: &Path) {
    for _ in 0..10_000 {
        if std::fs::File::open(dir.join("lock")).unwrap().try_lock().is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the directory is not let go");
}

async fn stop(dir: &Path, runtime: Runtime, caller: Caller) {
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    let_go(dir).await;
}

fn says(text: &str) -> Draft {
    Draft {
        content: Content::from(text),
        annotation: text.to_owned(),
        metadata: [("status".to_owned(), Value::from(text))].into(),
        ..Draft::default()
    }
}

/// An atom that says it in three versions, one of them made by a claim, in entries of every kind.
async fn told(caller: &Caller, space: SpaceId, secret: &str) -> AtomId {
    let other = caller.put(space, says("plain"), WriteOptions::default()).await.unwrap().id;
    let references = [("see".to_owned(), vec![other])].into();
    let draft = Draft { references, ..says(secret) };
    let why = WriteOptions::comment("put it").key(secret[..9].to_owned());
    let id = caller.put(space, draft, why).await.unwrap().id;
    let patch = Patch { annotation: Some(format!("again {secret}")), ..Patch::default() };
    let both = vec![
        Mutation::Update { id, expect: Expect::Any, patch: Box::new(patch) },
        Mutation::Put(Box::new(says("beside it"))),
    ];
    caller.transact(space, both, WriteOptions::comment("both")).await.unwrap();
    let metadata = [("status".to_owned(), Value::from(secret))].into();
    let ask = ClaimAsk {
        wanted: ClaimPredicate { metadata, ..ClaimPredicate::default() },
        set: [("owner".to_owned(), Value::from(secret))].into(),
        lease_ms: 60_000,
        ..ClaimAsk::default()
    };
    let key = WriteOptions::comment("claim").key(format!("claim {}", &secret[..9]));
    assert_eq!(caller.claim(space, ask, key).await.unwrap().unwrap().read.atom.id, id);
    id
}

/// The files below a directory that hold the words.
fn holding(dir: &Path, words: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, words));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(words.len()).any(|it| it == words.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}

/// Every entry as it stands in the log.
fn log(runtime: &Runtime) -> String {
    let entry = |at| runtime.store().entry(Position(at)).unwrap().unwrap();
    let bodies = (1..=runtime.durable().0).map(|at| entry(at).body);
    bodies.map(|it| String::from_utf8_lossy(&it.encode().unwrap()).into_owned()).collect()
}

fn audited(runtime: &Runtime) -> Audited {
    audit(runtime.store(), &kinds(), runtime.durable()).unwrap()
}

async fn assert_gone(
    runtime: &Runtime,
    caller: &Caller,
    space: SpaceId,
    (id, secret): (AtomId, &str),
) {
    let newest = caller.get(id).await.unwrap().atom;
    assert_eq!((&newest.content, newest.version), (&Content::Erased, 4));
    assert!(newest.metadata.is_empty() && newest.references.is_empty());
    for version in 1..4 {
        let no = caller.get_version(id, version).await.unwrap_err();
        assert!(no.kind == ProblemKind::Unknown && no.text.contains("was erased by"), "{no}");
        let (_, atom) = runtime.store().version(id, version).unwrap().unwrap();
        assert_eq!((&atom.content, atom.annotation.len()), (&Content::Redacted, 0));
    }
    for query in [
        Query::text(secret),
        Query { metadata: [("status".to_owned(), Value::from(secret))].into(), ..Query::default() },
        Query::default(),
    ] {
        let all = Query { include_deprecated: true, limit: 1_000, ..query };
        let found = caller.search(space, all).await.unwrap();
        assert!(found.iter().all(|it| it.read.atom.id != id));
    }
    assert!(!log(runtime).contains(secret), "in the log");
    let mut export = caller.export(space).await.unwrap();
    while let Some(piece) = export.piece().await.unwrap() {
        assert!(!format!("{piece:?}").contains(secret), "in an export");
    }
    // Who, when and why is there.
    let history = caller.history(Of::Atom(id), HistoryQuery::first(1_000)).await.unwrap();
    let kinds: Vec<&str> =
        history.iter().filter(|it| it.atom.is_some()).map(|it| &*it.kind).collect();
    assert_eq!(kinds, ["atom.put", "atom.updated", "atom.updated", "atom.erased"]);
    assert_eq!(history.last().unwrap().comment, "it must go");
    let all = HistoryQuery::first(1_000);
    assert!(
        !format!("{:?}", caller.history(Of::Space(space), all).await.unwrap()).contains(secret)
    );
    let audited = audited(runtime);
    assert_eq!((audited.breaches, audited.erased), (vec![], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_by_every_path_and_from_every_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (runtime, caller, space) = open(&data).await;
    let (gone, stays) = (secret(1), secret(2));
    let id = told(&caller, space, &gone).await;
    let kept = told(&caller, space, &stays).await;
    for version in 1..=3 {
        caller.get_version(id, version).await.unwrap();
    }
    assert_eq!(caller.search(space, Query::text(&gone)).await.unwrap()[0].read.atom.id, id);
    stop(&data, runtime, caller).await;
    // The search of the files can find it.
    assert!(!holding(&data, &gone).is_empty());

    let (runtime, caller, space) = open(&data).await;
    let before = caller.get(kept).await.unwrap();
    caller.get_version(id, 2).await.unwrap();
    caller.search(space, Query::text(&gone)).await.unwrap();
    let written =
        caller.erase(id, Expect::Any, WriteOptions::comment("it must go").key("k")).await.unwrap();
    assert_eq!(
        caller.erase(id, Expect::Any, WriteOptions::comment("it must go").key("k")).await.unwrap(),
        written
    );
    assert_gone(&runtime, &caller, space, (id, &gone)).await;
    assert_eq!(caller.get(kept).await.unwrap(), before);
    let patch = Patch { content: Some("back".into()), ..Patch::default() };
    let refusals = [
        caller.update(id, Expect::Any, patch, WriteOptions::default()).await.unwrap_err(),
        caller.deprecate(id, Expect::Any, None, WriteOptions::default()).await.unwrap_err(),
        caller.erase(id, Expect::Any, WriteOptions::default()).await.unwrap_err(),
    ];
    assert!(
        refusals
            .iter()
            .all(|it| it.kind == ProblemKind::Conflict && it.text.contains("was erased"))
    );
    let forged = Draft { content: Content::Redacted, ..Draft::default() };
    let no = caller.put(space, forged, WriteOptions::default()).await.unwrap_err();
    assert_eq!(no.kind, ProblemKind::Invalid, "{no}");
    let backup = dir.path().join("backup");
    runtime.backup(&backup, |_| {}).await.unwrap();
    stop(&data, runtime, caller).await;
    assert_eq!(holding(&data, &gone), Vec::<PathBuf>::new());
    assert!(!holding(&data, &stays).is_empty());

    let (runtime, caller, space) = open(&data).await;
    assert_gone(&runtime, &caller, space, (id, &gone)).await;
    stop(&data, runtime, caller).await;
    // From the log alone, and from a backup: the same.
    rebuild(&config(&data).log, &kinds()).unwrap();
    let (runtime, caller, space) = open(&data).await;
    assert_gone(&runtime, &caller, space, (id, &gone)).await;
    stop(&data, runtime, caller).await;
    verify(&backup, &mut |_| {}).unwrap();
    let second = dir.path().join("second");
    restore(&backup, &config(&second).log, &kinds(), &mut |_| {}).unwrap();
    let (runtime, caller, space) = open(&second).await;
    assert_gone(&runtime, &caller, space, (id, &gone)).await;
    stop(&second, runtime, caller).await;
    assert_eq!(holding(dir.path(), &gone), Vec::<PathBuf>::new());
}

/// A scrub that looks at once finds nothing wrong, and finds a bit that is flipped in what was
/// redacted; so do an open, an audit and whoever reads a backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_a_redacted_body_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    let words = secret(3);
    let id = told(&caller, space, &words).await;
    let (first, _) = runtime.store().version(id, 1).unwrap().unwrap();
    caller.erase(id, Expect::Any, WriteOptions::comment("it must go")).await.unwrap();
    stop(dir.path(), runtime, caller).await;
    let (runtime, caller, _) = open(dir.path()).await;
    let head = runtime.durable();
    while runtime.scrubbed().is_none_or(|it| it.head.position < head) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(audited(&runtime).breaches, Vec::<String>::new());
    stop(dir.path(), runtime, caller).await;
    let flip = |byte: usize| {
        let db = fjall::Database::builder(dir.path().join("db")).open().unwrap();
        let log = db.keyspace("log", fjall::KeyspaceCreateOptions::default).unwrap();
        let mut entry = log.get(first.0.to_be_bytes()).unwrap().unwrap().to_vec();
        entry[HEADER_BYTES + byte] ^= 4;
        log.insert(first.0.to_be_bytes(), entry).unwrap();
        db.persist(fjall::PersistMode::SyncAll).unwrap();
    };
    flip(40);
    // Below the checkpoint an open does not look; the audit does, and whoever copies the log.
    std::fs::remove_file(dir.path().join("scrub")).ok();
    let calm = Config {
        log: LogConfig {
            scrub_pause_ms: 600_000,
            scrub_piece_bytes: 1,
            ..config(dir.path()).log.clone()
        },
        ..config(dir.path())
    };
    let runtime = stoa::open(calm).await.unwrap();
    let found = audited(&runtime).breaches;
    assert!(found.iter().any(|it| it.contains("does not match its header")), "{found:?}");
    assert!(runtime.backup(&dir.path().with_extension("backup"), |_| {}).await.is_err());
    runtime.stop().await.unwrap();
    drop(runtime);
    let_go(dir.path()).await;
    let refused = |error: StoreError| {
        let StoreError::Breach(Breach::Body { after }) = error else { panic!("{error}") };
        assert_eq!(after.position.0, first.0 - 1);
    };
    refused(rebuild(&config(dir.path()).log, &kinds()).unwrap_err());
    flip(40);
    for byte in [0, 1, 17, 60, 90] {
        flip(byte);
        refused(stoa::open(config(dir.path())).await.err().unwrap());
        flip(byte);
    }
    rebuild(&config(dir.path()).log, &kinds()).unwrap();
}

/// [stop] in the middle of it: the erase is durable and was not acknowledged, and the next open
/// goes on, whatever the commit was that failed.
#[tokio::test(flavor = "multi_thread")]
async fn an_erase_that_was_cut_off_is_gone_on_with_at_the_next_open() {
    for (point, nth) in
        [(Point::Committed, 1), (Point::Commit, 2), (Point::Committed, 2), (Point::Witness, 1)]
    {
        let dir = tempfile::tempdir().unwrap();
        let (runtime, caller, space) = open(dir.path()).await;
        let words = secret(4);
        let id = told(&caller, space, &words).await;
        stop(dir.path(), runtime, caller).await;
        let faulty = config(dir.path());
        let faults = faulty.log.faults.clone();
        let runtime = stoa::open(faulty).await.unwrap();
        let caller = runtime.caller(ROOT);
        faults.plant(point, nth);
        let cut = caller.erase(id, Expect::Any, WriteOptions::comment("it must go")).await;
        assert!(cut.is_err() && !faults.waits(), "{point:?} {nth}: {cut:?}");
        drop((runtime, caller));
        let_go(dir.path()).await;
        let (runtime, caller, space) = open(dir.path()).await;
        assert_gone(&runtime, &caller, space, (id, &words)).await;
        stop(dir.path(), runtime, caller).await;
        assert_eq!(holding(dir.path(), &words), Vec::<PathBuf>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_atom_with_a_long_history_leaves_piece_by_piece_beside_writers() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    let words = secret(5);
    let id = caller.put(space, says(&words), WriteOptions::default()).await.unwrap().id;
    for turn in 0..7 {
        let update = |n: u64| {
            let metadata = [("n".to_owned(), Value::Int((turn * 200 + n) as i64))].into();
            let patch = Box::new(Patch { metadata, ..Patch::default() });
            Mutation::Update { id, expect: Expect::Any, patch }
        };
        caller
            .transact(space, (0..200).map(update).collect(), WriteOptions::comment("many"))
            .await
            .unwrap();
    }
    let writer = caller.clone();
    let writing = tokio::spawn(async move {
        for n in 0..50 {
            writer
                .put(space, says(&format!("meanwhile {n}")), WriteOptions::default())
                .await
                .unwrap();
        }
    });
    let written = caller.erase(id, Expect::Any, WriteOptions::comment("it must go")).await.unwrap();
    assert_eq!(written.version, 1_402);
    writing.await.unwrap();
    assert!(!log(&runtime).contains(&words));
    let audited = audited(&runtime);
    assert_eq!((audited.breaches, audited.erased), (vec![], 1));
    stop(dir.path(), runtime, caller).await;
    assert_eq!(holding(dir.path(), &words), Vec::<PathBuf>::new());
}

/// An erase travels: what is erased there is erased here, and what is erased here stays so.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_brings_nothing_back_and_an_erase_along() {
    let dir = tempfile::tempdir().unwrap();
    let (first, caller, space) = open(&dir.path().join("first")).await;
    let words = secret(6);
    let id = told(&caller, space, &words).await;
    let leaving = async |caller: &Caller, space| {
        let mut export = caller.export(space).await.unwrap();
        let mut all = Vec::new();
        while let Some(piece) = export.piece().await.unwrap() {
            all.extend(piece);
        }
        all
    };
    let before = leaving(&caller, space).await;
    let (second, importer, into) = open(&dir.path().join("second")).await;
    let why = || WriteOptions::comment("import");
    importer.import(into, before.clone(), why()).await.unwrap();
    caller.erase(id, Expect::Any, WriteOptions::comment("it must go")).await.unwrap();
    let after = leaving(&caller, space).await;
    let brought = importer.import(into, after.clone(), why()).await.unwrap();
    assert_eq!((brought.new, brought.known), (1, after.len() as u64 - 1));
    assert_eq!(importer.get(id).await.unwrap().atom.content, Content::Erased);
    assert!(!log(&second).contains(&words));
    for all in [before, after] {
        let count = all.len() as u64;
        let brought = importer.import(into, all, why()).await.unwrap();
        assert_eq!((brought.new, brought.known), (0, count));
    }
    assert_eq!(importer.get(id).await.unwrap().atom.content, Content::Erased);
    assert_eq!(audited(&second).breaches, Vec::<String>::new());
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}
