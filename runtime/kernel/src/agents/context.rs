//! What a model is told at a step: what the agent is, what happened in the turn, and the spaces as
//! they are now.

use super::known::{Known, Past};
use super::told;
use crate::caller::Caller;
use crate::caller::Found;
use crate::model::{Card, Context, Exchange};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Runtime;
use crate::session::{Methods, On, SpaceGrant, near};
use std::sync::Arc;
use stoa_actors::atom::Content;
use stoa_actors::id::{ROOT, SessionId, SpaceId};
use stoa_actors::incarnation::{self, Request};
use stoa_actors::rights::Subject;
use stoa_actors::search::{Query, SearchOrder};
use stoa_actors::session::{Brief, Event, Message, Reply, Session};

/// What is thought about.
pub(super) struct At {
    pub(super) session: SessionId,
    pub(super) turn: u64,
    pub(super) step: u32,
    pub(super) brief: Brief,
}

/// The state of an agent, as it will be once everything it has decided is durable.
pub(super) async fn state(runtime: &Runtime, session: SessionId) -> Result<Box<Session>, Problem> {
    let look = Request::new(ROOT, Message::Look);
    match runtime.agent(session)?.ask(look).await?.reply {
        Reply::State(state) => Ok(state),
        reply => Err(Problem::new(ProblemKind::Store, format!("an unexpected answer: {reply:?}"))),
    }
}

pub(super) async fn context(runtime: &Runtime, at: At, known: &Known) -> Result<Context, Problem> {
    let At { session, turn, step, brief } = at;
    let charter = &brief.charter;
    let nearest = charter.first.into_iter().chain([charter.dm]);
    let nearest = nearest.chain(brief.wakes.iter().map(|it| it.space)).collect();
    let caller = runtime.caller(session);
    let to_read = ToRead { turn, instructed: charter.instructions, nearest };
    let steps = known.steps(turn);
    let Around { instructions, steps, spaces, more_spaces } = match to_read.known(&caller, &steps) {
        Some(around) => around,
        // In one go: each is a way to another thread and back.
        None => {
            let (around, past) = caller.reading(move |it| to_read.read(it, steps)).await?;
            past.into_iter().for_each(|it| known.keep(it));
            around
        }
    };
    let alias = |space| {
        let known = spaces.iter().find(|it| it.id == space);
        known.map_or_else(|| space.to_string(), |it| it.alias.clone())
    };
    Ok(Context {
        session,
        turn,
        step,
        task: charter.task.clone(),
        instructions: instructions.to_vec(),
        reference: reference(runtime),
        tools: tools(runtime, session),
        wakes: brief.wakes.iter().map(|it| (alias(it.space), it.clone())).collect(),
        steps,
        left: brief.left,
        spaces,
        more_spaces,
    })
}

/// What code can call, a signature a line: of a space, then of `coordinator`.
fn reference(runtime: &Runtime) -> Arc<str> {
    runtime.agents().told.reference(|| {
        let methods = Methods::of(runtime);
        let of = |on: On, name: &str| {
            let of_it = methods.iter().filter(move |it| it.on == on);
            of_it.map(move |it| format!("{name}.{}\n", it.signature())).collect::<String>()
        };
        of(On::Space, "space") + &of(On::Coordinator, "coordinator")
    })
}

/// What the tools say of themselves that the session may use.
fn tools(runtime: &Runtime, session: SessionId) -> Vec<String> {
    let names: Vec<String> = {
        let (shared, rights) = (runtime.shared(), runtime.shared().rights.read());
        let held = rights.tools_held(session, shared.clock.now());
        let used = held.filter_map(|it| match (it.subject, it.use_) {
            (Subject::Tool(name), Some(_)) => Some(name),
            _ => None,
        });
        used.collect()
    };
    let tools = &runtime.shared().config.tools;
    let about = |name: String| match tools.get(&name) {
        Some(tool) => tool.about().to_owned(),
        None => format!("{name}: it is not there now"),
    };
    names.into_iter().map(about).collect()
}

