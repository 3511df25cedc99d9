//! What is done with files alone, without anybody who has the directory open.

use super::progress::Progress;
use super::screen::{Screen, done};
use serde_json::{Value as Json, json};
use std::io;
use std::path::Path;
use stoa_kernel::backup::{self, BackupSummary};
use stoa_kernel::failure::StoreError;
use stoa_kernel::kinds;
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};

/// Proves a backup.
pub(super) fn verify(path: &Path, as_json: bool) -> Result<(), Problem> {
    let progress = Progress::new();
    let proved = backup::verify(path, &mut |copied| progress.copied(&copied))?;
    progress.clear();
    say("backup", "whole:", path, &proved, as_json)
}

/// Makes a directory of one.
pub(super) fn restore(path: &Path, config: &Config, as_json: bool) -> Result<(), Problem> {
    let progress = Progress::new();
    let mut look = |copied| progress.copied(&copied);
    let restored = backup::restore(path, &config.log, &kinds(), &mut look).map_err(|error| {
        let hint = match &error {
            backup::BackupError::Store(StoreError::File { .. } | StoreError::Engine(_)) => {
                Some(format!("stoa --data OTHER_DIR restore {}", path.display()))
            }
            _ => None,
        };
        let problem = Problem::from(error);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })?;
    progress.clear();
    say("restored", "restored into", &config.log.data, &restored, as_json)
}

fn say(
    key: &str,
    words: &str,
    path: &Path,
    backup: &BackupSummary,
    as_json: bool,
) -> Result<(), Problem> {
    let written = match as_json {
        true => Screen::out().json(&told(key, path, backup)),
        false => print(words, path, backup),
    };
    written.map_err(|error| Problem::new(ProblemKind::Store, error))
}

/// The answer as programs get it.
fn told(key: &str, path: &Path, backup: &BackupSummary) -> Json {
    json!({
        key: path.display().to_string(),
        "head": backup.head.to_string(),
        "entries": backup.head.position.0,
        "bytes": backup.bytes,
    })
}

/// The answer as people are shown it.
fn print(words: &str, path: &Path, backup: &BackupSummary) -> io::Result<()> {
    let (head, bytes) = (backup.head, backup.bytes);
    let (path, entries) = (path.display(), head.position);
    done(format!("{words} {path}: {entries} entries, {bytes} bytes, head {head}"))
}
