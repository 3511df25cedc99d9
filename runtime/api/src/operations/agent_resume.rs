//! Letting an agent go on.

use crate::answer::AgentAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight, Units};
use crate::problem::Problem;
use crate::session::items::{self, raise};
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, budget, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::id::SessionId;
use stoa_actors::value::Value;

/// Resume an agent that is stopped, parked, quarantined or exhausted
///
/// Parked: its chain of reactions was too long. Quarantined: it failed too often. Exhausted: its
/// budget is spent; give it more with --budget. If no other process serves the directory, this one
/// runs the agents until they are at rest.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentResume {
    /// The agent's name or id; several may be given
    pub agent: String,
    /// Add this much to its budget: thoughts=10,tokens=20000,money=0.50
    #[serde(default)]
    pub budget: Option<Units>,
    /// Resume all stopped agents under it as well
    #[serde(default)]
    pub subtree: bool,
}

impl Operation for AgentResume {
    const NAME: &'static str = "agent resume";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Ids),
        Arg::flag("budget", "budget", ArgForm::Budget, "UNIT=N"),
        Arg::switch("subtree", "subtree").conflicts(&["budget"]),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "fund",
        takes: &["agent", "budget"],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = AgentAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AgentAnswer>) -> Result<(), Problem> {
        caller.runtime().start_agents().await?;
        if self.subtree {
            let resumed = caller.resume_subtree(&self.agent).await?;
            let told = resumed.agents.into_iter().map(|it| AgentAnswer::of(caller, it, 0));
            out.all(told).await?;
            return resumed.failed.map_or(Ok(()), Err);
        }
        let card = match self.budget {
            None => caller.resume_agent(&self.agent).await?,
            Some(budget) => {
                let card = caller.fund(&self.agent, budget.into(), None).await?;
                // One that stood still for want of a budget goes on by itself.
                match ["stopped", "parked", "quarantined"].contains(&card.state.as_str()) {
                    true => caller.resume_agent(&self.agent).await?,
                    false => card,
                }
            }
        };
        out.tell(AgentAnswer::of(caller, card, 0)).await
    }
}

/// Hands it more to spend.
fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let name = match args.take("agent") {
            Some(Item::Object(it)) if it.class == "Agent" => {
                SessionId(it.handle.to_be_bytes()).to_string()
            }
            Some(Item::Value(Value::Text(name))) => name,
            _ => return Err(raise("TypeError", "agent= takes an agent or its name")),
        };
        let budget = budget(args.take("budget").unwrap_or(items::none()))?;
        let key = Some(api.place());
        api.caller.fund(&name, budget, key).await.map_err(refused)?;
        Ok(items::none())
    })
}
