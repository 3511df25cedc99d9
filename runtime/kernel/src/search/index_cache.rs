//! Which spaces have an index in memory, and for how long.

use super::Pasts;
use super::index_follower::IndexFollower;
use super::live::{BatchMax, IndexCard, Live};
use super::source::Source;
use crate::embedder;
use crate::host::Shared;
use crate::limits::Config;
use crate::runtime::{Begin, Part};
use crate::store::Store;
use crate::vectors::{Served, Vectors};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stoa_actors::atom::Embed;
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::search::Asking;

/// The indexes of a runtime, the most recently used of them.
pub(crate) struct Searches {
    cache: Arc<IndexCache>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the searches and the thread share.
pub(super) struct IndexCache {
    embed: Arc<dyn Embed>,
    /// Another embedder, and its rows.
    remote: Option<(Arc<Vectors>, Store)>,
    spaces_max: usize,
    atoms_max: usize,
    batch_max: BatchMax,
    asking: Asking,
    kept: Mutex<Cache>,
    pasts: Pasts,
    stop: AtomicBool,
}

#[derive(Default)]
struct Cache {
    spaces: HashMap<SpaceId, Slot>,
    uses: u64,
}

struct Slot {
    live: Arc<Live>,
    used: u64,
    searched: Instant,
}

impl Searches {
    pub(crate) fn new(config: &Config, remote: Option<(Arc<Vectors>, Store)>) -> Searches {
        let cache = IndexCache {
            embed: embedder::built_in(),
            remote,
            spaces_max: config.search_spaces_max,
            atoms_max: config.search_atoms_max,
            batch_max: BatchMax {
                atoms: config.index_batch_atoms,
                few: config.index_follow_atoms,
                bytes: config.index_batch_bytes,
            },
            asking: Asking { scan_max: config.search_scan_atoms, ..Asking::default() },
            kept: Mutex::default(),
            pasts: Pasts::default(),
            stop: AtomicBool::new(false),
        };
        Searches { cache: Arc::new(cache), threads: Mutex::default() }
    }

    /// Starts the threads that follow the writes and make segments.
    pub(crate) fn start(&self, shared: &Arc<Shared>) -> std::io::Result<()> {
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let follower = IndexFollower { cache: self.cache.clone(), shared: shared.clone() };
        let mut threads = self.threads.lock();
        threads.push(thread("stoa-index").spawn(move || follower.run())?);
        #[cfg(feature = "vectors")]
        {
            let sealer = super::sealer::Sealer::new(self.cache.clone(), shared.clone());
            threads.push(thread("stoa-segments").spawn(move || sealer.run())?);
        }
        Ok(())
    }

    fn wake(&self) {
        self.threads.lock().iter().for_each(|it| it.thread().unpark());
    }

    pub(crate) fn embed(&self) -> Arc<dyn Embed> {
        self.cache.embed.clone()
    }

    /// Indexes of what was.
    pub(crate) fn pasts(&self) -> &Pasts {
        &self.cache.pasts
    }

    /// An empty index of a space.
    pub(crate) fn begin(&self, space: SpaceId) -> Live {
        self.cache.begin(space)
    }

    /// The index of a space, an empty one at first.
    pub(crate) fn live(&self, space: SpaceId) -> Arc<Live> {
        let mut kept = self.cache.kept.lock();
        kept.uses += 1;
        let (used, searched) = (kept.uses, Instant::now());
        let slot = kept.spaces.entry(space).or_insert_with(|| Slot {
            live: Arc::new(self.cache.begin(space)),
            used,
            searched,
        });
        (slot.used, slot.searched) = (used, searched);
        let live = slot.live.clone();
        self.cache.drop_some(&mut kept, space);
        live
    }

    /// A search of the space is over: its index may be larger now, and the least recently used make
    /// room.
    pub(crate) fn searched(&self, space: SpaceId) {
        self.cache.drop_some(&mut self.cache.kept.lock(), space);
        self.wake();
    }

