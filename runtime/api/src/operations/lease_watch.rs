//! Following the leases of a space.

use super::Watch;
use crate::answer::SeenAtom;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, JsonLines, Operation, Out, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::Level;

/// Follow the leases of a space: one line when one is acquired, renewed or ended
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseWatch {
    /// The space's name or id
    pub space: String,
    /// Begin after this cursor [default: now]
    #[serde(default)]
    pub cursor: Option<u64>,
    /// Exit when there is nothing new, instead of waiting
    #[serde(default)]
    pub no_follow: bool,
}

impl Operation for LeaseWatch {
    const NAME: &'static str = "lease watch";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::flag("cursor", "cursor", ArgForm::Number, "POSITION"),
        Arg::switch("no-follow", "no_follow"),
    ]];
    const LINES: JsonLines = JsonLines::Piped;
    const NONE: &'static str = "nothing new";
    type Answer = SeenAtom;

    async fn perform(self, caller: &Caller, out: &Out<SeenAtom>) -> Result<(), Problem> {
        let types = ["acquired", "renewed", "released", "expired", "broken"];
        let watch = Watch {
            space: Some(self.space),
            cursor: self.cursor,
            no_follow: self.no_follow,
            types: types.map(|it| format!("lease.{it}")).to_vec(),
            ..Watch::default()
        };
        watch.perform(caller, out).await
    }
}
