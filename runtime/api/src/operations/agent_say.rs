//! Speaking to an agent.

use crate::agents::SayWhen;
use crate::answer::AtomAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Needed, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Send a message to an agent and wake it
///
/// The message is an atom in the space that you share with the agent. An agent in a turn sees it in
/// its next turn; with --now at its next step, and with --interrupt at once: the request to its model
/// or the code that runs is cancelled, and what it wrote until then stays. A request that is cancelled
/// counts as spent. If no other process serves the directory, this one runs the agents until they are
/// at rest.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSay {
    /// The agent's name or id
    pub agent: String,
    /// The message, - for stdin, or @FILE [default: stdin if it is piped]
    pub text: String,
    /// An agent in a turn sees it at its next step
    #[serde(default)]
    pub now: bool,
    /// Cancel what the agent is doing, and have it see this
    #[serde(default)]
    pub interrupt: bool,
}

const TEXT: Needed = Needed { what: "the text", hint: "stoa agent say AGENT 'TEXT'" };

impl Operation for AgentSay {
    const NAME: &'static str = "agent say";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Text),
        Arg::at("text", ArgForm::Long(TEXT)),
        Arg::switch("now", "now").conflicts(&["interrupt"]),
        Arg::switch("interrupt", "interrupt"),
    ]];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        caller.runtime().start_agents().await?;
        let when = match (self.now, self.interrupt) {
            (_, true) => SayWhen::Interrupt,
            (true, false) => SayWhen::NextStep,
            (false, false) => SayWhen::NextTurn,
        };
        let written = caller.say_when(&self.agent, &self.text, when).await?;
        let read = caller.get_version(written.id, written.version).await?;
        out.tell(AtomAnswer::written(caller, &read).await?).await
    }
}