    /// Drops an index; the next search makes it anew.
    pub(crate) fn forget(&self, space: SpaceId) {
        self.cache.forget(space);
    }

    /// How far the index of a space is, if there is one.
    pub(crate) fn card(&self, space: SpaceId) -> Option<IndexCard> {
        self.cache.kept.lock().spaces.get(&space).map(|it| it.live.card())
    }

    /// Every index in memory.
    pub(crate) fn cards(&self) -> Vec<IndexCard> {
        let mut all: Vec<IndexCard> =
            self.cache.kept.lock().spaces.values().map(|it| it.live.card()).collect();
        all.sort_by_key(|it| it.space);
        all
    }
}

impl Part for Searches {
    /// The threads end before the next piece of work.
    fn stop(&self) {
        self.cache.stop.store(true, Ordering::Release);
        self.wake();
    }

    fn join(&self) {
        let threads = std::mem::take(&mut *self.threads.lock());
        threads.into_iter().for_each(|it| drop(it.join()));
    }
}

impl Begin for Searches {
    fn begin(shared: &Shared) -> Searches {
        Searches::new(&shared.config, None)
    }
}

impl Served for Searches {
    fn begin_anew(&self) {
        self.cache.kept.lock().spaces.clear();
        self.cache.pasts.forget();
    }

    fn arrived(&self, space: SpaceId, ids: Vec<AtomId>) {
        let live = self.cache.kept.lock().spaces.get(&space).map(|it| it.live.clone());
        if let Some(live) = live {
            live.arrived(ids);
        }
    }
}

impl IndexCache {
    fn begin(&self, space: SpaceId) -> Live {
        let source = Source::now(&self.embed, self.remote.as_ref());
        Live::new(space, source, self.batch_max, self.asking)
    }

    fn drop_some(&self, kept: &mut Cache, but: SpaceId) {
        let atoms = |kept: &Cache| kept.spaces.values().map(|it| it.live.atoms()).sum::<u64>();
        while kept.spaces.len() > self.spaces_max || atoms(kept) > self.atoms_max as u64 {
            let others = kept.spaces.iter().filter(|(space, _)| **space != but);
            let oldest = others.min_by_key(|(_, slot)| slot.used).map(|(space, _)| *space);
            let Some(oldest) = oldest else { return };
            kept.spaces.remove(&oldest);
        }
    }

    /// Whether the threads have more to do than to end.
    pub(super) fn goes_on(&self, shared: &Shared) -> bool {
        !self.stop.load(Ordering::Acquire) && shared.store.failure.error().is_none()
    }

    /// Whether this is the index of the space still.
    #[cfg(feature = "vectors")]
    pub(super) fn has(&self, space: SpaceId, live: &Arc<Live>) -> bool {
        self.kept.lock().spaces.get(&space).is_some_and(|it| Arc::ptr_eq(&it.live, live))
    }

    pub(super) fn forget(&self, space: SpaceId) {
        self.kept.lock().spaces.remove(&space);
    }

    /// How long nobody has searched anything.
    #[cfg(feature = "vectors")]
    pub(super) fn unsearched(&self) -> Duration {
        let kept = self.kept.lock();
        let last = kept.spaces.values().map(|it| it.searched).max();
        last.map_or(Duration::MAX, |it| it.elapsed())
    }

    /// Vectors in segments of all indexes.
    #[cfg(feature = "vectors")]
    pub(super) fn sealed(&self) -> u64 {
        self.kept.lock().spaces.values().map(|it| it.live.sealed()).sum()
    }

    /// Those that were searched within a time.
    pub(super) fn in_use(&self, within: Duration) -> Vec<(SpaceId, Arc<Live>)> {
        let kept = self.kept.lock();
        let lately = kept.spaces.iter().filter(|(_, slot)| slot.searched.elapsed() < within);
        lately.map(|(space, slot)| (*space, slot.live.clone())).collect()
    }
}
