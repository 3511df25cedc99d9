//! Taking in what export has written, one piece after the other.

use crate::answer::plain_answer;
use crate::caller::Caller;
use crate::operation::{Arg, EffectKind, Operation, Out, Packed, RequiredRight, why};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::rights::Level;
use stoa_actors::space::ImportedVersion;

/// Take one piece of an import in; `stoa import` looks the whole file through first
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The space's name, or its id
    pub space: String,
    /// Versions of atoms, in order.
    pub carried: Packed<Vec<ImportedVersion>>,
    /// What the space is for, if it does not say so yet.
    #[serde(default)]
    pub describe: Option<String>,
    /// What the change is for; those who follow the space are told
    #[serde(default)]
    pub comment: Option<String>,
    /// Makes repeating the command harmless: with the same key it takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

plain_answer! {
    /// What one piece of an import has brought.
    Imported {
        /// Versions that were not there.
        new: u64,
        /// Versions that were there, just so.
        known: u64,
        /// Versions that lost to what is there, and are kept in the attic now.
        attic: u64,
        /// The atoms of which some did, now or before.
        lost: Vec<String>,
    } |it| format!("imported {} versions; {} were there already", it.new, it.known)
}

impl Operation for Import {
    const NAME: &'static str = "import piece";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[];
    const TYPED: bool = false;
    type Answer = Imported;

    async fn perform(self, caller: &Caller, out: &Out<Imported>) -> Result<(), Problem> {
        let id = caller.resolve(&self.space)?;
        if let Some(text) = self.describe.filter(|text| !text.is_empty())
            && caller.description(id).await?.is_empty()
        {
            caller.describe(id, &text).await?;
        }
        let why = why(self.comment, self.key, || "import".to_owned())?;
        let it = caller.import(id, self.carried.0, why).await?;
        let lost = it.lost.iter().map(ToString::to_string).collect();
        out.tell(Imported { new: it.new, known: it.known, attic: it.attic, lost }).await
    }
}
