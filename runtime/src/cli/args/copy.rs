//! What is moved in and out of a directory as a file.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum CopyVerb {
    /// Write a space as JSON Lines: every version of every atom, one event a line
    ///
    /// Comments, authors, times, references, media and idempotency keys go with it; subscriptions,
    /// leases and rights do not. Another store can take it in with import.
    Export {
        /// The space's name, or its id
        space: String,
        /// Into this file, which must not be there [default: stdout]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Take in what export has written
    ///
    /// The file is looked through whole before anything is changed. What is taken in is your doing:
    /// you are the author, and who wrote it first is kept beside it and leaves with it again. What
    /// is there already is passed over, so that an import that was cut off is completed by another;
    /// a version that says something else than the one that is there is refused, but with --merge.
    /// What other programs have written is put, not imported: stoa put SPACE --file FILE, or each
    /// line as stoa put SPACE --json-content LINE.
    Import {
        /// The space to take it into: its name, or its id
        space: String,
        /// The file [default: stdin]
        file: Option<PathBuf>,
        /// Give the atoms new ids, the same ones each time: for a second copy in one store
        #[arg(long)]
        new_ids: bool,
        /// Where the copies have gone on by themselves: keep what is here, and the other side in
        /// atoms of its own, deprecated, whose metadata attic_of names the atom they lost to
        #[arg(long)]
        merge: bool,
        /// What the import is for; those who follow the space are told
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Write everything that is durable into one file, beside others at work
    ///
    /// The file appears under its name once it is whole and has been read back. It holds the log:
    /// spaces with all versions, rights, agents and what they did; not the variables of Python
    /// sessions. Bring it back with restore. It is for the directory's owner alone, with --as it is
    /// refused.
    Backup {
        /// The file to write; nothing may be there
        target: PathBuf,
        /// Write nothing: prove that the backup that is there is whole
        #[arg(long)]
        verify: bool,
    },
    /// Make a new data directory of a backup
    ///
    /// The backup is proved whole first. The directory, as --data names it, must be new or empty.
    Restore {
        /// The file that backup has written
        backup: PathBuf,
    },
}
