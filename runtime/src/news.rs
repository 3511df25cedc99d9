//! Which streams somebody wants to hear of, and which of them have gone on. A stream that is
//! followed needs no actor and no task: an entry of it that becomes durable is one look at a set.

use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use stoa_actors::id::StreamId;
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct News {
    any: AtomicBool,
    followed: RwLock<HashSet<StreamId>>,
    /// Each once, however often it went on: so it is bounded by what is followed.
    gone_on: Mutex<BTreeSet<StreamId>>,
    told: Notify,
}

impl News {
    pub(crate) fn follow(&self, stream: StreamId) {
        self.followed.write().insert(stream);
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn forget(&self, stream: StreamId) {
        self.followed.write().remove(&stream);
    }

    /// One more entry of a stream is durable: before its asker is answered.
    pub(crate) fn gone_on(&self, stream: StreamId) {
        if self.any.load(Ordering::Acquire) && self.followed.read().contains(&stream) {
            self.gone_on.lock().insert(stream);
            self.told.notify_one();
        }
    }

    /// Tells of all that have gone on. Who calls this while another does waits until that is done,
    /// so that afterwards everything that was acknowledged before is told.
    pub(crate) fn tell(&self, mut to: impl FnMut(StreamId)) {
        let mut gone_on = self.gone_on.lock();
        while let Some(stream) = gone_on.pop_first() {
            to(stream);
        }
    }

    /// Returns once there may be something to tell.
    pub(crate) async fn told(&self) {
        self.told.notified().await;
    }
}
