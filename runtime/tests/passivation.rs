//! Actors that nobody uses are let go and come back with the next message; nothing is lost by it,
//! whatever races with it.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stoa::agents::SpawnAsk;
use stoa::audit::audit;
use stoa::caller::{Caller, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa::host::{Boxed, Perform, Standing};
use stoa::model::{Context, Model, ModelError, Models};
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::Content;
use stoa_actors::behaviour::{Behaviour, Decision, Delivery, EffectId};
use stoa_actors::id::{Position, ROOT, SpaceId, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::session::Thought;
use stoa_actors::space::{Draft, Expect, Filter, Patch};
use stoa_actors::trust::HostGrants;

/// Counts. Each life without a snapshot begins unborn, which is how the lives are counted.
#[derive(Serialize, Deserialize)]
struct Counter {
    stream: StreamId,
    count: u64,
    owed: Option<EffectId>,
}

#[derive(Clone, Serialize)]
enum Message {
    Count,
    Owe,
    Paid,
}

#[derive(Serialize, Deserialize)]
enum Event {
    Counted,
    Owed,
    Paid,
}

#[derive(Debug, thiserror::Error)]
enum Never {}

static LIVES: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

fn lives(stream: StreamId) -> u64 {
    LIVES[usize::from(stream.0[0])].load(Ordering::SeqCst)
}

impl Behaviour for Counter {
    const KIND: &'static str = "counter";
    type Message = Message;
    type Event = Event;
    type Effect = ();
    type Reply = u64;
    type Refusal = Never;

    fn unborn(stream: StreamId) -> Self {
        LIVES[usize::from(stream.0[0])].fetch_add(1, Ordering::SeqCst);
        Counter { stream, count: 0, owed: None }
    }

    fn decide(&self, message: Message, _: &mut Delivery<'_>) -> Result<Decision<Self>, Never> {
        Ok(match message {
            Message::Count => Decision::event(Event::Counted, self.count + 1),
            Message::Owe => Decision::event(Event::Owed, self.count).effect(1, ()),
            Message::Paid => Decision::event(Event::Paid, self.count),
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Counted => self.count += 1,
            Event::Owed => self.owed = Some(1),
            Event::Paid => self.owed = None,
        }
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Counted => "counter.counted",
            Event::Owed => "counter.owed",
            Event::Paid => "counter.paid",
        }
    }

    fn resume(&self) -> Vec<(EffectId, ())> {
        self.owed.iter().map(|id| (*id, ())).collect()
    }
}

/// Pays when it is let.
fn payer(gate: &Arc<tokio::sync::Semaphore>) -> Arc<dyn Perform<Counter>> {
    let gate = gate.clone();
    Arc::new(move |_: EffectId, ()| -> Boxed<'static, Option<Message>> {
        let gate = gate.clone();
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            Some(Message::Paid)
        })
    })
}

async fn open(config: Config) -> Runtime {
    Runtime::open_with(config, kinds().with::<Counter>()).await.unwrap()
}

/// Lets go whatever has nothing to do, all the time.
fn restless(dir: &Path, snapshot_entries: u64) -> Config {
    Config {
        addresses_max: 0,
        passivate_idle_ms: 0,
        passivate_retry_ms: 1,
        passivate_snapshot_entries: snapshot_entries,
        ..Config::at(dir)
    }
}

async fn until(mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < give_up, "it does not come to it");
        tokio::task::yield_now().await;
    }
}

fn text(text: impl Into<String>) -> Draft {
    Draft { content: Content::Text(text.into()), ..Draft::default() }
}

