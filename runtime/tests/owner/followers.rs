//! Whoever follows, looks back or exports leaves the executor to others: what is read without a
//! bound is read elsewhere, in pieces, and costs nothing while nothing happens.

use crate::harness::{Place, Started};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};
use stoa::agents::SpawnAsk;
use stoa::caller::{Caller, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT, SpaceId};
use stoa_actors::space::{Draft, Filter, Mutation, Terms};

/// So long each reader reads, again and again.
const READ_FOR: Duration = Duration::from_millis(800);
/// A reader on the executor takes all of that time; one that is elsewhere takes a moment at a time.
const GAP_MAX: Duration = Duration::from_millis(300);

/// Runs a reader for a while, and gives the longest time in which nobody else got a turn.
async fn longest_gap(mut read: impl AsyncFnMut()) -> Duration {
    let (begun, mut last, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
    let reading = async {
        while begun.elapsed() < READ_FOR {
            read().await;
        }
    };
    tokio::pin!(reading);
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    loop {
        tokio::select! {
            biased;
            _ = tick.tick() => {
                longest = longest.max(last.elapsed());
                last = Instant::now();
            }
            () = &mut reading => return longest.max(last.elapsed()),
        }
    }
}

fn nothing() -> Filter {
    let metadata = BTreeMap::from([("nosuch".to_owned(), 1.into())]);
    Filter { metadata, ..Filter::default() }
}

/// A space with a long past.
async fn long_past(caller: &Caller) -> SpaceId {
    let space = caller.create_space("past", "").await.unwrap();
    for _ in 0..24 {
        let draft = || Draft { content: Content::Text("x".repeat(8 << 10)), ..Draft::default() };
        let mutations = (0..100).map(|_| Mutation::Put(Box::new(draft()))).collect();
        caller.transact(space, mutations, WriteOptions::comment("fill")).await.unwrap();
    }
    space
}

/// The heartbeats of 256 clients and every actor stood still for as long as one reader found
/// nothing of interest.
#[tokio::test]
async fn a_reader_leaves_the_executor_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = stoa::open(Config::at(dir.path())).await.unwrap();
    let root = runtime.caller(ROOT);
    let space = long_past(&root).await;
    let start = Position(0);
    let reader = root.subscribe(space, nothing(), Some(start), Terms::default()).await.unwrap();
    let session = SpawnAsk { task: "be there".into(), ..SpawnAsk::default() };
    let agent = root.spawn(session).await.unwrap().id.to_string();

    let mut gaps = BTreeMap::new();
    let follow = async || {
        let mut follow = root.follow(space, start, nothing()).unwrap();
        assert_eq!(follow.ready(10).await.unwrap(), []);
    };
    gaps.insert("follow", longest_gap(follow).await);
    let wake = async || {
        let mut follow = root.follow(space, start, nothing()).unwrap();
        assert_eq!(follow.pending().await.unwrap(), None);
    };
    gaps.insert("wake", longest_gap(wake).await);
    let pull = async || {
        let mut puller = root.pull(reader).await.unwrap();
        assert_eq!(puller.ready(10, usize::MAX).await.unwrap(), None);
    };
    gaps.insert("subscription", longest_gap(pull).await);
    let export = async || {
        let mut export = root.export(space).await.unwrap();
        while export.piece().await.unwrap().is_some() {}
    };
    gaps.insert("export", longest_gap(export).await);
    let history = async || {
        let query = HistoryQuery { comment: Some("nosuch".into()), ..HistoryQuery::first(1) };
        assert_eq!(root.history(Of::Space(space), query).await.unwrap(), []);
    };
    gaps.insert("history", longest_gap(history).await);
    let log = async || drop(root.agent_log(&agent, start, 1_000).await.unwrap());
    gaps.insert("agent log", longest_gap(log).await);
    let leases = async || assert_eq!(root.leases(space).await.unwrap(), []);
    gaps.insert("leases", longest_gap(leases).await);
    let spaces = async || drop(root.spaces().await.unwrap());
    gaps.insert("spaces", longest_gap(spaces).await);
    runtime.stop().await.unwrap();
    assert!(gaps.values().all(|gap| *gap < GAP_MAX), "{gaps:?}");
}

/// Ticks of the clock, of which there are 100 a second, that a process has computed for.
fn computed(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Two who followed the log of an agent took both threads of the owner as soon as anybody else had
/// written, for ever; and each round read the agent's whole past again.
#[test]
#[cfg(target_os = "linux")]
fn who_follows_an_agent_is_told_and_costs_nothing_while_it_rests() {
    let place = Place::new();
    for space in ["board", "how"] {
        place.json(&["space", "create", space]);
    }
    place.json(&["put", "how", "```python\nprint(1)\n```"]);
    let owner = place.serve();
    place.json(&["spawn", "be there", "--name", "ann", "--instructions", "how"]);
    place.json(&["put", "board", "somebody else writes"]);
    let follow = ["agent", "log", "ann", "--follow", "--json"];
    let followers: Vec<_> = (0..3).map(|_| place.start(&follow, b"")).collect();
    for follower in &followers {
        follower.wait_for("its first turn", |out| out.contains("turn.ended"));
    }
    place.json(&["put", "board", "and again"]);
    let before = computed(owner.pid());
    Started::new(Command::new("sleep").arg("1"), b"").end();
    let ticks = computed(owner.pid()) - before;
    assert!(ticks < 30, "at rest it computed for {ticks} hundredths of a second");
    assert_eq!(place.stoa(&["status"]).code, 0);
    place.json(&["agent", "say", "ann", "go on"]);
    for follower in &followers {
        let turns = |out: &str| out.matches("turn.began").count();
        follower.wait_for("the turn after a word", |out| turns(out) >= 2);
        follower.signal(Signal::INT);
    }
    owner.signal(Signal::TERM);
    assert_eq!(owner.end().code, 0);
}
