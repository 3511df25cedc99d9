//! Agents: sessions with an actor that thinks, acts and is woken.
//!
//! What an agent decides is [`stoa_actors::session`]; here is what it asks to be done outside. A
//! `Hand` thinks by a model and acts by the sandbox, and `wakes` tell it of what is new. All
//! of it stands still until [`Runtime::start_agents`]: a process that only reads runs nobody.

mod act;
mod budget;
mod context;
mod govern;
mod life;
mod log;
mod spawn;
mod wakes;

pub use govern::AgentCard;
pub use log::Happening;
pub use spawn::{SpaceAsk, SpawnAsk};
pub(crate) use wakes::Wakes;

use crate::caller::Why;
use crate::failure::StoreError;
use crate::model::{Model, RECIPE};
use crate::problem::{Kind, Problem};
use crate::runtime::{Runtime, WeakRuntime};
use crate::seat::{Boxed, Perform, Seat};
use crate::tool::Tool;
use crate::turnstile::Turnstile;
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::atom::Content;
use stoa_actors::behaviour::EffectId;
use stoa_actors::id::SessionId;
use stoa_actors::incarnation::Ask;
use stoa_actors::rights::{self, Subject};
use stoa_actors::session::{Budget, Charter, Effect, Letter, Message, Session, Thought};
use stoa_actors::space::Draft;
use tokio::sync::watch;

/// What all agents of a runtime share.
pub(crate) struct Agents {
    started: watch::Sender<bool>,
    pub(crate) wakes: Wakes,
    /// Held while an agent's spawn is on its way.
    pub(crate) lending: Turnstile,
}

impl Agents {
    pub(crate) fn new() -> Agents {
        let (started, lending) = (watch::Sender::new(false), Turnstile::default());
        Agents { started, wakes: Wakes::default(), lending }
    }
}

impl Runtime {
    /// The actor of an agent.
    pub(crate) fn agent(&self, session: SessionId) -> Result<Arc<Seat<Session>>, StoreError> {
        let hand =
            Hand { runtime: self.downgrade(), session, started: self.agents().started.subscribe() };
        self.actor_with(session.stream(), Arc::new(hand))
    }

    /// Whether [`Runtime::start_agents`] was called.
    pub fn agents_started(&self) -> bool {
        *self.agents().started.borrow()
    }

    /// Lets agents live: finishes the births that a crash has cut off, goes on with turns that it
    /// has, and wakes everyone who has missed something. Again is harmless.
    pub async fn start_agents(&self) -> Result<(), Problem> {
        if self.agents().started.send_replace(true) {
            return Ok(());
        }
        self.ring_on();
        let owed: Vec<_> = {
            let rights = self.shared().rights.read();
            rights.chartered().collect()
        };
        for (child, charter, budget) in owed {
            self.begin(child, charter, budget).await?;
        }
        let agents: Vec<SessionId> = self.shared().rights.read().agents().collect();
        self.clone().listen(agents).await
    }

    /// Whether a right that the log holds takes effect on this machine: what reaches outside the
    /// directory does only where the directory is trusted.
    pub fn takes_effect(&self, subject: &Subject) -> bool {
        self.shared().config.host_grants.cover(subject)
    }

    /// The same as a refusal that says what to do.
    pub(crate) fn needs_trust(&self, subject: &Subject) -> Result<(), Problem> {
        if self.takes_effect(subject) {
            return Ok(());
        }
        let text = format!("{subject} is not used here: {NOT_TRUSTED}");
        Err(Problem::new(Kind::Forbidden, text).hint("stoa trust"))
    }

    /// Which tool goes by that name.
    pub(crate) fn tool(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.shared().config.tools.get(name)
    }

    fn model(&self, session: SessionId, name: &str) -> Result<Arc<dyn Model>, String> {
        let model = self.shared().config.models.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.shared().config.models.names().collect();
            format!("model {name:?} is not configured here; there are: {}", known.join(", "))
        })?;
        let subject = Subject::Model(name.to_owned());
        self.needs_trust(&subject).map_err(|problem| problem.text)?;
        if name != RECIPE && !self.caller(session).holds(&subject) {
            return Err(format!("the right to use model {name:?} is gone"));
        }
        Ok(model)
    }
}

/// Does what one agent asks for.
#[derive(Clone)]
struct Hand {
    runtime: WeakRuntime,
    session: SessionId,
    started: watch::Receiver<bool>,
}

/// Why a right that is in the log has no effect.
const NOT_TRUSTED: &str = "the directory is not trusted on this machine";

impl Perform<Session> for Hand {
    fn quarantined(&self, why: &str) {
        if let Some(runtime) = self.runtime.upgrade() {
            runtime.shared().spawner.spawn(self.clone().tell_of_quarantine(why.to_owned()));
        }
    }

