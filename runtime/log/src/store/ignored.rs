//! A data directory stays out of the version control of whatever project it is in.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file by which git is told.
pub(super) const IGNORED: &str = ".gitignore";

/// Everything in the directory, the file itself with it.
const ALL: &[u8] = b"*\n";

/// Has git ignore a directory that is being made. What is there already is somebody's, and stays; nothing
/// rests on it, so that a directory opens as well where it cannot be written.
pub(super) fn ignore(data: &Path) {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(data.join(IGNORED));
    drop(file.and_then(|mut it| it.write_all(ALL)));
}
