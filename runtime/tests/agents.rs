//! Agents over a real store, with a real worker: spawned, narrowed, woken, stopped and ended.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "agents/tries.rs"]
mod tries;
#[path = "agents/trust.rs"]
mod trust;

use std::time::Duration;
use stoa::agents::{AgentCard, SpaceAsk, SpawnAsk};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::host::Boxed;
use stoa::model::{Models, Scripted};
use stoa::problem::ProblemKind;
use stoa::runtime::Runtime;
use stoa::tool::{Tool, ToolCall, ToolError, Tools};
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::space::Draft;
use stoa_actors::trust::HostGrants;
use stoa_actors::value::Value;
use tempfile::TempDir;

/// An open directory, and its owner.
struct Place {
    directory: TempDir,
    runtime: Runtime,
    root: Caller,
}

impl Place {
    async fn with(models: Models) -> Place {
        Place::having(models, Tools::default()).await
    }

    async fn having(models: Models, tools: Tools) -> Place {
        let directory = tempfile::tempdir().unwrap();
        let (runtime, root) = open(&directory, models, tools).await;
        Place { directory, runtime, root }
    }

    async fn new() -> Place {
        Place::with(Models::default()).await
    }

    async fn rest(&self) {
        let limit = Duration::from_secs(60);
        tokio::time::timeout(limit, self.runtime.at_rest()).await.unwrap();
    }

    /// A space holding a recipe.
    async fn recipe(&self, name: &str, python: &str) {
        let space = self.root.create_space(name, "how to behave").await.unwrap();
        put(&self.root, space, &format!("Do this:\n```python\n{python}\n```")).await;
    }

    async fn texts(&self, space: SpaceId) -> Vec<String> {
        let found = self.root.search(space, Query { limit: 100, ..Query::default() }).await;
        found.unwrap().iter().map(|it| text(&it.read.atom.content)).collect()
    }

    async fn card(&self, name: &str) -> AgentCard {
        let id = self.root.agent_named(name).unwrap();
        self.root.agents().await.unwrap().into_iter().find(|it| it.id == id).unwrap()
    }
}

async fn open(directory: &TempDir, models: Models, tools: Tools) -> (Runtime, Caller) {
    open_as(directory, models, tools, HostGrants::Live).await
}

