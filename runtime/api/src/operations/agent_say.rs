//! Speaking to an agent.

use crate::answer::AtomAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, Effect, How, Needed, Operation, Out, Quiet, Right};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Say something to an agent; it is woken
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSay {
    /// Its name, or its id
    pub agent: String,
    /// What, - for stdin, or @FILE [default: what is piped in]
    pub text: String,
}

const TEXT: Needed = Needed { what: "the text", hint: "stoa agent say AGENT 'TEXT'" };

impl Operation for AgentSay {
    const NAME: &'static str = "agent say";
    const EFFECT: Effect = Effect::Writes;
    const RIGHT: Right = Right::Own;
    const ARGS: &'static [&'static [Arg]] =
        &[&[Arg::at("agent", How::Text), Arg::at("text", How::Long(TEXT))]];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        caller.runtime().start_agents().await?;
        let written = caller.say(&self.agent, &self.text).await?;
        let read = caller.get_version(written.id, written.version).await?;
        out.tell(AtomAnswer::written(caller, &read).await?).await
    }
}
