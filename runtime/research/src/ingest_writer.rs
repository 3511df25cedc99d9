//! One file on its way into a space, or out of it.

use super::known::{self, LISTED_IN, OF, Recorded, Says};
use super::plan::{Kept, Plan, plan};
use super::source::{self, Source};
use super::walk::{Reason, Seen};
use crate::blocking::blocking;
use crate::caller::{Caller, WriteOptions};
use crate::failure::StoreError;
use crate::limits::SourceLimits;
use crate::problem::{Problem, ProblemKind};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::log::Hash;
use stoa_actors::space::{Draft, Expect, Patch};
use stoa_actors::value::Value;
use stoa_documents::passages;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};

/// What became of a file that was looked at.
pub(super) enum Brought {
    /// It is in the space.
    Read { what: What, passages: usize },
    /// It cannot be read.
    Skipped { path: String, reason: Reason, known: Option<Recorded> },
}

/// What the space had of it.
pub(super) enum What {
    New,
    Changed,
    Unchanged,
}

/// What all files of one call share.
pub(super) struct IngestWriter {
    caller: Caller,
    space: SpaceId,
    catalogue: AtomId,
    limits: SourceLimits,
    writes: Arc<Semaphore>,
    /// Room in KiB for files that are in memory.
    bytes: Semaphore,
    reads: Semaphore,
}

/// A file's atom while its passages are written.
struct File<'a> {
    id: AtomId,
    /// Its version since they are.
    version: u64,
    path: &'a str,
    name: &'a str,
}

impl IngestWriter {
    pub(super) fn new(
        caller: Caller,
        space: SpaceId,
        catalogue: AtomId,
        limits: SourceLimits,
    ) -> IngestWriter {
        IngestWriter {
            caller,
            space,
            catalogue,
            writes: Arc::new(Semaphore::new(limits.writes_max.max(1))),
            bytes: Semaphore::new(limits.bytes_max.div_ceil(1024).max(1)),
            reads: Semaphore::new(limits.reads_max.max(1)),
            limits,
        }
    }

    pub(super) fn writes_max(&self) -> usize {
        self.limits.writes_max.max(1)
    }

    /// Makes the space say what a file says. `after` is the atom that stood for it before it was
    /// gone.
    ///
    /// The file's atom says `reading` before the first passage changes and `complete` behind the
    /// last one. So whatever cuts this off, it is known to be unfinished, and done again.
    pub(super) async fn bring(
        self: Arc<Self>,
        seen: Seen,
        known: Option<Recorded>,
        after: Option<AtomId>,
    ) -> Result<Brought, Problem> {
        let Seen { path, size, .. } = seen;
        let _room = self.room(size).await;
        let Source { seen, hash, document } = match self.source(&path).await {
            Ok(source) => source,
            Err(reason) => return Ok(Brought::Skipped { path, reason, known }),
        };
        if let Some(known) = known.as_ref().filter(|known| known.says(&hash)) {
            return Ok(Brought::Read { what: What::Unchanged, passages: known.passages });
        }
        let name = path.rsplit('/').next().unwrap_or(&path);
        let title = document.title.clone().unwrap_or_else(|| name.to_owned());
        let cut = passages(&document);
        drop(document);
        let wanted: Vec<Says> = cut.into_iter().map(|it| Says::of(&title, it)).collect();
        let count = wanted.len();
        let (what, file, there) = match known {
            None => {
                let id = self.put_file(&path, name, after).await?;
                (What::New, File { id, version: 1, path: &path, name }, Vec::new())
            }
            Some(known) => {
                let there = self.passages_of(known.id).await?;
                let version = self.reopen(&known, name).await?;
                (What::Changed, File { id: known.id, version, path: &path, name }, there)
            }
        };
        let plan = plan(&there, &wanted);
        self.write(plan, wanted, &file).await?;
        self.complete(&file, &seen, &hash, &title, count).await?;
        Ok(Brought::Read { what, passages: count })
    }

    /// Takes a file out of use, its passages first: cut off, it is still there to be removed.
    pub(super) async fn remove(self: Arc<Self>, file: Recorded) -> Result<(), Problem> {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let there = self.passages_of(file.id).await?;
        let plan = plan(&there, &[]);
        let of = File { id: file.id, version: file.version, path: &file.path, name };
        self.write(plan, Vec::new(), &of).await?;
        let expect = Expect::Version(file.version);
        let why = self.why("gone", name, &[&file.id, &file.version]);
        self.caller.deprecate(file.id, expect, None, why).await.map(drop)
    }

