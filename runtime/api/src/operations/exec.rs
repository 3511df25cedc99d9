//! Running code.

use crate::answer::{OutcomeAnswer, WokenAnswer};
use crate::caller::Caller;
use crate::operation::{Arg, Effect, How, Operation, Out, Right, SpaceRight};
use crate::problem::{Kind, Problem};
use crate::session;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Run one Python action with exactly these rights
///
/// The code has `space` (the first one given) and `spaces["name"]`, each with {methods}, and its
/// name, id, level and description; and no files, network or processes. `coordinator` has
/// {coordinator}: `coordinator.space("name")` opens any space that the session may use, also where
/// there are too many for `spaces`.
///
/// A content that does not fit into one answer is cut: `atom.cut` says so, `atom.size` is its
/// whole length, and `space.read(atom, start=0, end=None)` reads a part. What it prints and the
/// value of its last expression go to stdout. An update needs no version: it expects the one that
/// the code has read, and raises Conflict when there is a newer one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The code: a file, or - for stdin [default: what is piped in]
    pub source: String,
    /// What it may do, and where, and what of it it may hand on to those it spawns:
    /// tasks=write:append,notes=read [default: what the session holds]
    #[serde(default)]
    pub spaces: Vec<SpaceRight>,
    /// Keep its variables and rights, and which versions it has read, under this name
    #[serde(default)]
    pub session: Option<String>,
}

impl Operation for Exec {
    const NAME: &'static str = "exec";
    const EFFECT: Effect = Effect::Writes;
    const RIGHT: Right = Right::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("source", How::Code),
        Arg::flag("spaces", "spaces", How::Spaces, "NAME=LEVEL[:LEVEL]"),
        Arg::flag("session", "session", How::Text, "NAME"),
    ]];
    const MAKES: bool = true;
    type Answer = OutcomeAnswer;

    async fn perform(self, caller: &Caller, out: &Out<OutcomeAnswer>) -> Result<(), Problem> {
        let each = self.spaces.into_iter().map(|it| match it.level {
            Some(level) => Ok((it.space, level.0, it.delegate.map(|it| it.0))),
            None => {
                let text = format!("what the code may do in {:?} is not said", it.space);
                Err(Problem::new(Kind::Invalid, text).hint("--spaces NAME=LEVEL"))
            }
        });
        let spaces = each.collect::<Result<Vec<_>, Problem>>()?;
        let session = self.session.as_deref();
        let outcome = session::exec(caller, self.source, &spaces, session).await?;
        let woken = WokenAnswer::of(caller).await?;
        out.tell(OutcomeAnswer { woken, ..outcome.into() }).await
    }
}
