//! Ending a subscription.

use super::subscribed::{agents, followed, needed, own, subscription_id};
use crate::answer::plain_answer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::SpaceId;

/// Remove a subscription: yours, or anybody's in a space where you may grant
///
/// A subscription also ends with the permission that it depends on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionRemove {
    /// The id of the subscription; with --agent, the space that the agent follows
    pub name: String,
    /// A subscription of this agent [default: yours]
    #[serde(default)]
    pub agent: Option<String>,
}

plain_answer! {
    /// A subscription that is over.
    Removed {
        /// Always true: the subscription is removed.
        removed: bool,
    } |_| "removed".to_owned()
}

impl Operation for SubscriptionRemove {
    const NAME: &'static str = "subscription remove";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] =
        &[&[Arg::at("name", ArgForm::Text), Arg::flag("agent", "agent", ArgForm::Text, "AGENT")]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "unsubscribe",
        takes: &["id=None"],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = Removed;

    async fn perform(self, caller: &Caller, out: &Out<Removed>) -> Result<(), Problem> {
        match self.agent {
            None => caller.unsubscribe(caller.subscription_id(&self.name).await?).await?,
            Some(agent) => {
                let (agent, space) = agents(caller, &agent, &self.name)?;
                followed(&agent, space).await?;
                let address = caller.runtime().agent(agent.session())?;
                agent.unfollow_as_agent(&address, space).await?;
            }
        }
        out.tell(Removed { removed: true }).await
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = subscription_id(&mut args)?;
        match &api.notes {
            None => api.caller.unsubscribe(needed(id)?).await.map_err(refused)?,
            Some(notes) => {
                let address = notes.address.clone();
                own(api, space).await?;
                api.caller.unfollow_as_agent(&address, space).await.map_err(refused)?;
            }
        }
        Ok(items::none())
    })
}
