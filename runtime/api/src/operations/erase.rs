//! Emptying an atom for good.

use crate::answer::AtomAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight, WHY, why};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::Level;
use stoa_actors::space::Expect;

/// Permanently delete the content of all versions of an atom
///
/// Allowed for its author with the level write, and for anyone with the level grant. The history
/// keeps that the atom existed, with comments, authors, times and references. Files hold the bytes
/// until the process that serves the directory shuts down gracefully; that shutdown rewrites the
/// whole log. Older backups and exports keep the content, and so do the notes of agents that have
/// read it. It asks first; without a terminal it needs --yes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// The atom's id; several may be given
    pub id: String,
    /// Only if the atom is at this version [default: any version]
    #[serde(default)]
    pub if_version: Option<u64>,
    /// Why the change is made; shown in the history and to followers of the space
    #[serde(default)]
    pub comment: Option<String>,
    /// Idempotency key: a repeated command with the same key takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

impl Operation for Erase {
    const NAME: &'static str = "erase";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[
        &[Arg::at("id", ArgForm::Ids), Arg::flag("if-version", "if_version", ArgForm::Number, "N")],
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "erase",
        takes: &["id", "if_version=None", "comment=None", "key=None"],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let id = caller.atom_id(&self.id).await?;
        let expect = self.if_version.map_or(Expect::Any, Expect::Version);
        let why = why(self.comment, self.key, || format!("erase {}", self.id))?;
        caller.erase(id, expect, why).await?;
        out.tell(AtomAnswer::written(caller, &caller.get(id).await?).await?).await
    }
}

/// For good, and whatever version it is at: what is erased need not be read first.
fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let expect = args.number("if_version")?.map_or(Expect::Any, Expect::Version);
        let mut why = api.why(&mut args, "erase")?;
        api.rest_on(id, &mut why);
        let why = api.keyed(why, &());
        match api.caller.erase(id, expect, why).await {
            Ok(written) => {
                api.remember(id, written.version);
                Ok(items::none())
            }
            Err(problem) => Err(api.conflict(id, problem).await),
        }
    })
}
