//! Agents over an order that refuses one of their commits, and over one that keeps commits waiting.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stoa::agents::{SpaceAsk, SpawnAsk};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::order::{CommitOrder, OrderSlot, OrderWaker, Ordered, Orders};
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::commit::{Commit, CommitWork};
use stoa_actors::id::{NodeId, ROOT, SpaceId, StreamId};
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::space::Draft;

const PATIENCE: Duration = Duration::from_secs(60);

/// Each turn tells how many went before it: a variable is all that it knows that by.
const COUNT: &str = "\
try:
    n = n + 1
except NameError:
    n = 0
space.put(str(n))
";

/// What it leases it keeps when its turn has ended.
const LEASE: &str = "space.acquire('thing', lease='2h')";

/// The commit that is refused: of one stream, this one.
#[derive(Default)]
struct Refusing {
    stream: Option<StreamId>,
    /// Commits of the stream that are let through before that.
    left: usize,
    done: bool,
}

/// What becomes of commits.
#[derive(Clone, Default)]
struct Mood {
    refusing: Arc<Mutex<Refusing>>,
    /// So many more stand; all do where nobody counts.
    let_through: Arc<Mutex<Option<usize>>>,
    bell: Arc<Mutex<Option<OrderWaker>>>,
}

struct Picky {
    mood: Mood,
    last: u64,
    ready: VecDeque<Ordered>,
}

impl Mood {
    fn ring(&self) {
        self.bell.lock().iter().for_each(OrderWaker::ring);
    }

    /// From now on so many commits stand and no more; or all.
    fn lets_through(&self, commits: Option<usize>) {
        *self.let_through.lock() = commits;
        self.ring();
    }
}

impl Refusing {
    fn refuses(&mut self, commit: &Commit) -> bool {
        let CommitWork::Entries(entries) = &commit.work else { return false };
        if self.done || !entries.iter().any(|it| Some(it.stream) == self.stream) {
            return false;
        }
        self.done = self.left == 0;
        self.left = self.left.saturating_sub(1);
        self.done
    }
}

impl CommitOrder for Picky {
    fn offer(&mut self, commit: Commit) -> Result<(), StoreError> {
        self.last += 1;
        let place = Some(OrderSlot(self.last));
        self.ready.push_back(match self.mood.refusing.lock().refuses(&commit) {
            true => Ordered::Refused { id: commit.id, why: "not now".to_owned() },
            false => Ordered::Stands { place, commit: commit.shared() },
        });
        self.mood.ring();
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Ordered>, StoreError> {
        if let Some(left) = &mut *self.mood.let_through.lock()
            && !self.ready.is_empty()
        {
            let Some(fewer) = left.checked_sub(1) else { return Ok(None) };
            *left = fewer;
        }
        Ok(self.ready.pop_front())
    }
}

fn config(dir: &Path, mood: &Mood) -> Config {
    let mood = mood.clone();
    let order = Orders::shared(NodeId([1; 16]), 2, move |joining| {
        *mood.bell.lock() = Some(joining.bell);
        let (mood, last) = (mood.clone(), joining.after.0);
        Ok(Box::new(Picky { mood, last, ready: VecDeque::new() }))
    });
    let mut config = Config { log: LogConfig { order, ..LogConfig::at(dir) }, ..Config::at(dir) };
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    config.limits.session.backoff_first_ms = 1;
    config.limits.session.backoff_ms_max = 1;
    config
}

async fn put(by: &Caller, space: SpaceId, text: &str) {
    let content = Content::Text(text.to_owned());
    by.put(space, Draft { content, ..Draft::default() }, WriteOptions::comment("put"))
        .await
        .unwrap();
}

async fn texts(by: &Caller, space: SpaceId) -> Vec<String> {
    let found = by.search(space, Query { limit: 100, ..Query::default() }).await.unwrap();
    found.into_iter().map(|it| it.read.atom.content.clone()).map(text).collect()
}

fn text(content: Content) -> String {
    match content {
        Content::Text(text) => text,
        other => format!("{other:?}"),
    }
}

/// An agent at rest that has had one turn, and two spaces: what is put in `rings` wakes it, and it
/// tells in `told`.
struct Watched {
    runtime: Runtime,
    root: Caller,
    agent: StreamId,
    rings: SpaceId,
    told: SpaceId,
}

async fn open(config: Config, code: &str) -> Watched {
    let runtime = stoa::open(config).await.unwrap();
    runtime.start_agents().await.unwrap();
    let root = runtime.caller(ROOT);
    let told = root.create_space("told", "").await.unwrap();
    let rings = root.create_space("rings", "").await.unwrap();
    let how = root.create_space("how", "").await.unwrap();
    put(&root, how, &format!("```python\n{code}\n```")).await;
    let ask = SpawnAsk {
        task: "count".to_owned(),
        name: Some("counter".to_owned()),
        instructions: Some("how".to_owned()),
        spaces: vec![
            SpaceAsk::to_use("told", Level::Write),
            SpaceAsk::to_use("rings", Level::Read),
        ],
        follows: vec!["rings".to_owned()],
        ..SpawnAsk::default()
    };
    let agent = root.spawn(ask).await.unwrap().id.stream();
    tokio::time::timeout(PATIENCE, runtime.at_rest()).await.unwrap();
    Watched { runtime, root, agent, rings, told }
}

/// Whether the commit was refused, and what the agent told in three turns.
async fn with_one_refused(nth: usize) -> (bool, Vec<String>) {
    let (dir, mood) = (tempfile::tempdir().unwrap(), Mood::default());
    let Watched { runtime, root, agent, rings, told } =
        open(config(dir.path(), &mood), COUNT).await;
    *mood.refusing.lock() = Refusing { stream: Some(agent), left: nth, done: false };
    for turn in ["second", "third"] {
        put(&root, rings, turn).await;
        tokio::time::timeout(PATIENCE, runtime.at_rest()).await.unwrap();
    }
    let told = texts(&root, told).await;
    let refused = mood.refusing.lock().done;
    runtime.stop().await.unwrap();
    (refused, told)
}

/// What an action left was on its way with the commit that never stood, and went with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_action_left_outlives_a_commit_that_never_stands() {
    let mut refused = 0;
    for nth in 0.. {
        let (done, told) = with_one_refused(nth).await;
        assert_eq!(told, ["0", "1", "2"], "with commit {nth} refused");
        if !done {
            break;
        }
        refused += 1;
    }
    assert!(refused >= 6, "only {refused} commits were refused");
}

