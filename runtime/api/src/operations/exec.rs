//! Running code.

use crate::answer::{OutcomeAnswer, WokenAnswer};
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, RequiredRight, SpaceRight};
use crate::problem::{Problem, ProblemKind};
use crate::session;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Run Python code with exactly the given permissions
///
/// The code has `space` (the first one given) and `spaces["name"]`. Each has {methods}, and its
/// name, id, level and description. `coordinator` has {coordinator}; `coordinator.space("name")`
/// opens any space that the session may use. The code has no files, no network and no processes.
///
/// Content that does not fit into one answer is cut: `atom.cut` is true, `atom.size` is the whole
/// length, and `space.read(atom, start=0, end=None)` reads a part. What the code prints and the
/// value of its last expression go to stdout. An update needs no version: it expects the version
/// that the code has read, and raises Conflict if there is a newer one. If the code fails, the exit
/// code is 7.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The code: a file, or - for stdin [default: stdin if it is piped]
    pub source: String,
    /// Permissions of the code: SPACE=LEVEL, and :LEVEL for what it may delegate:
    /// tasks=write:append,notes=read [default: those of --session; without one, none]
    #[serde(default)]
    pub spaces: Vec<SpaceRight>,
    /// Keep variables, permissions and read versions under this name, for the next run
    #[serde(default)]
    pub session: Option<String>,
}

impl Operation for Exec {
    const NAME: &'static str = "exec";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("source", ArgForm::Code),
        Arg::flag("spaces", "spaces", ArgForm::Spaces, "NAME=LEVEL[:LEVEL]"),
        Arg::flag("session", "session", ArgForm::Text, "NAME"),
    ]];
    const MAKES: bool = true;
    type Answer = OutcomeAnswer;

    async fn perform(self, caller: &Caller, out: &Out<OutcomeAnswer>) -> Result<(), Problem> {
        let each = self.spaces.into_iter().map(|it| match it.level {
            Some(level) => Ok((it.space, level.0, it.delegate.map(|it| it.0))),
            None => {
                let text = format!("the permission on {:?} has no level", it.space);
                Err(Problem::new(ProblemKind::Invalid, text)
                    .hint(format!("--spaces {}=read", crate::problem::quoted(&it.space))))
            }
        });
        let spaces = each.collect::<Result<Vec<_>, Problem>>()?;
        let session = self.session.as_deref();
        let outcome = session::exec(caller, self.source, &spaces, session).await?;
        let woken = WokenAnswer::of(caller).await?;
        out.tell(OutcomeAnswer { woken, ..outcome.into() }).await
    }
}
