//! What a turn that is tried again has done already, and what it holds.

use super::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use stoa::answer::StatusAnswer;
use stoa::config::DoorLimits;
use stoa::door::{DoorRequest, Identity, Peer, perform};
use stoa::model::{Context, Model, ModelError};
use stoa::operation::answers;
use stoa::operations::Status;
use stoa_actors::atom::Metadata;
use stoa_actors::session::{Budget, Thought};
use stoa_actors::space::{Expect, Patch};
use stoa_actors::value::Value;

fn status(word: &str) -> Metadata {
    [("status".to_owned(), Value::from(word))].into()
}

/// Four tries, and each write is there once; what the action says twice is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_of_a_turn_is_made_once_however_often_the_turn_is_tried() {
    let place = Place::new().await;
    let recipe = "space.put('sent')\nspace.put('again')\nspace.put('again')\n\
                  space.transaction([{'put': 'both'}, {'put': 'of them'}])\n\
                  dm.put(f'try {len(space.search(limit=100))}')\n1 / 0";
    place.recipe("how", recipe).await;
    let log = place.root.create_space("log", "").await.unwrap();
    let card = place.root.spawn(ask("fail", "failer", "how", &[("log", Level::Append)])).await;
    let card = card.unwrap();
    place.rest().await;
    assert_eq!(place.card("failer").await.state, "quarantined");
    let mut texts = place.texts(log).await;
    texts.sort();
    assert_eq!(texts, ["again", "again", "both", "of them", "sent"]);
    let tried = place.texts(card.dm).await;
    assert_eq!(tried.iter().filter(|it| *it == "try 5").count(), 1, "{tried:?}");
    // A turn of its own, and the same is something new.
    place.root.resume_agent("failer").await.unwrap();
    place.rest().await;
    assert_eq!(place.texts(log).await.len(), 10);
}

/// What is counted by rows is what each of them says.
#[tokio::test(flavor = "multi_thread")]
async fn status_counts_agents_by_what_they_are_doing() {
    let place = Place::new().await;
    place.recipe("works", "1").await;
    place.recipe("fails", "1 / 0").await;
    for (name, how) in
        [("idle", "works"), ("still", "works"), ("broken", "fails"), ("back", "fails")]
    {
        place.root.spawn(ask("go", name, how, &[])).await.unwrap();
    }
    let mut poor = ask("go", "poor", "works", &[]);
    poor.budget = Budget::thoughts(1);
    place.root.spawn(poor).await.unwrap();
    place.rest().await;
    place.root.stop_agent("still", "enough").await.unwrap();
    place.root.wipe_agent("back", "enough").await.unwrap();
    place.rest().await;
    let mut cards = BTreeMap::new();
    for card in place.root.agents().await.unwrap() {
        *cards.entry(card.state).or_insert(0) += 1;
    }
    let (answers, mut ready) = answers(&DoorLimits::default());
    let request = DoorRequest::of(Identity::Owner, &Status::default()).unwrap();
    perform(&place.runtime, Peer::Owner, request, answers).await.unwrap();
    let status: StatusAnswer = ready.next().await.unwrap().answer().unwrap();
    assert_eq!(status.agents, cards);
    let words: Vec<&str> = cards.keys().map(String::as_str).collect();
    assert_eq!(words, ["exhausted", "idle", "quarantined", "stopped"]);
}

/// What a spawn answers is not read, and it is what whoever reads finds.
#[tokio::test(flavor = "multi_thread")]
async fn a_spawn_answers_with_the_agent_as_it_was_born() {
    let directory = tempfile::tempdir().unwrap();
    // Nobody lives yet: each stays as it was born.
    let runtime = stoa::open(Config::at(directory.path())).await.unwrap();
    let root = runtime.caller(ROOT);
    root.create_space("how", "").await.unwrap();
    root.create_space("board", "").await.unwrap();
    let mut bounded = ask("go", "bounded", "how", &[("board", Level::Write)]);
    bounded.budget = Budget { tokens: Some(1_000), ..Budget::thoughts(3) };
    bounded.follows = vec!["board".to_owned()];
    let nameless = SpawnAsk { task: "stand by".to_owned(), ..SpawnAsk::default() };
    for spawn in [bounded, nameless, ask("go", "free", "how", &[])] {
        let card = root.spawn(spawn).await.unwrap();
        assert_eq!(root.agent(&card.id.to_string()).await.unwrap(), card);
        assert_eq!((card.state.as_str(), card.turns), ("suspended", 1), "nobody runs it");
    }
    runtime.stop().await.unwrap();
}

