//! What a model is told: read anew from the log and the spaces for every step.

use crate::caller::Caller;
use crate::model::{Card, Context, Exchange};
use crate::problem::{Kind, Problem};
use crate::runtime::Runtime;
use crate::session::{Granted, held};
use stoa_actors::atom::Content;
use stoa_actors::id::{ROOT, SessionId};
use stoa_actors::incarnation::{self, Ask};
use stoa_actors::search::{Order, Query};
use stoa_actors::session::{Event, Message, Observation, Phase, Reply, Session, Thought, Turn};

/// A context, and who is to be asked.
pub(super) struct Told {
    pub(super) model: String,
    pub(super) told: Context,
}

/// The state of an agent, as it will be once everything it has decided is durable.
pub(super) async fn state(runtime: &Runtime, session: SessionId) -> Result<Box<Session>, Problem> {
    let look = Ask::new(ROOT, Message::Look);
    match runtime.agent(session)?.ask(look).await?.reply {
        Reply::State(state) => Ok(state),
        reply => Err(Problem::new(Kind::Store, format!("an answer amiss: {reply:?}"))),
    }
}

pub(super) async fn context(
    runtime: &Runtime,
    session: SessionId,
    turn: u64,
    step: u32,
) -> Result<Told, Problem> {
    let state = state(runtime, session).await?;
    let over = || Problem::new(Kind::Conflict, format!("turn {turn} is over"));
    let charter = state.charter().ok_or_else(over)?;
    let now: &Turn = match state.phase() {
        Phase::Turning(now) if now.number == turn => now,
        _ => return Err(over()),
    };
    let caller = runtime.caller(session);
    let mut instructions = Vec::new();
    if let Some(space) = charter.instructions {
        let limit = runtime.shared().config.limits.session.instructions_max;
        let query = Query { order: Order::Oldest, limit, ..Query::default() };
        let found = caller.search(space, query).await.map_err(|problem| Problem {
            text: format!("its instructions cannot be read: {problem}"),
            ..problem
        })?;
        instructions.extend(found.iter().filter_map(|it| match &it.read.atom.content {
            Content::Text(text) => Some(text.clone()),
            _ => None,
        }));
    }
    let (spaces, steps) = caller.reading(|caller| Ok((cards(caller)?, steps(caller)?))).await?;
    let alias = |space| {
        let known = spaces.iter().find(|it| it.id == space);
        known.map_or_else(|| space.to_string(), |it| it.alias.clone())
    };
    let wakes = now.wakes.iter().map(|it| (alias(it.space), it.clone())).collect();
    let told = Context {
        session,
        turn,
        step,
        task: charter.task.clone(),
        instructions,
        wakes,
        steps,
        left: state.purse().left(),
        spaces,
    };
    Ok(Told { model: charter.model.clone(), told })
}

/// The spaces that a session holds, with what each says it is for.
fn cards(of: &Caller) -> Result<Vec<Card>, Problem> {
    let card = |it: Granted| {
        let description = of.described(it.space)?;
        Ok(Card { alias: it.alias, id: it.space, level: it.level, description })
    };
    held(of, of.session()).into_iter().map(card).collect()
}

/// What was thought and seen in the turn that runs: the end of the stream, back to its beginning.
fn steps(of: &Caller) -> Result<Vec<Exchange>, Problem> {
    let (store, session) = (of.runtime.store(), of.session());
    let mut seq = store.last_seq(session.stream())?;
    let (mut steps, mut seen): (Vec<Exchange>, Option<Observation>) = (Vec::new(), None);
    while seq > 0 {
        let place = store.position_of(session.stream(), seq)?;
        let entry = place.map(|at| store.entry(at)).transpose()?.flatten();
        let Some(entry) = entry else { break };
        let events = incarnation::events::<Session>(&entry.body)
            .map_err(|error| Problem::new(Kind::Store, error))?;
        for event in events.into_iter().rev() {
            match event {
                Event::TurnBegan { .. } => {
                    steps.reverse();
                    return Ok(steps);
                }
                Event::Observed(observation) => seen = Some(observation),
                Event::Thought { thought, .. } => {
                    if let Some(observation) = seen.take() {
                        steps.push(Exchange { thought, observation });
                    } else if thought != Thought::default() {
                        // Its action is still to end: nothing is known of it.
                    }
                }
                _ => {}
            }
        }
        seq -= 1;
    }
    steps.reverse();
    Ok(steps)
}
