//! Agents: sessions with an actor that thinks, acts and is woken.
//!
//! What an agent decides is [`stoa_actors::session`]; here is what it asks to be done outside. A
//! `Executor` thinks by a model and acts by the sandbox, and `wakes` tell it of what is new. All
//! of it stands still until [`Runtime::start_agents`]: a process that only reads runs nobody.

mod act;
mod around;
mod budget;
mod context;
mod control;
mod cost;
mod failed;
mod found;
mod incidents;
mod known;
mod live;
mod log;
mod obligations;
mod past;
mod say;
mod sessions;
mod shown;
mod spawn;
mod subtree;
mod think;
mod told;
mod trace;
mod wakes;
mod why;
mod woken;

pub use control::AgentCard;
pub use cost::{CostBy, CostOf, CostSum, Costs};
pub use incidents::{Incident, Wrong};
pub use log::AgentEvent;
pub use log::Sighting;
pub use say::SayWhen;
pub use sessions::SessionCard;
pub use shown::{ShownMessage, ShownRole};
pub use spawn::{SpaceAsk, SpawnAsk};
pub use subtree::Subtree;
pub use trace::{SpanReader, TracedSpan, WordsTold};
pub(crate) use wakes::Wakes;
pub use why::{AtomOrigin, Source, SourceKind};
pub use woken::Woken;

use context::At;
use incidents::Incidents;
use known::Known;
use think::{sum_up, think};
use told::Told;

use crate::blocking::blocking;
use crate::failure::StoreError;
use crate::host::{ActorAddress, Boxed, Change, Nothing, Perform, Shared};
use crate::live::LiveChannels;
use crate::model::{Model, RECIPE};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::{Begin, Kinds, Part, Runtime, WeakRuntime};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use stoa_actors::behaviour::{Behaviour, EffectId};
use stoa_actors::id::{Millis, ROOT, SessionId, StreamId};
use stoa_actors::incarnation::Request;
use stoa_actors::rights::Subject;
use stoa_actors::session::{Billing, Effect, Event, LedgerEntry, Message, Session, Settlement};
use stoa_actors::space::{self, Mutation, Space};
use tokio::sync::watch;

/// What all agents of a runtime share.
pub(crate) struct Agents {
    started: watch::Sender<bool>,
    pub(crate) wakes: Wakes,
    incidents: Incidents,
    told: Told,
    live: LiveChannels,
    /// Bytes that are kept of what agents went through.
    kept_bytes: Arc<AtomicUsize>,
}

impl Part for Agents {}

impl Begin for Agents {
    fn begin(_: &Shared) -> Agents {
        let (started, incidents) = (watch::Sender::new(false), Incidents::default());
        let (told, live, kept_bytes) = (Told::default(), LiveChannels::default(), Arc::default());
        Agents { started, wakes: Wakes::default(), incidents, told, live, kept_bytes }
    }
}

impl Runtime {
    fn agents(&self) -> Arc<Agents> {
        self.part()
    }

    /// The actor of an agent.
    pub fn agent(&self, session: SessionId) -> Result<Arc<ActorAddress<Session>>, StoreError> {
        self.actor_with(session.stream(), Arc::new(Executor::new(self, session)))
    }

    /// Whether [`Runtime::start_agents`] was called.
    pub fn agents_started(&self) -> bool {
        *self.agents().started.borrow()
    }

    /// What an agent is doing that is in a turn: a turn stands still where no process runs it.
    pub fn in_a_turn(&self) -> &'static str {
        if self.agents_started() { "running" } else { "suspended" }
    }

    /// Lets agents live: goes on with the turns that a crash has cut off, and wakes everyone who has
    /// missed something. Again is harmless.
    pub async fn start_agents(&self) -> Result<(), Problem> {
        if self.agents().started.send_replace(true) {
            return Ok(());
        }
        let mut agents: BTreeSet<SessionId> = self.shared().rights.read().agents().collect();
        // Who has ended may still owe what it had left.
        let store = self.store().clone();
        let owing = blocking(move || {
            let mut sessions = Vec::new();
            for stream in store.owing()? {
                if store.kind_of(stream)?.as_deref() == Some(Session::KIND) {
                    sessions.push(SessionId(stream.0));
                }
            }
            Ok::<_, StoreError>(sessions)
        });
        agents.extend(owing.await??);
        self.clone().listen(agents).await
    }

    fn model(&self, session: SessionId, name: &str) -> Result<Arc<dyn Model>, String> {
        let model = self.shared().config.models.find(name)?;
        let subject = Subject::Model(name.to_owned());
        self.needs_trust(&subject).map_err(|problem| problem.text)?;
        if name != RECIPE && !self.caller(session).holds(&subject) {
            return Err(format!("the right to use model {name:?} is gone"));
        }
        Ok(model)
    }
}

