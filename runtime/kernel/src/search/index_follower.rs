//! What keeps the indexes of spaces that are searched up to date.
//!
//! A thread follows the writes of every space that was searched lately, so that a search after a
//! burst of writes has little left to read. At the priority of everybody: whoever searches waits
//! for it while it takes something in. Without it searches are the same, only slower.

use super::index_cache::IndexCache;
use super::live::Live;
use crate::host::Shared;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::id::{Position, SpaceId};

pub(super) struct IndexFollower {
    pub(super) cache: Arc<IndexCache>,
    pub(super) shared: Arc<Shared>,
}

impl IndexFollower {
    pub(super) fn run(self) {
        let config = &self.shared.config;
        let every = Duration::from_millis(config.index_follow_ms);
        let lately = Duration::from_millis(config.index_follow_for_ms);
        let mut followed = Position(0);
        while self.cache.goes_on(&self.shared) {
            let spaces = self.cache.in_use(lately);
            if spaces.is_empty() {
                // The next search wakes it.
                std::thread::park();
                continue;
            }
            let durable = self.shared.log.durable();
            if durable > followed {
                spaces.iter().for_each(|(space, live)| self.follow(*space, live, durable));
                followed = durable;
            }
            std::thread::park_timeout(every);
        }
    }

    fn follow(&self, space: SpaceId, live: &Live, upto: Position) {
        let caught_up = || live.catch_up(&self.shared.store, upto);
        match catch_unwind(AssertUnwindSafe(caught_up)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an index is caught up by the next search"),
            Err(_) => {
                // It may be half of something: the next search makes another.
                tracing::warn!(%space, "an index died while it was caught up");
                self.cache.forget(space);
            }
        }
    }
}
