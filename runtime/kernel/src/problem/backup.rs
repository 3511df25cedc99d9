//! What to type where there is no backup, or no directory made of one.

use super::{Problem, ProblemKind};
use crate::backup::BackupError;
use std::path::{Path, PathBuf};

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Problem {
        let (kind, hint) = match &error {
            BackupError::Exists(path) => {
                (ProblemKind::Conflict, format!("stoa backup {}", beside(path).display()))
            }
            BackupError::Inside(_) => {
                (ProblemKind::Invalid, "stoa backup ../stoa.backup".to_owned())
            }
            BackupError::Busy(_) | BackupError::Interrupted => {
                (ProblemKind::Busy, "stoa backup OTHER_FILE".to_owned())
            }
            BackupError::File { what, .. } if what.contains("read") => {
                (ProblemKind::Invalid, "stoa backup --verify FILE".to_owned())
            }
            BackupError::File { .. } => {
                (ProblemKind::Store, "stoa backup WRITABLE_DIR/FILE".to_owned())
            }
            BackupError::Foreign(_) => (ProblemKind::Invalid, "stoa backup FILE".to_owned()),
            BackupError::Older { .. } => {
                (ProblemKind::Invalid, "stoa --data NEW_DIR import SPACE FILE".to_owned())
            }
            BackupError::Newer { .. } => (ProblemKind::Invalid, "stoa --version".to_owned()),
            BackupError::Cut { .. } | BackupError::Damaged { .. } | BackupError::Sum { .. } => {
                (ProblemKind::Invalid, "stoa backup --verify OTHER_BACKUP".to_owned())
            }
            BackupError::Store(error) => return error.clone().into(),
        };
        Problem::new(kind, error).hint(hint)
    }
}

/// A name that is likely to be free.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".2");
    path.with_file_name(name)
}
