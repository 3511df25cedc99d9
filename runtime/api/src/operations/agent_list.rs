//! The agents that there are.

use crate::answer::AgentAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use crate::session::{CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;

/// List your living agents and those under them, oldest first
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentList {}

impl Operation for AgentList {
    const NAME: &'static str = "agent list";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "agents",
        takes: &[],
        does: Does::Looks,
        call: |api, _, _| called(api),
    }];
    const NONE: &'static str = "no agents; `stoa spawn TASK` starts one";
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AgentAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AgentAnswer>) -> Result<(), Problem> {
        let cards = caller.agents().await?;
        let any = !cards.is_empty();
        out.all(cards.into_iter().map(|it| AgentAnswer::of(caller, it, 0))).await?;
        super::shared::nobody_runs(caller, any, out).await
    }
}

/// Those that the session has spawned itself.
fn called(api: &mut HostApi) -> CallFuture<'_> {
    Box::pin(async move {
        let cards = api.caller.children().await.map_err(refused)?;
        Ok(Item::List(cards.iter().map(super::agent_item).collect()))
    })
}
