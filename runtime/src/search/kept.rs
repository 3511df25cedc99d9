//! Which spaces have an index in memory, and what keeps those that are searched up to date.
//!
//! A thread of low priority follows the writes of every space that was searched lately, so that a
//! search after a burst of writes has little left to read. It stops with the runtime; without it
//! searches are the same, only the first after a burst is slower.

use super::Pasts;
use super::live::{BatchMax, IndexCard, Live};
use crate::config::Config;
use crate::embedder;
use crate::host::Shared;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stoa_actors::atom::Embed;
use stoa_actors::id::{Position, SpaceId};

/// The indexes of a runtime, the most recently used of them.
pub(crate) struct Searches {
    desk: Arc<Desk>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the searches and the thread share.
struct Desk {
    embed: Arc<dyn Embed>,
    spaces_max: usize,
    atoms_max: usize,
    batch_max: BatchMax,
    kept: Mutex<Kept>,
    pasts: Pasts,
    stop: AtomicBool,
}

#[derive(Default)]
struct Kept {
    spaces: HashMap<SpaceId, Slot>,
    uses: u64,
}

struct Slot {
    live: Arc<Live>,
    used: u64,
    searched: Instant,
}

impl Searches {
    pub(crate) fn new(config: &Config) -> Searches {
        let desk = Desk {
            embed: embedder::built_in(),
            spaces_max: config.search_spaces_max,
            atoms_max: config.search_atoms_max,
            batch_max: BatchMax {
                atoms: config.index_batch_atoms,
                few: config.index_follow_atoms,
                bytes: config.index_batch_bytes,
            },
            kept: Mutex::default(),
            pasts: Pasts::default(),
            stop: AtomicBool::new(false),
        };
        Searches { desk: Arc::new(desk), thread: Mutex::new(None) }
    }

    /// Starts the thread that follows the writes.
    pub(crate) fn start(&self, shared: &Arc<Shared>) -> std::io::Result<()> {
        let keeper = Keeper { desk: self.desk.clone(), shared: shared.clone() };
        let thread = std::thread::Builder::new().name("stoa-index".into());
        *self.thread.lock() = Some(thread.spawn(move || keeper.run())?);
        Ok(())
    }

    /// Asks the thread to end; it does before the next piece of work.
    pub(crate) fn stop(&self) {
        self.desk.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Waits for its end.
    pub(crate) fn join(&self) {
        let thread = self.thread.lock().take();
        drop(thread.map(JoinHandle::join));
    }

    fn wake(&self) {
        if let Some(thread) = &*self.thread.lock() {
            thread.thread().unpark();
        }
    }

    pub(crate) fn embed(&self) -> Arc<dyn Embed> {
        self.desk.embed.clone()
    }

    /// Indexes of what was.
    pub(super) fn pasts(&self) -> &Pasts {
        &self.desk.pasts
    }

    /// An empty index of a space.
    pub(super) fn begin(&self, space: SpaceId) -> Live {
        self.desk.begin(space)
    }

    /// The index of a space, an empty one at first.
    pub(crate) fn live(&self, space: SpaceId) -> Arc<Live> {
        let mut kept = self.desk.kept.lock();
        kept.uses += 1;
        let (used, searched) = (kept.uses, Instant::now());
        let slot = kept.spaces.entry(space).or_insert_with(|| Slot {
            live: Arc::new(self.desk.begin(space)),
            used,
            searched,
        });
        (slot.used, slot.searched) = (used, searched);
        let live = slot.live.clone();
        self.desk.drop_some(&mut kept, space);
        live
    }

    /// A search of the space is over: its index may be larger now, and the least recently used make
    /// room.
    pub(crate) fn searched(&self, space: SpaceId) {
        self.desk.drop_some(&mut self.desk.kept.lock(), space);
        self.wake();
    }

    /// Drops an index; the next search makes it anew.
    pub(crate) fn forget(&self, space: SpaceId) {
        self.desk.kept.lock().spaces.remove(&space);
    }

    /// How far the index of a space is, if there is one.
    pub(crate) fn card(&self, space: SpaceId) -> Option<IndexCard> {
        self.desk.kept.lock().spaces.get(&space).map(|it| it.live.card())
    }

    /// Every index in memory.
    pub(crate) fn cards(&self) -> Vec<IndexCard> {
        let mut all: Vec<IndexCard> =
            self.desk.kept.lock().spaces.values().map(|it| it.live.card()).collect();
        all.sort_by_key(|it| it.space);
        all
    }
}

impl Desk {
    fn begin(&self, space: SpaceId) -> Live {
        Live::new(space, self.embed.clone(), self.batch_max)
    }

    fn drop_some(&self, kept: &mut Kept, but: SpaceId) {
        let atoms = |kept: &Kept| kept.spaces.values().map(|it| it.live.atoms()).sum::<u64>();
        while kept.spaces.len() > self.spaces_max || atoms(kept) > self.atoms_max as u64 {
            let others = kept.spaces.iter().filter(|(space, _)| **space != but);
            let oldest = others.min_by_key(|(_, slot)| slot.used).map(|(space, _)| *space);
            let Some(oldest) = oldest else { return };
            kept.spaces.remove(&oldest);
        }
    }

    /// Those that were searched within a time.
    fn in_use(&self, within: Duration) -> Vec<(SpaceId, Arc<Live>)> {
        let kept = self.kept.lock();
        let lately = kept.spaces.iter().filter(|(_, slot)| slot.searched.elapsed() < within);
        lately.map(|(space, slot)| (*space, slot.live.clone())).collect()
    }
}

struct Keeper {
    desk: Arc<Desk>,
    shared: Arc<Shared>,
}

impl Keeper {
    fn run(self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, 19) {
            tracing::debug!(%error, "indexes are kept at the priority of everybody");
        }
        let config = &self.shared.config;
        let (every, lately) = (config.index_follow_ms, config.index_follow_for_ms);
        let (every, lately) = (Duration::from_millis(every), Duration::from_millis(lately));
        let mut seen = Position(0);
        while self.goes_on() {
            let spaces = self.desk.in_use(lately);
            if spaces.is_empty() {
                // The next search wakes it.
                std::thread::park();
                continue;
            }
            let durable = self.shared.log.durable();
            if durable > seen {
                spaces.iter().for_each(|(space, live)| self.follow(*space, live, durable));
                seen = durable;
            }
            std::thread::park_timeout(every);
        }
    }

    fn goes_on(&self) -> bool {
        !self.desk.stop.load(Ordering::Acquire) && self.shared.store.failure.error().is_none()
    }

    fn follow(&self, space: SpaceId, live: &Live, upto: Position) {
        let caught_up = || live.catch_up(&self.shared.store, upto);
        match catch_unwind(AssertUnwindSafe(caught_up)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an index is caught up by the next search"),
            Err(_) => {
                // It may be half of something: the next search makes another.
                tracing::warn!(%space, "an index died while it was caught up");
                self.desk.kept.lock().spaces.remove(&space);
            }
        }
    }
}
