//! One agent.

use crate::answer::AgentAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, Effect, How, Operation, Out, Right};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Show one agent: its state, task, budget and failures
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentShow {
    /// The agent's name or id; several may be given
    pub agent: String,
}

impl Operation for AgentShow {
    const NAME: &'static str = "agent show";
    const EFFECT: Effect = Effect::Reads;
    const RIGHT: Right = Right::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[Arg::at("agent", How::Ids)]];
    type Answer = AgentAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AgentAnswer>) -> Result<(), Problem> {
        let card = caller.agent(&self.agent).await?;
        let any = card.state != "wiped";
        out.tell(AgentAnswer::of(caller, card, 0)).await?;
        super::shared::nobody_runs(caller, any, out).await
    }
}
