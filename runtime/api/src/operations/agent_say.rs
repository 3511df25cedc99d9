//! Speaking to an agent.

use crate::answer::AtomAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Needed, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Send a message to an agent and wake it
///
/// The message is an atom in the space that you share with the agent. If no other process serves
/// the directory, this one runs the agents until they are at rest.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSay {
    /// The agent's name or id
    pub agent: String,
    /// The message, - for stdin, or @FILE [default: stdin if it is piped]
    pub text: String,
}

const TEXT: Needed = Needed { what: "the text", hint: "stoa agent say AGENT 'TEXT'" };

impl Operation for AgentSay {
    const NAME: &'static str = "agent say";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] =
        &[&[Arg::at("agent", ArgForm::Text), Arg::at("text", ArgForm::Long(TEXT))]];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        caller.runtime().start_agents().await?;
        let written = caller.say(&self.agent, &self.text).await?;
        let read = caller.get_version(written.id, written.version).await?;
        out.tell(AtomAnswer::written(caller, &read).await?).await
    }
}
