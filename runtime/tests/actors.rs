//! Actors over the real host: panics lose nothing acknowledged, a poisoned one is quarantined
//! alone, effects run once at a time, a revoke is a barrier, followers miss nothing.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "actors/lazy.rs"]
mod lazy;
#[path = "actors/rows.rs"]
mod rows;

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stoa::caller::{GrantRequest, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa::host::{ActorAddress, AskError, Boxed, Nothing, Perform, Standing};
use stoa::problem::ProblemKind;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::Content;
use stoa_actors::behaviour::{Behaviour, Decision, Delivery, EffectId};
use stoa_actors::id::{LinkId, Position, RIGHTS, ROOT, SpaceId, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::rights::{self, Level, Rights};
use stoa_actors::space::{Declarations, Draft, Filter};

/// Counts, panics when told to, and owes an effect for every tenth count.
#[derive(Default, Serialize, Deserialize)]
struct Counter {
    count: u64,
    owed: Vec<EffectId>,
}

#[derive(Clone, Serialize)]
enum Message {
    Count,
    Panic,
    Paid(EffectId),
}

#[derive(Serialize, Deserialize)]
enum Event {
    Counted,
    Paid(EffectId),
}

#[derive(Debug, thiserror::Error)]
enum Never {}

impl Behaviour for Counter {
    const KIND: &'static str = "counter";
    type Message = Message;
    type Event = Event;
    type Effect = ();
    type Reply = u64;
    type Refusal = Never;

    fn unborn(_: StreamId) -> Self {
        Counter::default()
    }

    fn decide(
        &self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Never> {
        Ok(match message {
            Message::Count => {
                let count = self.count + 1;
                let counted = Decision::event(Event::Counted, count);
                if count.is_multiple_of(10) { counted.effect(count, ()) } else { counted }
            }
            Message::Panic => {
                if delivery.stream == POISONED {
                    PANICS.fetch_add(1, Ordering::SeqCst);
                }
                panic!("told to")
            }
            Message::Paid(id) => Decision::event(Event::Paid(id), self.count),
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Counted => {
                self.count += 1;
                if self.count.is_multiple_of(10) {
                    self.owed.push(self.count);
                }
            }
            Event::Paid(id) => self.owed.retain(|it| it != id),
        }
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Counted => "counter.counted",
            Event::Paid(_) => "counter.paid",
        }
    }

    fn resume(&self) -> Vec<(EffectId, ())> {
        self.owed.iter().map(|id| (*id, ())).collect()
    }
}

const ONE: StreamId = StreamId([1; 16]);
const TWO: StreamId = StreamId([2; 16]);
const POISONED: StreamId = StreamId([9; 16]);
/// How often the poisoned one has died.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts, whatever incarnation it takes: the same key, so once.
async fn count(counter: &Arc<ActorAddress<Counter>>, key: &str) -> u64 {
    for _ in 0..1_000 {
        match counter.ask(ask(Message::Count).key(key)).await {
            Ok(receipt) => return receipt.reply,
            Err(error) if error.retryable() => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it does not come back")
}

async fn open(dir: &std::path::Path) -> Runtime {
    let config = Config { restart_backoff_ms: 1, restart_backoff_ms_max: 5, ..Config::at(dir) };
    Runtime::open_with(config, kinds().with::<Counter>()).await.unwrap()
}

/// Nothing comes of its effects here.
fn unpaid() -> Arc<dyn Perform<Counter>> {
    Arc::new(|_: EffectId, ()| -> Boxed<'static, Option<Message>> { Box::pin(async { None }) })
}

fn ask(message: Message) -> Request<Message> {
    Request::new(ROOT, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let counter = runtime.actor_with(ONE, unpaid()).unwrap();
    let mut acknowledged = 0;
    for round in 0..4u64 {
        let counting: Vec<_> = (0..50u64)
            .map(|n| {
                let counter = counter.clone();
                tokio::spawn(async move { count(&counter, &format!("{round}-{n}")).await })
            })
            .collect();
        let panicked = counter.ask(ask(Message::Panic)).await;
        assert!(matches!(panicked, Err(AskError::Restarted)), "{panicked:?}");
        for task in counting {
            task.await.unwrap();
            acknowledged += 1;
        }
        let next = count(&counter, &format!("{round}-last")).await;
        acknowledged += 1;
        assert_eq!(next, acknowledged, "round {round}");
    }
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_actor_is_quarantined_alone_and_can_be_revived() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let poisoned = runtime.actor_with(POISONED, unpaid()).unwrap();
    let other = runtime.actor_with(TWO, unpaid()).unwrap();
    poisoned.ask(ask(Message::Count)).await.unwrap();
    other.ask(ask(Message::Count)).await.unwrap();
    let quarantined = loop {
        match poisoned.ask(ask(Message::Panic)).await {
            Err(AskError::Restarted) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(matches!(quarantined, Err(AskError::Quarantined(POISONED, _))), "{quarantined:?}");
    assert!(matches!(poisoned.standing(), Standing::Quarantined(_)));
    let deaths = PANICS.load(Ordering::SeqCst);
    assert_eq!(deaths, 6, "five restarts, and the sixth death is one too many");
    assert_eq!(other.ask(ask(Message::Count)).await.unwrap().reply, 2);
    // Found by asking right after it: it was said to be back before it was.
    runtime.revive(POISONED).await.unwrap();
    assert_eq!(poisoned.standing(), Standing::Live);
    let back = poisoned.ask(ask(Message::Count)).await.unwrap();
    assert_eq!(back.reply, 2, "it is what it was");
    let twice = runtime.revive(POISONED).await;
    assert!(twice.is_err(), "one that runs is not brought back: {twice:?}");
    runtime.stop().await.unwrap();
}

/// Counts what is performed, and waits to be let go.
struct Slow {
    performed: Arc<AtomicU64>,
    gate: Arc<tokio::sync::Semaphore>,
}

impl Perform<Counter> for Slow {
    fn perform(&self, id: EffectId, (): ()) -> Boxed<'static, Option<Message>> {
        self.performed.fetch_add(1, Ordering::SeqCst);
        let gate = self.gate.clone();
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            Some(Message::Paid(id))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_effect_outlives_its_actor_and_one_owed_outlives_the_runtime() {
    let dir = tempfile::tempdir().unwrap();
    let performed = Arc::new(AtomicU64::new(0));
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let slow = || -> Arc<dyn Perform<Counter>> {
        Arc::new(Slow { performed: performed.clone(), gate: gate.clone() })
    };
    let runtime = open(dir.path()).await;
    let counter = runtime.actor_with(ONE, slow()).unwrap();
    for _ in 0..10 {
        counter.ask(ask(Message::Count)).await.unwrap();
    }
    for round in 0..3 {
        drop(counter.ask(ask(Message::Panic)).await);
        count(&counter, &format!("after {round}")).await;
    }
    assert_eq!(performed.load(Ordering::SeqCst), 1, "restarts do not start it again");
    runtime.stop().await.unwrap();
    drop((counter, runtime));
    let runtime = reopened(dir.path()).await;
    let counter = runtime.actor_with(ONE, slow()).unwrap();
    counter.ask(ask(Message::Count)).await.unwrap();
    assert_eq!(performed.load(Ordering::SeqCst), 2, "what is owed is started after a restart");
    gate.add_permits(10);
    // Paid: the next runtime owes nothing.
    while counter.ask(ask(Message::Count)).await.unwrap().position.is_some() {
        let entries = runtime.store().last_seq(ONE).unwrap();
        let paid = (1..=entries).any(|seq| {
            let at = runtime.store().position_of(ONE, seq).unwrap().unwrap();
            let body = runtime.store().entry(at).unwrap().unwrap().body;
            kinds().with::<Counter>().names(&body).unwrap() == ["counter.paid"]
        });
        if paid {
            break;
        }
    }
    runtime.stop().await.unwrap();
}

/// Opens again as soon as the threads of the runtime before have let go.
async fn reopened(dir: &std::path::Path) -> Runtime {
    for _ in 0..2_000 {
        if std::fs::File::open(dir.join("lock")).unwrap().try_lock().is_ok() {
            return open(dir).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the directory is not let go");
}

/// Two addresses would be two writers of one stream, and the second entry of both would end the store.
#[tokio::test(flavor = "multi_thread")]
async fn the_rights_actor_has_one_address_however_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let root = runtime.caller(ROOT);
    let rights = runtime.actor_with::<Rights>(RIGHTS, Arc::new(Nothing)).unwrap();
    for n in 0..3u8 {
        let (space, link) = (SpaceId([n + 1; 16]), LinkId([n + 1; 16]));
        let (alias, reason) = (Some(format!("made {n}")), String::new());
        let (description, declares) = (String::new(), Declarations::default());
        let message =
            rights::Message::CreateSpace { space, link, alias, reason, description, declares };
        rights.ask(Request::new(ROOT, message)).await.unwrap();
        let other = root.create_space(&format!("created {n}"), "").await.unwrap();
        for space in [space, other] {
            let draft = Draft { content: Content::from("x"), ..Draft::default() };
            root.put(space, draft, WriteOptions::default()).await.unwrap();
        }
    }
    assert!(runtime.actor_with(RIGHTS, unpaid()).is_err(), "it is of another kind");
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_revoke_is_acknowledged_nothing_that_rested_on_it_commits() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let root = runtime.caller(ROOT);
    let space = root.create_space("board", "").await.unwrap();
    for round in 0..20 {
        let name = format!("writer{round}");
        let grant = GrantRequest {
            level: Level::Append,
            delegate: None,
            expires_ms: None,
            reason: String::new(),
        };
        let session = root.grant("board", &name, grant).await.unwrap().session;
        let writing: Vec<_> = (0..8)
            .map(|_| {
                let writer = runtime.caller(session);
                tokio::spawn(async move {
                    let mut last = Position(0);
                    loop {
                        let draft = Draft { content: Content::from("x"), ..Draft::default() };
                        match writer.put(space, draft, WriteOptions::default()).await {
                            Ok(written) => last = written.position,
                            Err(problem) => {
                                assert_eq!(problem.kind, ProblemKind::Unknown, "{problem}");
                                return last;
                            }
                        }
                    }
                })
            })
            .collect();
        // Some of them are in flight by now; how many is up to the machine.
        for _ in 0..round * 3 {
            tokio::task::yield_now().await;
        }
        root.revoke("board", &name, "enough").await.unwrap();
        let acknowledged = runtime.durable();
        let mut latest = Position(0);
        for task in writing {
            latest = latest.max(task.await.unwrap());
        }
        assert!(latest <= acknowledged, "round {round}: {latest} after {acknowledged}");
        let refused =
            runtime.caller(session).history(Of::Space(space), HistoryQuery::default()).await;
        assert_eq!(refused.unwrap_err().kind, ProblemKind::Unknown);
    }
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_follower_sees_every_change_once_in_order() {
    const WRITERS: u64 = 4;
    const PUTS: u64 = 150;
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let root = runtime.caller(ROOT);
    let space = root.create_space("feed", "").await.unwrap();
    let followers: Vec<_> = (0..6u64)
        .map(|n| {
            let caller = root.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut follow = caller.follow(space, Position(0), Filter::default()).unwrap();
                while seen.len() < (WRITERS * PUTS) as usize {
                    seen.extend(follow.next(1 + n as usize * 7).await.unwrap());
                    // Some go away and come back with their cursor.
                    if n % 2 == 1 {
                        let cursor = follow.cursor();
                        follow = caller.follow(space, cursor, Filter::default()).unwrap();
                    }
                }
                seen
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let caller = root.clone();
            tokio::spawn(async move {
                for _ in 0..PUTS {
                    let draft = Draft { content: Content::from("x"), ..Draft::default() };
                    caller.put(space, draft, WriteOptions::comment("c")).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut all = Vec::new();
    for follower in followers {
        let seen = follower.await.unwrap();
        let positions: Vec<Position> = seen.iter().map(|it| it.position).collect();
        assert!(positions.windows(2).all(|it| it[0] < it[1]), "once and in order");
        all.push(positions);
    }
    assert_eq!(all[0].len() as u64, WRITERS * PUTS);
    assert!(all.iter().all(|it| *it == all[0]));
    runtime.stop().await.unwrap();
}