/// Many at a time, so that they share commits.
async fn each<T: Send + 'static, R: Send + 'static, F>(
    all: Vec<T>,
    one: fn(Caller, T) -> F,
    by: &Caller,
) -> Vec<R>
where
    F: Future<Output = R> + Send + 'static,
{
    let mut tasks = Vec::new();
    for it in all {
        tasks.push(tokio::spawn(one(by.clone(), it)));
    }
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_spaces_in_fifty_addresses_all_answer_right() {
    const SPACES: usize = 2_000;
    let dir = tempfile::tempdir().unwrap();
    let config = Config { addresses_max: 50, ..Config::at(dir.path()) };
    let runtime = open(config).await;
    let root = runtime.caller(ROOT);
    let create = |caller: Caller, n: usize| async move {
        caller.create_space(&format!("space-{n}"), &format!("about {n}")).await.unwrap()
    };
    let spaces: Vec<SpaceId> = each((0..SPACES).collect(), create, &root).await;
    let put = |caller: Caller, (n, space): (usize, SpaceId)| async move {
        (
            space,
            caller.put(space, text(format!("first {n}")), WriteOptions::default()).await.unwrap(),
        )
    };
    let written = each(spaces.into_iter().enumerate().collect(), put, &root).await;
    until(|| runtime.addresses() <= 50).await;
    let update = |caller: Caller, (n, (space, before)): (usize, (SpaceId, _))| async move {
        let before: stoa::caller::Written = before;
        let patch =
            Patch { content: Some(Content::Text(format!("second {n}"))), ..Patch::default() };
        let expect = Expect::Version(1);
        let now = caller.update(before.id, expect, patch, WriteOptions::default()).await.unwrap();
        assert_eq!((now.id, now.version), (before.id, 2));
        let query = HistoryQuery::first(10);
        let kinds: Vec<String> = caller
            .history(Of::Space(space), query)
            .await
            .unwrap()
            .into_iter()
            .map(|it| it.kind)
            .collect();
        assert_eq!(kinds, ["space.described", "atom.put", "atom.updated"]);
        let card = caller.show_space(space).await;
        assert!(card.is_ok_and(|it| it.entries == 3 && it.description == format!("about {n}")));
    };
    each(written.into_iter().enumerate().step_by(7).collect(), update, &root).await;
    until(|| runtime.addresses() <= 50).await;
    let up = runtime.supervised().await.len();
    assert!(up <= 51, "{up} actors are up: the registered ones and that of the rights");
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).unwrap();
    assert_eq!((audited.breaches, audited.atoms), (Vec::new(), SPACES as u64));
    runtime.stop().await.unwrap();
}

