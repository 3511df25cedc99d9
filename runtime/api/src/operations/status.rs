//! How a data directory is.

use crate::answer::StatusAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, EffectKind, Operation, Out, RequiredRight};
use crate::problem::Problem;
use crate::status::status;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Show which process serves the directory, and its health
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {}

impl Operation for Status {
    const NAME: &'static str = "status";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[];
    type Answer = StatusAnswer;

    async fn perform(self, caller: &Caller, out: &Out<StatusAnswer>) -> Result<(), Problem> {
        out.tell(status(caller).await?).await
    }
}
