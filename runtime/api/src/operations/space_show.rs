//! One space.

use crate::answer::SpaceAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, RequiredRight};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, granted, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::{Level, Subject};

/// Show one space: your level, its description and its declarations
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceShow {
    /// The space's name or id
    pub space: String,
}

impl Operation for SpaceShow {
    const NAME: &'static str = "space show";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[Arg::at("space", ArgForm::Text)]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "space",
        takes: &["name"],
        does: Does::Looks,
        call: |api, _, args| called(api, args),
    }];
    type Answer = SpaceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SpaceAnswer>) -> Result<(), Problem> {
        let id = caller.resolve(&self.space)?;
        out.tell(caller.show_space(id).await?.into()).await
    }
}

/// Any space that the session may use, by its name or id.
fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let name = args.text("name")?.unwrap_or_default();
        let space = api.caller.resolve(&name).map_err(refused)?;
        let holding = api.caller.holding(Subject::Space(space)).and_then(granted);
        let held = holding.ok_or_else(|| refused(Problem::no_space(&name)))?;
        Ok(items::space(&held.alias, held.space, held.level))
    })
}
