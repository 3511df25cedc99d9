//! Taking a right back.

use crate::answer::{count, plain_answer};
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::Level;

/// Take away a session's permissions on a space, and those it has delegated from them
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The space's name or id
    pub space: String,
    /// The name or id of the session
    pub session: String,
    /// The reason; it is kept in the log
    #[serde(default)]
    pub reason: String,
}

plain_answer! {
    /// Rights that are gone.
    Revoked {
        /// How many rights were revoked, those that rested on them included.
        revoked: u64,
    } |it| format!("revoked: {}", count(it.revoked, "right", "rights"))
}

impl Operation for Revoke {
    const NAME: &'static str = "revoke";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Grant);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::at("session", ArgForm::Text),
        Arg::flag("reason", "reason", ArgForm::Text, "REASON"),
    ]];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = Revoked;

    async fn perform(self, caller: &Caller, out: &Out<Revoked>) -> Result<(), Problem> {
        let revoked = caller.revoke(&self.space, &self.session, &self.reason).await?;
        out.tell(Revoked { revoked }).await
    }
}