/// Nobody waits for the time of a lease whose holder has failed: not the next try, and no other agent
/// once it is out of service.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_turn_has_claimed_is_open_again_at_once() {
    let place = Place::new().await;
    let claim =
        "task = space.claim(metadata={'status': 'open'}, set={'status': 'doing'}, lease='1h')";
    let fails = format!("{claim}\nspace.put('has ' + task.content if task else 'nothing')\n1 / 0");
    place.recipe("fails", &fails).await;
    let works = format!("{claim}\ntask and space.put('done: ' + task.content)");
    place.recipe("works", &works).await;
    let tasks = place.root.create_space("tasks", "").await.unwrap();
    let content = Content::Text("dig".to_owned());
    let task = Draft { content, metadata: status("open"), ..Draft::default() };
    let task = place.root.put(tasks, task, WriteOptions::default()).await.unwrap().id;
    place.root.spawn(ask("fail", "failer", "fails", &[("tasks", Level::Write)])).await.unwrap();
    place.rest().await;
    assert_eq!(place.card("failer").await.state, "quarantined");
    let mut texts = place.texts(tasks).await;
    texts.sort();
    assert_eq!(texts, ["dig", "has dig"], "each try could claim it");
    assert_eq!(place.root.leases(tasks).await.unwrap(), []);
    assert_eq!(place.root.get(task).await.unwrap().atom.metadata, status("open"));
    // Who is stopped gives back as well, and who is ended.
    for worker in ["stopped", "ended"] {
        place.root.spawn(ask("work", worker, "works", &[("tasks", Level::Write)])).await.unwrap();
        place.rest().await;
        assert!(place.texts(tasks).await.contains(&"done: dig".to_owned()));
        assert_eq!(place.root.leases(tasks).await.unwrap().len(), 1, "of {worker}");
        match worker {
            "stopped" => place.root.stop_agent(worker, "enough").await.map(drop).unwrap(),
            _ => place.root.wipe_agent(worker, "enough").await.map(drop).unwrap(),
        }
        place.rest().await;
        assert_eq!(place.root.leases(tasks).await.unwrap(), [], "of {worker}");
        assert_eq!(place.root.get(task).await.unwrap().atom.metadata, status("open"));
    }
    // What one takes that goes on is its own.
    place.root.resume_agent("stopped").await.unwrap();
    place.rest().await;
    assert_eq!(place.root.leases(tasks).await.unwrap().len(), 1);
}

/// What is kept of instructions and descriptions is as good as read: who says something anew is heard
/// at the next thought, and who may no longer read them does not.
#[tokio::test(flavor = "multi_thread")]
async fn instructions_and_descriptions_are_thought_with_as_they_are_now() {
    let seen = Seen::default();
    let models = Models::default().with("seen", seen.clone());
    let place = Place::with(models).await;
    let how = place.root.create_space("how", "at first").await.unwrap();
    let put = |text: &str| {
        let content = Content::Text(text.to_owned());
        place.root.put(how, Draft { content, ..Draft::default() }, WriteOptions::default())
    };
    let first = put("be brief").await.unwrap().id;
    let mut spawn = ask("listen", "listener", "how", &[("how", Level::Read)]);
    (spawn.model, spawn.follows) = (Some("seen".to_owned()), vec!["how".to_owned()]);
    place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    let told = |texts: &[&str], description: &str| {
        let texts: Vec<String> = texts.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(seen.last(), (texts, description.to_owned()));
    };
    told(&["be brief"], "at first");
    // A description wakes nobody: it is seen with what does.
    place.root.describe(how, "and then").await.unwrap();
    put("be exact").await.unwrap();
    place.rest().await;
    told(&["be brief", "be exact"], "and then");
    let patch = Patch { content: Some(Content::Text("be slow".to_owned())), ..Patch::default() };
    place.root.update(first, Expect::Any, patch, WriteOptions::default()).await.unwrap();
    place.rest().await;
    told(&["be slow", "be exact"], "and then");
    // All of it is known, and yet not to one who may not read it.
    place.root.revoke("how", "listener", "enough").await.unwrap();
    place.root.say("listener", "are you there?").await.unwrap();
    place.rest().await;
    let card = place.card("listener").await;
    assert_eq!((card.state.as_str(), seen.thoughts()), ("quarantined", 3));
}

/// Instructions, and the description of `how`.
type Said = (Vec<String>, String);

/// Says nothing, and keeps what it was told.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Said>>>);

impl Seen {
    fn last(&self) -> Said {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    fn thoughts(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Model for Seen {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        let how = context.spaces.iter().find(|it| it.alias == "how");
        let description = how.map(|it| it.description.clone()).unwrap_or_default();
        self.0.lock().unwrap().push((context.instructions, description));
        Box::pin(async { Ok(Thought::default()) })
    }
}
