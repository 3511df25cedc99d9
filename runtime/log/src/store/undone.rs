//! What an orderly stop leaves for the next open where the disk does not let it finish.

use serde::{Deserialize, Serialize};

/// What could not be done and is done later. Nothing that was acknowledged depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Undone {
    /// The checkpoint: the next open reads more of the log again.
    Checkpoint { why: String },
    /// Files may still hold what was erased. It is noted in the store: a purge that was interrupted
    /// is finished by the next open, one that was not begun by the next stop.
    Purge { why: String },
}

impl std::fmt::Display for Undone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Undone::Checkpoint { why } => {
                write!(f, "the checkpoint is not made, so the next open takes longer: {why}")
            }
            Undone::Purge { why } => write!(f, "files may still hold what was erased: {why}"),
        }
    }
}
