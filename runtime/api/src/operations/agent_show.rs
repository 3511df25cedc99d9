//! One agent, or what its model was told.

use crate::answer::{AgentAnswer, AgentShown, WindowAnswer};
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, RequiredRight};
use crate::problem::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Show one agent: its state, task, budget and failures; or what its model was told
///
/// With --turn it shows the messages that the model was sent at a step of that turn, as they were
/// sent. What has been erased since is shown as erased.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentShow {
    /// The agent's name or id; several may be given
    pub agent: String,
    /// What its model was told in this turn [default: the agent as it is]
    #[serde(default)]
    pub turn: Option<u64>,
    /// At this step of the turn [default: the last]
    #[serde(default)]
    pub step: Option<u32>,
}

impl AgentShow {
    /// The agent of that name as it is.
    pub fn one(agent: impl Into<String>) -> AgentShow {
        AgentShow { agent: agent.into(), ..AgentShow::default() }
    }
}

impl Operation for AgentShow {
    const NAME: &'static str = "agent show";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Ids),
        Arg::flag("turn", "turn", ArgForm::Number, "N"),
        Arg::flag("step", "step", ArgForm::Number, "N"),
    ]];
    type Answer = AgentShown;

    async fn perform(self, caller: &Caller, out: &Out<AgentShown>) -> Result<(), Problem> {
        let Some(turn) = self.turn else {
            if self.step.is_some() {
                let text = "--step goes with --turn";
                let hint = "stoa agent show AGENT --turn N --step N";
                return Err(Problem::new(ProblemKind::Invalid, text).hint(hint));
            }
            let card = caller.agent(&self.agent).await?;
            let any = card.state != "wiped";
            let agent = AgentAnswer::of(caller, card, 0);
            out.tell(AgentShown::Agent(Box::new(agent))).await?;
            return super::shared::nobody_runs(caller, any, out).await;
        };
        let agent = caller.agent_named(&self.agent)?;
        let (step, messages) = caller.window_at(agent, turn, self.step).await?;
        let told = messages.into_iter().map(|it| WindowAnswer::of(turn, step, it));
        out.all(told.map(|it| AgentShown::Told(Box::new(it)))).await
    }
}
