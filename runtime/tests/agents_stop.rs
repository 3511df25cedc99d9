//! [stop] with messages between actors on their way: every write and every sync fails once, while
//! agents are spawned, spoken to, funded and wiped, and while the store stops.
//!
//! A life fails at its nth write; the next has everything that was acknowledged, delivers what is
//! owed, and then each child is born once, each letter is there once, and the budgets add up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::{Duration, Instant};
use stoa::agents::{SpaceAsk, SpawnAsk};
use stoa::audit::audit;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::fault::{Faults, Point};
use stoa::problem::{Problem, ProblemKind};
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::session::Budget;
use stoa_actors::space::Draft;

/// Nothing takes so long but what hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const GIVEN: u64 = 50;
const FUNDED: u64 = 3;
/// More writes than the workload makes.
const WRITES_MAX: u64 = 1_000;

/// Who is spoken to before its first turn has a wake in it.
const LEAD: &str = "\
child = f'{task}-child'
if not [it for it in coordinator.agents()] and not spaces['results'].search(metadata={'by': child}):
    spaces['results'].put(f'{task} brings up a child', metadata={'by': child})
    coordinator.spawn(task=child, name=child, instructions='child', budget=7,
                      spaces={'results': 'append'})
";

const CHILD: &str = "\
if not wakes:
    space.put(task)
    dm.put('done')
";

struct Life {
    runtime: Runtime,
    root: Caller,
    faults: Faults,
}

