//! What two versions differ in.

use crate::answer::DifferenceAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, RequiredRight};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::Level;

/// Show the difference between two versions of an atom
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// The atom's id
    pub id: String,
    /// The older version [default: the one before TO]
    #[serde(default)]
    pub from: Option<u64>,
    /// The newer version [default: the newest]
    #[serde(default)]
    pub to: Option<u64>,
}

impl Operation for Diff {
    const NAME: &'static str = "diff";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("id", ArgForm::Text),
        Arg::at("from", ArgForm::Number),
        Arg::at("to", ArgForm::Number),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "diff",
        takes: &["id", "from_version=None", "to_version=None"],
        does: Does::LooksUnless(&[]),
        call: |api, _, args| called(api, args),
    }];
    type Answer = DifferenceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<DifferenceAnswer>) -> Result<(), Problem> {
        let found = caller.difference(caller.atom_id(&self.id).await?, self.from, self.to).await?;
        out.tell(DifferenceAnswer::of(caller, &found)).await
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let (from, to) = (args.number("from_version")?, args.number("to_version")?);
        let found = api.caller.difference(id, from, to).await.map_err(refused)?;
        Ok(items::difference(&found))
    })
}