async fn race(snapshot_entries: u64, first: u8) {
    const STREAMS: u8 = 6;
    const WRITERS: u64 = 12;
    const COUNTS: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(restless(dir.path(), snapshot_entries)).await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (runtime, gate) = (runtime.clone(), gate.clone());
            tokio::spawn(async move {
                let mut told = Vec::new();
                for n in 0..COUNTS {
                    let stream = StreamId([first + ((writer + n) % u64::from(STREAMS)) as u8; 16]);
                    let counter = runtime.actor_with(stream, payer(&gate)).unwrap();
                    // Without a key: a request that is lost or sent twice shows.
                    let receipt = counter.ask(Request::new(ROOT, Message::Count)).await.unwrap();
                    told.push((stream, receipt.reply));
                }
                told
            })
        })
        .collect();
    let (mut told, mut total) = (BTreeSet::new(), 0);
    for writer in writers {
        let all = writer.await.unwrap();
        total += all.len();
        told.extend(all);
    }
    assert_eq!((told.len(), total as u64), (total, WRITERS * COUNTS), "each count was told once");
    for stream in (first..first + STREAMS).map(|n| StreamId([n; 16])) {
        let counts = told.iter().filter(|(of, _)| *of == stream).map(|(_, count)| *count);
        let entries = runtime.store().last_seq(stream).unwrap();
        assert!(counts.eq(1..=entries), "dense, and as many as there are entries");
    }
    if snapshot_entries == u64::MAX {
        let lives: u64 = (first..first + STREAMS).map(|n| lives(StreamId([n; 16]))).sum();
        assert!(lives > 5 * u64::from(STREAMS), "only {lives} lives: hardly anybody was let go");
    }
    until(|| runtime.addresses() == 0).await;
    let audited = audit(runtime.store(), &kinds().with::<Counter>(), runtime.durable()).unwrap();
    assert_eq!(audited.breaches, Vec::<String>::new());
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_writes_while_actors_are_let_go_loses_nothing() {
    race(u64::MAX, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_when_each_of_them_leaves_a_snapshot() {
    race(1, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_effect_outstanding_stays() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(restless(dir.path(), u64::MAX)).await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let (owing, other) = (StreamId([30; 16]), StreamId([31; 16]));
    let address = runtime.actor_with(owing, payer(&gate)).unwrap();
    address.ask(Request::new(ROOT, Message::Owe)).await.unwrap();
    drop(address);
    // Others come and go meanwhile.
    for _ in 0..20 {
        let address = runtime.actor_with(other, payer(&gate)).unwrap();
        address.ask(Request::new(ROOT, Message::Count)).await.unwrap();
        drop(address);
        until(|| runtime.addresses() == 1).await;
    }
    assert_eq!((lives(owing), lives(other)), (1, 20));
    gate.add_permits(1);
    until(|| runtime.addresses() == 0).await;
    let address = runtime.actor_with(owing, payer(&gate)).unwrap();
    assert_eq!(address.ask(Request::new(ROOT, Message::Count)).await.unwrap().reply, 1);
    assert_eq!(lives(owing), 2);
    assert_eq!(runtime.store().last_seq(owing).unwrap(), 3, "owed, paid once, counted");
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_is_held_rests_and_wakes_and_a_follower_hears_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(restless(dir.path(), 1)).await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let address = runtime.actor_with(StreamId([40; 16]), payer(&gate)).unwrap();
    for count in 1..=5 {
        assert_eq!(address.ask(Request::new(ROOT, Message::Count)).await.unwrap().reply, count);
        until(|| address.standing() == Standing::Idle).await;
    }
    let root = runtime.caller(ROOT);
    let space = root.create_space("feed", "").await.unwrap();
    let mut follow = root.follow(space, Position(0), Filter::default()).unwrap();
    for n in 0..5 {
        let written = root.put(space, text(n.to_string()), WriteOptions::default()).await.unwrap();
        let heard = tokio::time::timeout(Duration::from_secs(30), follow.next(10)).await.unwrap();
        let positions: Vec<Position> = heard.unwrap().iter().map(|it| it.position).collect();
        assert_eq!(positions, [written.position]);
    }
    assert_eq!(runtime.addresses(), 2, "the one that is held and the one that is followed");
    drop((address, follow));
    until(|| runtime.addresses() == 0).await;
    runtime.stop().await.unwrap();
}

/// Says nothing: a turn is over as soon as it is asked.
struct Silent;

impl Model for Silent {
    fn think(&self, _: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async { Ok(Thought::default()) })
    }
}

// Found by weighing agents: none that had had a turn was ever put away.
#[tokio::test(flavor = "multi_thread")]
async fn agents_at_rest_are_put_away_and_hear_a_word_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let models = Models::default().with("silent", Silent);
    let host_grants = HostGrants::Live;
    let config = Config { models, host_grants, ..restless(dir.path(), u64::MAX) };
    let runtime = open(config).await;
    runtime.start_agents().await.unwrap();
    let root = runtime.caller(ROOT);
    let mut agents = Vec::new();
    for _ in 0..8 {
        let (task, model) = ("stand by".to_owned(), Some("silent".to_owned()));
        agents.push(root.spawn(SpawnAsk { task, model, ..SpawnAsk::default() }).await.unwrap());
    }
    runtime.at_rest().await;
    for turns in 2..=4 {
        until(|| runtime.addresses() == 0).await;
        for agent in &agents {
            root.say(&agent.id.to_string(), "wake up").await.unwrap();
        }
        runtime.at_rest().await;
        for card in root.agents().await.unwrap() {
            assert_eq!((card.turns, card.state.as_str()), (turns, "idle"));
        }
    }
    until(|| runtime.addresses() == 0).await;
    runtime.stop().await.unwrap();
}
