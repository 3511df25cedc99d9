//! Making a space.

use crate::answer::SpaceAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, Effect, How, Needed, Operation, Out, Right};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Answered, Args, Does, Hands, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;

/// Make a space, private to you
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceCreate {
    /// What you call it
    pub name: String,
    /// What it is for and how to use it, for those who come to it; - for stdin, or @FILE
    #[serde(default)]
    pub description: String,
}

const ABOUT: Needed =
    Needed { what: "the description", hint: "stoa space create NAME --description 'TEXT'" };

impl Operation for SpaceCreate {
    const NAME: &'static str = "space create";
    const EFFECT: Effect = Effect::Writes;
    const RIGHT: Right = Right::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("name", How::Text),
        Arg::flag("description", "description", How::Also(ABOUT), "TEXT"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "create_space",
        takes: &["name", "description=''"],
        does: Does::Writes,
        call: |hands, _, args| called(hands, args),
    }];
    type Answer = SpaceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SpaceAnswer>) -> Result<(), Problem> {
        let id = caller.create_space(&self.name, &self.description).await?;
        out.tell(caller.show_space(id).await?.into()).await
    }
}

fn called(hands: &mut Hands, mut args: Args) -> Answered<'_> {
    Box::pin(async move {
        let name = args.text("name")?.unwrap_or_default();
        let description = args.text("description")?.unwrap_or_default();
        // The same one again where the call is made again.
        let id = SpaceId(hands.fresh(0));
        hands.caller.create_space_as(id, &name, &description).await.map_err(refused)?;
        Ok(items::space(&name, id, Level::Grant))
    })
}
