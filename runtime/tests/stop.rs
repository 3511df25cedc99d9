//! [stop] Every write that can fail, failing: nothing is acknowledged after it, whoever runs the
//! store is told, and the next open has everything that was acknowledged.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use stoa::audit::audit;
use stoa::caller::{Caller, GrantRequest, HistoryQuery, Of, WriteOptions};
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::fault::{Faults, Point};
use stoa::problem::ProblemKind;
use stoa::runtime::{Runtime, Undone, kinds};
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::space::{Draft, Expect, Patch};

const POINTS: [Point; 4] = [Point::Commit, Point::Committed, Point::Witness, Point::Witnessed];
/// The writes of one life that are made to fail, one in each.
const WRITES: u64 = 9;
/// Nothing takes so long but what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

struct Life {
    runtime: Runtime,
    caller: Caller,
    space: SpaceId,
    faults: Faults,
}

async fn open(dir: &Path) -> Life {
    open_with(dir, |_| ()).await
}

async fn open_with(dir: &Path, set: impl Fn(&mut Config)) -> Life {
    // Threads of the life before let go of the directory one by one.
    if let Ok(lock) = std::fs::File::open(dir.join("lock")) {
        lock.lock().unwrap();
    }
    let faults = Faults::default();
    let mut config = Config {
        log: LogConfig { faults: faults.clone(), ..LogConfig::at(dir) },
        ..Config::at(dir)
    };
    set(&mut config);
    let runtime = stoa::open(config).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = match caller.resolve("notes") {
        Ok(space) => space,
        Err(_) => caller.create_space("notes", "").await.unwrap(),
    };
    Life { runtime, caller, space, faults }
}

fn text(text: String) -> Draft {
    Draft { content: Content::Text(text), ..Draft::default() }
}

impl Life {
    /// A put or an update; the atom and version that were acknowledged.
    async fn write(
        &self,
        comment: &str,
        onto: Option<AtomId>,
    ) -> Result<(AtomId, u64), ProblemKind> {
        let why = WriteOptions::comment(comment).key(comment);
        let written = match onto {
            None => self.caller.put(self.space, text(comment.to_owned()), why).await,
            Some(id) => {
                let patch = Patch { content: Some(Content::from(comment)), ..Patch::default() };
                self.caller.update(id, Expect::Any, patch, why).await
            }
        };
        written.map(|it| (it.id, it.version)).map_err(|problem| problem.kind)
    }

    /// It has stopped: it says so to whoever waits for it, to every asker, and when it is stopped.
    async fn assert_stopped(&self, what: &str) {
        assert!(!self.faults.waits(), "{what}: the write was made");
        let error = tokio::time::timeout(PATIENCE, self.runtime.run()).await.unwrap();
        let planted = |error: &StoreError| error.to_string().contains("a fault was planted");
        assert!(matches!(error, StoreError::Engine(_)) && planted(&error), "{what}: {error}");
        let durable = self.runtime.durable();
        for n in 0..3 {
            let again = self.write(&format!("{what} after {n}"), None).await;
            assert_eq!(again, Err(ProblemKind::Store), "{what}");
            let other = self.caller.create_space(&format!("{what} {n}"), "").await;
            assert_eq!(other.unwrap_err().kind, ProblemKind::Store, "{what}");
        }
        assert_eq!(self.runtime.durable(), durable, "{what}: nothing became durable any more");
        let stopped = tokio::time::timeout(PATIENCE, self.runtime.stop()).await.unwrap();
        assert!(stopped.is_err_and(|error| planted(&error)), "{what}");
    }

    /// Everything acknowledged is there, and besides at most what was asked and not answered.
    async fn assert_whole(
        &self,
        what: &str,
        acknowledged: &[(String, AtomId, u64)],
        asked: &BTreeSet<String>,
    ) {
        let store = self.runtime.store();
        for (comment, id, version) in acknowledged {
            let found = store.version(*id, *version).unwrap();
            let (_, atom) = found.unwrap_or_else(|| panic!("{what}: {comment} is lost"));
            assert_eq!(atom.content, Content::from(comment.as_str()), "{what}");
        }
        let query = HistoryQuery::first(usize::MAX);
        let history = self.caller.history(Of::Space(self.space), query).await.unwrap();
        let there: Vec<&String> = history.iter().map(|it| &it.comment).collect();
        let once: BTreeSet<&String> = there.iter().copied().collect();
        assert_eq!(once.len(), there.len(), "{what}: each once");
        assert!(once.iter().all(|it| asked.contains(*it)), "{what}: nothing but what was asked");
        let audited = audit(store, &kinds(), self.runtime.durable()).unwrap();
        assert_eq!(audited.breaches, Vec::<String>::new(), "{what}");
        assert_eq!(audited.entries, self.runtime.durable().0, "{what}");
    }
}

