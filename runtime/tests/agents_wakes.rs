//! Who is told of what, when many are to be told, and when somebody was out of service meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stoa::agents::{SpaceAsk, SpawnAsk};
use stoa::answer::SubscriptionAnswer;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, DoorLimits};
use stoa::door::{DoorRequest, Identity, Peer, perform};
use stoa::failure::StoreError;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa::operation::{Operation, Span, answers};
use stoa::operations::{SubscriptionEdit, SubscriptionList};
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::id::{ROOT, SessionId, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::session::Thought;
use stoa_actors::space::Draft;
use stoa_actors::trust::HostGrants;
use tempfile::TempDir;

const AGENTS: usize = 200;
/// What one agent may take of the process, at rest and awake: its actor, its address and its stream.
const AGENT_BYTES_MAX: usize = 256 << 10;

/// Says nothing, and keeps what woke whom.
#[derive(Clone, Default)]
struct Silent(Arc<Mutex<BTreeMap<SessionId, Vec<u64>>>>);

impl Model for Silent {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        let news = context.wakes.iter().map(|(_, wake)| wake.count).sum();
        self.0.lock().unwrap().entry(context.session).or_default().push(news);
        Box::pin(async { Ok(Thought::default()) })
    }
}

impl Silent {
    /// What woke each: 0 for its birth.
    fn turns(&self) -> Vec<Vec<u64>> {
        self.0.lock().unwrap().values().cloned().collect()
    }
}

async fn open(directory: &TempDir, silent: &Silent) -> (Runtime, Caller) {
    let mut config = Config::at(directory.path());
    config.models = Models::default().with("silent", silent.clone());
    config.host_grants = HostGrants::Live;
    config.limits.session.rest_first_ms = 1;
    config.limits.session.rest_ms_max = 1;
    let runtime = loop {
        match stoa::open(config.clone()).await {
            // The tasks of the runtime before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    };
    runtime.start_agents().await.unwrap();
    let root = runtime.caller(ROOT);
    (runtime, root)
}

/// One action, and then nothing.
#[derive(Clone, Copy)]
struct Once;

impl Model for Once {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        let code = context.steps().is_empty().then(|| "len(spaces)".to_owned());
        Box::pin(async { Ok(Thought { code, ..Thought::default() }) })
    }
}

/// It is woken, thinks, sees what came of the action and thinks: nothing else is asked of it, and
/// what is known of the turn comes with what is to be done.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_of_one_action_takes_four_trips_through_the_mailbox() {
    let directory = TempDir::new().unwrap();
    let mut config = Config::at(directory.path());
    config.models = Models::default().with("silent", Once);
    config.host_grants = HostGrants::Live;
    // Who rests is told when the rest is over, and asked once all the same.
    config.limits.session.rest_first_ms = 50;
    let runtime = stoa::open(config).await.unwrap();
    runtime.start_agents().await.unwrap();
    let root = runtime.caller(ROOT);
    let news = root.create_space("news", "").await.unwrap();
    spawn(&root, "one").await;
    rest(&runtime).await;
    let agent = root.session_named("one").unwrap();
    for _ in 0..3 {
        let before = runtime.requests_of(agent.stream());
        let turns = root.agent("one").await.unwrap().turns;
        put(&root, news).await;
        rest(&runtime).await;
        assert_eq!(root.agent("one").await.unwrap().turns, turns + 1);
        assert_eq!(runtime.requests_of(agent.stream()) - before, 4);
    }
}

/// Answers whatever it hears, for ever.
#[derive(Clone, Copy)]
struct Chatty;

impl Model for Chatty {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        let code = context.steps().is_empty().then(|| "space.put('and so on')".to_owned());
        Box::pin(async { Ok(Thought { code, ..Thought::default() }) })
    }
}

/// Two that answer each other are parked after so many reactions. What they have not heard by then
/// does not keep whoever waits for rest waiting, neither now nor in a later process.
// Found by a walk through the tool: `agent resume` and `agent say` never came back.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_parked_with_news_unheard_is_at_rest() {
    let directory = TempDir::new().unwrap();
    let mut config = Config::at(directory.path());
    config.models = Models::default().with("silent", Chatty);
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    config.host_grants = HostGrants::Live;
    config.limits.session.hops_max = 4;
    config.limits.session.rest_first_ms = 1;
    config.limits.session.rest_ms_max = 1;
    let runtime = stoa::open(config.clone()).await.unwrap();
    runtime.start_agents().await.unwrap();
    let root = runtime.caller(ROOT);
    let news = root.create_space("news", "").await.unwrap();
    let phases = async |root: &Caller| {
        let one = root.agent("one").await.unwrap().state;
        let two = root.agent("two").await.unwrap().state;
        [one, two]
    };
    for name in ["one", "two"] {
        let ask = SpawnAsk {
            task: "talk".into(),
            name: Some(name.into()),
            spaces: vec![SpaceAsk::to_use("news", Level::Append)],
            model: Some("silent".into()),
            follows: vec!["news".into()],
            ..SpawnAsk::default()
        };
        root.spawn(ask).await.unwrap();
    }
    rest(&runtime).await;
    let parked = phases(&root).await;
    assert!(parked.iter().any(|it| it.contains("parked")), "{parked:?}");
    put(&root, news).await;
    rest(&runtime).await;
    runtime.stop().await.unwrap();
    drop((runtime, root));
    let runtime = loop {
        match stoa::open(config.clone()).await {
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    };
    runtime.start_agents().await.unwrap();
    rest(&runtime).await;
    let root = runtime.caller(ROOT);
    let parked = phases(&root).await;
    assert!(parked.iter().any(|it| it.contains("parked")), "{parked:?}");
}

