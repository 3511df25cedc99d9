//! Fail-stop: the first write or sync error ends the store. Nothing is acknowledged after it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use stoa_actors::codec::CodecError;
use stoa_actors::log::{Breach, Head};
use tokio::sync::Notify;

/// Why a store cannot be opened, or why it stopped.
#[derive(Clone, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum StoreError {
    /// The engine could not read or write.
    #[error("the store cannot go on: {0}; nothing was acknowledged after this, open it again")]
    Engine(String),
    /// A file of the data directory could not be read or written.
    #[error("{what} {}: {why}", .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It cannot be opened with these settings.
    #[error("{why}")]
    Settings {
        /// Which, and why not.
        why: String,
        /// What to type.
        hint: String,
    },
    /// Another process has it.
    #[error("{} is locked by another process that does not answer{}", .path.display(), by(.pid))]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The other process, if it left its number.
        pid: Option<u32>,
    },
    /// Written by a preview, whose forms no later build reads.
    #[error(
        "{} has data format {found}, which only a preview of stoa reads; this build reads {known}: \
         export its spaces with the stoa that wrote it, and import them into a new directory",
        .path.display()
    )]
    OlderFormat {
        /// The data directory.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The format this build reads.
        known: u32,
    },
    /// Written by a newer build.
    #[error("{} has data format {found}, this build reads {known}; use a newer stoa", .path.display())]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// The format found.
        found: String,
        /// The format this build reads.
        known: u32,
    },
    /// A restore into the directory was cut off.
    #[error("{} is not whole: a restore into it was interrupted; restore again", .path.display())]
    Unrestored {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory is not where it was.
    #[error("{} was moved or removed while it was open, so nothing more is written", .path.display())]
    Moved {
        /// Where it was.
        path: PathBuf,
    },
    /// Something else has a name that stoa needs.
    #[error("{} is {found} and stoa needs the name for {wanted}; move it away", .path.display())]
    InTheWay {
        /// What has the name.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// The system starts no more threads.
    #[error(
        "the system starts no more threads for this user: {0}; end other processes, or raise the limit"
    )]
    NoThreads(String),
    /// What would fill the disk up is not begun.
    #[error("{} needs {} MB of room for that and has {}", .path.display(), mb(.needed), .free >> 20)]
    NoRoom {
        /// The data directory.
        path: PathBuf,
        /// Bytes that must be free.
        needed: u64,
        /// Bytes that are.
        free: u64,
    },
    /// The directory belongs to another user.
    #[error("{} belongs to user {owner}, not to you (user {own})", .path.display())]
    Foreign {
        /// The data directory.
        path: PathBuf,
        owner: u32,
        /// The user of this process.
        own: u32,
    },
    /// Others can look into the directory, and it is not stoa's alone to change that.
    #[error("others can use {}: its mode is {mode:o}; make it private, or name another directory",
        .path.display())]
    Exposed {
        /// The data directory.
        path: PathBuf,
        mode: u32,
    },
    /// There is something in a directory that is to be filled.
    #[error("{} is not empty; restore into a new directory", .path.display())]
    Occupied {
        /// The data directory.
        path: PathBuf,
    },
    /// The log does not hold what was acknowledged.
    #[error("{0}")]
    Breach(Breach),
    /// The scrub found, below the last checkpoint, that the log does not hold any more what it
    /// held.
    #[error(
        "{breach}; the scrub found it below the checkpoint {checkpoint}: bring the directory back \
         from a copy, or give up every entry after {}",
        .breach.keeps()
    )]
    Damaged {
        /// What does not hold; it names the last entry that does.
        breach: Box<Breach>,
        /// Up to where the log was whole once.
        checkpoint: Head,
    },
    /// Stored bytes cannot be read.
    #[error("{0}")]
    Codec(String),
    /// The order of the log has ended, or has broken its word.
    #[error("the order of the log cannot go on: {0}; nothing was acknowledged after this")]
    Order(String),
    /// One entry is not in the log, and the store goes on. Its actor begins anew from what the log
    /// holds.
    #[error("the entry has no place in the log: {0}; ask again with the same key")]
    Void(String),
    /// A broken invariant of the log: two writers of one stream, for instance.
    #[error("broken invariant: {0}; open the store again")]
    Invariant(String),
    /// It did not stop in order in time.
    #[error(
        "it did not shut down gracefully within {ms} ms; what was acknowledged is durable, and \
         the next \
         open takes longer"
    )]
    Unfinished {
        /// How long it had.
        ms: u64,
    },
    /// The runtime is stopping in order.
    #[error("the runtime is stopping; ask again once it is open")]
    Stopping,
}

fn mb(bytes: &u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

fn by(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

impl From<CodecError> for StoreError {
    fn from(error: CodecError) -> Self {
        StoreError::Codec(error.to_string())
    }
}

impl From<Breach> for StoreError {
    fn from(breach: Breach) -> Self {
        StoreError::Breach(breach)
    }
}

/// Tripped once; from then on the store refuses.
#[derive(Clone, Debug, Default)]
pub struct StoreFailure(Arc<Tripped>);

#[derive(Debug, Default)]
struct Tripped {
    error: OnceLock<StoreError>,
    told: Notify,
}

impl StoreFailure {
    /// The first error counts.
    pub fn trip(&self, error: StoreError) -> StoreError {
        let first = self.0.error.get_or_init(|| error).clone();
        self.0.told.notify_waiters();
        first
    }

    /// The error that ended it, if any has.
    pub fn error(&self) -> Option<StoreError> {
        self.0.error.get().cloned()
    }

    /// Returns when it is tripped.
    pub async fn tripped(&self) -> StoreError {
        loop {
            let told = self.0.told.notified();
            if let Some(error) = self.error() {
                return error;
            }
            told.await;
        }
    }
}
