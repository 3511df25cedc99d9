//! Agents, each behind its parent.

use crate::agents::AgentCard;
use crate::answer::AgentAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::id::SessionId;

/// List agents as a tree: each agent is indented under its parent
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentTree {}

impl Operation for AgentTree {
    const NAME: &'static str = "agent tree";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[];
    const NONE: &'static str = "no agents; `stoa spawn TASK` starts one";
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AgentAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AgentAnswer>) -> Result<(), Problem> {
        let cards = tree(caller.session(), caller.agents().await?);
        let any = !cards.is_empty();
        out.all(cards.into_iter().map(|(it, depth)| AgentAnswer::of(caller, it, depth))).await?;
        super::shared::nobody_runs(caller, any, out).await
    }
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
