//! Taking an atom out of search.

use crate::answer::AtomAnswer;
use crate::caller::Caller;
use crate::operation::{
    Arg, ArgForm, BASE, EffectKind, Operation, Out, Quiet, RequiredRight, WHY, base, why,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::Level;

/// Remove an atom from searches; it stays readable by its id
///
/// Give --if-version with the version you have read, or --force.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecate {
    /// The atom's id; several may be given
    pub id: String,
    /// The atom to read instead
    #[serde(default)]
    pub superseded_by: Option<String>,
    /// Undo a deprecation: the atom is found by searches again
    #[serde(default)]
    pub undo: bool,
    /// The version you have read; if the atom has another one, nothing changes (exit code 5)
    #[serde(default)]
    pub if_version: Option<u64>,
    /// Skip the version check
    #[serde(default)]
    pub force: bool,
    /// Why the change is made; shown in the history and to followers of the space
    #[serde(default)]
    pub comment: Option<String>,
    /// Idempotency key: a repeated command with the same key takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

impl Operation for Deprecate {
    const NAME: &'static str = "deprecate";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[
        &[
            Arg::at("id", ArgForm::Ids),
            Arg::flag("superseded-by", "superseded_by", ArgForm::Text, "ID").conflicts(&["undo"]),
            Arg::switch("undo", "undo"),
        ],
        BASE,
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "deprecate",
        takes: &[
            "id",
            "superseded_by=None",
            "if_version=None",
            "force=False",
            "comment=None",
            "key=None",
            "undo=False",
        ],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let id = caller.atom_id(&self.id).await?;
        let by = match self.superseded_by {
            Some(by) => Some(caller.atom_id(&by).await?),
            None => None,
        };
        let expect = base(id, self.if_version, self.force)?;
        let verb = if self.undo { "reinstate" } else { "deprecate" };
        let why = why(self.comment, self.key, || format!("{verb} {}", self.id))?;
        let written = match (self.undo, by) {
            (false, by) => caller.deprecate(id, expect, by, why).await?,
            (true, None) => caller.reinstate(id, expect, why).await?,
            (true, Some(_)) => {
                let text = "--undo and --superseded-by exclude each other";
                return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
            }
        };
        let read = caller.get_version(id, written.version).await?;
        out.tell(AtomAnswer::written(caller, &read).await?).await
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let by = args.said("superseded_by");
        let by = match &by {
            Some(by) => Some(api.named_id(by, &Default::default()).await?),
            None => None,
        };
        let expect = api.expect(id, &mut args)?;
        let undo = args.truth("undo")?;
        let mut why = api.why(&mut args, if undo { "reinstate" } else { "deprecate" })?;
        api.rest_on(id, &mut why);
        let why = api.keyed(why, &expect);
        let written = match undo {
            true => api.caller.reinstate(id, expect, why).await,
            false => api.caller.deprecate(id, expect, by, why).await,
        };
        match written {
            Ok(written) => {
                api.remember(id, written.version);
                Ok(items::none())
            }
            Err(problem) => Err(api.conflict(id, problem).await),
        }
    })
}