    fn perform(&self, id: EffectId, effect: Effect) -> Boxed<'static, Option<Message>> {
        let (runtime, session) = (self.runtime.clone(), self.session);
        let mut started = self.started.clone();
        Box::pin(async move {
            started.wait_for(|it| *it).await.ok()?;
            match effect {
                Effect::Wait { turn, until } => {
                    let now = runtime.upgrade()?.now();
                    tokio::time::sleep(Duration::from_millis(until.0.saturating_sub(now.0))).await;
                    Some(Message::Retry { turn })
                }
                Effect::Listen => {
                    runtime.upgrade()?.wake_up(session);
                    None
                }
                Effect::Think { turn, step } => {
                    let thought = think(&runtime.upgrade()?, session, turn, step).await;
                    Some(match thought {
                        Ok(thought) => Message::Think { turn, step, thought },
                        Err(why) => Message::Fail { turn, why },
                    })
                }
                Effect::Act { turn, step, .. } => {
                    let runtime = runtime.upgrade()?;
                    match act::act(&runtime, session, effect).await {
                        Ok(observation) => Some(Message::Observe { turn, step, observation }),
                        // The store: what is owed is owed again after the next open.
                        Err(problem) if problem.kind == Kind::Store => None,
                        Err(problem) => Some(Message::Fail { turn, why: problem.text }),
                    }
                }
                Effect::Tell { dm, letter } => {
                    let runtime = runtime.upgrade()?;
                    tell(&runtime, session, id, dm, letter).await.then_some(Message::Told(id))
                }
                Effect::Send(_) | Effect::Return { .. } => {
                    transfer(&runtime.upgrade()?, session, id, effect).await
                }
            }
        })
    }
}

async fn think(
    runtime: &Runtime,
    session: SessionId,
    turn: u64,
    step: u32,
) -> Result<Thought, String> {
    let context = context::context(runtime, session, turn, step).await.map_err(|it| it.text)?;
    let model = runtime.model(session, &context.model)?;
    let limit = Duration::from_millis(runtime.shared().config.model_ms_max);
    match tokio::time::timeout(limit, model.think(context.told)).await {
        Ok(thought) => thought.map_err(|error| error.0),
        Err(_) => Err(format!("the model said nothing for {} ms", limit.as_millis())),
    }
}

/// Brings a transfer to its end. One that cannot be now is owed still, and made with the next open.
async fn transfer(
    runtime: &Runtime,
    session: SessionId,
    id: EffectId,
    effect: Effect,
) -> Option<Message> {
    let config = &runtime.shared().config;
    for _ in 0..config.letter_tries_max {
        match runtime.transfer(session, id, effect.clone()).await {
            Ok(message) => return message,
            Err(problem) if problem.kind == Kind::Busy => {
                tokio::time::sleep(Duration::from_millis(config.letter_wait_ms)).await;
            }
            Err(problem) => {
                tracing::warn!(%session, %problem, "a part of a budget is still on its way");
                return None;
            }
        }
    }
    None
}

/// Puts a letter into the DM space. Whether it is there, or never can be.
async fn tell(
    runtime: &Runtime,
    session: SessionId,
    id: EffectId,
    dm: stoa_actors::id::SpaceId,
    letter: Letter,
) -> bool {
    let draft = Draft {
        content: Content::Text(letter.text),
        metadata: [("kind".to_owned(), letter.subject.as_str().into())].into(),
        ..Draft::default()
    };
    let comment = letter.subject;
    let why =
        Why { comment, key: Some(format!("letter-{id}")), cause: letter.cause, fences: Vec::new() };
    let config = &runtime.shared().config;
    for _ in 0..config.letter_tries_max {
        match runtime.caller(session).put(dm, draft.clone(), why.clone()).await {
            Ok(_) => return true,
            Err(problem) if problem.kind == Kind::Busy => {
                tokio::time::sleep(Duration::from_millis(config.letter_wait_ms)).await;
            }
            Err(problem) if problem.kind == Kind::Store => return false,
            Err(problem) => {
                tracing::warn!(%session, %problem, "a letter has no space to go to");
                return true;
            }
        }
    }
    false
}

impl Runtime {
    /// The second half of a spawn; the first is in the rights.
    pub(crate) async fn begin(
        &self,
        child: SessionId,
        charter: Arc<Charter>,
        budget: Budget,
    ) -> Result<(), Problem> {
        let follows: Vec<_> = charter.follows.iter().map(|(space, _)| *space).collect();
        let begin = Message::Begin(charter.clone(), budget);
        self.agent(child)?.ask(Ask::new(charter.parent, begin).comment("begin")).await?;
        self.follow_all(child, follows);
        self.wake_up(child);
        let confirm = rights::Message::ConfirmBirth { session: child };
        self.rights().ask_aside(Ask::new(child, confirm).comment("begun")).await?;
        Ok(())
    }
}
