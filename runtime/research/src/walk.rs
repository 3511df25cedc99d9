//! Paths as files: every file once, in order, and what is not read with the reason.

use crate::limits::SourceLimits;
use crate::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What to type instead.
const HINT: &str = "stoa research QUESTION --files PATH";

/// A file that was found, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Absolute, without links above what was asked for.
    pub(super) path: String,
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) mtime: i64,
}

impl Seen {
    pub(super) fn of(path: &Path, it: &Metadata) -> Result<Seen, Reason> {
        let path = path.to_str().ok_or(Reason::Name)?.to_owned();
        let mtime = it.mtime().saturating_mul(1_000_000_000).saturating_add(it.mtime_nsec());
        Ok(Seen { path, size: it.size(), mtime })
    }
}

/// What is not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Skipped {
    pub path: PathBuf,
    pub reason: Reason,
}

/// Why a file or folder is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Reason {
    /// The system says no.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It was there a moment ago, or a link leads nowhere.
    #[error("is no longer there")]
    Vanished,
    #[error("is no text")]
    Binary,
    /// Over a limit, packed or unpacked.
    #[error("has more than {max} bytes")]
    Large { max: usize },
    /// It was never the same before and after it was read.
    #[error("changed while it was read, {0} times")]
    Changing(u32),
    /// Its name is not UTF-8.
    #[error("has a name that is not UTF-8")]
    Name,
    /// A pipe, a socket, a device.
    #[error("is neither a file nor a folder")]
    Special,
    /// Nothing is in it.
    #[error("is empty")]
    Empty,
}

impl Reason {
    pub(super) fn of(error: &std::io::Error) -> Reason {
        match error.kind() {
            ErrorKind::NotFound => Reason::Vanished,
            _ => Reason::Unreadable(error.to_string()),
        }
    }

    /// Whether what was read of it earlier still holds, as far as anybody knows.
    pub(super) fn leaves_it(&self) -> bool {
        matches!(self, Reason::Unreadable(_) | Reason::Changing(_))
    }
}

/// What is under some paths.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// In the order of their paths.
    pub(super) files: Vec<Seen>,
    /// In the order in which they were met.
    pub(super) skipped: Vec<Skipped>,
    /// What was asked for, without links.
    pub(super) roots: Vec<PathBuf>,
}

impl Walked {
    /// Whether a file that is not among those found is gone, not only out of sight.
    pub(super) fn covers(&self, path: &str) -> bool {
        let path = Path::new(path);
        let hidden = self.skipped.iter().filter(|it| it.reason.leaves_it());
        self.roots.iter().any(|root| path.starts_with(root))
            && !hidden.into_iter().any(|it| path.starts_with(&it.path))
    }
}

/// Finds the files. Blocks.
///
/// Errors: [`ProblemKind::Unknown`] for a path that is not there, [`ProblemKind::Invalid`] when there is no file
/// or there are too many.
pub(super) fn walk(paths: &[PathBuf], limits: &SourceLimits) -> Result<Walked, Problem> {
    let mut roots = Vec::new();
    for path in paths {
        let root = path.canonicalize().map_err(|error| {
            let text = match error.kind() {
                ErrorKind::NotFound => format!("no file or folder {}", path.display()),
                _ => format!("{} cannot be read: {error}", path.display()),
            };
            Problem::new(ProblemKind::Unknown, text).hint(HINT)
        })?;
        roots.push(root);
    }
    roots.sort();
    roots.dedup();
    let files_max = limits.files_max;
    let mut walk =
        Walk { files_max, met: HashSet::new(), links: VecDeque::new(), found: Walked::default() };
    for root in &roots {
        walk.enter(root)?;
    }
    // What is met by its own name is known by that; links come second.
    while let Some(link) = walk.links.pop_front() {
        walk.enter(&link)?;
    }
    let mut found = Walked { roots, ..walk.found };
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    if found.files.is_empty() {
        return Err(nothing(paths, &found.skipped));
    }
    Ok(found)
}

/// Nothing of what was named can be read.
pub(super) fn nothing(paths: &[PathBuf], skipped: &[Skipped]) -> Problem {
    let named: Vec<String> = paths.iter().take(3).map(|it| it.display().to_string()).collect();
    let more = if paths.len() > named.len() { ", …" } else { "" };
    let first = skipped.first().map_or_else(String::new, |it| {
        let others = match skipped.len() - 1 {
            0 => String::new(),
            n => format!(", and {n} more are skipped"),
        };
        format!(": {} {}{others}", it.path.display(), it.reason)
    });
    let text = match named.is_empty() {
        true => "no file or folder is named".to_owned(),
        false => format!("nothing to read in {}{more}{first}", named.join(", ")),
    };
    Problem::new(ProblemKind::Invalid, text).hint(HINT)
}

struct Walk {
    files_max: usize,
    /// Device and inode of every file and folder.
    met: HashSet<(u64, u64)>,
    links: VecDeque<PathBuf>,
    found: Walked,
}

impl Walk {
    /// Whatever a path leads to.
    fn enter(&mut self, path: &Path) -> Result<(), Problem> {
        match std::fs::metadata(path) {
            Err(error) => self.skip(path, Reason::of(&error)),
            Ok(it) if it.is_dir() => self.folder(path.to_owned(), &it)?,
            Ok(it) => self.file(path, &it)?,
        }
        Ok(())
    }

    fn folder(&mut self, path: PathBuf, it: &Metadata) -> Result<(), Problem> {
        if !self.met.insert((it.dev(), it.ino())) {
            return Ok(());
        }
        let mut open = vec![path];
        while let Some(path) = open.pop() {
            match self.list(&path) {
                Ok(entries) => {
                    for entry in entries {
                        self.entry(entry, &mut open)?;
                    }
                }
                Err(error) => self.skip(&path, Reason::of(&error)),
            }
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> std::io::Result<Vec<PathBuf>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path)? {
            entries.push(entry?.path());
        }
        entries.sort();
        Ok(entries)
    }

    fn entry(&mut self, path: PathBuf, open: &mut Vec<PathBuf>) -> Result<(), Problem> {
        let it = match std::fs::symlink_metadata(&path) {
            Ok(it) => it,
            Err(error) => {
                self.skip(&path, Reason::of(&error));
                return Ok(());
            }
        };
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if it.is_symlink() {
            let aside = hidden && path.is_dir();
            self.links.extend((!aside).then_some(path));
        } else if !it.is_dir() {
            self.file(&path, &it)?;
        } else if !hidden && self.met.insert((it.dev(), it.ino())) {
            open.push(path);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, it: &Metadata) -> Result<(), Problem> {
        if !it.is_file() {
            self.skip(path, Reason::Special);
        } else if self.met.insert((it.dev(), it.ino())) {
            match Seen::of(path, it) {
                Ok(seen) if seen.size > 0 => self.found.files.push(seen),
                Ok(_) => self.skip(path, Reason::Empty),
                Err(reason) => self.skip(path, reason),
            }
        }
        let max = self.files_max;
        if self.found.files.len() + self.found.skipped.len() <= max {
            return Ok(());
        }
        let text = format!("more than {max} files, the last of them {}; name less", path.display());
        Err(Problem::new(ProblemKind::Invalid, text).hint(HINT))
    }

    fn skip(&mut self, path: &Path, reason: Reason) {
        self.found.skipped.push(Skipped { path: path.to_owned(), reason });
    }
}
