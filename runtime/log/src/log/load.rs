//! How much is on its way through the log: from when it is decided until it is told.
//!
//! A mailbox bounds what is asked, and that is not what is written: a small change of a large atom is
//! an entry as large as the atom, and a state to come back to rides along with whatever comes. So an
//! actor decides only while there is room here. What it adds is known only then and is taken whole:
//! over the limit goes one entry of each thread that decides at that moment, and no more.

use super::{Log, Pulse, Request};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::Notify;

/// Bytes on their way, and who waits until they are fewer.
pub(crate) struct Load {
    bytes: Mutex<usize>,
    max: usize,
    freed: Notify,
}

/// So many bytes, until this is dropped.
pub(crate) struct Held {
    load: Arc<Load>,
    bytes: usize,
}

/// Somebody waits for room.
pub struct Hurry(Arc<Pulse>);

impl Load {
    pub(crate) fn new(max: usize) -> Arc<Load> {
        Arc::new(Load { bytes: Mutex::new(0), max, freed: Notify::new() })
    }

    /// Takes them in, whatever there is already.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        let mut held = self.bytes.lock();
        *held = held.saturating_add(bytes);
        Held { load: self.clone(), bytes }
    }

    /// Whether there may be more.
    pub(crate) fn has_room(&self) -> bool {
        *self.bytes.lock() < self.max
    }

    /// Returns once there may be more.
    pub(crate) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.has_room() {
                return;
            }
            freed.await;
        }
    }

    /// How many there are.
    pub(crate) fn bytes(&self) -> usize {
        *self.bytes.lock()
    }
}

impl Log {
    /// Whether there is room for more on its way.
    pub fn has_room(&self) -> bool {
        self.load.has_room()
    }

    /// Returns once there is: an actor decides only then.
    pub async fn room(&self) {
        if !self.has_room() {
            let _hurry = self.hurry();
            self.load.room().await;
        }
    }

    /// Has what is lazy written for as long as somebody waits for the room that it holds.
    pub fn hurry(&self) -> Hurry {
        if self.pulse.hurried.fetch_add(1, Ordering::AcqRel) == 0 {
            self.send(Request::Hurry);
        }
        Hurry(self.pulse.clone())
    }

    /// Bytes of what is decided and not told.
    pub fn bytes(&self) -> usize {
        self.load.bytes()
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.hurried.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.load.bytes.lock();
        let was_full = *held >= self.load.max;
        *held = held.saturating_sub(self.bytes);
        if was_full && *held < self.load.max {
            drop(held);
            self.load.freed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn who_waits_for_room_goes_on_once_there_is_some() {
        let load = Load::new(100);
        let (first, second) = (load.hold(60), load.hold(60));
        assert_eq!((load.bytes(), load.has_room()), (120, false));
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let load = load.clone();
                tokio::spawn(async move { load.room().await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|it| !it.is_finished()));
        drop(first);
        for one in waiting {
            tokio::time::timeout(Duration::from_secs(10), one).await.unwrap().unwrap();
        }
        drop(second);
        assert_eq!(load.bytes(), 0);
    }
}