/// One asker that waits for each answer: the nth write is the nth question's, so exactly the
/// questions before it are acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn of_questions_one_by_one_those_before_the_failed_write_are_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut asked) = (Vec::<(String, AtomId, u64)>::new(), BTreeSet::new());
    for point in POINTS {
        for nth in 1..=WRITES {
            let what = format!("{point:?} {nth}");
            let life = open(dir.path()).await;
            life.assert_whole(&what, &acknowledged, &asked).await;
            life.faults.plant(point, nth);
            let mut answered = 0;
            for n in 0..WRITES + 3 {
                let comment = format!("{what} question {n}");
                asked.insert(comment.clone());
                let onto = acknowledged.last().filter(|_| n % 3 == 2).map(|it| it.1);
                match life.write(&comment, onto).await {
                    Ok((id, version)) => {
                        assert_eq!(answered, n, "{what}: nothing after what was not answered");
                        answered += 1;
                        acknowledged.push((comment, id, version));
                    }
                    Err(kind) => assert_eq!(kind, ProblemKind::Store, "{what}"),
                }
            }
            assert_eq!(answered, nth - 1, "{what}");
            life.assert_stopped(&what).await;
        }
    }
    let life = open(dir.path()).await;
    life.assert_whole("at the end", &acknowledged, &asked).await;
    let kept = |point: &str| {
        let failed = (1..=WRITES).map(|nth| format!("{point} {nth} question {}", nth - 1));
        failed.collect::<BTreeSet<_>>()
    };
    let query = HistoryQuery::first(usize::MAX);
    let history = life.caller.history(Of::Space(life.space), query).await.unwrap();
    let there: BTreeSet<String> = history.into_iter().map(|it| it.comment).collect();
    assert!(kept("Commit").is_disjoint(&there), "what was not committed is not there");
    for point in ["Committed", "Witness", "Witnessed"] {
        assert!(kept(point).is_subset(&there), "what was committed is there, unanswered as it was");
    }
    life.runtime.stop().await.unwrap();
}

/// Many askers at once, whose questions share commits.
#[tokio::test(flavor = "multi_thread")]
async fn of_questions_at_once_every_acknowledged_one_is_there() {
    const ASKERS: u64 = 12;
    const QUESTIONS: u64 = 30;
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut asked) = (Vec::new(), BTreeSet::new());
    for point in POINTS {
        for nth in (1..=WRITES).step_by(2) {
            let what = format!("{point:?} {nth}");
            let life = std::sync::Arc::new(open(dir.path()).await);
            life.assert_whole(&what, &acknowledged, &asked).await;
            life.faults.plant(point, nth);
            let asking: Vec<_> = (0..ASKERS)
                .map(|asker| {
                    let (life, what) = (life.clone(), what.clone());
                    tokio::spawn(async move {
                        let mut told = Vec::new();
                        for n in 0..QUESTIONS {
                            let comment = format!("{what} asker {asker} question {n}");
                            let answer = life.write(&comment, None).await;
                            told.push((comment, answer));
                        }
                        told
                    })
                })
                .collect();
            for task in asking {
                let mut stopped = false;
                for (comment, answer) in task.await.unwrap() {
                    match answer {
                        Ok((id, version)) => {
                            assert!(!stopped, "{comment} was acknowledged after an error");
                            acknowledged.push((comment.clone(), id, version));
                        }
                        Err(kind) => {
                            assert_eq!(kind, ProblemKind::Store, "{comment}");
                            stopped = true;
                        }
                    }
                    asked.insert(comment);
                }
                assert!(stopped, "{what}: every asker hears of it");
            }
            life.assert_stopped(&what).await;
        }
    }
    let life = open(dir.path()).await;
    life.assert_whole("at the end", &acknowledged, &asked).await;
    life.runtime.stop().await.unwrap();
}

/// What is refused because of a revoke is not told before that revoke is durable: a crash would unsay
/// it, and the caller had heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_waits_for_the_revoke_that_it_rests_on() {
    let dir = tempfile::tempdir().unwrap();
    let Life { runtime, caller, space, faults } = open(dir.path()).await;
    let grant = GrantRequest {
        level: Level::Write,
        delegate: None,
        expires_ms: None,
        reason: String::new(),
    };
    let bob = caller.grant("notes", "bob", grant).await.unwrap().session;
    let bob = runtime.caller(bob);
    let id = bob.put(space, text("mine".into()), WriteOptions::comment("put")).await.unwrap().id;
    faults.hold(Point::Commit);
    let owner = caller.clone();
    let revoke = tokio::spawn(async move { owner.revoke("notes", "bob", "enough").await });
    // Readers see less as soon as it is decided.
    while bob.get(id).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let put = bob.put(space, text("more".into()), WriteOptions::comment("put"));
    tokio::pin!(put);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut put).await;
    assert!(early.is_err(), "nothing is told of what is not durable: {early:?}");
    assert!(!revoke.is_finished());
    faults.release();
    assert_eq!(put.await.unwrap_err().kind, ProblemKind::Unknown);
    assert_eq!(revoke.await.unwrap().unwrap(), 1);
    runtime.stop().await.unwrap();
}