async fn open(dir: &Path) -> Life {
    // Threads and workers of the life before let go of the directory one by one.
    let faults = Faults::default();
    let mut config = Config {
        log: LogConfig { faults: faults.clone(), ..LogConfig::at(dir) },
        ..Config::at(dir)
    };
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    config.limits.session.backoff_first_ms = 1;
    config.limits.session.backoff_ms_max = 1;
    let opened = async {
        loop {
            match stoa::open(config.clone()).await {
                Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
    };
    let runtime = tokio::time::timeout(PATIENCE, opened).await.unwrap();
    let root = runtime.caller(ROOT);
    Life { runtime, root, faults }
}

/// What one life was told has happened.
#[derive(Debug, Default)]
struct Told {
    spawned: bool,
    said: Vec<String>,
    funded: Option<bool>,
    wiped: bool,
}

/// A store that has stopped is the only reason for a no.
fn done<T>(told: Result<T, Problem>, what: &str) -> bool {
    told.map_err(|problem| assert_eq!(problem.kind, ProblemKind::Store, "{what}: {problem}"))
        .is_ok()
}

/// Lets others go on for a while; how far they come is not for this to say.
async fn yielding() {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(40) {
        tokio::task::yield_now().await;
    }
}

impl Life {
    /// Until all is at rest or the store has failed.
    async fn rest(&self) -> Result<(), StoreError> {
        let either = async {
            tokio::select! {
                () = self.runtime.at_rest() => Ok(()),
                error = self.runtime.run() => Err(error),
            }
        };
        tokio::time::timeout(PATIENCE, either).await.unwrap()
    }

    /// Until all is at rest after an open. What the rights owe of a birth is no agent's, so that rest
    /// does not wait for it.
    async fn settled(&self) {
        self.rest().await.unwrap();
        let all = self.root.agents().await.unwrap();
        assert!(all.iter().all(|it| it.state == "idle"), "{all:?}");
    }

    async fn furnish(&self) {
        self.root.create_space("results", "").await.unwrap();
        for (name, python) in [("guide", LEAD), ("child", CHILD)] {
            let space = self.root.create_space(name, "").await.unwrap();
            let content = Content::Text(format!("```python\n{python}```"));
            let draft = Draft { content, ..Draft::default() };
            self.root.put(space, draft, WriteOptions::comment("a recipe")).await.unwrap();
        }
    }

    async fn texts(&self, by: &Caller, space: SpaceId) -> Vec<String> {
        let query = Query { limit: 1_000, ..Query::default() };
        let found = by.search(space, query).await.unwrap();
        let text = |content: &Content| match content {
            Content::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        found.iter().map(|it| text(&it.read.atom.content)).collect()
    }

    async fn say(&self, lead: &str, text: &str, told: &mut Told) {
        if done(self.root.say(lead, text).await, text) {
            told.said.push(text.to_owned());
        }
    }

    /// The workload and the stop.
    async fn work(&self, lead: &str, late: Option<(Point, u64)>) -> (Told, Result<(), StoreError>) {
        let mut told = Told::default();
        let worked = self.run(lead, &mut told).await;
        if let Some((point, nth)) = late {
            self.faults.plant(point, nth);
        }
        // These are on their way while it stops: the first of them holds up all others.
        self.faults.hold(Point::Commit);
        let (root, results) = (self.root.clone(), self.root.resolve("results").unwrap());
        tokio::spawn(async move {
            root.put(results, Draft::default(), WriteOptions::comment("late")).await
        });
        let late: Vec<String> = (0..4).map(|n| format!("late {n}")).collect();
        let saying = late.iter().map(|text| {
            let (root, lead, text) = (self.root.clone(), lead.to_owned(), text.clone());
            tokio::spawn(async move { root.say(&lead, &text).await.is_ok() })
        });
        let saying: Vec<_> = saying.collect();
        yielding().await;
        let runtime = self.runtime.clone();
        let stopping = tokio::spawn(async move { runtime.stop().await });
        yielding().await;
        self.faults.release();
        let stopped = tokio::time::timeout(PATIENCE, stopping).await.unwrap().unwrap();
        for (text, said) in late.into_iter().zip(saying) {
            if tokio::time::timeout(PATIENCE, said).await.unwrap().unwrap() {
                told.said.push(text);
            }
        }
        (told, worked.and(stopped.map(drop)))
    }

    async fn run(&self, lead: &str, told: &mut Told) -> Result<(), StoreError> {
        let ask = SpawnAsk {
            task: lead.to_owned(),
            name: Some(lead.to_owned()),
            instructions: Some("guide".to_owned()),
            spaces: vec![
                SpaceAsk::whole("results", Level::Append),
                SpaceAsk::whole("child", Level::Read),
            ],
            budget: Budget::thoughts(GIVEN),
            ..SpawnAsk::default()
        };
        told.spawned = done(self.root.spawn(ask).await, "spawn");
        if !told.spawned {
            return Err(self.failed().await);
        }
        self.say(lead, "first", told).await;
        self.rest().await?;
        let more = Budget::thoughts(FUNDED);
        told.funded = Some(done(self.root.fund(lead, more, None).await, "fund"));
        self.say(lead, "second", told).await;
        self.rest().await?;
        let child = self.child(lead).await?;
        told.wiped = done(self.root.wipe_agent(&child, "it is done").await, "wipe");
        if told.wiped { Ok(()) } else { Err(self.failed().await) }
    }

    async fn child(&self, lead: &str) -> Result<String, StoreError> {
        let name = format!("{lead}-child");
        match self.root.agents().await {
            Ok(all) => {
                match all.iter().find(|it| it.name.as_ref() == Some(&name)) {
                    Some(child) => Ok(child.id.to_string()),
                    // All is at rest as well when the store has failed.
                    None => Err(self.failed().await),
                }
            }
            Err(problem) => {
                assert_eq!(problem.kind, ProblemKind::Store, "{problem}");
                Err(self.failed().await)
            }
        }
    }

    /// Who asks hears it, and who runs the store.
    async fn failed(&self) -> StoreError {
        tokio::time::timeout(PATIENCE, self.runtime.run()).await.unwrap()
    }

    /// Nothing is acknowledged after the failure, and the error is the one that was planted.
    async fn assert_stopped(&self, what: &str, error: &StoreError) {
        let planted = error.to_string().contains("a fault was planted");
        assert!(matches!(error, StoreError::Engine(_)) && planted, "{what}: {error}");
        let durable = self.runtime.durable();
        let results = self.root.resolve("results").unwrap();
        let put = self.root.put(results, Draft::default(), WriteOptions::comment("after")).await;
        let space = self.root.create_space("after", "").await.map(drop);
        assert_eq!(put.unwrap_err().kind, ProblemKind::Store, "{what}");
        assert_eq!(space.unwrap_err().kind, ProblemKind::Store, "{what}");
        assert_eq!(self.runtime.durable(), durable, "{what}");
    }

    /// What was acknowledged is there, what was owed has arrived, each once.
    async fn assert_whole(&self, what: &str, lead: &str, told: &Told) {
        let audited = audit(self.runtime.store(), &kinds(), self.runtime.durable()).unwrap();
        assert_eq!(audited.breaches, Vec::<String>::new(), "{what}");
        let results = self.root.resolve("results").unwrap();
        let Ok(card) = self.root.agent(lead).await else {
            assert!(!told.spawned, "{what}: {lead} was acknowledged");
            return;
        };
        let letters = self.texts(&self.root, card.dm).await;
        let count = |all: &[String], text: &str| all.iter().filter(|it| *it == text).count();
        for text in letters.iter() {
            assert_eq!(count(&letters, text), 1, "{what}: {text} in {letters:?}");
        }
        for text in &told.said {
            assert_eq!(count(&letters, text), 1, "{what}: {text} in {letters:?}");
        }
        let name = format!("{lead}-child");
        let put = self.texts(&self.root, results).await;
        for text in [format!("{lead} brings up a child"), name.clone()] {
            assert_eq!(count(&put, &text), 1, "{what}: {text} in {put:?}, {card:?}");
        }
        let log = self.root.agent_log(lead, Position(0), usize::MAX).await.unwrap();
        let of = |kind: &str| log.iter().filter(|it| it.kind == kind).count();
        assert_eq!(of("budget.lent"), 1, "{what}: it has brought up one");
        assert_eq!(of("budget.bounced"), 0, "{what}");
        let lent = log.iter().find(|it| it.kind == "budget.lent").unwrap();
        let id = lent.text.split_once(" to ").unwrap().1;
        let child = self.root.agent(id).await.unwrap();
        let its = self.root.agent_log(id, Position(0), usize::MAX).await.unwrap();
        let of = |kind: &str| its.iter().filter(|it| it.kind == kind).count();
        assert_eq!((child.turns, of("turn.thought")), (1, 2), "{what}: {child:?}");
        // A call that was cut off counts as well.
        let asked = of("budget.reserved") as u64;
        assert_eq!(child.spent.thoughts, asked, "{what}: {child:?}");
        assert_eq!(self.texts(&self.runtime.caller(card.id), child.dm).await, ["done"], "{what}");
        if told.wiped {
            assert_eq!(child.state, "wiped", "{what}");
        }
        if child.state != "wiped" {
            self.root.wipe_agent(id, "it is done").await.unwrap();
        }
        // What the rights owe of an end is no agent's either.
        let returned = async {
            while self.root.agent(id).await.unwrap().left != Budget::thoughts(0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, returned).await.unwrap();
        self.rest().await.unwrap();
        let (card, child) =
            (self.root.agent(lead).await.unwrap(), self.root.agent(id).await.unwrap());
        assert_eq!(child.left, Budget::thoughts(0), "{what}: {child:?}");
        let sum = card.left.thoughts.unwrap() + card.spent.thoughts + child.spent.thoughts;
        let sums: &[u64] = match told.funded {
            Some(true) => &[GIVEN + FUNDED],
            Some(false) => &[GIVEN, GIVEN + FUNDED],
            None => &[GIVEN],
        };
        assert!(sums.contains(&sum), "{what}: {sum} of {sums:?}, {card:?} {child:?}");
        self.root.wipe_agent(lead, "it is done").await.unwrap();
    }
}

async fn furnished() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let life = open(dir.path()).await;
    life.furnish().await;
    life.runtime.stop().await.unwrap();
    dir
}

/// Two lives: one that may fail, and one that makes good what it owes. Whether the first has failed.
async fn live(
    dir: &Path,
    lead: &str,
    early: Option<(Point, u64)>,
    late: Option<(Point, u64)>,
) -> bool {
    let what = format!("{lead} {early:?} {late:?}");
    let life = open(dir).await;
    life.runtime.start_agents().await.unwrap();
    life.rest().await.unwrap();
    if let Some((point, nth)) = early {
        life.faults.plant(point, nth);
    }
    let (told, ended) = life.work(lead, late).await;
    let met = !life.faults.waits();
    match &ended {
        Err(error) => life.assert_stopped(&what, error).await,
        Ok(()) => assert!(!met, "{what}: a write has failed, and nobody was told"),
    }
    drop(life);
    let life = open(dir).await;
    life.runtime.start_agents().await.unwrap();
    life.settled().await;
    life.assert_whole(&what, lead, &told).await;
    life.runtime.stop().await.unwrap();
    met
}

/// How many writes of the workload were failed before it went by without meeting one.
async fn every(point: Point, step: usize) -> u64 {
    let dir = furnished().await;
    for nth in (1..WRITES_MAX).step_by(step) {
        if !live(dir.path(), &format!("lead{nth}"), Some((point, nth)), None).await {
            return nth;
        }
    }
    panic!("{point:?}: the workload has no end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_write_fails_what_was_owed_is_delivered_once() {
    let writes = every(Point::Commit, 1).await;
    assert!(writes > 20, "only {writes} writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_sync_fails_what_was_owed_is_delivered_once() {
    let syncs = every(Point::Witness, 2).await;
    assert!(syncs > 20, "only {syncs} syncs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_made_and_still_fails_is_delivered_once() {
    let writes = every(Point::Committed, 3).await;
    assert!(writes > 20, "only {writes} writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_or_a_sync_that_fails_while_it_stops_loses_nothing() {
    let dir = furnished().await;
    for point in [Point::Commit, Point::Committed, Point::Witness, Point::Witnessed] {
        let mut met = 0;
        for nth in 1..=3 {
            let lead = format!("{point:?}{nth}").to_lowercase();
            met += u64::from(live(dir.path(), &lead, None, Some((point, nth))).await);
        }
        assert!(met > 0, "{point:?}: none was met while it stopped");
    }
}