async fn rest(runtime: &Runtime) {
    tokio::time::timeout(Duration::from_secs(60), runtime.at_rest()).await.unwrap();
}

async fn spawn(root: &Caller, name: &str) {
    let ask = SpawnAsk {
        task: "listen".into(),
        name: Some(name.into()),
        spaces: vec![SpaceAsk::to_use("news", Level::Read)],
        model: Some("silent".into()),
        follows: vec!["news".into()],
        ..SpawnAsk::default()
    };
    root.spawn(ask).await.unwrap();
}

async fn put(root: &Caller, space: SpaceId) {
    let draft = Draft { content: Content::Text("news".into()), ..Draft::default() };
    root.put(space, draft, WriteOptions::comment("news")).await.unwrap();
}

/// What the process has in memory.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_agents_each_has_one_turn_for_one_event() {
    let (directory, silent) = (tempfile::tempdir().unwrap(), Silent::default());
    let (runtime, root) = open(&directory, &silent).await;
    let news = root.create_space("news", "").await.unwrap();
    rest(&runtime).await;
    let before = resident_bytes();
    for n in 0..AGENTS {
        spawn(&root, &format!("agent{n}")).await;
    }
    rest(&runtime).await;
    assert_eq!(silent.turns(), vec![vec![0]; AGENTS], "each is born");
    put(&root, news).await;
    rest(&runtime).await;
    assert_eq!(silent.turns(), vec![vec![0, 1]; AGENTS], "each has one turn for it");
    let each = resident_bytes().saturating_sub(before) / AGENTS;
    println!("{each} bytes for each agent, {} wakes pending at most", runtime.wakes_pending_most());
    assert!(each <= AGENT_BYTES_MAX, "{each} bytes for each agent");
    let most = runtime.wakes_pending_most();
    assert!((1..=AGENTS).contains(&most), "{most} wakes were pending");
    // A storm is told in as many turns as it takes, and of nothing twice.
    for _ in 0..50 {
        put(&root, news).await;
    }
    rest(&runtime).await;
    let told: Vec<u64> = silent.turns().iter().map(|it| it.iter().sum()).collect();
    assert_eq!(told, [51; AGENTS]);
    assert!(runtime.wakes_pending_most() <= AGENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_stopped_over_a_restart_is_woken_once_it_is_resumed() {
    let (directory, silent) = (tempfile::tempdir().unwrap(), Silent::default());
    let (runtime, root) = open(&directory, &silent).await;
    let news = root.create_space("news", "").await.unwrap();
    spawn(&root, "agent").await;
    rest(&runtime).await;
    root.stop_agent("agent", "for a while").await.unwrap();
    rest(&runtime).await;
    runtime.stop().await.unwrap();
    drop((runtime, root));
    let (runtime, root) = open(&directory, &silent).await;
    rest(&runtime).await;
    root.resume_agent("agent").await.unwrap();
    rest(&runtime).await;
    put(&root, news).await;
    rest(&runtime).await;
    assert_eq!(silent.turns(), [[0, 0, 1]], "born, resumed, told");
}

/// What is answered about subscriptions.
async fn asked(runtime: &Runtime, what: &impl Operation) -> Vec<SubscriptionAnswer> {
    let (tell, mut told) = answers(&DoorLimits::default());
    let request = DoorRequest::of(Identity::Owner, what).unwrap();
    perform(runtime, Peer::Owner, request, tell).await.unwrap();
    let mut answers = Vec::new();
    while let Some(said) = told.next().await {
        answers.push(said.answer().unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_waits_for_a_pause_has_one_turn_for_a_burst_and_none_after_the_end() {
    let (directory, silent) = (tempfile::tempdir().unwrap(), Silent::default());
    let (runtime, root) = open(&directory, &silent).await;
    let news = root.create_space("news", "").await.unwrap();
    spawn(&root, "agent").await;
    rest(&runtime).await;
    let edit = |debounce_ms, expires| SubscriptionEdit {
        name: "news".to_owned(),
        agent: Some("agent".to_owned()),
        debounce: Some(Span(debounce_ms)),
        expires,
        ..SubscriptionEdit::default()
    };
    let told = asked(&runtime, &edit(2_000, None)).await;
    let [card] = &told[..] else { panic!("{told:?}") };
    assert_eq!((card.debounce_ms, &card.until), (2_000, &None));
    for _ in 0..20 {
        put(&root, news).await;
    }
    rest(&runtime).await;
    assert_eq!(silent.turns(), [[0, 20]], "one turn for all of them");
    // What is over tells nothing, and makes room.
    asked(&runtime, &edit(0, Some(Span(50)))).await;
    let list =
        SubscriptionList { space: Some("news".into()), agent: Some("agent".into()), all: false };
    while !asked(&runtime, &list).await.is_empty() {
        tokio::task::yield_now().await;
    }
    put(&root, news).await;
    rest(&runtime).await;
    assert_eq!(silent.turns(), [[0, 20]], "nothing after its end");
    // And so it stays over a restart.
    runtime.stop().await.unwrap();
    drop((runtime, root));
    let (runtime, root) = open(&directory, &silent).await;
    put(&root, news).await;
    rest(&runtime).await;
    assert_eq!(silent.turns(), [[0, 20]]);
    runtime.stop().await.unwrap();
}
