//! Saying anew what a space is for.

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

/// Say anew what a space is for and how to use it
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceDescribe {
    /// Its name, or its id
    pub space: String,
    /// In words, - for stdin, or @FILE [default: what is piped in]
    pub description: String,
}

const ABOUT: Needed = Needed { what: "the description", hint: "stoa space describe NAME 'TEXT'" };

impl Operation for SpaceDescribe {
    const NAME: &'static str = "space describe";
    const EFFECT: Effect = Effect::Writes;
    const RIGHT: Right = Right::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] =
        &[&[Arg::at("space", How::Text), Arg::at("description", How::Long(ABOUT))]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "describe",
        takes: &["description"],
        does: Does::Writes,
        call: called,
    }];
    type Answer = SpaceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SpaceAnswer>) -> Result<(), Problem> {
        let id = caller.resolve(&self.space)?;
        caller.describe(id, &self.description).await?;
        out.tell(caller.show_space(id).await?.into()).await
    }
}

fn called(hands: &mut Hands, space: SpaceId, mut args: Args) -> Answered<'_> {
    Box::pin(async move {
        let text = args.text("description")?.unwrap_or_default();
        hands.caller.describe(space, &text).await.map_err(refused)?;
        Ok(items::none())
    })
}
