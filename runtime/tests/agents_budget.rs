//! Budgets over a real store, with a real worker: cut, told, handed on, lent and given back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stoa::agents::{AgentCard, SpaceAsk, SpawnAsk};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa::problem::ProblemKind;
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::session::{Budget, Thought};
use stoa_actors::space::Draft;
use stoa_actors::trust::HostGrants;
use tempfile::TempDir;

struct Place {
    _directory: TempDir,
    runtime: Runtime,
    root: Caller,
}

impl Place {
    async fn with(models: Models) -> Place {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::at(directory.path());
        config.models = models;
        config.host_grants = HostGrants::Live;
        config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
        config.limits.session.backoff_first_ms = 1;
        let runtime = stoa::open(config).await.unwrap();
        runtime.start_agents().await.unwrap();
        let root = runtime.caller(ROOT);
        Place { _directory: directory, runtime, root }
    }

    async fn new() -> Place {
        Place::with(Models::default()).await
    }

    async fn rest(&self) {
        let limit = Duration::from_secs(60);
        tokio::time::timeout(limit, self.runtime.at_rest()).await.unwrap();
    }

    async fn recipe(&self, name: &str, python: &str) {
        let space = self.root.create_space(name, "how to behave").await.unwrap();
        self.put(space, &format!("```python\n{python}\n```")).await;
    }

    async fn put(&self, space: SpaceId, text: &str) {
        let draft = Draft { content: Content::Text(text.into()), ..Draft::default() };
        self.root.put(space, draft, WriteOptions::comment("put")).await.unwrap();
    }

