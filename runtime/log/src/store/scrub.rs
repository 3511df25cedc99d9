//! The scrub: a thread that walks what an open does not, the chain and the bodies below the
//! checkpoint, in small pieces with pauses.
//!
//! How far it came is in the file `scrub` of the directory, outside the log: deleting it costs a
//! walk from the first entry, never a fact. Damage stops the store, and is noted there as well, so
//! that the next open looks at that entry first and refuses while it is damaged.

use super::{Accounts, Store};
use crate::clock::Clock;
use crate::failure::StoreError;
use crate::limits::LogConfig;
use parking_lot::Mutex;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stoa_actors::id::{Millis, Position};
use stoa_actors::log::{Breach, Hash, Head, Walk};
use stoa_actors::scrub::{Scrubbed, due};

/// What is remembered between opens.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Noted {
    so_far: Scrubbed,
    /// The entry after it was damaged, and what the checkpoint was then.
    damaged: Option<Head>,
}

const NOTE_BYTES: usize = 104;

impl Noted {
    fn to_bytes(self) -> [u8; NOTE_BYTES] {
        let Noted { so_far: Scrubbed { head, began, at }, damaged } = self;
        let mut out = [0; NOTE_BYTES];
        put_head(&mut out[..40], head);
        out[40..48].copy_from_slice(&began.0.to_be_bytes());
        out[48..56].copy_from_slice(&at.0.to_be_bytes());
        // A checkpoint is never at position 0.
        put_head(&mut out[56..96], damaged.unwrap_or_default());
        let sum = Hash::of(&out[..96]);
        out[96..].copy_from_slice(&sum.0[..8]);
        out
    }

    fn from_bytes(bytes: &[u8]) -> Option<Noted> {
        let bytes: &[u8; NOTE_BYTES] = bytes.try_into().ok()?;
        if Hash::of(&bytes[..96]).0[..8] != bytes[96..] {
            return None;
        }
        let millis = |at: usize| Some(Millis(u64::from_be_bytes(*bytes[at..].first_chunk()?)));
        let so_far = Scrubbed { head: head(&bytes[..40])?, began: millis(40)?, at: millis(48)? };
        let damaged = Some(head(&bytes[56..96])?).filter(|it| *it != Head::default());
        Some(Noted { so_far, damaged })
    }

    /// What was left behind, if it can be read; a torn file is as good as none.
    fn read(path: &Path) -> Option<Noted> {
        Noted::from_bytes(&fs::read(path).ok()?)
    }

    /// Whole or as before. Progress is not synced: losing it costs a walk. Damage is.
    fn write(self, path: &Path) -> std::io::Result<()> {
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&self.to_bytes())?;
        if self.damaged.is_some() {
            file.sync_all()?;
        }
        fs::rename(&new, path)
    }
}

fn put_head(out: &mut [u8], head: Head) {
    out[..8].copy_from_slice(&head.position.0.to_be_bytes());
    out[8..].copy_from_slice(&head.hash.0);
}

fn head(bytes: &[u8]) -> Option<Head> {
    let position = Position(u64::from_be_bytes(*bytes.first_chunk()?));
    Some(Head { position, hash: Hash(*bytes[8..].first_chunk()?) })
}

fn path(data: &Path) -> PathBuf {
    data.join("scrub")
}

/// Forgets how far it came: the log was changed by hand.
pub(super) fn forget(data: &Path) {
    drop(fs::remove_file(path(data)));
}

/// At open: an entry that was found damaged is refused for as long as it is. One that was brought
/// back, from a copy perhaps, is not.
pub(super) fn refuse_known_damage(store: &Store, data: &Path) -> Result<(), StoreError> {
    let Some(Noted { so_far, damaged: Some(checkpoint) }) = Noted::read(&path(data)) else {
        return Ok(());
    };
    if store.head_of(so_far.head.position)? == Some(so_far.head) {
        let mut walk = Walk::new(so_far.head, Some(checkpoint));
        piece(store, &mut walk, &mut Accounts::of(store), checkpoint, 1)?;
    }
    // It holds again, or it is another log by now.
    forget(data);
    Ok(())
}

/// Walks on by at least one entry and about so many bytes; whether the checkpoint is reached.
fn piece(
    store: &Store,
    walk: &mut Walk,
    accounts: &mut Accounts,
    checkpoint: Head,
    bytes: usize,
) -> Result<bool, StoreError> {
    let damaged = |breach: Breach| StoreError::Damaged { breach: Box::new(breach), checkpoint };
    let mut read = 0;
    for raw in store.raw_after(walk.head().position) {
        let (at, entry) = raw.map_err(|error| {
            let why = error.to_string();
            damaged(Breach::Unreadable { after: walk.head(), why })
        })?;
        let held = walk.step_over(at, &entry, |at, found| accounts.hold(at, found));
        held.map_err(|error| match error {
            StoreError::Breach(breach) => damaged(breach),
            error => error,
        })?;
        read += entry.len();
        if at >= checkpoint.position {
            break;
        }
        if read >= bytes {
            return Ok(false);
        }
    }
    walk.clone().finish().map_err(damaged)?;
    Ok(true)
}

