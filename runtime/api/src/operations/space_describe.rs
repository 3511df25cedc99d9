//! Saying anew what a space is for.

use super::space_create::declarations;
use crate::answer::SpaceAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Needed, Operation, Out, Quiet, RequiredRight};
use crate::problem::{Problem, ProblemKind};
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;
use stoa_actors::space::Declarations;

/// Replace the description of a space, or add declarations
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceDescribe {
    /// The space's name or id
    pub space: String,
    /// The description, - for stdin, or @FILE [default: stdin if it is piped]
    #[serde(default)]
    pub description: Option<String>,
    /// Declare one more key or relation, as with space create: priority:number
    #[serde(default)]
    pub declare: Vec<String>,
}

const ABOUT: Needed = Needed { what: "the description", hint: "stoa space describe SPACE 'TEXT'" };

impl Operation for SpaceDescribe {
    const NAME: &'static str = "space describe";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::at("description", ArgForm::Long(ABOUT)).unless("declare"),
        Arg::flag("declare", "declare", ArgForm::Texts, "NAME:KIND"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "describe",
        takes: &["description=None", "declare=[]"],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = SpaceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SpaceAnswer>) -> Result<(), Problem> {
        let id = caller.resolve(&self.space)?;
        let more = declarations(&self.declare)?;
        changed(caller, id, self.description.as_deref(), more).await?;
        out.tell(caller.show_space(id).await?.into()).await
    }
}

/// What is declared first: it may be refused.
async fn changed(
    caller: &Caller,
    space: SpaceId,
    description: Option<&str>,
    more: Declarations,
) -> Result<(), Problem> {
    if description.is_none() && more.is_empty() {
        let problem = Problem::new(ProblemKind::Invalid, "nothing to change is given");
        return Err(problem.hint(ABOUT.hint));
    }
    if !more.is_empty() {
        caller.declare_more(space, more).await?;
    }
    match description {
        Some(text) => caller.describe(space, text).await,
        None => Ok(()),
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let (text, said) = (args.text("description")?, args.texts("declare")?);
        let more = declarations(&said).map_err(refused)?;
        changed(&api.caller, space, text.as_deref(), more).await.map_err(refused)?;
        Ok(items::none())
    })
}
