//! Agents that do harm to themselves: what they do ends within its limits, they are tried again
//! and then kept out of service, their parents hear of it, and the others go on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::time::Duration;
use stoa::agents::{AgentCard, AgentEvent, Incident, SpaceAsk, SpawnAsk, Wrong};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, DoorLimits};
use stoa::door::{DoorRequest, Identity, Peer, perform};
use stoa::failure::StoreError;
use stoa::operation::{LevelName, answers};
use stoa::operations::Grant;
use stoa::problem::ProblemKind;
use stoa::research::{ResearchAsk, ResearchLimits, research};
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::behaviour::{Behaviour, Decision, Delivery};
use stoa_actors::id::{Position, ROOT, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::session::{Event, Observation};
use stoa_actors::space::Draft;
use tempfile::TempDir;

const COMPUTE_MS: u64 = 1_000;
/// What it may take longer on a machine that is busy with something else.
const SLACK_MS: u64 = 1_000;
const CALLS: u32 = 200;

fn config(directory: &TempDir) -> Config {
    let mut config = Config::at(directory.path());
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    config.limits.session.backoff_first_ms = 1;
    config.limits.session.backoff_ms_max = 1;
    config.action.compute_ms_max = COMPUTE_MS;
    config.action.host_calls_max = CALLS;
    config.restart_backoff_ms = 1;
    config.restart_backoff_ms_max = 1;
    config
}

async fn open(directory: &TempDir) -> (Runtime, Caller) {
    let runtime = loop {
        match stoa::open(config(directory)).await {
            // The tasks of the runtime before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    };
    let root = runtime.caller(ROOT);
    (runtime, root)
}

async fn rest(runtime: &Runtime) {
    tokio::time::timeout(Duration::from_secs(120), runtime.at_rest()).await.unwrap();
}

async fn recipe(root: &Caller, name: &str, python: &str) {
    let space = root.create_space(name, "how to behave").await.unwrap();
    let content = Content::Text(format!("```python\n{python}\n```"));
    let draft = Draft { content, ..Draft::default() };
    root.put(space, draft, WriteOptions::comment("a recipe")).await.unwrap();
}

async fn spawn(root: &Caller, name: &str, python: &str) -> AgentCard {
    let how = format!("{name}-how");
    recipe(root, &how, python).await;
    let ask = SpawnAsk {
        task: name.into(),
        name: Some(name.into()),
        instructions: Some(how),
        spaces: vec![SpaceAsk::to_use("log", Level::Append)],
        ..SpawnAsk::default()
    };
    root.spawn(ask).await.unwrap()
}

async fn texts(caller: &Caller, space: SpaceId) -> Vec<String> {
    let query = Query { limit: 1_000, ..Query::default() };
    let text = |content: &Content| match content {
        Content::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let found = caller.search(space, query).await.unwrap();
    found.iter().map(|it| text(&it.read.atom.content)).collect()
}

/// How long each action took, as the log has it.
fn actions(log: &[AgentEvent]) -> Vec<u64> {
    let mut begun = None;
    let mut took = Vec::new();
    for it in log {
        match it.kind.as_str() {
            "turn.thought" => begun = Some(it.at.0),
            "turn.observed" => took.extend(begun.take().map(|at| it.at.0 - at)),
            _ => {}
        }
    }
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_that_does_harm_is_cut_tried_again_and_quarantined() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, root) = open(&directory).await;
    runtime.start_agents().await.unwrap();
    let log = root.create_space("log", "").await.unwrap();
    let calm = spawn(&root, "calm", "space.put(f'calm {len(wakes)}')").await;
    let harmful = [
        ("unreadable", "def (:", "SyntaxError"),
        ("endless", "while True:\n    pass", "TimeoutError"),
        ("raising", "1 / 0", "ZeroDivisionError"),
        ("flooding", "for n in range(10_000):\n    space.put(f'flood {n}')", "host_calls_max"),
        ("printing", "while True:\n    print('x' * 10_000)", "TimeoutError"),
        ("hoarding", "x = 'x' * 1000\nwhile True:\n    x = x + x", "MemoryError"),
    ];
    for (name, python, _) in harmful {
        spawn(&root, name, python).await;
    }
    rest(&runtime).await;
    for (name, _, error) in harmful {
        let card = root.agent(name).await.unwrap();
        let why = card.why.clone().unwrap_or_default();
        assert_eq!(card.state, "quarantined", "{name}: {why}");
        assert!(why.contains(error), "{name}: {}", why.lines().last().unwrap_or_default());
        assert_eq!(card.turns, 4, "{name}: once, and three times again");
        let trouble = card.trouble.unwrap();
        assert_eq!((trouble.in_a_row, trouble.turn), (4, 4), "{name}");
        assert!(trouble.since < trouble.at && trouble.why.contains(error), "{name}: {trouble:?}");
        let letters = texts(&root, card.dm).await;
        assert!(letters[0].starts_with("quarantined after 4 failures"), "{name}: {letters:?}");
        let told = root.agent_log(name, Position(0), 10_000).await.unwrap();
        let took = actions(&told);
        assert_eq!(took.len(), 4, "{name}");
        let most = if name == "flooding" { 30_000 } else { COMPUTE_MS + 1_000 + SLACK_MS };
        assert!(took.iter().all(|ms| *ms <= most), "{name}: {took:?} ms");
        let seen = told.iter().filter(|it| it.kind == "turn.observed");
        assert!(seen.map(|it| it.text.len()).all(|it| it <= 40 << 10), "{name}");
    }
    quarantine_and_resume_are_told(&runtime, &root).await;
    // What was put before the limit was met stays; what is beyond it never was.
    let flood = texts(&root, log).await.iter().filter(|it| it.starts_with("flood")).count();
    assert_eq!(flood, CALLS as usize, "each once, in four tries");
    root.say("calm", "are you there?").await.unwrap();
    rest(&runtime).await;
    let calm_says = texts(&root, log).await;
    assert!(calm_says.contains(&"calm 0".to_owned()) && calm_says.contains(&"calm 1".to_owned()));
    assert_eq!(root.agent(&calm.id.to_string()).await.unwrap().state, "idle");
    runtime.stop().await.unwrap();
}

/// Whoever runs the agents is told of each failure, of the end of it, and of a new beginning.
async fn quarantine_and_resume_are_told(runtime: &Runtime, root: &Caller) {
    let (incidents, lost) = runtime.incidents();
    assert_eq!(lost, 0);
    let of = |agent: SessionId, incidents: &[Incident]| {
        let own = incidents.iter().filter(|it| it.agent == agent);
        own.map(|it| match &it.what {
            Wrong::Failed { why, .. } => format!("failed {why}"),
            Wrong::Quarantined { why } => format!("quarantined {why}"),
            Wrong::Deferred { why, .. } => format!("deferred {why}"),
            Wrong::Resumed => "resumed".to_owned(),
            other => format!("{other:?}"),
        })
        .collect::<Vec<_>>()
    };
    let raising = root.agent("raising").await.unwrap().id;
    let why = "ZeroDivisionError: division by zero";
    let (failed, quarantined) = (format!("failed {why}"), format!("quarantined {why}"));
    let four = [failed.clone(), failed.clone(), failed.clone(), quarantined];
    assert_eq!(of(raising, &incidents), four);
    root.resume_agent("raising").await.unwrap();
    rest(runtime).await;
    let again = of(raising, &runtime.incidents().0);
    assert_eq!(again[0], "resumed");
    assert_eq!(again[1..], four);
    let trouble = root.agent("raising").await.unwrap().trouble.unwrap();
    assert_eq!((trouble.in_a_row, trouble.turn), (4, 8), "who resumes it begins a new row");
}

/// Writes into a session's stream what no session writes.
#[derive(Serialize, Deserialize)]
struct Saboteur;

impl Behaviour for Saboteur {
    const KIND: &'static str = "session";
    type Message = ();
    type Event = Event;
    type Effect = Infallible;
    type Reply = ();
    type Refusal = std::fmt::Error;

    fn unborn(_: StreamId) -> Self {
        Saboteur
    }

    fn decide(&self, (): (), _: &mut Delivery<'_>) -> Result<Decision<Self>, std::fmt::Error> {
        let observation = Observation { text: "of nothing".into(), failed: None };
        Ok(Decision::event(Event::Observed(observation), ()))
    }

    fn apply(&mut self, _: &Event) {}

    fn name(_: &Event) -> &'static str {
        "turn.observed"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_actor_dies_too_often_is_shown_and_its_parent_hears() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, root) = open(&directory).await;
    runtime.start_agents().await.unwrap();
    let log = root.create_space("log", "").await.unwrap();
    let sick = spawn(&root, "sick", "space.put(f'sick {len(wakes)}')").await;
    spawn(&root, "calm", "space.put(f'calm {len(wakes)}')").await;
    rest(&runtime).await;
    runtime.stop().await.unwrap();
    drop((runtime, root));
    // With an entry in its stream that cannot follow, its actor dies whenever it is started.
    let (runtime, root) = open(&directory).await;
    let saboteur = runtime.actor::<Saboteur>(sick.id.stream()).unwrap();
    saboteur.ask(Request::new(ROOT, ())).await.unwrap();
    runtime.stop().await.unwrap();
    drop((runtime, root, saboteur));
    let (runtime, root) = open(&directory).await;
    runtime.start_agents().await.unwrap();
    rest(&runtime).await;
    let dm = sick.dm;
    let mut follow = root.follow(dm, Position(0), Default::default()).unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(60), follow.next(1)).await.unwrap();
    assert_eq!(heard.unwrap().len(), 1);
    let letters = texts(&root, dm).await;
    assert!(letters[0].starts_with("quarantined, for my actor died too often"), "{letters:?}");
    let states: Vec<(Option<String>, String)> =
        root.agents().await.unwrap().into_iter().map(|it| (it.name, it.state)).collect();
    let named = |name: &str, state: &str| (Some(name.to_owned()), state.to_owned());
    assert_eq!(states, [named("sick", "quarantined"), named("calm", "idle")]);
    // The others go on, and it is told that it cannot.
    root.say("calm", "are you there?").await.unwrap();
    rest(&runtime).await;
    assert!(texts(&root, log).await.contains(&"calm 1".to_owned()));
    let refused = root.stop_agent("sick", "it is sick").await.unwrap_err();
    assert!(refused.text.contains("is quarantined"), "{refused}");
    assert_eq!(refused.hint.as_deref(), Some("stoa status"));
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_more_is_answered_by_a_grant_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, root) = open(&directory).await;
    runtime.start_agents().await.unwrap();
    root.create_space("log", "").await.unwrap();
    let vault = root.create_space("vault", "").await.unwrap();
    let child = "\
if not wakes:
    coordinator.request_access('vault', 'append', 'to leave what I found')
    for wrong in [('', 'append'), ('vault', 'all')]:
        try:
            coordinator.request_access(*wrong)
        except (TypeError, ValueError) as error:
            space.put(str(error))
elif 'vault' in spaces:
    spaces['vault'].put('what I found')
";
    let card = spawn(&root, "finder", child).await;
    rest(&runtime).await;
    let asked = root.search(card.dm, Query::default()).await.unwrap();
    assert_eq!(asked.len(), 1, "one atom says it");
    let atom = &asked[0].read.atom;
    let says = |key: &str| atom.metadata.get(key).map(|it| it.text().unwrap().to_owned());
    assert_eq!(says("kind").as_deref(), Some("access-request"));
    assert_eq!(
        (says("space").as_deref(), says("level").as_deref()),
        (Some("vault"), Some("append"))
    );
    assert_eq!(atom.content, Content::Text("to leave what I found".into()));
    assert_eq!(texts(&root, vault).await, Vec::<String>::new());
    // The answer is a grant; that it was given is told where it was asked for.
    let reason = "you asked".to_owned();
    let (space, session) = ("vault".to_owned(), "finder".to_owned());
    let (level, delegate, expires) = (LevelName(Level::Append), None, None);
    let grant = Grant { space, session, level, delegate, expires, reason };
    let (answers, _ready) = answers(&DoorLimits::default());
    let request = DoorRequest::of(Identity::Owner, &grant).unwrap();
    perform(&runtime, Peer::Owner, request, answers).await.unwrap();
    rest(&runtime).await;
    assert_eq!(texts(&root, vault).await, ["what I found"]);
    assert_eq!(texts(&root, card.dm).await, ["to leave what I found", "you asked"]);
    let log = root.resolve("log").unwrap();
    let wrong = texts(&root, log).await;
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_empty_or_too_large_is_refused_through_the_library_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let (runtime, root) = open(&directory).await;
    runtime.start_agents().await.unwrap();
    root.create_space("log", "").await.unwrap();
    let calm = spawn(&root, "calm", "space.put(f'calm {len(wakes)}')").await;
    rest(&runtime).await;
    let docs = directory.path().join("docs");
    std::fs::create_dir(&docs).unwrap();
    std::fs::write(docs.join("a.md"), "The moon pulls the sea.\n").unwrap();
    let ask = |question: String, agents| ResearchAsk {
        question,
        paths: vec![docs.clone()],
        agents,
        model: "recipe".into(),
        fresh: false,
    };
    let before = runtime.head().unwrap();
    let mut refused = Vec::new();
    for text in [String::new(), " \n".to_owned(), "x".repeat(9 << 20)] {
        refused.push(root.say("calm", &text).await.unwrap_err());
    }
    for task in [String::new(), "x".repeat(1 << 20)] {
        refused.push(root.spawn(SpawnAsk { task, ..SpawnAsk::default() }).await.unwrap_err());
    }
    let questions = [(String::new(), 3), ("x".repeat(1 << 20), 3), ("a question".to_owned(), 0)];
    for (question, agents) in questions.into_iter().chain([("a question".to_owned(), 10_000)]) {
        refused.push(
            research(&root, &ask(question, agents), &ResearchLimits::default(), &mut |_| {})
                .await
                .unwrap_err(),
        );
    }
    for problem in &refused {
        assert_eq!(problem.kind, ProblemKind::Invalid, "{problem}");
        assert!(
            problem.hint.as_deref().is_some_and(|it| it.starts_with("stoa ") || it == "--help"),
            "{problem:?}"
        );
    }
    let says = ["empty", "empty", "8388608", "empty", "65536", "empty", "8192", "from 1", "from 1"];
    for (problem, part) in refused.iter().zip(says) {
        assert!(problem.text.contains(part), "{problem} does not say {part:?}");
    }
    assert_eq!(runtime.head().unwrap(), before, "nothing was written");
    // A megabyte is what an atom may hold, and is heard.
    root.say("calm", &"x".repeat(1 << 20)).await.unwrap();
    rest(&runtime).await;
    assert_eq!(root.agent(&calm.id.to_string()).await.unwrap().turns, 2);
    runtime.stop().await.unwrap();
}
