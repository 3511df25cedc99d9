//! The verbs about agents, and following everything at once.

use super::answer::{Answer, Out};
use crate::agents::AgentCard;
use crate::caller::Caller;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::id::{Position, SessionId};
use stoa_actors::session::Budget;

/// One verb about agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the verb, told in its own help")]
pub enum AgentCall {
    List,
    Tree,
    Show { name: String },
    Log { name: String, after: Position, limit: usize, follow: bool },
    Say { name: String, text: String },
    Stop { name: String, reason: String },
    Resume { name: String, budget: Option<Budget> },
    Wipe { name: String, reason: String },
}

pub(super) async fn perform(caller: &Caller, call: AgentCall, out: &Out) -> Result<(), Problem> {
    let runtime = &caller.runtime;
    let one = async |card: AgentCard| {
        let card = Box::new(card);
        out.tell(Answer::Agent { card, depth: 0 }).await
    };
    match call {
        AgentCall::List => {
            for card in caller.agents().await? {
                one(card).await?;
            }
            Ok(())
        }
        AgentCall::Tree => {
            let cards = caller.agents().await?;
            for (card, depth) in tree(caller.session(), cards) {
                let card = Box::new(card);
                out.tell(Answer::Agent { card, depth }).await?;
            }
            Ok(())
        }
        AgentCall::Show { name } => one(caller.agent(&name).await?).await,
        AgentCall::Log { name, after, limit, follow } => {
            log(caller, &name, after, limit, follow, out).await
        }
        AgentCall::Say { name, text } => {
            runtime.start_agents().await?;
            let written = caller.say(&name, &text).await?;
            out.tell(Answer::Atom(caller.get_version(written.id, written.version).await?)).await
        }
        AgentCall::Stop { name, reason } => one(caller.stop_agent(&name, &reason).await?).await,
        AgentCall::Resume { name, budget } => {
            runtime.start_agents().await?;
            match budget {
                // One that stood still for want of a budget goes on by itself.
                Some(budget) => {
                    let card = caller.fund(&name, budget, None).await?;
                    let stands = ["stopped", "parked", "quarantined"];
                    match stands.contains(&card.state.as_str()) {
                        true => one(caller.resume_agent(&name).await?).await,
                        false => one(card).await,
                    }
                }
                None => one(caller.resume_agent(&name).await?).await,
            }
        }
        AgentCall::Wipe { name, reason } => {
            let agents = caller.wipe_agent(&name, &reason).await?;
            out.tell(Answer::Wiped { agents }).await
        }
    }
}

async fn log(
    caller: &Caller,
    name: &str,
    mut after: Position,
    limit: usize,
    follow: bool,
    out: &Out,
) -> Result<(), Problem> {
    let agent = caller.agent_named(name)?;
    // It rings for what comes after this, so nothing between two reads is missed.
    let bell = caller.runtime.agent(agent)?.face.watch();
    let mut left = limit;
    while left > 0 {
        let (told, upto) = caller.happened(agent.stream(), after, left).await?;
        let end = upto == after;
        (after, left) = (upto, left.saturating_sub(told.len()));
        out.all(told.into_iter().map(Answer::Happening)).await?;
        match (end, follow) {
            (true, false) => return Ok(()),
            (true, true) => bell.heard().await,
            (false, _) => {}
        }
    }
    Ok(())
}

/// Every child behind its parent, one deeper. The cards come with the eldest at the head.
fn tree(top: SessionId, cards: Vec<AgentCard>) -> Vec<(AgentCard, u32)> {
    let mut out = Vec::with_capacity(cards.len());
    let mut under: BTreeMap<SessionId, Vec<AgentCard>> = BTreeMap::new();
    for card in cards.into_iter().rev() {
        under.entry(card.parent).or_default().push(card);
    }
    let next = |it: SessionId, depth, under: &mut BTreeMap<_, Vec<AgentCard>>| {
        let own = under.remove(&it).unwrap_or_default();
        own.into_iter().map(move |card| (card, depth))
    };
    let mut path: Vec<(AgentCard, u32)> = next(top, 0, &mut under).collect();
    while let Some((card, depth)) = path.pop() {
        path.extend(next(card.id, depth + 1, &mut under));
        out.push((card, depth));
    }
    // Those whose parent is not among them.
    out.extend(under.into_values().flatten().map(|card| (card, 0)));
    out
}

/// Everything that happens and that the caller may see.
pub(super) async fn watch(
    caller: &Caller,
    after: Option<Position>,
    follow: bool,
    out: &Out,
) -> Result<(), Problem> {
    let runtime = &caller.runtime;
    let mut cursor = after.unwrap_or_else(|| runtime.durable());
    loop {
        let upto = runtime.durable();
        while cursor < upto {
            let (seen, looked) = caller.seen_after(cursor, upto).await?;
            cursor = looked;
            out.all(seen.into_iter()).await?;
        }
        if !follow {
            return Ok(());
        }
        runtime.gone_on(cursor).await;
    }
}
