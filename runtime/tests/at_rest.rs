//! A hundred thousand actors at rest: none of them has an incarnation, and any one wakes, knows what
//! it knew and goes on; also after a restart.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use stoa::agents::SpawnAsk;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::host::Boxed;
use stoa::model::{Context, Model, ModelError, Models};
use stoa::runtime::Runtime;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT, SessionId, SpaceId};
use stoa_actors::session::Thought;
use stoa_actors::space::{Draft, Expect, Patch};
use stoa_actors::trust::HostGrants;

/// Each agent is two actors: its session, and the space that it shares with its parent.
const AGENTS: usize = 50_000;
/// Actors that may be up at a time.
const ADDRESSES: usize = 64;
/// Of the agents so many are woken after each opening, from all over.
const WOKEN: usize = 400;

/// Says nothing, and counts who thought how often.
#[derive(Clone, Default)]
struct Silent(Arc<Mutex<BTreeMap<SessionId, u64>>>);

impl Model for Silent {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        *self.0.lock().unwrap().entry(context.session).or_default() += 1;
        Box::pin(async { Ok(Thought::default()) })
    }
}

async fn open(config: &Config) -> Runtime {
    loop {
        match stoa::open(config.clone()).await {
            // The tasks of the runtime before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => {
                let runtime = opened.unwrap();
                runtime.start_agents().await.unwrap();
                runtime.at_rest().await;
                return runtime;
            }
        }
    }
}

/// Brings them all up, many at a time; each one's session, and the space that it shares.
async fn bring_up(runtime: &Runtime) -> Vec<(SessionId, SpaceId)> {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..128 {
        let root = runtime.caller(ROOT);
        tasks.spawn(async move {
            let mut born = Vec::new();
            for _ in (n..AGENTS).step_by(128) {
                let (task, model) = ("stand by".to_owned(), Some("silent".to_owned()));
                let card = root.spawn(SpawnAsk { task, model, ..SpawnAsk::default() }).await;
                let card = card.unwrap();
                born.push((card.id, card.dm));
            }
            born
        });
    }
    let mut all = Vec::new();
    while let Some(born) = tasks.join_next().await {
        all.extend(born.unwrap());
    }
    runtime.at_rest().await;
    all
}

/// Lets go of every address that nobody uses.
async fn put_away(runtime: &Runtime) {
    while runtime.addresses() > ADDRESSES {
        tokio::task::yield_now().await;
    }
}

/// A word to each, which is a turn of it; and a change of a space, which it still knows.
async fn wake(root: &Caller, some: &[(SessionId, SpaceId)], known: &mut BTreeMap<SpaceId, AtomId>) {
    for (agent, dm) in some {
        root.say(&agent.to_string(), "go on").await.unwrap();
        match known.get(dm) {
            None => {
                let draft = Draft { content: Content::Text("noted".into()), ..Draft::default() };
                let put = root.put(*dm, draft, WriteOptions::default()).await.unwrap();
                known.insert(*dm, put.id);
            }
            Some(id) => {
                let patch = Patch { annotation: Some("again".into()), ..Patch::default() };
                let written =
                    root.update(*id, Expect::Version(1), patch, WriteOptions::default()).await;
                assert_eq!(written.unwrap().version, 2, "{dm} knows what it held");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_are_at_rest_and_any_one_wakes() {
    let (directory, silent) = (tempfile::tempdir().unwrap(), Silent::default());
    let mut config = Config::at(directory.path());
    config.models = Models::default().with("silent", silent.clone());
    config.host_grants = HostGrants::Live;
    (config.addresses_max, config.passivate_idle_ms) = (ADDRESSES, 10);
    config.limits.session.rest_first_ms = 1;
    config.limits.session.rest_ms_max = 1;
    let runtime = open(&config).await;
    let all = bring_up(&runtime).await;
    put_away(&runtime).await;
    assert_eq!(all.len(), AGENTS);
    assert_eq!(silent.0.lock().unwrap().len(), AGENTS, "each has had its first turn");
    let some: Vec<_> = all.iter().step_by(AGENTS / WOKEN).copied().collect();
    let mut known = BTreeMap::new();
    wake(&runtime.caller(ROOT), &some, &mut known).await;
    runtime.at_rest().await;
    let turns = |silent: &Silent| -> Vec<u64> {
        let turns = silent.0.lock().unwrap();
        some.iter().map(|(agent, _)| turns[agent]).collect()
    };
    assert!(turns(&silent).iter().all(|it| *it >= 2), "each that was spoken to has thought");
    let idle = |silent: &Silent| {
        let turns = silent.0.lock().unwrap();
        all.iter().filter(|(agent, _)| turns[agent] == 1).count()
    };
    assert_eq!(idle(&silent), AGENTS - some.len(), "and nobody else");
    put_away(&runtime).await;
    runtime.stop().await.unwrap();
    drop(runtime);

    let before = turns(&silent);
    let runtime = open(&config).await;
    assert_eq!(turns(&silent), before, "an opening wakes nobody who has seen it all");
    wake(&runtime.caller(ROOT), &some, &mut known).await;
    runtime.at_rest().await;
    let more = turns(&silent).iter().zip(&before).all(|(now, before)| now > before);
    assert!(more, "each that was spoken to has thought again");
    assert_eq!(idle(&silent), AGENTS - some.len(), "and nobody else");
    put_away(&runtime).await;
    runtime.stop().await.unwrap();
}