/// The thread, and what `status` shows of it.
pub struct Scrub {
    told: Arc<Told>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Told {
    stop: AtomicBool,
    so_far: Mutex<Option<Scrubbed>>,
}

struct Scrubber {
    store: Store,
    config: LogConfig,
    clock: Clock,
    path: PathBuf,
    told: Arc<Told>,
}

impl Scrub {
    /// Starts the thread on an open store. `last` is when its last entry was made.
    pub fn start(config: &LogConfig, store: &Store, last: Millis) -> std::io::Result<Scrub> {
        let told = Arc::new(Told::default());
        let scrubber = Scrubber {
            store: store.clone(),
            config: config.clone(),
            clock: Clock::start(last, config.clock_ahead_ms_max),
            path: path(&config.data),
            told: told.clone(),
        };
        let thread = std::thread::Builder::new().name("stoa-scrub".into());
        let thread = thread.spawn(move || scrubber.run())?;
        Ok(Scrub { told, thread: Mutex::new(Some(thread)) })
    }

    /// How far the pass has come that runs or ran last.
    pub fn so_far(&self) -> Option<Scrubbed> {
        *self.told.so_far.lock()
    }

    /// Asks the thread to end; it does before the next piece.
    pub fn stop(&self) {
        self.told.stop.store(true, Ordering::Release);
        if let Some(thread) = &*self.thread.lock() {
            thread.thread().unpark();
        }
    }

    /// Waits for its end.
    pub fn join(&self) {
        let thread = self.thread.lock().take();
        drop(thread.map(JoinHandle::join));
    }
}

impl Scrubber {
    fn run(self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, 19) {
            tracing::debug!(%error, "the scrub runs at the priority of everybody");
        }
        let mut noted = Noted::read(&self.path).map(|it| it.so_far);
        *self.told.so_far.lock() = noted;
        while self.goes_on() {
            let pass = match self.pass(&mut noted) {
                Ok(pass) => pass,
                Err(error) => return self.found(noted.unwrap_or_default(), error),
            };
            if pass == Pass::Idle {
                std::thread::park_timeout(Duration::from_millis(self.config.scrub_look_ms));
            }
        }
    }

    fn goes_on(&self) -> bool {
        !self.told.stop.load(Ordering::Acquire) && self.store.failure.error().is_none()
    }

    /// One pass, or what is left of it, up to the checkpoint there is now.
    fn pass(&self, noted: &mut Option<Scrubbed>) -> Result<Pass, StoreError> {
        let checkpoint = self.store.checkpoint()?;
        // An open walks everything when the checkpoint is not borne out by its own entry.
        if self.store.head_of(checkpoint.position)? != Some(checkpoint) {
            return Ok(Pass::Idle);
        }
        // Neither does a walk go on from an entry that the log does not hold.
        if let Some(it) = *noted
            && self.store.head_of(it.head.position)? != Some(it.head)
        {
            *noted = None;
        }
        let now = self.clock.now();
        let Some(begin) = due(*noted, checkpoint, now, self.config.scrub_every_ms) else {
            return Ok(Pass::Idle);
        };
        *noted = Some(begin);
        let mut walk = Walk::new(begin.head, Some(checkpoint));
        let mut accounts = Accounts::of(&self.store);
        let (mut there, mut saved) = (false, Instant::now());
        while !there && self.goes_on() {
            let bytes = self.config.scrub_piece_bytes;
            let walked = piece(&self.store, &mut walk, &mut accounts, checkpoint, bytes);
            let so_far = Scrubbed { head: walk.head(), at: self.clock.now(), ..begin };
            *noted = Some(so_far);
            *self.told.so_far.lock() = *noted;
            there = walked?;
            if there || saved.elapsed() >= Duration::from_millis(self.config.scrub_note_ms) {
                self.note(so_far, None);
                saved = Instant::now();
            }
            if !there {
                std::thread::park_timeout(Duration::from_millis(self.config.scrub_pause_ms));
            }
        }
        if let (false, Some(so_far)) = (there, *noted) {
            self.note(so_far, None);
        }
        Ok(Pass::Walked)
    }

    /// Nothing is acknowledged over a log that is known to be damaged: what the state is folded
    /// from cannot be trusted any more.
    fn found(&self, so_far: Scrubbed, error: StoreError) {
        if let StoreError::Damaged { checkpoint, .. } = &error {
            tracing::error!(%error, "the scrub found damage; the store stops");
            self.note(so_far, Some(*checkpoint));
        }
        self.store.failure.trip(error);
    }

    fn note(&self, so_far: Scrubbed, damaged: Option<Head>) {
        if let Err(error) = (Noted { so_far, damaged }).write(&self.path) {
            tracing::warn!(%error, "how far the scrub came is not remembered");
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Idle,
    Walked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back_and_a_torn_note_is_none() {
        let head = |n: u8| Head { position: Position(n.into()), hash: Hash([n; 32]) };
        let so_far = Scrubbed { head: head(3), began: Millis(1), at: Millis(2) };
        for damaged in [None, Some(head(9))] {
            let noted = Noted { so_far, damaged };
            let bytes = noted.to_bytes();
            assert_eq!(Noted::from_bytes(&bytes), Some(noted));
            assert_eq!(Noted::from_bytes(&bytes[..50]), None);
            for at in 0..NOTE_BYTES {
                let mut torn = bytes;
                torn[at] ^= 1;
                assert_eq!(Noted::from_bytes(&torn), None, "byte {at}");
            }
        }
    }
}
