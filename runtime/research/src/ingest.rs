//! Files into a space: what is new is put, what changed is updated, what is gone is deprecated.

use super::ingest_writer::{Brought, IngestWriter, What, died, heard};
use super::known::{self, Known, Recorded};
use super::walk::{self, Seen, Skipped, Walked};
use crate::blocking::blocking;
use crate::caller::Caller;
use crate::limits::SourceLimits;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use stoa_actors::id::SpaceId;
use tokio::task::{JoinError, JoinSet};

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestProgress {
    /// Files that were found.
    pub files: usize,
    /// Those that are done, whatever came of them.
    pub done: usize,
    /// Passages of those that are done.
    pub passages: usize,
}

/// What the space says now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingested {
    /// Files that can be read: new, changed and unchanged ones together.
    pub files: usize,
    /// Files that were not known.
    pub new: usize,
    /// Files that say something else than before, or were left half-read.
    pub changed: usize,
    /// Files that cost no write.
    pub unchanged: usize,
    /// Files that were known and are gone, or are no text any more.
    pub removed: usize,
    /// Passages of all of them.
    pub passages: usize,
    /// What is not read, in the order of the paths.
    pub skipped: Vec<Skipped>,
}

/// Reads files, and folders with all that is in them, into a space.
///
/// Each file is one atom of `kind` `file`; each of its passages is one of `kind` `passage` that
/// refers to it by `of`. A file that is known with the same size and time of change is not read,
/// one with the same content costs no write. Of a changed one the passages become new versions of
/// the same atoms, by number. What is known of files outside the paths stays as it is.
///
/// Cut off at any instant, the next call completes it: a file's atom says `complete` last. Two
/// calls at once by the same session make the same atoms. Errors: [`Unknown`] for a path
/// that is not there or a space the caller cannot read, [`Invalid`] over
/// [`files_max`] or when nothing can be read, and then nothing is changed but that
/// the space may have its catalogue; those of [`Caller::put`].
///
/// [`Unknown`]: crate::problem::ProblemKind::Unknown
/// [`Invalid`]: crate::problem::ProblemKind::Invalid
/// [`files_max`]: SourceLimits::files_max
pub async fn ingest(
    caller: &Caller,
    space: SpaceId,
    paths: &[PathBuf],
    limits: &SourceLimits,
    progress: &mut (dyn FnMut(IngestProgress) + Send),
) -> Result<Ingested, Problem> {
    let (asked, most) = (paths.to_vec(), limits.clone());
    let mut walked = blocking(move || walk::walk(&asked, &most)).await??;
    let catalogue = known::catalogue(caller, space).await?;
    let hands = caller.clone();
    let known = blocking(move || Known::of(&hands, space, catalogue)).await??;
    let writer = Arc::new(IngestWriter::new(caller.clone(), space, catalogue, limits.clone()));
    let files = std::mem::take(&mut walked.files);
    let mut run = Run { walked, known, sum: Ingested::default(), gone: Vec::new() };
    run.read(&writer, files, progress).await?;
    if run.sum.files == 0 {
        run.sum.skipped.extend(run.walked.skipped);
        return Err(walk::nothing(paths, &run.sum.skipped));
    }
    run.remove(&writer).await?;
    run.sum.skipped.extend(run.walked.skipped);
    run.sum.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(run.sum)
}

/// One call of [`ingest`].
struct Run {
    walked: Walked,
    known: Known,
    sum: Ingested,
    gone: Vec<Recorded>,
}

impl Run {
    async fn read(
        &mut self,
        writer: &Arc<IngestWriter>,
        files: Vec<Seen>,
        progress: &mut (dyn FnMut(IngestProgress) + Send),
    ) -> Result<(), Problem> {
        let mut at = IngestProgress { files: files.len(), ..IngestProgress::default() };
        let mut tasks = JoinSet::new();
        for seen in files {
            let known = self.known.files.remove(&seen.path);
            if let Some(known) = known.as_ref().filter(|known| known.is(&seen)) {
                self.sum.unchanged += 1;
                self.sum.files += 1;
                self.sum.passages += known.passages;
                at.done += 1;
                continue;
            }
            while tasks.len() >= writer.writes_max() {
                self.hear(tasks.join_next().await, &mut at, progress)?;
            }
            let after = self.known.gone.get(&seen.path).copied();
            tasks.spawn(writer.clone().bring(seen, known, after));
        }
        at.passages = self.sum.passages;
        progress(at);
        while !tasks.is_empty() {
            self.hear(tasks.join_next().await, &mut at, progress)?;
        }
        Ok(())
    }

    fn hear(
        &mut self,
        brought: Option<Result<Result<Brought, Problem>, JoinError>>,
        at: &mut IngestProgress,
        progress: &mut (dyn FnMut(IngestProgress) + Send),
    ) -> Result<(), Problem> {
        let Some(brought) = brought else { return Ok(()) };
        match brought.map_err(|error| died(&error))?? {
            Brought::Read { what, passages } => {
                self.sum.files += 1;
                self.sum.passages += passages;
                match what {
                    What::New => self.sum.new += 1,
                    What::Changed => self.sum.changed += 1,
                    What::Unchanged => self.sum.unchanged += 1,
                }
            }
            Brought::Skipped { path, reason, known } => {
                self.gone.extend(known.filter(|_| !reason.leaves_it()));
                self.sum.skipped.push(Skipped { path: path.into(), reason });
            }
        }
        at.done += 1;
        at.passages = self.sum.passages;
        progress(*at);
        Ok(())
    }

    /// Takes out of use what is known and was not found where it was looked for.
    async fn remove(&mut self, writer: &Arc<IngestWriter>) -> Result<(), Problem> {
        let rest = std::mem::take(&mut self.known.files).into_values();
        self.gone.extend(rest.filter(|it| self.walked.covers(&it.path)));
        self.sum.removed = self.gone.len();
        let gone = self.gone.drain(..).chain(self.known.surplus.drain(..));
        let mut tasks = JoinSet::new();
        for file in gone {
            while tasks.len() >= writer.writes_max() {
                heard(tasks.join_next().await)?;
            }
            tasks.spawn(writer.clone().remove(file));
        }
        while !tasks.is_empty() {
            heard(tasks.join_next().await)?;
        }
        Ok(())
    }
}
