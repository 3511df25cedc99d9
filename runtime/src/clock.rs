//! The host clock: max(wall, last logged) at start, then monotonic. A step of the wall clock
//! neither freezes nor mass-expires anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use stoa_actors::id::Millis;

/// Never runs backwards, not even over a restart.
#[derive(Debug)]
pub struct Clock {
    base: Millis,
    started: Instant,
}

impl Clock {
    /// Starts at the wall's time, or at what was logged last if that is later.
    pub fn start(last_logged: Millis) -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { base: last_logged.max(Millis(wall.as_millis() as u64)), started: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Millis {
        Millis(self.base.0 + self.started.elapsed().as_millis() as u64)
    }
}

/// Fresh ids: time first, so that rows of one moment lie together, then chance.
#[derive(Debug)]
pub(crate) struct Fresh(AtomicU64);

impl Fresh {
    pub(crate) fn new() -> Fresh {
        // ULIDs draw from the system's generator; the counter keeps those of one process apart.
        Fresh(AtomicU64::new(u64::from_be_bytes(tail(&ulid::Ulid::generate().to_bytes()))))
    }

    pub(crate) fn id(&self, now: Millis) -> [u8; 16] {
        let mut bytes = ulid::Ulid::generate().to_bytes();
        bytes[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        bytes[6..8].copy_from_slice(&(count as u16).to_be_bytes());
        bytes
    }
}

fn tail(bytes: &[u8; 16]) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[8..]);
    out
}
