//! Taking a backup of an open store, beside its writers.

use super::file::Writing;
use super::restore::walk;
use super::{BackupError, BackupSummary, Copied, Copying};
use crate::failure::StoreError;
use crate::limits::LogConfig;
use crate::store::{Accounts, Store};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stoa_actors::id::Position;
use stoa_actors::log::{Head, Walk};
use tokio::sync::oneshot;

/// Writes everything that is durable when this is asked into one file, beside running writers, in
/// a thread of its own.
///
/// The file has its name once it is whole, on the medium and read back; until then, and when this is
/// dropped, there is nothing under it. A killed process leaves a hidden part beside it, which the
/// next backup to the same name writes over. `durable` says how far the log is, `look` is told how
/// far the backup is.
///
/// Errors: [`BackupError::Exists`], [`BackupError::Inside`], [`BackupError::Busy`], and
/// [`BackupError::File`] with what the system says.
pub async fn take(
    store: Store,
    config: &LogConfig,
    durable: impl Fn() -> Position + Send + 'static,
    target: &Path,
    look: impl FnMut(Copied) + Send + 'static,
) -> Result<BackupSummary, BackupError> {
    let target = place(target, &config.data)?;
    let gone = Arc::new(AtomicBool::new(false));
    let _gone = Leaves(gone.clone());
    let rest_percent = config.backup_rest_percent;
    let taking = Taking { store, durable: Box::new(durable), rest_percent, gone, look };
    let (tell, hear) = oneshot::channel();
    let thread = std::thread::Builder::new().name("stoa-backup".into());
    let failed = |error| StoreError::Invariant(format!("a thread: {error}"));
    thread.spawn(move || drop(tell.send(taking.run(&target)))).map_err(failed)?;
    hear.await.unwrap_or(Err(BackupError::Interrupted))
}

/// Says so when whoever asked has gone.
struct Leaves(Arc<AtomicBool>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The target with its directory resolved: outside the data, in a directory that is there.
fn place(target: &Path, data: &Path) -> Result<PathBuf, BackupError> {
    let failed = BackupError::file("cannot write", target);
    if std::fs::symlink_metadata(target).is_ok() {
        let same = std::fs::canonicalize(target).ok() == std::fs::canonicalize(data).ok();
        return Err(match same {
            true => BackupError::Inside(target.to_owned()),
            false => BackupError::Exists(target.to_owned()),
        });
    }
    let Some(Component::Normal(name)) = target.components().next_back() else {
        return Err(failed(std::io::ErrorKind::InvalidFilename.into()));
    };
    let parent = target.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().map_err(&failed)?;
    let data = data.canonicalize().map_err(BackupError::file("cannot read", data))?;
    if parent.starts_with(&data) {
        return Err(BackupError::Inside(target.to_owned()));
    }
    Ok(parent.join(name))
}

struct Taking<L> {
    store: Store,
    durable: Box<dyn Fn() -> Position + Send>,
    rest_percent: u32,
    gone: Arc<AtomicBool>,
    look: L,
}

impl<L: FnMut(Copied)> Taking<L> {
    fn run(mut self, target: &Path) -> Result<BackupSummary, BackupError> {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, 19) {
            tracing::debug!(%error, "the backup runs at the priority of everybody");
        }
        let asked = (self.durable)();
        let mut writing = Writing::begin(target, asked)?;
        let head = self.copy(&mut writing, asked)?;
        let mut reading = writing.end(head)?;
        let mut pace = Pace::begin(&self.durable, self.rest_percent);
        let (look, gone) = (&mut self.look, &self.gone);
        let found = walk(&mut reading, &mut |at, _, body| {
            if pace.read(body.len()) {
                look(Copied { how: Copying::Verify, done: at.0, of: head.position.0 });
                pace.rest(gone)?;
            }
            Ok(())
        })?;
        if found != head {
            return Err(BackupError::Cut { path: target.to_owned(), after: found });
        }
        pace.rest(&self.gone)?;
        let bytes = writing.publish()?;
        Ok(BackupSummary { path: target.to_owned(), head, bytes })
    }

    /// Every entry up to a position, in slices: no read lasts so long that it holds on to what a
    /// compaction could let go. A body that has left the log meanwhile comes with its account,
    /// however much later that is.
    fn copy(&mut self, writing: &mut Writing, mut upto: Position) -> Result<Head, BackupError> {
        let mut walked = Walk::new(Head::default(), None);
        let mut accounts = Accounts::of(&self.store);
        let mut pace = Pace::begin(&self.durable, self.rest_percent);
        while walked.head().position < upto {
            for raw in self.store.raw_after(walked.head().position) {
                let (at, entry) = raw?;
                let mut left = false;
                walked.step_over(at, &entry, |at, found| {
                    left = accounts.hold(at, found)?;
                    Ok::<_, StoreError>(left)
                })?;
                if left {
                    upto = upto.max(accounts.upto());
                }
                let full = writing.add(&entry)?;
                pace.read(entry.len());
                if full || at >= upto {
                    break;
                }
            }
            let done = walked.head().position.0;
            (self.look)(Copied { how: Copying::Backup, done, of: upto.0 });
            pace.rest(&self.gone)?;
        }
        Ok(walked.head())
    }
}

/// Leaves writers their share: rests in proportion to its work for as long as somebody writes.
struct Pace<'a> {
    durable: &'a dyn Fn() -> Position,
    rest_percent: u32,
    seen: Position,
    began: Instant,
    read: usize,
}

/// Read between two rests, about.
const PIECE_BYTES: usize = 1 << 20;

impl Pace<'_> {
    fn begin(durable: &dyn Fn() -> Position, rest_percent: u32) -> Pace<'_> {
        let (seen, began) = (durable(), Instant::now());
        Pace { durable, rest_percent, seen, began, read: 0 }
    }

    /// So much was read; whether it is time for a rest.
    fn read(&mut self, bytes: usize) -> bool {
        self.read += bytes;
        self.read >= PIECE_BYTES
    }

    fn rest(&mut self, gone: &AtomicBool) -> Result<(), BackupError> {
        if gone.load(Ordering::Acquire) {
            return Err(BackupError::Interrupted);
        }
        let now = (self.durable)();
        if now != self.seen {
            let worked = self.began.elapsed();
            let rest = worked.saturating_mul(self.rest_percent) / 100;
            std::thread::park_timeout(rest.min(Duration::from_secs(1)));
        }
        (self.seen, self.began, self.read) = (now, Instant::now(), 0);
        Ok(())
    }
}
