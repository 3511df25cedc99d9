//! The spaces that there are for a session.

use crate::answer::SpaceAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// List the spaces on which you have a permission
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceList {}

impl Operation for SpaceList {
    const NAME: &'static str = "space list";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[];
    const NONE: &'static str = "no spaces; `stoa space create NAME` makes one";
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = SpaceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SpaceAnswer>) -> Result<(), Problem> {
        out.all(caller.spaces().await?.into_iter().map(Into::into)).await
    }
}