/// The folders into which the engine writes its tables, out of its reach: each flush fails as on a
/// full disk, and the journal goes on.
struct Away(Vec<PathBuf>);

impl Away {
    fn take(dir: &Path) -> Away {
        let keyspaces = std::fs::read_dir(dir.join("db/keyspaces")).unwrap();
        let tables: Vec<PathBuf> = keyspaces.map(|it| it.unwrap().path().join("tables")).collect();
        assert!(tables.len() > 5, "{tables:?}");
        tables.iter().for_each(|it| std::fs::rename(it, it.with_extension("away")).unwrap());
        Away(tables)
    }

    fn back(self) {
        for tables in self.0 {
            if !tables.exists() {
                std::fs::rename(tables.with_extension("away"), &tables).unwrap();
            }
        }
    }
}

/// Whether any file below a path holds a text. The engine may remove one meanwhile: what is gone
/// holds nothing.
fn holds(path: &Path, text: &[u8]) -> bool {
    let there = |found: std::io::Result<Vec<u8>>| match found {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        found => found.unwrap(),
    };
    let mut entries = std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path());
    entries.any(|path| match path.is_dir() {
        true => holds(&path, text),
        false => there(std::fs::read(&path)).windows(text.len()).any(|it| it == text),
    })
}

/// Found on a full disk: the stop waited for ever for a flush that had failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_cannot_write_tables_ends_and_the_next_open_has_everything() {
    let dir = tempfile::tempdir().unwrap();
    let mut life = open(dir.path()).await;
    let (mut acknowledged, mut asked) = (Vec::new(), BTreeSet::new());
    for n in 0..20 {
        let comment = format!("question {n}");
        let (id, version) = life.write(&comment, None).await.unwrap();
        acknowledged.push((comment.clone(), id, version));
        asked.insert(comment);
    }
    life.runtime.stop().await.unwrap();
    drop(life);
    for round in 0..2 {
        life = open_with(dir.path(), |config| config.log.checkpoint_stop_entries = 1).await;
        let comment = format!("again {round}");
        let (id, version) = life.write(&comment, None).await.unwrap();
        acknowledged.push((comment.clone(), id, version));
        asked.insert(comment);
        let away = Away::take(dir.path());
        let head = tokio::time::timeout(PATIENCE, life.runtime.stop()).await.unwrap().unwrap();
        assert_eq!(head.map(|it| it.position), Some(life.runtime.durable()));
        let undone = life.runtime.undone();
        assert!(matches!(undone[..], [Undone::Checkpoint { .. }]), "{undone:?}");
        drop(life);
        away.back();
    }
    let life = open_with(dir.path(), |config| config.log.checkpoint_stop_entries = 1).await;
    life.assert_whole("in the end", &acknowledged, &asked).await;
    assert!(life.runtime.stop().await.unwrap().is_some());
    assert_eq!(life.runtime.undone(), [], "this one makes its checkpoint");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_was_interrupted_is_finished_by_the_next_open() {
    const SECRET: &str = "x7Qp-must-not-be-in-any-file-x7Qp";
    let dir = tempfile::tempdir().unwrap();
    let life = open(dir.path()).await;
    let put = life
        .caller
        .put(life.space, text(SECRET.into()), WriteOptions::comment("put"))
        .await
        .unwrap();
    life.caller.erase(put.id, Expect::Any, WriteOptions::comment("forget it")).await.unwrap();
    let away = Away::take(dir.path());
    tokio::time::timeout(PATIENCE, life.runtime.stop()).await.unwrap().unwrap();
    let undone = life.runtime.undone();
    assert!(matches!(undone[..], [Undone::Purge { .. }]), "{undone:?}");
    drop(life);
    away.back();
    assert!(holds(dir.path(), SECRET.as_bytes()), "the journal is not written anew");
    let life = open(dir.path()).await;
    assert_eq!(life.runtime.undone(), []);
    assert!(!holds(dir.path(), SECRET.as_bytes()), "the open has finished the purge");
    let audited = audit(life.runtime.store(), &kinds(), life.runtime.durable()).unwrap();
    assert_eq!((audited.breaches, audited.erased), (Vec::new(), 1));
    assert!(tokio::time::timeout(PATIENCE, life.runtime.stop()).await.unwrap().is_ok());
}
