//! Saying anew what a space is for.

use super::space_create::declarations;
use crate::answer::SpaceAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, Effect, How, Needed, Operation, Out, Right};
use crate::problem::{Kind, Problem};
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
    #[serde(default)]
    pub description: Option<String>,
    /// What its atoms say besides what is declared already: priority:number, blocked_by:relation
    #[serde(default)]
    pub declare: Vec<String>,
}

const ABOUT: Needed = Needed { what: "the description", hint: "stoa space describe NAME 'TEXT'" };

impl Operation for SpaceDescribe {
    const NAME: &'static str = "space describe";
    const EFFECT: Effect = Effect::Writes;
    const RIGHT: Right = Right::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", How::Text),
        Arg::at("description", How::Long(ABOUT)).unless("declare"),
        Arg::flag("declare", "declare", How::Texts, "NAME:KIND"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "describe",
        takes: &["description=None", "declare=[]"],
        does: Does::Writes,
        call: called,
    }];
    type Answer = SpaceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SpaceAnswer>) -> Result<(), Problem> {
        let id = caller.resolve(&self.space)?;
        let more = declarations(&self.declare)?;
        let mut declares = caller.declares(id).await?;
        declares.extend(more.clone());
        match &self.description {
            Some(text) if more.is_empty() => caller.describe(id, text).await?,
            Some(text) => caller.describe_declaring(id, text, declares).await?,
            None if more.is_empty() => {
                let problem = Problem::new(Kind::Invalid, "nothing is said to be changed");
                return Err(problem.hint(ABOUT.hint));
            }
            None => caller.declare(id, declares).await?,
        }
        out.tell(caller.show_space(id).await?.into()).await
    }
}

fn called(hands: &mut Hands, space: SpaceId, mut args: Args) -> Answered<'_> {
    Box::pin(async move {
        let (text, said) = (args.text("description")?, args.texts("declare")?);
        let more = declarations(&said).map_err(refused)?;
        let caller = &hands.caller;
        let mut declares = caller.declares(space).await.map_err(refused)?;
        declares.extend(more.clone());
        let done = match text {
            None if !more.is_empty() => caller.declare(space, declares).await,
            text if more.is_empty() => caller.describe(space, &text.unwrap_or_default()).await,
            text => caller.describe_declaring(space, &text.unwrap_or_default(), declares).await,
        };
        done.map_err(refused)?;
        Ok(items::none())
    })
}