/// The kinds of actor that agents and their spaces are.
pub(crate) fn kinds() -> Kinds {
    let hand = |runtime: &Runtime, stream: StreamId| -> Arc<dyn Perform<Session>> {
        Arc::new(Executor::new(runtime, SessionId(stream.0)))
    };
    Kinds::default()
        .performed::<Session>(hand)
        .prepared::<Space>(|_, _| Arc::new(Nothing), embedded)
}

/// What is put into a space by a message is found there by its meaning as well.
fn embedded(
    runtime: Runtime,
    ask: Request<space::Message>,
) -> Boxed<'static, Request<space::Message>> {
    Box::pin(async move {
        let message = match ask.message {
            space::Message::Change(Mutation::Put(draft)) => {
                let draft = runtime.caller(ROOT).embedded(*draft).await;
                space::Message::put(draft)
            }
            message => message,
        };
        Request { message, ..ask }
    })
}

/// Does what one agent asks for.
#[derive(Clone)]
struct Executor {
    runtime: WeakRuntime,
    session: SessionId,
    started: watch::Receiver<bool>,
    known: Arc<Known>,
}

impl Executor {
    fn new(runtime: &Runtime, session: SessionId) -> Executor {
        let started = runtime.agents().started.subscribe();
        let known = Arc::new(Known::new(runtime.agents().kept_bytes.clone()));
        Executor { runtime: runtime.downgrade(), session, started, known }
    }
}

impl Perform<Session> for Executor {
    fn quarantined(&self, why: &str) {
        if let Some(runtime) = self.runtime.upgrade() {
            runtime.agents().incidents.quarantined(self.session, why);
            runtime.shared().spawner.spawn(self.clone().tell_of_quarantine(why.to_owned()));
        }
    }

    fn led_astray(&self) {
        self.known.forget();
    }

    fn happened(&self, events: &[Event]) {
        self.known.happened(events);
        if let Some(runtime) = self.runtime.upgrade() {
            let agents = runtime.agents();
            agents.live.happened(self.session, events);
            if events.iter().any(incidents::is_one) {
                agents.incidents.happened(self.session, events);
            }
        }
        if let ([Event::Born(_), ..], Some(runtime)) = (events, self.runtime.upgrade()) {
            runtime.agents().wakes.know(self.session, &self.known);
        }
        let changes = |event: &Event| match event {
            Event::Born(charter) => charter
                .follows
                .iter()
                .map(|(space, _)| Change::Follow(*space, self.session))
                .collect(),
            Event::FollowSet { space, .. } => vec![Change::Follow(*space, self.session)],
            Event::Unfollowed(space) => vec![Change::Unfollow(*space, self.session)],
            Event::Wiped { .. } => vec![Change::Gone(self.session)],
            // It may go on, and whoever waits for it to be at rest waits for that.
            Event::Booked(LedgerEntry::Funded { .. }) => vec![Change::Look(self.session)],
            // It may be at rest now.
            Event::LetGo(_) | Event::Booked(LedgerEntry::Settled(Settlement::Returned)) => {
                vec![Change::Look(self.session)]
            }
            _ => Vec::new(),
        };
        let changes: Vec<Change> = events.iter().flat_map(changes).collect();
        if !changes.is_empty()
            && let Some(runtime) = self.runtime.upgrade()
        {
            runtime.shared().followers.change(changes);
        }
    }

