//! A message whose receiver is wiped, out of service, unknown, of an unknown kind, or refuses for ever: what
//! becomes of it, what its sender is told, and that it is told once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stoa::agents::SpawnAsk;
use stoa::audit::audit;
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::host::{ActorAddress, AskError, Nothing, Standing};
use stoa::kinds::Kinds;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::behaviour::{Behaviour, Decision, Delivery, EffectId};
use stoa_actors::id::{ROOT, SpaceId, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::outbox::{Outcome, Outgoing};
use stoa_actors::session::{self, Session};

/// Nothing takes so long but what hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const SENDER: StreamId = StreamId([1; 16]);
const RECEIVER: StreamId = StreamId([2; 16]);
const STRANGER: StreamId = StreamId([3; 16]);
const OTHER: StreamId = StreamId([4; 16]);
/// What every receiver refuses.
const REFUSED: u64 = 13;

/// Takes numbers; `K` makes several kinds of it.
#[derive(Default, Serialize, Deserialize)]
struct Taker<const K: u8>(Vec<u64>);

type Receiver = Taker<0>;
type Stranger = Taker<1>;

#[derive(Clone, Serialize)]
enum Take {
    Number(u64),
    Panic,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is not for me")]
struct NotForMe(u64);

#[derive(Serialize, Deserialize)]
struct Taken(u64);

impl<const K: u8> Behaviour for Taker<K> {
    const KIND: &'static str = ["receiver", "stranger"][K as usize];
    type Message = Take;
    type Event = Taken;
    type Effect = ();
    type Reply = ();
    type Refusal = NotForMe;

    fn unborn(_: StreamId) -> Self {
        Taker(Vec::new())
    }

    fn decide(&self, take: Take, _: &mut Delivery<'_>) -> Result<Decision<Self>, NotForMe> {
        match take {
            Take::Number(REFUSED) => Err(NotForMe(REFUSED)),
            Take::Number(number) => Ok(Decision::event(Taken(number), ())),
            Take::Panic => panic!("told to"),
        }
    }

    fn apply(&mut self, taken: &Taken) {
        self.0.push(taken.0);
    }

    fn name(_: &Taken) -> &'static str {
        "number.taken"
    }
}

/// Where a number goes, and what its sender takes that for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Parcel {
    to: StreamId,
    whom: Whom,
    number: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Whom {
    Receiver,
    Stranger,
    Agent,
}

/// Sends numbers and remembers what it was told.
#[derive(Default, Serialize, Deserialize)]
struct Sender {
    sent: u64,
    owed: Vec<(EffectId, Parcel)>,
    told: Vec<(u64, String)>,
}

#[derive(Clone, Serialize)]
enum Message {
    Send(Parcel),
    Told(EffectId, String),
    Look,
}

#[derive(Serialize, Deserialize)]
enum Event {
    Sent(EffectId, Parcel),
    Told(EffectId, String),
}

#[derive(Debug, thiserror::Error)]
enum Never {}

/// What it was told of each number, and how many it owes.
type Looked = (Vec<(u64, String)>, usize);

impl Behaviour for Sender {
    const KIND: &'static str = "sender";
    type Message = Message;
    type Event = Event;
    type Effect = Parcel;
    type Reply = Looked;
    type Refusal = Never;

    fn unborn(_: StreamId) -> Self {
        Sender::default()
    }

    fn decide(&self, message: Message, _: &mut Delivery<'_>) -> Result<Decision<Self>, Never> {
        let looked = (self.told.clone(), self.owed.len());
        Ok(match message {
            Message::Send(parcel) => {
                let id = self.sent + 1;
                Decision::event(Event::Sent(id, parcel), looked).effect(id, parcel)
            }
            Message::Told(id, text) => Decision::event(Event::Told(id, text), looked),
            Message::Look => Decision::read(looked),
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Sent(id, parcel) => {
                self.sent = *id;
                self.owed.push((*id, *parcel));
            }
            Event::Told(id, text) => {
                let number = self.owed.iter().find(|it| it.0 == *id).map_or(0, |it| it.1.number);
                self.owed.retain(|it| it.0 != *id);
                self.told.push((number, text.clone()));
            }
        }
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Sent(..) => "number.sent",
            Event::Told(..) => "number.told",
        }
    }

    fn resume(&self) -> Vec<(EffectId, Parcel)> {
        self.owed.clone()
    }

    fn outgoing(_: StreamId, parcel: &Parcel) -> Option<Outgoing> {
        let take = Take::Number(parcel.number);
        Some(match parcel.whom {
            Whom::Receiver => Outgoing::new::<Receiver>(parcel.to, ROOT, take),
            Whom::Stranger => Outgoing::new::<Stranger>(parcel.to, ROOT, take),
            Whom::Agent => {
                let message = session::Message::Unfollow(SpaceId(parcel.to.0));
                Outgoing::new::<Session>(parcel.to, ROOT, message)
            }
        })
    }

    fn settled(id: EffectId, _: &Parcel, outcome: &Outcome) -> Option<Message> {
        Some(Message::Told(id, outcome.refused().unwrap_or("taken").to_owned()))
    }
}

struct Place {
    runtime: Runtime,
    sender: Arc<ActorAddress<Sender>>,
}

fn known() -> Kinds {
    kinds()
        .performed::<Sender>(|_, _| Arc::new(Nothing))
        .performed::<Receiver>(|_, _| Arc::new(Nothing))
}

async fn open(dir: &Path, kinds: Kinds) -> Place {
    let opened = async {
        loop {
            let mut config = Config::at(dir);
            (config.restart_backoff_ms, config.restart_backoff_ms_max) = (1, 5);
            (config.outbox_wait_first_ms, config.outbox_wait_ms_max) = (1, 5);
            match Runtime::open_with(config, kinds.clone()).await {
                // The tasks of the runtime before are about to end.
                Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
    };
    let runtime = tokio::time::timeout(PATIENCE, opened).await.unwrap();
    let sender = runtime.actor_with::<Sender>(SENDER, Arc::new(Nothing)).unwrap();
    Place { runtime, sender }
}

impl Place {
    async fn send(&self, to: StreamId, whom: Whom, number: u64) {
        let parcel = Parcel { to, whom, number };
        self.sender.ask(Request::new(ROOT, Message::Send(parcel))).await.unwrap();
    }

    async fn look(&self) -> Looked {
        self.sender.ask(Request::new(ROOT, Message::Look)).await.unwrap().reply
    }

    /// What it was told, once it was told so often.
    async fn told(&self, count: usize) -> Vec<(u64, String)> {
        let told = async {
            loop {
                let (told, _) = self.look().await;
                if told.len() >= count {
                    return told;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.unwrap()
    }

    /// Others are served meanwhile, several times over; and what is owed is owed still.
    async fn assert_owed(&self, from: u64) {
        let (before, owed) = self.look().await;
        for n in 0..5 {
            self.send(OTHER, Whom::Receiver, from + n).await;
            self.told(before.len() + n as usize + 1).await;
        }
        assert_eq!(self.look().await.1, owed, "what nobody has answered is owed");
    }

    fn entries(&self, stream: StreamId) -> u64 {
        self.runtime.store().last_seq(stream).unwrap()
    }

    async fn stop(self) {
        let audited =
            audit(self.runtime.store(), &known().with::<Stranger>(), self.runtime.durable());
        assert_eq!(audited.unwrap().breaches, Vec::<String>::new());
        tokio::time::timeout(PATIENCE, self.runtime.stop()).await.unwrap().unwrap();
    }
}

fn of(told: &[(u64, String)], number: u64) -> Vec<&str> {
    told.iter().filter(|it| it.0 == number).map(|it| it.1.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_for_ever_is_asked_once_and_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let place = open(dir.path(), known()).await;
    place.send(RECEIVER, Whom::Receiver, 1).await;
    place.told(1).await;
    let before = place.entries(RECEIVER);
    place.send(RECEIVER, Whom::Receiver, REFUSED).await;
    let told = place.told(2).await;
    assert_eq!(of(&told, REFUSED), ["13 is not for me"]);
    assert_eq!(place.entries(RECEIVER), before, "a refusal changes nothing");
    place.assert_owed(100).await;
    assert_eq!(place.look().await.1, 0);
    place.stop().await;
    let place = open(dir.path(), known()).await;
    place.assert_owed(200).await;
    assert_eq!(of(&place.look().await.0, REFUSED).len(), 1, "it is told once");
    assert_eq!(place.entries(RECEIVER), before);
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_to_one_that_is_wiped_is_told_so_once() {
    let dir = tempfile::tempdir().unwrap();
    let place = open(dir.path(), known()).await;
    let root = place.runtime.caller(ROOT);
    let ask = SpawnAsk { task: "stand by".into(), name: Some("amy".into()), ..SpawnAsk::default() };
    let amy = root.spawn(ask).await.unwrap().id.stream();
    place.send(amy, Whom::Agent, 1).await;
    assert_eq!(of(&place.told(1).await, 1), ["taken"]);
    assert_eq!(root.wipe_agent("amy", "done").await.unwrap(), 1);
    // Its end is told on behind the answer.
    place.runtime.at_rest().await;
    let before = place.entries(amy);
    place.send(amy, Whom::Agent, 2).await;
    let told = place.told(2).await;
    assert_eq!(of(&told, 2), ["the agent is wiped; what it wrote is still there"]);
    place.assert_owed(100).await;
    assert_eq!((place.look().await.1, place.entries(amy)), (0, before));
    drop(root);
    place.stop().await;
    let place = open(dir.path(), known()).await;
    place.assert_owed(200).await;
    assert_eq!(of(&place.look().await.0, 2).len(), 1, "it is told once");
    assert_eq!(place.entries(amy), before, "a refusal changes nothing");
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_an_unknown_kind_is_owed_until_there_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let place = open(dir.path(), known()).await;
    place.send(STRANGER, Whom::Stranger, 1).await;
    place.assert_owed(100).await;
    assert_eq!(place.entries(STRANGER), 0);
    place.stop().await;
    let place = open(dir.path(), known().performed::<Stranger>(|_, _| Arc::new(Nothing))).await;
    let told = place.told(6).await;
    assert_eq!((of(&told, 1), place.entries(STRANGER)), (vec!["taken"], 1));
    place.assert_owed(200).await;
    assert_eq!((of(&place.look().await.0, 1).len(), place.entries(STRANGER)), (1, 1));
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_nobody_is_owed_until_somebody_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let place = open(dir.path(), known().with::<Stranger>()).await;
    place.send(STRANGER, Whom::Stranger, 1).await;
    place.assert_owed(100).await;
    assert_eq!(place.entries(STRANGER), 0);
    place.runtime.actor_with::<Stranger>(STRANGER, Arc::new(Nothing)).unwrap();
    let told = place.told(6).await;
    assert_eq!((of(&told, 1), place.entries(STRANGER)), (vec!["taken"], 1));
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_another_kind_of_actor_is_never_taken_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let place = open(dir.path(), known().performed::<Stranger>(|_, _| Arc::new(Nothing))).await;
    place.send(RECEIVER, Whom::Receiver, 1).await;
    place.told(1).await;
    let before = place.entries(RECEIVER);
    place.send(RECEIVER, Whom::Stranger, 2).await;
    let told = place.told(2).await;
    let [why] = of(&told, 2)[..] else { panic!("{told:?}") };
    assert!(why.contains("another kind"), "{why}");
    // Nothing is owed any more, and it is not told again.
    place.assert_owed(100).await;
    let (told, owed) = place.look().await;
    assert_eq!((of(&told, 2).len(), owed), (1, 0));
    assert_eq!(place.entries(RECEIVER), before, "who it is not for stays as it was");
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_one_out_of_service_is_delivered_once_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let place = open(dir.path(), known()).await;
    let receiver = place.runtime.actor_with::<Receiver>(RECEIVER, Arc::new(Nothing)).unwrap();
    place.send(RECEIVER, Whom::Receiver, 1).await;
    place.told(1).await;
    let kept = loop {
        match receiver.ask(Request::new(ROOT, Take::Panic)).await {
            Err(AskError::Restarted) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(matches!(kept, Err(AskError::Quarantined(RECEIVER, _))), "{kept:?}");
    place.send(RECEIVER, Whom::Receiver, 2).await;
    place.assert_owed(100).await;
    assert!(matches!(receiver.standing(), Standing::Quarantined(_)), "it stays out of service");
    assert_eq!(place.entries(RECEIVER), 1, "and as it was");
    place.runtime.revive(RECEIVER).await.unwrap();
    let told = place.told(7).await;
    assert_eq!((of(&told, 2), place.entries(RECEIVER)), (vec!["taken"], 2));
    place.assert_owed(200).await;
    assert_eq!((of(&place.look().await.0, 2).len(), place.entries(RECEIVER)), (1, 2));
    place.stop().await;
}