/// It counted as given back, and was nobody's for two hours.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_has_leased_is_given_back_also_where_the_first_try_never_stands() {
    let (dir, mood) = (tempfile::tempdir().unwrap(), Mood::default());
    let Watched { runtime, root, told, .. } = open(config(dir.path(), &mood), LEASE).await;
    assert_eq!(root.leases(told).await.unwrap().len(), 1);
    *mood.refusing.lock() = Refusing { stream: Some(told.stream()), ..Refusing::default() };
    root.stop_agent("counter", "enough").await.unwrap();
    tokio::time::timeout(PATIENCE, runtime.at_rest()).await.unwrap();
    let refused = mood.refusing.lock().done;
    assert!(refused, "nothing was refused");
    assert_eq!(root.leases(told).await.unwrap(), []);
    runtime.stop().await.unwrap();
}

/// Whoever would wake an agent found no room for a while, and nobody looked again.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_there_was_no_room_for_is_woken_once_there_is() {
    const ROOM_BYTES: usize = 64 << 10;
    const WAIT_MS: u64 = 20;
    const CROWD: usize = 2 * ROOM_BYTES / 1024;
    let (dir, mood) = (tempfile::tempdir().unwrap(), Mood::default());
    let mut config = config(dir.path(), &mood);
    (config.mailbox_bytes_max, config.mailbox_wait_ms_max) = (ROOM_BYTES, WAIT_MS);
    let Watched { runtime, root, rings, told, .. } = open(config, COUNT).await;
    let crowded = root.create_space("crowded", "").await.unwrap();
    mood.lets_through(Some(0));
    let ring = tokio::spawn({
        let root = root.clone();
        async move { put(&root, rings, "second").await }
    });
    until(|| runtime.waiting().mailbox_bytes > 0).await;
    // As many as there is room for have it and keep it, and as many again wait for theirs.
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..CROWD {
        let root = root.clone();
        crowd.spawn(async move {
            loop {
                drop(root.put(crowded, Draft::default(), WriteOptions::comment("crowd")).await);
            }
        });
    }
    until(|| runtime.waiting().mailbox_bytes == ROOM_BYTES).await;
    mood.lets_through(Some(1));
    tokio::time::timeout(PATIENCE, ring).await.unwrap().unwrap();
    // The agent is looked for, and not found.
    tokio::time::sleep(Duration::from_millis(10 * WAIT_MS)).await;
    crowd.shutdown().await;
    mood.lets_through(None);
    tokio::time::timeout(PATIENCE, runtime.at_rest()).await.unwrap();
    let told = texts(&root, told).await;
    assert!(told.iter().any(|it| it == "1"), "{}", told.len());
    runtime.stop().await.unwrap();
}

async fn until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it never comes to that");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
