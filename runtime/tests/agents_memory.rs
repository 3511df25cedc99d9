//! A session of 400 turns whose window is made anew again and again: of 50 things that its agent owes or
//! is owed, 50 are told to its model after each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use stoa::agents::{SpaceAsk, SpawnAsk};
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::session::{Thought, thought};
use stoa_actors::space::Draft;
use stoa_actors::trust::HostGrants;
use stoa_actors::window::{WindowMessage, window};

const WINDOW: usize = 64 << 10;
const TURNS: usize = 400;

/// What it does first, so that it owes and is owed something of each kind.
const OWES: &str = "
for n in range(10):
    space.claim(metadata={'status': 'open'}, set={'status': 'doing'}, lease='1h')
    space.acquire(f'lease {n}', lease='1h')
    space.put(f'promise {n}', metadata={'promise': 'open'})
plans = coordinator.create_space('plans')
plans.put('`' * 3 + 'python\\npass\\n' + '`' * 3)
for n in range(10):
    child = coordinator.spawn('wait', name=f'child{n}', model='recipe', instructions='plans')
    if n < 5:
        child.dm.put(f'asked {n}')
print('all is owed')
";

/// What of it stands in a text.
fn owed_in(text: &str) -> usize {
    let of = |what: &str, count: usize| {
        (0..count).filter(|n| text.contains(&format!("{what}{n}"))).count()
    };
    of("task ", 10)
        + of("lease ", 10)
        + of("promise ", 10)
        + of("child child", 10)
        + of("asked ", 5)
        + of("question ", 5)
}

/// Sees a kibibyte in each turn, and says nothing to anybody.
#[derive(Clone, Default)]
struct Keeper {
    /// What it was told that it owes, each time its window was made anew.
    told: Arc<Mutex<Vec<usize>>>,
}

impl Model for Keeper {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async move {
            let told = window(&context);
            if context.sums_up.is_some() {
                return Ok(Thought { text: "It goes on.".to_owned(), ..Thought::default() });
            }
            let text = |it: &WindowMessage| match it {
                WindowMessage::Told(text) => text.clone(),
                WindowMessage::Said(thought) => thought.code.clone().unwrap_or_default(),
                WindowMessage::Observed(observation) => observation.text.clone(),
            };
            let all: Vec<String> = told.messages.iter().map(text).collect();
            let bytes: usize = told.system.iter().chain(&all).map(String::len).sum();
            if bytes > WINDOW {
                return Err(ModelError::full("the window is full"));
            }
            if context.briefing.front && context.past.summary().is_some() {
                self.told.lock().push(owed_in(&all[0]));
            }
            Ok(match (context.turn, context.step) {
                (1, 1) => thought(&format!("```python\n{OWES}\n```")),
                (_, 1) => thought("```python\nprint('word ' * 280)\n```"),
                _ => Thought::default(),
            })
        })
    }

    fn window_bytes(&self) -> Option<usize> {
        Some(WINDOW)
    }
}

async fn put(caller: &Caller, space: SpaceId, text: &str, open: bool) {
    let metadata = open.then(|| ("status".to_owned(), "open".into()));
    let draft = Draft {
        content: Content::Text(text.into()),
        metadata: metadata.into_iter().collect(),
        ..Draft::default()
    };
    caller.put(space, draft, WriteOptions::comment(text)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_an_agent_owes_nothing_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::at(directory.path());
    let keeper = Keeper::default();
    config.models = Models::default().with("keeper", keeper.clone());
    config.host_grants = HostGrants::Live;
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    // It changes nothing in its turns, and is not to rest for that.
    (config.limits.session.rest_first_ms, config.limits.session.rest_ms_max) = (0, 0);
    let runtime = stoa::open(config).await.unwrap();
    runtime.start_agents().await.unwrap();
    let root = runtime.caller(ROOT);
    let work = root.create_space("work", "what is to be done").await.unwrap();
    let news = root.create_space("news", "what happens").await.unwrap();
    for n in 0..10 {
        put(&root, work, &format!("task {n}"), true).await;
    }
    let ask = SpawnAsk {
        task: "Keep an eye on it.".into(),
        name: Some("keeper".into()),
        model: Some("keeper".into()),
        spaces: vec![SpaceAsk::to_use("work", Level::Write), SpaceAsk::to_use("news", Level::Read)],
        follows: vec!["news".into()],
        ..SpawnAsk::default()
    };
    root.spawn(ask).await.unwrap();
    let rest = || tokio::time::timeout(Duration::from_secs(60), runtime.at_rest());
    rest().await.unwrap();
    for n in 0..5 {
        root.say("keeper", &format!("question {n}")).await.unwrap();
    }
    rest().await.unwrap();
    for n in 0..TURNS {
        put(&root, news, &format!("news {n}"), false).await;
        rest().await.unwrap();
    }
    let log = root.agent_log("keeper", Position(0), usize::MAX).await.unwrap();
    let failed: Vec<_> = log.iter().filter(|it| it.kind == "turn.failed").collect();
    assert!(failed.is_empty(), "{failed:?}");
    let wrong = log.iter().find(|it| it.text.contains("Traceback"));
    assert_eq!(wrong, None);
    let told = keeper.told.lock().clone();
    assert!(told.len() >= 10, "{told:?}");
    assert!(told.iter().all(|it| *it == 50), "{told:?}");
    runtime.stop().await.unwrap();
}