/// What there is to be read for a thought.
struct ToRead {
    turn: u64,
    instructed: Option<SpaceId>,
    nearest: Vec<SpaceId>,
}

/// What was read.
struct Around {
    instructions: Arc<[String]>,
    steps: Vec<Exchange>,
    spaces: Vec<Card>,
    more_spaces: bool,
}

impl ToRead {
    /// All of it, if nothing has to be read for it.
    fn known(&self, of: &Caller, steps: &Option<Vec<Exchange>>) -> Option<Around> {
        let (told, store) = (&of.runtime.agents().told, of.runtime.store());
        let instructions = match self.instructed {
            Some(space) => {
                of.level(space)?;
                told.instructions(store, space)?
            }
            None => Arc::default(),
        };
        let description = |space| told.description(store, space).ok_or(());
        let (spaces, more_spaces) = cards(of, &self.nearest, description).ok()?;
        Some(Around { instructions, steps: steps.clone()?, spaces, more_spaces })
    }

    fn read(
        self,
        of: &Caller,
        steps: Option<Vec<Exchange>>,
    ) -> Result<(Around, Option<Past>), Problem> {
        let instructions = self.instructed.map(|it| told::instructed(of, it)).transpose()?;
        let instructions = instructions.unwrap_or_default();
        let (steps, past) = match steps {
            Some(steps) => (steps, None),
            None => {
                let past = past(of, self.turn)?;
                (past.steps.clone(), Some(past))
            }
        };
        let (spaces, more_spaces) = cards(of, &self.nearest, |it| told::described(of, it))?;
        Ok((Around { instructions, steps, spaces, more_spaces }, past))
    }
}

/// What its instructions say, in the order in which they were given.
pub(super) fn instructions(of: &Caller, space: SpaceId) -> Result<Vec<String>, Problem> {
    let limit = of.runtime.shared().config.limits.session.instructions_max;
    let query = Query { order: SearchOrder::Oldest, limit, ..Query::default() };
    let found = of.found_now(space, &query).map_err(|problem| Problem {
        text: format!("its instructions cannot be read: {problem}"),
        ..problem
    })?;
    let text = |it: &Found| match &it.read.atom.content {
        Content::Text(text) => Some(text.clone()),
        _ => None,
    };
    Ok(found.iter().filter_map(text).collect())
}

/// The spaces that a session holds, with what each says it is for: the nearest first, then others up
/// to the limit; and whether there are more.
fn cards<E>(
    of: &Caller,
    nearest: &[SpaceId],
    describe: impl Fn(SpaceId) -> Result<Arc<str>, E>,
) -> Result<(Vec<Card>, bool), E> {
    let (held, more) = near(of, of.session(), nearest);
    let mut cards = Vec::with_capacity(held.len());
    for SpaceGrant { alias, space, level, .. } in held {
        let description = describe(space)?.to_string();
        cards.push(Card { alias, id: space, level, description });
    }
    cards.sort_by(|one, other| one.alias.cmp(&other.alias));
    Ok((cards, more))
}

/// What was thought and seen in a turn that a process before this one has begun: the end of the
/// stream, back to its beginning.
fn past(of: &Caller, turn: u64) -> Result<Past, Problem> {
    let (store, session) = (of.runtime.store(), of.session());
    let mut seq = store.last_seq(session.stream())?;
    let mut since = Vec::new();
    while seq > 0 {
        let place = store.position_of(session.stream(), seq)?;
        let entry = place.map(|at| store.entry(at)).transpose()?.flatten();
        let Some(entry) = entry else { break };
        let events = incarnation::events::<Session>(&entry.body)
            .map_err(|error| Problem::new(ProblemKind::Store, error))?;
        let began = events.iter().any(|it| matches!(it, Event::TurnBegan { .. }));
        let told = |it: &Event| matches!(it, Event::Thought { .. } | Event::Observed(_));
        since.extend(events.into_iter().filter(told).rev());
        if began {
            break;
        }
        seq -= 1;
    }
    let mut past = Past::of(turn);
    since.iter().rev().for_each(|event| past.take(event));
    Ok(past)
}
