//! What keeps the indexes of spaces that are searched up to date, and makes them faster.
//!
//! One thread of low priority. It follows the writes of every space that was searched lately, so
//! that a search after a burst of writes has little left to read; and while the runtime has nothing
//! to do it makes segments of large spaces, a little at a time. It stops with the runtime. Without
//! it searches are the same, only slower.

use super::kept::Desk;
use super::live::Live;
use super::segment::{Builder, Failure, SEALED_BYTES, Segment};
use crate::host::Shared;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::search::Frozen;

/// Vectors that go into a segment between two looks at whether anybody waits: some milliseconds.
const STEP_VECTORS: usize = 16;

/// A segment is made of at most so many times what it takes to begin one.
const SEGMENT_FACTOR: usize = 4;

pub(super) struct Keeper {
    desk: Arc<Desk>,
    shared: Arc<Shared>,
    /// What was durable when it last looked, and since when.
    durable: Position,
    since: Instant,
    /// Up to where the spaces in use are followed.
    followed: Position,
    /// Spaces of which no segment could be made: they are scanned.
    given_up: BTreeSet<SpaceId>,
}

impl Keeper {
    pub(super) fn new(desk: Arc<Desk>, shared: Arc<Shared>) -> Keeper {
        let (durable, followed) = (Position(0), Position(0));
        Keeper { desk, shared, durable, since: Instant::now(), followed, given_up: BTreeSet::new() }
    }

    pub(super) fn run(mut self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, 19) {
            tracing::debug!(%error, "indexes are kept at the priority of everybody");
        }
        let every = Duration::from_millis(self.shared.config.index_follow_ms);
        while self.goes_on() {
            let spaces = self.spaces();
            if spaces.is_empty() {
                // The next search wakes it.
                std::thread::park();
                continue;
            }
            self.follow(&spaces);
            if self.is_idle() {
                spaces.iter().for_each(|(space, live)| self.seal(*space, live));
            }
            std::thread::park_timeout(every);
        }
    }

    fn goes_on(&self) -> bool {
        !self.desk.stops() && self.shared.store.failure.error().is_none()
    }

    fn spaces(&self) -> Vec<(SpaceId, Arc<Live>)> {
        self.desk.in_use(Duration::from_millis(self.shared.config.index_follow_for_ms))
    }

    /// Nobody has written or searched anything for a while.
    fn is_idle(&mut self) -> bool {
        let durable = self.shared.log.durable();
        if durable != self.durable {
            (self.durable, self.since) = (durable, Instant::now());
        }
        let idle = Duration::from_millis(self.shared.config.search_idle_ms);
        self.since.elapsed() >= idle && self.desk.unsearched() >= idle
    }

    fn follow(&mut self, spaces: &[(SpaceId, Arc<Live>)]) {
        let durable = self.shared.log.durable();
        if durable > self.followed {
            spaces.iter().for_each(|(space, live)| self.catch_up(*space, live, durable));
            self.followed = durable;
        }
    }

    fn catch_up(&self, space: SpaceId, live: &Live, upto: Position) {
        let caught_up = || live.catch_up(&self.shared.store, upto);
        match catch_unwind(AssertUnwindSafe(caught_up)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an index is caught up by the next search"),
            Err(_) => {
                // It may be half of something: the next search makes another.
                tracing::warn!(%space, "an index died while it was caught up");
                self.desk.forget(space);
            }
        }
    }

    /// Makes a segment of what has none, if that is enough for one.
    fn seal(&mut self, space: SpaceId, live: &Arc<Live>) {
        let config = &self.shared.config;
        let least = config.search_segment_atoms;
        let unsealed = live.now().index.unsealed();
        if least == 0 || unsealed < least || self.given_up.contains(&space) {
            return;
        }
        let vectors = self.desk.sealed() as usize + unsealed.min(least);
        if vectors.saturating_mul(SEALED_BYTES) > config.search_segment_bytes_max {
            tracing::debug!(%space, vectors, "no memory for another segment; the rest is scanned");
            return;
        }
        live.resegment(|index| index.freeze());
        let room = config.search_segment_bytes_max / SEALED_BYTES - self.desk.sealed() as usize;
        let most = least.saturating_mul(SEGMENT_FACTOR).min(room);
        let frozen = live.now().index.frozen(most);
        let segment = self.segment(space, live, &frozen);
        live.say_sealing(None);
        match segment {
            Ok(Some(segment)) => live.resegment(|index| index.seal(&frozen, Arc::new(segment))),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%space, %error, "no segment can be made; all is scanned");
                self.given_up.insert(space);
            }
        }
    }

    /// Goes on whenever nobody waits; nothing if it has to stop, or the index is gone.
    fn segment(
        &mut self,
        space: SpaceId,
        live: &Arc<Live>,
        frozen: &Frozen,
    ) -> Result<Option<Segment>, Failure> {
        let every = Duration::from_millis(self.shared.config.index_follow_ms);
        let mut builder = Builder::new(frozen);
        loop {
            live.say_sealing(Some(builder.so_far()));
            while !self.is_idle() {
                let spaces = self.spaces();
                self.follow(&spaces);
                std::thread::park_timeout(every);
                if !self.goes_on() {
                    return Ok(None);
                }
            }
            if !self.goes_on() || !self.desk.has(space, live) {
                return Ok(None);
            }
            if !builder.step(STEP_VECTORS)? {
                return builder.finish().map(Some);
            }
        }
    }
}
