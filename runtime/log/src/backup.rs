//! Backups: the log in one file, taken beside running writers, and a directory made of one.
//!
//! The log is the truth and everything else is derived from it, so a backup is the log's entries as
//! they are stored, header and body, up to a head. What is kept outside the log is not in it: the
//! variables of Python sessions (their dumps) and the versions that those remember having read.
//! After a restore a session has a fresh REPL and is told so.
//!
//! ```text
//! "stoa backup" form u8 ‖ position asked for u64           (numbers big-endian)
//! chunk: bytes u32 ‖ (entry bytes u32 ‖ entry)… ‖ sum      sum = SHA-256(sum before ‖ the chunk)
//! end:   0 u32 ‖ position u64 ‖ hash ‖ sum                 the head; nothing comes after it
//! ```
//!
//! A file has its name only once it is whole, on the medium and read back.

mod file;
mod restore;
mod take;

pub use restore::{restore, verify};
pub use take::take;

use crate::failure::StoreError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use stoa_actors::log::{Breach, Head};

/// A backup that is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct BackupSummary {
    pub path: PathBuf,
    /// The last entry in it: everything up to there is in it.
    pub head: Head,
    pub bytes: u64,
}

/// How far a long piece of work with entries is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Copied {
    /// What is done with them.
    pub how: Copying,
    pub done: u64,
    /// Of so many, as far as is known.
    pub of: u64,
}

/// What is done with entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Copying {
    /// Written into a backup.
    Backup,
    /// Read back and proved.
    Verify,
    /// Written into a directory.
    Restore,
    /// Written as JSON Lines.
    Export,
    /// Taken in from JSON Lines.
    Import,
}

/// Why there is no backup, or no directory made of one.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum BackupError {
    /// Something has the name already.
    #[error("{} is there already; a backup never writes over anything", .0.display())]
    Exists(PathBuf),
    /// The file would be part of what it is a backup of.
    #[error("{} is in the data directory; put the backup outside it", .0.display())]
    Inside(PathBuf),
    /// Another process writes it.
    #[error("another process is writing a backup to {}", .0.display())]
    Busy(PathBuf),
    /// A file cannot be read or written.
    #[error("{what} {}: {why}", .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It does not begin like one.
    #[error("{} is not a backup made by stoa", .0.display())]
    Foreign(PathBuf),
    /// Written by a preview.
    #[error(
        "{} is a backup of form {found}, of a preview of stoa; this build reads {known}: restore it \
         with the stoa that made it, export its spaces, and import them into a new directory",
        .path.display()
    )]
    Older {
        path: PathBuf,
        found: u8,
        /// The form this build reads.
        known: u8,
    },
    /// Written by a newer build.
    #[error("{} is a backup of form {found}, this build reads {known}; use a newer stoa", .path.display())]
    Newer {
        path: PathBuf,
        found: u8,
        /// The form this build reads.
        known: u8,
    },
    /// It ends too early.
    #[error("{} is cut short: it ends after entry {after}", .path.display())]
    Cut {
        path: PathBuf,
        /// The last entry that is there.
        after: Head,
    },
    /// Something in it is not as it was written.
    #[error("{} is damaged: {breach}", .path.display())]
    Damaged { path: PathBuf, breach: Box<Breach> },
    /// The entries hold, but not what surrounds them.
    #[error("{} is damaged after entry {after}: its checksum does not fit", .path.display())]
    Sum {
        path: PathBuf,
        /// The last entry before.
        after: Head,
    },
    /// Whoever asked has gone.
    #[error("the backup was interrupted; nothing was written under its name")]
    Interrupted,
    /// The store cannot be read, or the directory not be filled.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn file(what: &'static str, path: &Path) -> impl Fn(std::io::Error) -> BackupError {
        move |error| BackupError::File { what, path: path.to_owned(), why: error.to_string() }
    }
}
