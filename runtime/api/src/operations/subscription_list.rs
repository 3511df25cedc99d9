//! The subscriptions that there are.

use super::subscribed::{as_agent, item};
use crate::answer::SubscriptionAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::{Problem, ProblemKind};
use crate::session::{CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::id::SpaceId;

/// List your subscriptions, or those of an agent
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionList {
    /// Only in this space [default: every space]
    #[serde(default)]
    pub space: Option<String>,
    /// Those of this agent [default: yours]
    #[serde(default)]
    pub agent: Option<String>,
    /// Those of everybody, in the spaces where you may grant
    #[serde(default)]
    pub all: bool,
}

impl Operation for SubscriptionList {
    const NAME: &'static str = "subscription list";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::flag("space", "space", ArgForm::Text, "SPACE"),
        Arg::flag("agent", "agent", ArgForm::Text, "AGENT"),
        Arg::switch("all", "all").conflicts(&["agent"]),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "subscriptions",
        takes: &[],
        does: Does::Looks,
        call: |api, space, _| called(api, space),
    }];
    const NONE: &'static str = "no subscriptions";
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = SubscriptionAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SubscriptionAnswer>) -> Result<(), Problem> {
        let space = self.space.map(|it| caller.resolve(&it)).transpose()?;
        let mut cards = match self.agent {
            Some(_) if self.all => {
                let text = "--agent and --all exclude each other";
                return Err(
                    Problem::new(ProblemKind::Invalid, text).hint("stoa subscription list --all")
                );
            }
            Some(agent) => as_agent(caller, &agent)?.followed().await?,
            None if self.all => caller.all_subscriptions(space).await?,
            None => caller.subscriptions(space).await?,
        };
        cards.retain(|it| space.is_none_or(|space| space == it.space));
        out.all(cards.into_iter().map(|it| SubscriptionAnswer::of(caller, it))).await
    }
}

fn called(api: &mut HostApi, space: SpaceId) -> CallFuture<'_> {
    Box::pin(async move {
        let cards = match &api.notes {
            Some(_) => api.caller.followed().await.map_err(refused)?,
            None => api.caller.subscriptions(Some(space)).await.map_err(refused)?,
        };
        Ok(Item::List(cards.iter().filter(|it| it.space == space).map(item).collect()))
    })
}
