//! Ending an agent for good.

use crate::answer::{count, plain_answer};
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// End an agent and all agents under it for good; what they wrote stays
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentWipe {
    /// The agent's name or id; several may be given
    pub agent: String,
    /// The reason; it is kept in the log
    #[serde(default = "by_hand")]
    pub reason: String,
}

fn by_hand() -> String {
    "wiped by hand".to_owned()
}

plain_answer! {
    /// Agents that are no more.
    Wiped {
        /// How many agents were wiped, descendants included.
        wiped: u64,
    } |it| format!("wiped: {}", count(it.wiped, "agent", "agents"))
}

impl Operation for AgentWipe {
    const NAME: &'static str = "agent wipe";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Ids),
        Arg::flag("reason", "reason", ArgForm::Text, "REASON"),
    ]];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = Wiped;

    async fn perform(self, caller: &Caller, out: &Out<Wiped>) -> Result<(), Problem> {
        let wiped = caller.wipe_agent(&self.agent, &self.reason).await?;
        out.tell(Wiped { wiped }).await
    }
}
