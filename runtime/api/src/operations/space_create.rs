//! Making a space.

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
use stoa_actors::space::{Declaration, Declarations};

/// Create a space (a shared store of records); only you can use it until you grant access
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceCreate {
    /// The name of the space
    pub name: String,
    /// What the space is for and how to use it; - for stdin, or @FILE
    #[serde(default)]
    pub description: String,
    /// Declare a metadata key with its type, priority:number (or text, bool, list, map, any), or a
    /// relation, blocked_by:relation. KEY:TYPE:ordered allows sorting by the key, :unordered forbids
    /// it. RELATION:relation:acyclic refuses cycles
    #[serde(default)]
    pub declare: Vec<String>,
}

const ABOUT: Needed =
    Needed { what: "the description", hint: "stoa space create NAME --description 'TEXT'" };

impl Operation for SpaceCreate {
    const NAME: &'static str = "space create";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("name", ArgForm::Text),
        Arg::flag("description", "description", ArgForm::Also(ABOUT), "TEXT"),
        Arg::flag("declare", "declare", ArgForm::Texts, "NAME:KIND"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "create_space",
        takes: &["name", "description=''", "declare=[]"],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = SpaceAnswer;

    async fn perform(self, caller: &Caller, out: &Out<SpaceAnswer>) -> Result<(), Problem> {
        let declares = declarations(&self.declare)?;
        let id = caller.create_space_declaring(&self.name, &self.description, declares).await?;
        out.tell(caller.show_space(id).await?.into()).await
    }
}

/// What is declared, as it is typed.
pub(super) fn declarations(texts: &[String]) -> Result<Declarations, Problem> {
    let mut declares = Declarations::default();
    for text in texts {
        let declaration: Declaration = text.parse().map_err(|error| {
            Problem::new(ProblemKind::Invalid, format!("--declare {text:?}: {error}"))
                .hint("--declare priority:number")
        })?;
        declares.add(declaration).map_err(|error| {
            Problem::new(ProblemKind::Invalid, format!("--declare {text:?}: {error}"))
                .hint("--declare priority:number")
        })?;
    }
    Ok(declares)
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let name = args.text("name")?.unwrap_or_default();
        let description = args.text("description")?.unwrap_or_default();
        let declares = declarations(&args.texts("declare")?).map_err(refused)?;
        // The same one again where the call is made again.
        let id = SpaceId(api.fresh(0));
        api.caller.create_as(id, &name, &description, declares).await.map_err(refused)?;
        Ok(items::space(&name, id, Level::Grant))
    })
}
