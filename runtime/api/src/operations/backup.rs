//! Everything that is durable, in one file.

use crate::answer::plain_answer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Operation, Out, Progress, Quiet, RequiredRight};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Back up the whole data directory into one file, while others work
///
/// The file appears under its name when it is complete and has been read back. It holds the log:
/// spaces with all versions, permissions, agents and what they did. It does not hold the variables
/// of Python sessions. Use restore to bring it back. Only the owner of the directory may do this;
/// with --as it is refused.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The file to write; it must not exist
    pub target: PathBuf,
}

plain_answer! {
    /// A backup that is whole.
    BackedUp {
        /// The path of the file.
        backup: String,
        /// The last entry that is in it: its position and hash.
        head: String,
        /// How many entries of the log are in it.
        entries: u64,
        /// How large the file is.
        bytes: u64,
    } |it| format!(
        "backed up to {}: {} entries, {} bytes, head {}", it.backup, it.entries, it.bytes, it.head
    )
}

impl Operation for Backup {
    const NAME: &'static str = "backup";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight =
        RequiredRight::Owner("a backup contains every space", "stoa backup TARGET");
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("target", ArgForm::Path),
        Arg::flag("verify", "verify", ArgForm::Local, "")
            .about("Write nothing; verify an existing backup"),
    ]];
    const QUIET: Quiet = Quiet::Nothing;
    type Answer = BackedUp;

    async fn perform(self, caller: &Caller, out: &Out<BackedUp>) -> Result<(), Problem> {
        let looking = out.to.clone();
        let look = move |copied| looking.say_now(Progress::Copied(copied));
        let it = caller.runtime().backup(&self.target, look).await?;
        let (backup, head) = (it.path.display().to_string(), it.head.to_string());
        let (entries, bytes) = (it.head.position.0, it.bytes);
        out.tell(BackedUp { backup, head, entries, bytes }).await
    }
}
