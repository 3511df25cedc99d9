//! An order that keeps a commit to itself and refuses what comes behind it, and one in which a commit
//! stands as soon as it has said that there is none.

use crate::realm::Stranger;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use stoa::caller::WriteOptions;
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::order::{CommitOrder, OrderSlot, OrderWaker, Ordered, Orders};
use stoa_actors::atom::Content;
use stoa_actors::commit::Commit;
use stoa_actors::id::{NodeId, ROOT};
use stoa_actors::space::Draft;

const PATIENCE: Duration = Duration::from_secs(20);

/// What becomes of commits, whoever offers them.
#[derive(Clone, Default)]
struct Mood {
    /// One more is kept, and all behind it are refused.
    stuck: Arc<AtomicBool>,
    /// Stands, and the bell rings, once there is nothing else.
    late: Arc<Mutex<Option<Commit>>>,
    places: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

struct Moody {
    mood: Mood,
    bell: OrderWaker,
    keeps: bool,
    /// The last that was asked for was there.
    handed: bool,
    ready: VecDeque<Ordered>,
}

impl Moody {
    fn stands(&mut self, commit: Commit) {
        let place = Some(OrderSlot(self.mood.places.fetch_add(1, SeqCst) + 1));
        self.ready.push_back(Ordered::Stands { place, commit });
    }
}

impl CommitOrder for Moody {
    fn offer(&mut self, commit: Commit) -> Result<(), StoreError> {
        if !self.mood.stuck.load(SeqCst) {
            self.stands(commit.shared());
        } else if std::mem::replace(&mut self.keeps, true) {
            self.mood.refused.fetch_add(1, SeqCst);
            self.ready.push_back(Ordered::Refused { id: commit.id, why: "not now".to_owned() });
        }
        self.bell.ring();
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Ordered>, StoreError> {
        let next = self.ready.pop_front();
        let before = std::mem::replace(&mut self.handed, next.is_some());
        let late = if before && next.is_none() { self.mood.late.lock().take() } else { None };
        if let Some(late) = late {
            self.stands(late);
            self.bell.ring();
        }
        Ok(next)
    }
}

fn config(dir: &std::path::Path, mood: &Mood) -> Config {
    let mood = mood.clone();
    let order = Orders::shared(NodeId([1; 16]), 2, move |joining| {
        let (mood, bell, ready) = (mood.clone(), joining.bell, VecDeque::new());
        Ok(Box::new(Moody { mood, bell, keeps: false, handed: false, ready }))
    });
    // One entry a commit.
    Config {
        log: LogConfig { order, commit_entries_max: 1, ..LogConfig::at(dir) },
        ..Config::at(dir)
    }
}

/// The life that was about to end waited for a judgement that nobody could give any more, and the
/// log was never let go of.
#[tokio::test(flavor = "multi_thread")]
async fn who_goes_while_a_refusal_waits_for_what_is_before_it_lets_go_of_the_directory() {
    let (dir, mood) = (tempfile::tempdir().unwrap(), Mood::default());
    let runtime = stoa::open(config(dir.path(), &mood)).await.unwrap();
    let root = runtime.caller(ROOT);
    let space = root.create_space("board", "").await.unwrap();
    mood.stuck.store(true, SeqCst);
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..8 {
        let root = root.clone();
        let draft = Draft { content: Content::Text(format!("{n}")), ..Draft::default() };
        asked.spawn(async move { root.put(space, draft, WriteOptions::comment("put")).await });
    }
    let begun = Instant::now();
    while mood.refused.load(SeqCst) == 0 {
        assert!(begun.elapsed() < PATIENCE, "nothing is refused");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The others wait behind it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    asked.shutdown().await;
    drop((root, runtime));
    mood.stuck.store(false, SeqCst);
    let begun = Instant::now();
    let runtime = loop {
        match stoa::open(config(dir.path(), &mood)).await {
            Err(StoreError::Locked { .. }) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            opened => break opened.unwrap(),
        }
    };
    let draft = Draft { content: Content::Text("after".to_owned()), ..Draft::default() };
    runtime.caller(ROOT).put(space, draft, WriteOptions::comment("put")).await.unwrap();
    runtime.stop().await.unwrap();
}

/// The writer heard the bell on its way to tell of a commit, and went to sleep.
#[tokio::test(flavor = "multi_thread")]
async fn a_bell_that_rings_while_a_commit_is_told_of_is_heard() {
    let (dir, mood) = (tempfile::tempdir().unwrap(), Mood::default());
    let runtime = stoa::open(config(dir.path(), &mood)).await.unwrap();
    let root = runtime.caller(ROOT);
    let space = root.create_space("board", "").await.unwrap();
    *mood.late.lock() = Some(Stranger::default().commit(false));
    root.put(space, Draft::default(), WriteOptions::comment("put")).await.unwrap();
    let begun = Instant::now();
    while mood.late.lock().is_some() || mood.places.load(SeqCst) > runtime.durable().0 {
        assert!(begun.elapsed() < PATIENCE, "what stands is not taken");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    runtime.stop().await.unwrap();
}
