//! Reading an atom.

use crate::answer::AtomAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Quiet, RequiredRight, When};
use crate::problem::{Problem, ProblemKind};
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, moment, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::Level;

/// Read an atom: its content, metadata and references
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The atom's id; several may be given
    pub id: Vec<String>,
    /// This version [default: the newest]
    #[serde(default)]
    pub version: Option<u64>,
    /// As it was then: a position in the log, a time like 2026-01-31T12:00:00Z, or '10m ago'
    /// [default: now]
    #[serde(default)]
    pub as_of: Option<When>,
}

impl Get {
    /// The newest version of one.
    pub fn one(id: impl ToString) -> Get {
        Get { id: vec![id.to_string()], ..Get::default() }
    }
}

impl Operation for Get {
    const NAME: &'static str = "get";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("id", ArgForm::Ids),
        Arg::flag("version", "version", ArgForm::Number, "N").conflicts(&["as-of"]),
        Arg::flag("as-of", "as_of", ArgForm::Text, "MOMENT"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "get",
        takes: &["id", "version=None", "as_of=None"],
        does: Does::LooksUnless(&["version", "as_of"]),
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Field("/content");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let as_of = self.as_of.as_ref().map(When::moment).transpose()?;
        if self.version.is_some() && as_of.is_some() {
            let text = "--version and --as-of exclude each other";
            return Err(Problem::new(ProblemKind::Invalid, text).hint("stoa get ID --version N"));
        }
        for id in &self.id {
            let id = caller.atom_id(id).await?;
            let read = match (self.version, as_of) {
                (Some(version), _) => caller.get_version(id, version).await?,
                (None, Some(moment)) => caller.get_as_of(id, moment).await?,
                (None, None) => caller.get(id).await?,
            };
            out.tell(AtomAnswer::of(caller, &read)).await?;
        }
        Ok(())
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let version = args.number("version")?;
        let as_of = moment(&mut args)?;
        let read = match (version, as_of) {
            (Some(version), _) => api.caller.get_version(id, version).await,
            (None, Some(moment)) => api.caller.get_as_of(id, moment).await,
            (None, None) => api.caller.get(id).await,
        };
        let read = read.map_err(refused)?;
        // An older version is no base for a change.
        match version.is_none() && as_of.is_none() {
            true => Ok(api.note(&read)),
            false => Ok(api.fit.one(&read.atom, read.position)),
        }
    })
}
