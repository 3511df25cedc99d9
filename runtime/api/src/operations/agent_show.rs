//! One agent.

use crate::answer::AgentAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, RequiredRight};
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
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[Arg::at("agent", ArgForm::Ids)]];
    type Answer = AgentAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AgentAnswer>) -> Result<(), Problem> {
        let card = caller.agent(&self.agent).await?;
        let any = card.state != "wiped";
        out.tell(AgentAnswer::of(caller, card, 0)).await?;
        super::shared::nobody_runs(caller, any, out).await
    }
}