    fn perform(&self, id: EffectId, effect: Effect) -> Boxed<'static, Option<Message>> {
        let (runtime, session) = (self.runtime.clone(), self.session);
        let (mut started, known) = (self.started.clone(), self.known.clone());
        if let (Effect::Listen(then), Some(runtime)) = (&effect, runtime.upgrade()) {
            known.looks(then.clone());
            runtime.agents().wakes.know(session, &known);
        }
        // Many agents wait here, so what only runs in the end is put aside until it does.
        Box::pin(async move {
            // What it gives back it gives back wherever its end is typed.
            if !matches!(effect, Effect::LetGo { .. }) {
                started.wait_for(|it| *it).await.ok()?;
            }
            match effect {
                Effect::LetGo { since, until } => {
                    Box::pin(let_go(&runtime, session, since..=until)).await?;
                    Some(Message::LetGone(id))
                }
                Effect::Wait { turn, since, until } => {
                    Box::pin(let_go(&runtime, session, since..=until)).await?;
                    let now = runtime.upgrade()?.now();
                    tokio::time::sleep(Duration::from_millis(until.0.saturating_sub(now.0))).await;
                    Some(Message::Retry { turn })
                }
                Effect::Listen(_) => {
                    runtime.upgrade()?.wake_up(session);
                    None
                }
                Effect::Think { turn, step, brief, attempt, not_before } => {
                    let now = runtime.upgrade()?.now();
                    let wait = not_before.0.saturating_sub(now.0);
                    if wait > 0 {
                        tokio::time::sleep(Duration::from_millis(wait)).await;
                    }
                    let at = At { session, turn, step, attempt, brief, sums_up: false };
                    let thought = Box::pin(think(&runtime.upgrade()?, at, &known)).await;
                    Some(match thought {
                        Ok(thought) => {
                            let (thought, briefing) = thought?;
                            Message::Think { turn, step, attempt, thought, briefing }
                        }
                        Err(error) => error.message(turn, step, attempt),
                    })
                }
                Effect::Compact { of, brief, attempt, not_before, by_model, again } => {
                    let (turn, step) = of;
                    let now = runtime.upgrade()?.now();
                    let wait = not_before.0.saturating_sub(now.0);
                    if by_model && wait > 0 {
                        tokio::time::sleep(Duration::from_millis(wait)).await;
                    }
                    let at = At { session, turn, step, attempt, brief, sums_up: true };
                    let runtime = runtime.upgrade()?;
                    let summary = sum_up(&runtime, at, by_model, again, &known);
                    Some(match Box::pin(summary).await {
                        Ok(summary) => {
                            let (thought, since) = summary?;
                            Message::SumUp { turn, step, attempt, thought, since }
                        }
                        Err(error) => error.message(turn, step, attempt),
                    })
                }
                Effect::Act { turn, step, .. } => {
                    let runtime = runtime.upgrade()?;
                    match Box::pin(act::act(&runtime, session, effect)).await {
                        Ok(observation) => Some(Message::Observe { turn, step, observation }),
                        // The store: what is owed is owed again after the next open.
                        Err(problem) if problem.kind == ProblemKind::Store => None,
                        Err(problem) => Some(Message::Fail {
                            turn,
                            step,
                            attempt: None,
                            why: problem.text,
                            billing: Billing::NotMade,
                        }),
                    }
                }
                // Messages, which the host delivers.
                Effect::Tell { .. }
                | Effect::Spawn(_)
                | Effect::Send(_)
                | Effect::Return { .. } => None,
            }
        })
    }
}

/// Gives back what an agent that failed has leased within that time. Nothing if the store does not
/// say what that is, or has stopped: then it is owed still.
async fn let_go(
    runtime: &WeakRuntime,
    session: SessionId,
    within: RangeInclusive<Millis>,
) -> Option<()> {
    let runtime = runtime.upgrade()?;
    match runtime.let_go(session, within).await {
        Ok(()) => Some(()),
        Err(problem) => {
            tracing::warn!(%session, %problem, "what an agent has leased is not given back");
            None
        }
    }
}