    async fn texts(&self, space: SpaceId) -> Vec<String> {
        let found = self.root.search(space, Query { limit: 100, ..Query::default() }).await;
        let text = |content: &Content| match content {
            Content::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        found.unwrap().iter().map(|it| text(&it.read.atom.content)).collect()
    }

    async fn card(&self, name: &str) -> AgentCard {
        self.root.agent(name).await.unwrap()
    }
}

fn ask(name: &str, instructions: &str, budget: Budget) -> SpawnAsk {
    SpawnAsk {
        task: name.into(),
        name: Some(name.into()),
        instructions: Some(instructions.into()),
        budget,
        ..SpawnAsk::default()
    }
}

fn both(thoughts: u64, tokens: u64) -> Budget {
    Budget { thoughts: Some(thoughts), tokens: Some(tokens), ..Budget::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_answer_each_other_for_ever_are_cut_by_their_budgets() {
    let place = Place::new().await;
    let talk = place.root.create_space("talk", "").await.unwrap();
    place.recipe("how", "space.put(f'{task} {sum(it[\"count\"] for it in wakes)}')").await;
    for name in ["ping", "pong"] {
        let mut spawn = ask(name, "how", Budget::thoughts(10));
        spawn.spaces = vec![SpaceAsk::to_use("talk", Level::Append)];
        spawn.follows = vec!["talk".into()];
        place.root.spawn(spawn).await.unwrap();
    }
    place.rest().await;
    // A turn of a recipe is two thoughts: the code, and that it is done.
    let said = place.texts(talk).await;
    let of = |said: &[String], name: &str| said.iter().filter(|it| it.starts_with(name)).count();
    for name in ["ping", "pong"] {
        let card = place.card(name).await;
        assert!(card.spent.thoughts <= 10, "{card:?}");
        assert_eq!(card.left, Budget::thoughts(10 - card.spent.thoughts));
        assert_eq!(of(&said, name) as u64, card.turns);
    }
    // The last word of one woke the other, which had nothing left to think of it with.
    let cards = [place.card("ping").await, place.card("pong").await];
    let cut = cards.iter().find(|it| it.state == "exhausted").unwrap();
    let name = cut.name.clone().unwrap();
    assert_eq!(cut.why.as_deref(), Some("budget: thoughts = 10 is spent"));
    assert_eq!(of(&said, &name), 5);
    let letters = place.texts(cut.dm).await;
    assert_eq!(letters, ["budget: thoughts = 10 is spent; hand me more, and I go on"]);
    // What happens now starts no turn, and is not lost.
    place.put(talk, "anybody there?").await;
    place.rest().await;
    assert_eq!(place.card(&name).await.turns, 5);
    let refused = place.root.resume_agent(&name).await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::Conflict);
    assert!(refused.text.contains("its budget is spent (thoughts = 10)"), "{refused}");
    place.root.fund(&name, Budget::thoughts(2), None).await.unwrap();
    place.rest().await;
    let missed = place.texts(talk).await;
    let last = missed.iter().rfind(|it| it.starts_with(&name)).unwrap();
    assert_ne!(last, &format!("{name} 0"), "it was told of what it had missed: {missed:?}");
    let card = place.card(&name).await;
    assert_eq!((card.turns, card.left), (6, Budget::thoughts(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_hands_on_what_is_its_own_and_gets_back_what_is_left() {
    let place = Place::new().await;
    place.recipe("child", "dm.put(str(budget()['thoughts']))").await;
    let lead = "\
def attempt(**more):
    try:
        coordinator.spawn(task='t', instructions='child', **more)
        dm.put(f\"spawned, {budget()['thoughts']} left\")
    except Exception as error:
        dm.put(f'{type(error).__name__}: {error}')
if not wakes:
    dm.put(str(budget()))
    attempt(name='a')
    attempt(name='b', budget=1000)
    attempt(name='c', budget={'thoughts': 0})
    attempt(name='d', budget={'days': 3})
    attempt(name='e', budget=5, tools=['no_such_tool'])
    attempt(name='f', budget={'thoughts': 6})
    attempt(name='f', budget=3)
    coordinator.fund('f', 2)
    dm.put(str(budget()['thoughts']))
";
    place.recipe("guide", lead).await;
    let mut spawn = ask("lead", "guide", Budget::thoughts(20));
    spawn.spaces = vec![SpaceAsk::whole("child", Level::Read)];
    let lead = place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    let said = place.texts(lead.dm).await;
    let parts = [
        "{'depth': None, 'money': None, 'seconds': None, 'spawns': None, 'thoughts': 19, 'tokens': None, \
         'turns': None}",
        "ValueError: you have 19 thoughts left, and a child's budget is taken out of yours: say \
         how many, budget={\"thoughts\": N}",
        "PermissionError: 1000 thoughts are more than the 19 you have left",
        "ValueError: a budget of 0 thoughts does not allow a single turn",
        "TypeError: budget= takes thoughts as a number, or a dict",
        "PermissionError: ",
        "spawned, 13 left",
        "you already use the name \"f\" for something else",
        "11",
    ];
    assert_eq!(said.len(), parts.len(), "{said:#?}");
    for (said, part) in said.iter().zip(parts) {
        assert!(said.contains(part), "{said:?} does not say {part:?}");
    }
    // A turn for the birth, and one for what its child said.
    let card = place.card("lead").await;
    assert_eq!((card.spent.thoughts, card.left), (4, Budget::thoughts(8)));
    let child = place.card("f").await;
    assert_eq!((child.spent.thoughts, child.left), (2, Budget::thoughts(6)));
    let parent = place.runtime.caller(lead.id);
    let heard = parent.search(child.dm, Query::default()).await.unwrap();
    // One of its six is the thought that this is; the two more come before it is asked, or after.
    let either = ["5", "7"].map(|it| Content::Text(it.into()));
    assert!(either.contains(&heard[0].read.atom.content), "{heard:?}");
    // Its parent and the root may hand it more, and nobody else; nor more of what has no end.
    let stranger = place.runtime.caller(child.id).fund("f", Budget::thoughts(1), None).await;
    assert!(matches!(stranger.unwrap_err().kind, ProblemKind::Forbidden | ProblemKind::Unknown));
    let endless = place.root.fund("f", both(1, 1), None).await.unwrap_err();
    assert_eq!(endless.text, "it has no limit in tokens, so nothing can be added");
    place.root.wipe_agent("f", "enough").await.unwrap();
    assert_eq!(place.card("lead").await.left, Budget::thoughts(14));
    assert_eq!(place.root.wipe_agent("lead", "enough").await.unwrap(), 1);
    let log = place.root.agent_log(&lead.id.to_string(), Position(0), 1_000).await.unwrap();
    let kinds: Vec<String> = log.into_iter().map(|it| it.kind).collect();
    let of = |kind: &str| kinds.iter().filter(|it| *it == kind).count();
    assert_eq!((of("budget.repaid"), of("budget.returned")), (1, 1));
    assert_eq!(of("budget.lent"), of("budget.arrived") + of("budget.bounced"));
}

/// Reports what each thought took.
#[derive(Clone)]
struct Metered(Arc<AtomicU64>);

impl Model for Metered {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        let tokens = self.0.load(Ordering::SeqCst);
        Box::pin(async move {
            let code = format!("dm.put('{} left')", context.left.tokens.unwrap_or(0));
            Ok(Thought { code: Some(code), tokens, ..Thought::default() })
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_as_the_model_reports_them() {
    let meter = Metered(Arc::new(AtomicU64::new(300)));
    let place = Place::with(Models::default().with("metered", meter.clone())).await;
    let spawn = |name: &str, tokens| SpawnAsk {
        task: "say how much is left".into(),
        name: Some(name.into()),
        model: Some("metered".into()),
        budget: Budget { tokens: Some(tokens), ..Budget::default() },
        ..SpawnAsk::default()
    };
    let even = place.root.spawn(spawn("even", 900)).await.unwrap();
    place.rest().await;
    let said = place.texts(even.dm).await;
    let spent = "budget: tokens = 900 is spent; hand me more, and I go on";
    assert_eq!(said, ["900 left", "600 left", "300 left", spent]);
    let card = place.card("even").await;
    assert_eq!((card.spent.thoughts, card.spent.tokens), (3, 900));
    // A thought that takes more than there is is not acted upon, and no more is spent than there was.
    let odd = place.root.spawn(spawn("odd", 700)).await.unwrap();
    place.rest().await;
    let said = place.texts(odd.dm).await;
    let over = "budget: tokens = 700 (a thought took 300, and 100 were left) is spent; hand me \
                more, and I go on";
    assert_eq!(said, ["700 left", "400 left", over]);
    let card = place.card("odd").await;
    assert_eq!(
        (card.state.as_str(), card.spent.tokens, card.left.tokens),
        ("exhausted", 700, Some(0))
    );
}

/// What an agent of this recipe says under this budget, and how it is then.
async fn under(code: &str, budget: Budget, words: &[&str]) -> (Vec<String>, AgentCard) {
    let place = Place::new().await;
    place.recipe("how", code).await;
    let mut spawn = ask("one", "how", budget);
    spawn.spaces = vec![SpaceAsk::whole("how", Level::Read)];
    let agent = place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    for word in words {
        place.root.say("one", word).await.unwrap();
        place.rest().await;
    }
    let said = place.texts(agent.dm).await;
    (said, place.card("one").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_are_counted_and_a_turn_that_has_begun_is_ended() {
    let budget = Budget { turns: Some(2), ..Budget::default() };
    let (said, card) = under("dm.put('here')", budget, &["once", "twice", "more"]).await;
    let spent = "budget: turns = 2 is spent; hand me more, and I go on";
    assert_eq!(said, ["here", "once", "here", "twice", spent, "more"]);
    assert_eq!((card.turns, card.spent.turns, card.left.turns), (2, 2, Some(0)));
    assert_eq!((card.state.as_str(), card.spent.thoughts), ("exhausted", 4));
}

const SPAWNS: &str = "
def attempt(**more):
    try:
        coordinator.spawn(task='sleep', instructions='how', **more)
        dm.put('spawned')
    except Exception as error:
        dm.put(f'{type(error).__name__}: {error}')
if len(wakes) == 0:
    attempt(name='a', budget={'spawns': 0})
    attempt(name='b', budget={'spawns': 9})
    attempt(name='c', budget={'spawns': 0})
";

#[tokio::test(flavor = "multi_thread")]
async fn who_may_bring_up_so_many_brings_up_no_more() {
    let budget = Budget { spawns: Some(1), ..Budget::default() };
    let (said, card) = under(SPAWNS, budget, &[]).await;
    let no_more = "PermissionError: you may bring up no more agents: the spawns of your budget";
    assert_eq!(said[0], "spawned");
    assert!(said[1].starts_with(no_more) && said[2].starts_with(no_more), "{said:?}");
    assert_eq!((card.spent.spawns, card.left.spawns), (1, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_is_one_less_in_each_generation() {
    let code = "
if len(wakes) == 0:
    dm.put(str(budget()['depth']))
    try:
        coordinator.spawn(task='sleep', instructions='how', name='below')
        dm.put('spawned')
    except Exception as error:
        dm.put(f'{type(error).__name__}: {error}')
";
    let leaf = Budget { depth: Some(0), ..Budget::default() };
    let (said, _) = under(code, leaf, &[]).await;
    let said = said.join("|");
    assert!(said.contains("0|PermissionError: you may bring up no agents"), "{said}");
    let place = Place::new().await;
    place.recipe("how", code).await;
    let mut spawn = ask("one", "how", Budget { depth: Some(1), ..Budget::default() });
    spawn.spaces = vec![SpaceAsk::whole("how", Level::Read)];
    let one = place.root.spawn(spawn).await.unwrap();
    place.rest().await;
    assert_eq!(place.texts(one.dm).await[..2], ["1", "spawned"]);
    let below = place.card("below").await;
    assert_eq!(below.left.depth, Some(0));
    let query = Query { limit: 100, ..Query::default() };
    let said = place.runtime.caller(one.id).search(below.dm, query).await.unwrap();
    assert_eq!(said[0].read.atom.content, Content::Text("0".into()));
    assert!(place.root.fund("below", leaf, None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_takes_no_more_time_than_there_is() {
    let budget = Budget { ms: Some(300), ..Budget::default() };
    let began = std::time::Instant::now();
    let (said, card) = under("n = 0\nwhile True:\n    n += 1", budget, &[]).await;
    assert_eq!(said, ["budget: seconds = 0.3 is spent; hand me more, and I go on"]);
    assert_eq!((card.spent.ms, card.left.ms), (300, Some(0)));
    assert!(began.elapsed().as_secs() < 4, "{:?}", began.elapsed());
}
