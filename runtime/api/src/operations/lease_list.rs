//! The leases of a space.

use super::lease_item;
use crate::answer::LeaseAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use crate::session::{CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;

/// List the current leases of a space
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseList {
    /// The space's name or id
    pub space: String,
}

impl Operation for LeaseList {
    const NAME: &'static str = "lease list";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[Arg::at("space", ArgForm::Text)]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "leases",
        takes: &[],
        does: Does::Looks,
        call: |api, space, _| called(api, space),
    }];
    const NONE: &'static str = "no leases";
    const QUIET: Quiet = Quiet::Field("/resource");
    type Answer = LeaseAnswer;

    async fn perform(self, caller: &Caller, out: &Out<LeaseAnswer>) -> Result<(), Problem> {
        let leases = caller.leases(caller.resolve(&self.space)?).await?;
        out.all(leases.iter().map(|it| LeaseAnswer::of(caller, it))).await
    }
}

fn called(api: &mut HostApi, space: SpaceId) -> CallFuture<'_> {
    Box::pin(async move {
        let all = api.caller.leases(space).await.map_err(refused)?;
        Ok(Item::List(all.iter().map(lease_item).collect()))
    })
}