    /// Room in memory for a file; a larger one than there is room for has all of it.
    async fn room(&self, size: u64) -> Option<tokio::sync::SemaphorePermit<'_>> {
        let most = self.limits.bytes_max.div_ceil(1024).max(1) as u64;
        let kib = size.div_ceil(1024).clamp(1, most);
        self.bytes.acquire_many(u32::try_from(kib).unwrap_or(u32::MAX)).await.ok()
    }

    async fn source(&self, path: &str) -> Result<Source, Reason> {
        let _one = self.reads.acquire().await;
        let (path, limits) = (path.to_owned(), self.limits.clone());
        let read = blocking(move || source::read(Path::new(&path), &limits));
        // One document that its reader cannot cope with is no reason to leave out the others.
        let failed = |error: StoreError| Reason::Unreadable(format!("its reader died: {error}"));
        read.await.unwrap_or_else(|error| Err(failed(error)))
    }

    async fn passages_of(&self, file: AtomId) -> Result<Vec<Kept<Says>>, Problem> {
        let (caller, space) = (self.caller.clone(), self.space);
        blocking(move || known::passages_of(&caller, space, file)).await?
    }

    async fn put_file(
        &self,
        path: &str,
        name: &str,
        after: Option<AtomId>,
    ) -> Result<AtomId, Problem> {
        let mut metadata = known::reading();
        metadata.insert("kind".to_owned(), Value::from("file"));
        metadata.insert("path".to_owned(), Value::from(path));
        let draft = Draft {
            id: None,
            content: Content::from(path),
            metadata,
            references: BTreeMap::from([(LISTED_IN.to_owned(), vec![self.catalogue])]),
            ..Draft::default()
        };
        let after = after.map_or_else(String::new, |id| id.to_string());
        let why = self.why("file", name, &[&path, &after]);
        let _turn = self.turn().await;
        Ok(self.caller.put(self.space, draft, why).await?.id)
    }

    /// Says that the passages of a file are about to change; the version from then on.
    async fn reopen(&self, known: &Recorded, name: &str) -> Result<u64, Problem> {
        if !known.complete {
            return Ok(known.version);
        }
        let patch = Patch { metadata: known::reading(), ..Patch::default() };
        let why = self.why("reopen", name, &[&known.id, &known.version]);
        let _turn = self.turn().await;
        let expect = Expect::Version(known.version);
        Ok(self.caller.update(known.id, expect, patch, why).await?.version)
    }

    async fn complete(
        &self,
        file: &File<'_>,
        seen: &Seen,
        hash: &str,
        title: &str,
        passages: usize,
    ) -> Result<(), Problem> {
        let patch = Patch {
            annotation: Some(title.to_owned()),
            metadata: known::complete(seen, hash, title, passages),
            ..Patch::default()
        };
        let why = self.why("complete", file.name, &[&file.id, &file.version, &hash, &seen.mtime]);
        let _turn = self.turn().await;
        self.caller.update(file.id, Expect::Version(file.version), patch, why).await.map(drop)
    }

    /// Does what a plan says, as much at once as there are turns.
    async fn write(&self, plan: Plan, wanted: Vec<Says>, file: &File<'_>) -> Result<(), Problem> {
        let mut wanted: Vec<Option<Says>> = wanted.into_iter().map(Some).collect();
        let mut take = |n: usize| wanted.get_mut(n).and_then(Option::take);
        let mut tasks = JoinSet::new();
        for n in plan.put {
            let Some(says) = take(n) else { continue };
            let why = self.says_why("passage", file, n, &says);
            let draft = Draft {
                id: None,
                metadata: says.metadata(file.path, n),
                annotation: says.annotation,
                content: Content::Text(says.text),
                references: BTreeMap::from([(OF.to_owned(), vec![file.id])]),
                embedding: None,
            };
            let (caller, space, turn) = (self.caller.clone(), self.space, self.turn().await);
            tasks.spawn(async move {
                let _turn = turn;
                caller.put(space, draft, why).await.map(drop)
            });
        }
        for (id, version, n) in plan.update {
            let Some(says) = take(n) else { continue };
            let why = self.says_why(&format!("{id} {version}"), file, n, &says);
            let patch = Patch {
                metadata: says.metadata(file.path, n),
                annotation: Some(says.annotation),
                content: Some(Content::Text(says.text)),
                ..Patch::default()
            };
            let (caller, turn) = (self.caller.clone(), self.turn().await);
            tasks.spawn(async move {
                let _turn = turn;
                caller.update(id, Expect::Version(version), patch, why).await.map(drop)
            });
        }
        for (id, version) in plan.deprecate {
            let why = self.why("no passage", file.name, &[&id, &version]);
            let (caller, turn) = (self.caller.clone(), self.turn().await);
            tasks.spawn(async move {
                let _turn = turn;
                caller.deprecate(id, Expect::Version(version), None, why).await.map(drop)
            });
        }
        while !tasks.is_empty() {
            heard(tasks.join_next().await)?;
        }
        Ok(())
    }

    /// A turn to write; held until it is durable.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.writes.clone().acquire_owned().await.ok()
    }

    /// What a passage says is in its key: a run that was cut off may be behind with another text.
    fn says_why(&self, what: &str, file: &File<'_>, n: usize, says: &Says) -> WriteOptions {
        let Says { annotation, first, last, text } = says;
        let parts: [&dyn ToString; 7] =
            [&file.id, &file.version, &n, annotation, first, last, text];
        self.why(what, file.name, &parts)
    }

    /// With a key that is the same for the same write only.
    fn why(&self, what: &str, name: &str, parts: &[&dyn ToString]) -> WriteOptions {
        let mut all = what.to_owned();
        for part in parts {
            all.push('\0');
            all.push_str(&part.to_string());
        }
        WriteOptions::comment(format!("sources: {name}"))
            .key(format!("sources {}", Hash::of(all.as_bytes())))
    }
}

/// What a task that writes came to.
pub(super) fn heard(one: Option<Result<Result<(), Problem>, JoinError>>) -> Result<(), Problem> {
    one.map_or(Ok(()), |one| one.map_err(|error| died(&error))?)
}

pub(super) fn died(error: &JoinError) -> Problem {
    Problem::new(ProblemKind::Store, format!("a task died while sources were read: {error}"))
        .hint("stoa audit")
}