async fn open_as(
    directory: &TempDir,
    models: Models,
    tools: Tools,
    grants: HostGrants,
) -> (Runtime, Caller) {
    let mut config = Config::at(directory.path());
    config.models = models;
    config.host_grants = grants;
    config.tools = tools;
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    config.limits.session.backoff_first_ms = 1;
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

fn text(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

async fn put(caller: &Caller, space: SpaceId, text: &str) {
    let draft = Draft { content: Content::Text(text.into()), ..Draft::default() };
    caller.put(space, draft, WriteOptions::comment(format!("put {text:.20}"))).await.unwrap();
}

fn ask(task: &str, name: &str, instructions: &str, spaces: &[(&str, Level)]) -> SpawnAsk {
    SpawnAsk {
        task: task.into(),
        name: Some(name.into()),
        instructions: Some(instructions.into()),
        spaces: spaces.iter().map(|(alias, level)| SpaceAsk::to_use(alias, *level)).collect(),
        ..SpawnAsk::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn birth_is_the_first_wake_and_news_are_the_next() {
    let place = Place::new().await;
    let inbox = place.root.create_space("inbox", "").await.unwrap();
    let outbox = place.root.create_space("outbox", "").await.unwrap();
    let recipe = "for wake in wakes:\n    space.put(f\"{wake['count']} in {wake['space']}\")\n\
                  if not wakes:\n    space.put('born: ' + task)";
    place.recipe("how", recipe).await;
    let spaces = [("outbox", Level::Append), ("inbox", Level::Read)];
    let mut spawn = ask("greet", "greeter", "how", &spaces);
    spawn.follows = vec!["inbox".into()];
    let card = place.root.spawn(spawn).await.unwrap();
    assert_eq!((card.name.as_deref(), card.parent), (Some("greeter"), ROOT));
    place.rest().await;
    assert_eq!(place.texts(outbox).await, ["born: greet"]);
    put(&place.root, inbox, "hello").await;
    place.rest().await;
    assert_eq!(place.texts(outbox).await, ["born: greet", "1 in inbox"]);
    // Its own writes have woken nobody, and the second turn knew what the first had seen.
    assert_eq!(place.card("greeter").await.turns, 2);
    // What is said to it is said in the space that it shares with its parent.
    place.root.say("greeter", "how are you?").await.unwrap();
    place.rest().await;
    assert_eq!(place.texts(outbox).await.last().unwrap(), "1 in dm");
    assert_eq!(place.card("greeter").await.state, "idle");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_goes_on_after_the_process_and_repeats_nothing() {
    let Place { directory, runtime, root } = Place::new().await;
    let place = Place { directory, runtime, root };
    let notes = place.root.create_space("notes", "").await.unwrap();
    place.recipe("how", "space.put(f'turn for {len(wakes)}')").await;
    let mut spawn = ask("note", "noter", "how", &[("notes", Level::Append)]);
    spawn.follows = vec!["notes".into()];
    place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    place.runtime.stop().await.unwrap();
    let Place { directory, runtime, root } = place;
    drop((runtime, root));
    let (runtime, root) = open(&directory, Models::default(), Tools::default()).await;
    let place = Place { directory, runtime, root };
    place.rest().await;
    assert_eq!(place.texts(notes).await, ["turn for 0"], "nothing was missed, nothing is repeated");
    put(&place.root, notes, "news").await;
    place.rest().await;
    assert_eq!(place.texts(notes).await, ["turn for 0", "news", "turn for 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn children_are_spawned_by_code_and_hold_what_they_were_given() {
    let place = Place::new().await;
    place.root.create_space("findings", "").await.unwrap();
    let child = "try:\n    spaces['findings'].search('x')\n    seen = 'reads'\n\
                 except PermissionError:\n    seen = 'no'\n\
                 try:\n    spaces['findings'].update('01ARZ3NDEKTSV4RRFFQ69G5FAV', metadata={}, force=True)\n\
                 except PermissionError as e:\n    seen += ', may not update'\n\
                 except LookupError as e:\n    seen += ', no such atom'\n\
                 spaces['findings'].put(task + ': ' + seen + ' ' + str(sorted(spaces)))";
    place.recipe("guidelines", child).await;
    let lead = "if not wakes:\n    for part in ['tides', 'winds']:\n        \
                coordinator.spawn(task=part, instructions='guidelines', \
                spaces={'findings': 'append'}, name=part)";
    place.recipe("lead-guidelines", lead).await;
    let mut spawn = ask("lead", "lead", "lead-guidelines", &[]);
    spawn.spaces = vec![SpaceAsk::whole("findings", Level::Append)];
    spawn.spaces.push(SpaceAsk::whole("guidelines", Level::Read));
    place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    let findings = place.root.resolve("findings").unwrap();
    let mut texts = place.texts(findings).await;
    texts.sort();
    let holds = "reads, no such atom ['dm', 'findings', 'guidelines']";
    assert_eq!(texts, [format!("tides: {holds}"), format!("winds: {holds}")]);
    let names: Vec<_> = place.root.agents().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["lead", "tides", "winds"].map(|it| Some(it.to_owned())));
    // The grandchildren are found by name as well, and the whole tree goes at once.
    assert_eq!(place.card("winds").await.task, "winds");
    assert_eq!(place.root.wipe_agent("lead", "enough").await.unwrap(), 3);
    assert_eq!(place.root.agents().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_more_than_one_has_is_refused_and_recorded() {
    let place = Place::new().await;
    place.root.create_space("secret-plans", "").await.unwrap();
    place.root.create_space("findings", "").await.unwrap();
    place.recipe("guidelines", "pass").await;
    let lead = "def attempt(**more):\n    try:\n        coordinator.spawn(task='t', instructions='guidelines', **more)\n        dm.put('spawned')\n    except Exception as error:\n        dm.put(type(error).__name__)\n\
                attempt(spaces={'findings': 'write'})\n\
                attempt(spaces={'secret-plans': 'read'})\n\
                attempt(spaces={'guidelines': 'read'})\n\
                attempt(tools=['web_search'])\n\
                attempt(secrets=['key'])\n\
                attempt(model='clever')\n\
                attempt()";
    place.recipe("lead-guidelines", lead).await;
    let mut spawn = ask("lead", "lead", "lead-guidelines", &[("findings", Level::Append)]);
    spawn.spaces.push(SpaceAsk::to_use("guidelines", Level::Read));
    let lead = place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    let no = "PermissionError";
    let expected = [no, "LookupError", no, no, no, "ValueError", no];
    assert_eq!(place.texts(lead.dm).await, expected);
    let refused = place.root.rights_history(Position(0), 100).await.unwrap();
    let refused = refused.iter().filter(|it| it.kind == "session.refused").count();
    assert_eq!(refused, 5, "what exceeds is in the log; what does not exist is not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_that_raises_is_tried_again_and_then_quarantined() {
    let place = Place::new().await;
    place.recipe("how", "space.put('tried')\n1 / 0").await;
    let log = place.root.create_space("log", "").await.unwrap();
    let card = place.root.spawn(ask("fail", "failer", "how", &[("log", Level::Append)])).await;
    let card = card.unwrap();
    place.rest().await;
    let after = place.card("failer").await;
    assert_eq!(after.state, "quarantined");
    assert!(after.why.unwrap().ends_with("ZeroDivisionError: division by zero"));
    assert_eq!(place.texts(log).await, ["tried"], "tried four times, and put once");
    let letters = place.texts(card.dm).await;
    assert!(letters[0].starts_with("quarantined after 4 failures"), "{letters:?}");
    // It is told nothing until it is let go on.
    place.root.say("failer", "wake up").await.unwrap();
    place.rest().await;
    assert_eq!(place.texts(log).await.len(), 1);
    place.root.resume_agent("failer").await.unwrap();
    place.rest().await;
    assert_eq!(place.texts(log).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_thinks_acts_and_sees_until_it_is_done() {
    let script = Scripted::new([
        "I count.\n```python\nx = 6 * 7\nprint('x is', x)\n```",
        "```python\nspace.put(str(x))\n1 / 0\n```",
        "It is done.",
    ]);
    let place = Place::with(Models::default().with("script", script.clone())).await;
    let space = place.root.create_space("sums", "Put sums here.").await.unwrap();
    let mut spawn = ask("add", "adder", "sums", &[("sums", Level::Append)]);
    spawn.model = Some("script".into());
    let card = place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    script.assert_complete();
    assert_eq!(place.texts(space).await, ["42"]);
    assert_eq!(place.texts(card.dm).await, ["It is done."]);
    let asked = script.asked();
    assert_eq!(
        asked[0].spaces.iter().find(|it| it.alias == "sums").unwrap().description,
        "Put sums here."
    );
    let seen: Vec<_> = asked[2].steps().into_iter().map(|it| it.1.clone()).collect();
    assert_eq!(seen[0].text, "x is 42\n");
    assert_eq!(seen[1].failed.as_deref(), Some("ZeroDivisionError"));
    let kinds: Vec<String> = place
        .root
        .agent_log("adder", Position(0), 100)
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.kind)
        .collect();
    let expected = "agent.born turn.began model.briefed turn.thought turn.observed turn.thought turn.called \
                    turn.observed model.briefed turn.thought turn.ended letter.written \
                    letter.sent";
    assert_eq!(kinds.join(" "), expected);
    let unknown =
        place.root.spawn(SpawnAsk { model: Some("none".into()), ..ask("t", "b", "sums", &[]) });
    assert_eq!(unknown.await.unwrap_err().kind, ProblemKind::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_agent_stands_still_until_it_is_resumed() {
    let place = Place::new().await;
    let log = place.root.create_space("log", "").await.unwrap();
    place
        .recipe(
            "how",
            "space.put('begun')\nif len(space.search()) == 1:\n    while True:\n        pass",
        )
        .await;
    place.root.spawn(ask("loop", "looper", "how", &[("log", Level::Append)])).await.unwrap();
    let mut follow = place.root.follow(log, Position(0), Default::default()).unwrap();
    follow.next(1).await.unwrap();
    let card = place.root.stop_agent("looper", "it hangs").await.unwrap();
    assert_eq!(card.state, "stopped");
    place.rest().await;
    assert_eq!(place.texts(card.dm).await, ["stopped: it hangs"]);
    place.root.say("looper", "hello").await.unwrap();
    place.rest().await;
    assert_eq!(place.card("looper").await.turns, 1);
    place.root.resume_agent("looper").await.unwrap();
    place.rest().await;
    assert_eq!(place.texts(log).await, ["begun", "begun"]);
    assert_eq!(place.card("looper").await.state, "idle");
}

/// A tool that answers what it was asked.
struct Echo(&'static str);

impl Tool for Echo {
    fn about(&self) -> &str {
        self.0
    }

    fn call(&self, call: ToolCall) -> Boxed<'_, Result<Value, ToolError>> {
        Box::pin(async move {
            match call.args.first() {
                Some(Value::Text(text)) => Ok(Value::Text(format!("{}: {text}", self.0))),
                _ => Err(ToolError(format!("{} wants a text", self.0))),
            }
        })
    }
}

/// The second sample of "Spaces are the environment" (seed 000), word for word, with the tools it
/// names.
#[tokio::test(flavor = "multi_thread")]
async fn the_fan_out_of_the_seed_runs_to_its_end() {
    let fan_out = include_str!("samples/fan_out.py");
    let script = Scripted::new([
        "```python\ndef extract_segments(text):\n    return text.split('|')\n```".to_owned(),
        format!("```python\n{fan_out}\n```"),
        // The end of its turn, and of those of the three children, who inherit the model.
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    let models = Models::default().with("script", script.clone());
    let tools =
        Tools::default().with("web_search", Echo("searched")).with("web_fetch", Echo("fetched"));
    let place = Place::having(models, tools).await;
    let findings = place.root.create_space("findings", "").await.unwrap();
    let draft = Draft {
        content: Content::Text("tides|winds|currents".into()),
        annotation: "initial landscape analysis".into(),
        ..Draft::default()
    };
    place.root.put(findings, draft, WriteOptions::comment("analysis")).await.unwrap();
    let recipe = "if not wakes:\n    space.put(web_fetch(web_search(task)))";
    place.recipe("research-guidelines", recipe).await;
    let mut spawn = ask("fan out", "lead", "research-guidelines", &[]);
    spawn.spaces = vec![
        SpaceAsk::whole("findings", Level::Append),
        SpaceAsk::whole("research-guidelines", Level::Read),
    ];
    spawn.tools = vec!["web_search".into(), "web_fetch".into()];
    spawn.model = Some("script".into());
    place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    script.assert_complete();
    let cards = place.root.agents().await.unwrap();
    let tasks: Vec<&str> = cards[1..].iter().map(|it| it.task.as_str()).collect();
    assert_eq!(tasks, ["tides", "winds", "currents"].map(|it| format!("Deep research on {it}")));
    assert!(cards[1..].iter().all(|it| it.state == "idle" && it.model == "script"));
    // With the model that needs nothing they do their work with the tools they were given.
    let mut spawn = ask("Deep research on tides", "child", "research-guidelines", &[]);
    spawn.spaces = vec![SpaceAsk::to_use("findings", Level::Append)];
    spawn.tools = vec!["web_search".into(), "web_fetch".into()];
    place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    let texts = place.texts(findings).await;
    assert_eq!(texts.last().unwrap(), "fetched: searched: Deep research on tides");
}
