//! Stopping an agent.

use crate::answer::AgentAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Stop an agent and release its leases; nothing wakes it until it is resumed
///
/// What it is doing is cancelled, and what it has written stays. With --subtree all agents under it
/// are stopped as well, those that are just being spawned included.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentStop {
    /// The agent's name or id; several may be given
    pub agent: String,
    /// The reason; it is kept, and its parent is told
    #[serde(default = "by_hand")]
    pub reason: String,
    /// Stop all agents under it as well
    #[serde(default)]
    pub subtree: bool,
}

fn by_hand() -> String {
    "stopped by hand".to_owned()
}

impl Operation for AgentStop {
    const NAME: &'static str = "agent stop";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("agent", ArgForm::Ids),
        Arg::flag("reason", "reason", ArgForm::Text, "REASON"),
        Arg::switch("subtree", "subtree"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "stop",
        takes: &["agent", "reason='its parent says so'"],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = AgentAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AgentAnswer>) -> Result<(), Problem> {
        if self.subtree {
            let stopped = caller.stop_subtree(&self.agent, &self.reason).await?;
            let told = stopped.agents.into_iter().map(|it| AgentAnswer::of(caller, it, 0));
            out.all(told).await?;
            return stopped.failed.map_or(Ok(()), Err);
        }
        let card = caller.stop_agent(&self.agent, &self.reason).await?;
        out.tell(AgentAnswer::of(caller, card, 0)).await
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let name = args.text("agent")?.unwrap_or_default();
        let reason = args.text("reason")?.unwrap_or_else(|| "its parent says so".into());
        api.caller.stop_agent(&name, &reason).await.map_err(refused)?;
        Ok(items::none())
    })
}
