//! Waiting for the engine. It works on threads of its own; one that meets an error, a full disk for
//! instance, ends without telling whoever waits, and the engine takes no more writes. So every wait
//! asks whether it still does, and has an end of its own.

use super::Store;
use crate::failure::StoreError;
use fjall::{Keyspace, PersistMode};
use std::time::{Duration, Instant};

/// How often it is looked.
const ENGINE_LOOK: Duration = Duration::from_millis(1);

impl Store {
    /// Puts what is in memory of these keyspaces into tables.
    ///
    /// Errors: [`StoreError::Engine`] once the engine has failed, and when it has put nothing away
    /// for [`crate::limits::LogConfig::engine_ms_max`].
    pub(super) fn put_away<'a>(
        &self,
        keyspaces: impl IntoIterator<Item = &'a Keyspace>,
    ) -> Result<(), StoreError> {
        let keyspaces: Vec<&Keyspace> = keyspaces.into_iter().collect();
        for keyspace in &keyspaces {
            keyspace.rotate_memtable().map_err(|error| self.told(error.into()))?;
        }
        self.until("memory is written into tables", self.engine_ms_max, || {
            keyspaces.iter().map(|it| it.sealed_memtable_count()).sum()
        })
    }

    /// Waits until nothing is left of what the engine has to do. `ms_max` is how long it may take
    /// for one step of it.
    pub(super) fn until(
        &self,
        what: &'static str,
        ms_max: u64,
        left: impl Fn() -> usize,
    ) -> Result<(), StoreError> {
        let (mut before, mut since) = (left(), Instant::now());
        let mut looks = 0_u32;
        while before > 0 {
            // Asking takes the lock that writers take, so it is asked less often.
            if looks.is_multiple_of(16) {
                self.works()?;
            }
            looks = looks.wrapping_add(1);
            std::thread::park_timeout(ENGINE_LOOK);
            let now = left();
            if now < before {
                since = Instant::now();
            }
            before = now;
            if since.elapsed() > Duration::from_millis(ms_max) {
                let text = format!("for {ms_max} ms the engine has done nothing so that {what}");
                return Err(self.told(StoreError::Engine(text)));
            }
        }
        Ok(())
    }

    /// Whether the engine still takes writes. Nothing is written by asking.
    fn works(&self) -> Result<(), StoreError> {
        self.db.persist(PersistMode::Buffer).map_err(|error| self.told(error.into()))
    }

    /// The engine does not pass on why a thread of its own has ended: where there is no room, that
    /// is why.
    fn told(&self, error: StoreError) -> StoreError {
        match (error, self.room()) {
            (StoreError::Engine(text), Some(free)) if free < (1 << 20) => StoreError::Engine(
                format!("No space left on device: {} KB are free ({text})", free >> 10),
            ),
            (error, _) => error,
        }
    }

    /// Whether the directory was moved or removed while it is open.
    pub fn has_moved(&self) -> bool {
        self.owned.has_moved()
    }

    /// Bytes that can be written on the disk of the directory; nothing where nobody says.
    pub(super) fn room(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.folder).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        match &error {
            // What the system says to a thread too many.
            fjall::Error::Io(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => {
                StoreError::NoThreads(cause.to_string())
            }
            _ => StoreError::Engine(error.to_string()),
        }
    }
}
