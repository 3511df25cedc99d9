//! Where an atom comes from.

use crate::answer::OriginAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, RequiredRight};
use crate::problem::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use stoa_actors::id::AtomId;
use stoa_actors::rights::Level;

/// Show which agent wrote an atom, and from what
///
/// Below an atom stand those that the model of its author had before it when it wrote it: what its
/// code had read, what was found for it, its instructions. Each of them is walked in turn. Of agents
/// that are not yours you see that they wrote it, and no more.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// The atom's id
    pub id: String,
    /// This version [default: the newest]
    #[serde(default)]
    pub version: Option<u64>,
    /// How many steps back; 0 is the atom alone
    #[serde(default = "three")]
    pub depth: u32,
}

fn three() -> u32 {
    3
}

/// Atoms that are told of in one answer.
const ORIGINS_MAX: usize = 1_000;

impl Operation for Why {
    const NAME: &'static str = "why";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("id", ArgForm::Text),
        Arg::flag("version", "version", ArgForm::Number, "N"),
        Arg::flag("depth", "depth", ArgForm::Number, "N"),
    ]];
    type Answer = OriginAnswer;

    async fn perform(self, caller: &Caller, out: &Out<OriginAnswer>) -> Result<(), Problem> {
        let asked = caller.atom_id(&self.id).await?;
        let mut open: Vec<(u32, &'static str, AtomId, Option<u64>)> =
            vec![(0, "asked", asked, self.version)];
        let (mut seen, mut told) = (BTreeSet::new(), 0);
        while let Some((depth, how, id, version)) = open.pop() {
            let origin = match caller.origin(id, version).await {
                Ok(origin) => origin,
                // What the caller may not read, or is erased, is no part of its answer.
                Err(problem) if depth > 0 && problem.kind == ProblemKind::Unknown => continue,
                Err(problem) => return Err(problem),
            };
            let version = origin.read.atom.version;
            out.tell(OriginAnswer::of(caller, depth, how, &origin)).await?;
            told += 1;
            // Each is walked once.
            if depth >= self.depth || told >= ORIGINS_MAX || !seen.insert((id, version)) {
                continue;
            }
            let sources = origin.sources.iter().rev();
            open.extend(
                sources.map(|it| (depth + 1, it.kind.word(), it.of.id, Some(it.of.version))),
            );
        }
        Ok(())
    }
}
