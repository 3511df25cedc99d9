//! One at a time, for each session.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use stoa_actors::id::SessionId;

/// A lock for each session, kept for as long as somebody holds it or waits for it.
#[derive(Default)]
pub(crate) struct KeyedLock(Mutex<HashMap<SessionId, Weak<tokio::sync::Mutex<()>>>>);

impl KeyedLock {
    /// The lock of one session.
    pub(crate) fn of(&self, session: SessionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock();
        if let Some(lock) = locks.get(&session).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        locks.insert(session, Arc::downgrade(&lock));
        lock
    }
}
