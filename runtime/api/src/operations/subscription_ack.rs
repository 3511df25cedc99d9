//! Going on after a cursor.

use super::subscribed::{item, needed, subscription_id};
use crate::answer::SubscriptionAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use crate::session::items::raise;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::Position;

/// Acknowledge everything up to a cursor: the next read begins after it
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionAck {
    /// The id of the subscription
    pub id: String,
    /// The cursor that read printed
    pub cursor: u64,
}

impl Operation for SubscriptionAck {
    const NAME: &'static str = "subscription ack";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Own;
    const ARGS: &'static [&'static [Arg]] =
        &[&[Arg::at("id", ArgForm::Text), Arg::at("cursor", ArgForm::Number)]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "ack",
        takes: &["id", "cursor"],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = SubscriptionAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SubscriptionAnswer>) -> Result<(), Problem> {
        let card = caller
            .acknowledge(caller.subscription_id(&self.id).await?, Position(self.cursor))
            .await?;
        out.tell(SubscriptionAnswer::of(caller, card)).await
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = needed(subscription_id(&mut args)?)?;
        let missing = || raise("TypeError", "ack() needs the cursor that pull() told");
        let cursor = args.number("cursor")?.map(Position).ok_or_else(missing)?;
        Ok(item(&api.caller.acknowledge(id, cursor).await.map_err(refused)?))
    })
}
