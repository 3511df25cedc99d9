//! What makes segments of large spaces, while nobody waits.
//!
//! A thread of the lowest priority, a few vectors at a time. While it waits for the processor it
//! holds nothing that a search needs: it copies little at once, and swaps in what is done. Without
//! it searches find the same, only slower.

use super::index_cache::IndexCache;
use super::live::Live;
use crate::host::Shared;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::search::Frozen;
use stoa_graphs::{Builder, SEALED_BYTES, Segment, SegmentError};

/// Vectors that go into a segment between two looks at whether anybody waits: some milliseconds.
const STEP_VECTORS: usize = 16;

/// Vectors that are copied while nothing can be written to the index.
const COPY_VECTORS: usize = 1_024;

/// A segment is made of at most so many times what it takes to begin one.
const SEGMENT_FACTOR: usize = 4;

pub(super) struct Sealer {
    cache: Arc<IndexCache>,
    shared: Arc<Shared>,
    /// What was durable when it last looked, and since when.
    durable: Position,
    since: Instant,
    /// Spaces of which no segment could be made: they are scanned.
    given_up: BTreeSet<SpaceId>,
}

impl Sealer {
    pub(super) fn new(cache: Arc<IndexCache>, shared: Arc<Shared>) -> Sealer {
        let (durable, since) = (Position(0), Instant::now());
        Sealer { cache, shared, durable, since, given_up: BTreeSet::new() }
    }

    pub(super) fn run(mut self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, 19) {
            tracing::debug!(%error, "segments are made at the priority of everybody");
        }
        while self.cache.goes_on(&self.shared) && self.shared.config.search_segment_atoms > 0 {
            let lately = Duration::from_millis(self.shared.config.index_follow_for_ms);
            let spaces = self.cache.in_use(lately);
            if spaces.is_empty() {
                // The next search wakes it.
                std::thread::park();
                continue;
            }
            if self.is_idle() {
                spaces.iter().for_each(|(space, live)| self.seal(*space, live));
            }
            std::thread::park_timeout(self.pause());
        }
    }

    /// Not all the time, not much longer than it waits for anyway.
    fn pause(&self) -> Duration {
        Duration::from_millis(self.shared.config.search_idle_ms.max(1) / 2 + 1)
    }

    /// Nobody has written or searched anything for a while.
    fn is_idle(&mut self) -> bool {
        let durable = self.shared.log.durable();
        if durable != self.durable {
            (self.durable, self.since) = (durable, Instant::now());
        }
        let idle = Duration::from_millis(self.shared.config.search_idle_ms);
        self.since.elapsed() >= idle && self.cache.unsearched() >= idle
    }

    /// Makes a segment of what has none, if that is enough for one.
    fn seal(&mut self, space: SpaceId, live: &Arc<Live>) {
        let config = &self.shared.config;
        let least = config.search_segment_atoms;
        let unsealed = live.now().index.unsealed();
        if unsealed < least || self.given_up.contains(&space) {
            return;
        }
        let vectors_max = config.search_segment_bytes_max / SEALED_BYTES;
        let room = vectors_max.saturating_sub(self.cache.sealed() as usize);
        if room < least {
            tracing::debug!(%space, unsealed, "no memory for another segment; the rest is scanned");
            return;
        }
        let segment = self.segment(space, live, least.saturating_mul(SEGMENT_FACTOR).min(room));
        live.say_sealing(None);
        match segment {
            Ok(Some((frozen, segment))) => {
                live.resegment(|index| index.seal(&frozen, Arc::new(segment)));
            }
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
        most: usize,
    ) -> Result<Option<(Frozen, Segment)>, SegmentError> {
        let mut frozen = live.resegment(|index| index.freeze());
        while frozen.len() < most {
            let count = COPY_VECTORS.min(most - frozen.len());
            if !live.now().index.copy(&mut frozen, count) {
                break;
            }
        }
        let mut builder = Builder::new(&frozen);
        loop {
            live.say_sealing(Some(builder.so_far()));
            while !self.is_idle() && self.cache.goes_on(&self.shared) {
                std::thread::park_timeout(self.pause());
            }
            if !self.cache.goes_on(&self.shared) || !self.cache.has(space, live) {
                return Ok(None);
            }
            if !builder.step(STEP_VECTORS)? {
                let segment = builder.finish()?;
                return Ok(Some((frozen, segment)));
            }
        }
    }
}
