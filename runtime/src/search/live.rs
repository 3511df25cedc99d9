//! The indexes in memory: which spaces have one, and how far each has read.

use crate::config::Config;
use crate::embedder;
use crate::failure::StoreError;
use crate::store::Store;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use stoa_actors::atom::{Atom, Embed};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Position, SpaceId, StreamId};
use stoa_actors::incarnation;
use stoa_actors::search::Index;
use stoa_actors::space::Space;

/// The indexes of a runtime, the most recently used of them.
pub(crate) struct Searches {
    embed: Arc<dyn Embed>,
    spaces_max: usize,
    atoms_max: usize,
    batch_max: (usize, usize),
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    spaces: HashMap<SpaceId, Slot>,
    uses: u64,
}

struct Slot {
    live: Arc<RwLock<Live>>,
    used: u64,
    atoms: usize,
}

impl Searches {
    pub(crate) fn new(config: &Config) -> Searches {
        Searches {
            embed: embedder::built_in(),
            spaces_max: config.search_spaces_max,
            atoms_max: config.search_atoms_max,
            batch_max: (config.index_batch_atoms, config.index_batch_bytes),
            kept: Mutex::default(),
        }
    }

    pub(crate) fn embed(&self) -> Arc<dyn Embed> {
        self.embed.clone()
    }

    /// The index of a space, an empty one at first.
    pub(crate) fn live(&self, space: SpaceId) -> Arc<RwLock<Live>> {
        let mut kept = self.kept.lock();
        kept.uses += 1;
        let used = kept.uses;
        let slot = kept.spaces.entry(space).or_insert_with(|| Slot {
            live: Arc::new(RwLock::new(Live::new(space, self.embed.clone(), self.batch_max))),
            used,
            atoms: 0,
        });
        slot.used = used;
        let live = slot.live.clone();
        self.drop_some(&mut kept, space);
        live
    }

    /// Says how large an index is by now; the least recently used make room.
    pub(crate) fn weigh(&self, space: SpaceId, atoms: usize) {
        let mut kept = self.kept.lock();
        if let Some(slot) = kept.spaces.get_mut(&space) {
            slot.atoms = atoms;
        }
        self.drop_some(&mut kept, space);
    }

    /// Drops an index; the next search makes it anew.
    pub(crate) fn forget(&self, space: SpaceId) {
        self.kept.lock().spaces.remove(&space);
    }

    fn drop_some(&self, kept: &mut Kept, but: SpaceId) {
        let atoms = |kept: &Kept| kept.spaces.values().map(|it| it.atoms).sum::<usize>();
        while kept.spaces.len() > self.spaces_max || atoms(kept) > self.atoms_max {
            let others = kept.spaces.iter().filter(|(space, _)| **space != but);
            let oldest = others.min_by_key(|(_, slot)| slot.used).map(|(space, _)| *space);
            let Some(oldest) = oldest else { return };
            kept.spaces.remove(&oldest);
        }
    }
}

/// One space's index and how far it has read.
pub(crate) struct Live {
    index: Index,
    stream: StreamId,
    /// The last entry of the stream that is in it.
    seq: u64,
    /// Everything of the stream up to this position is in it.
    upto: Position,
    /// Atoms and bytes of contents indexed together.
    batch_max: (usize, usize),
}

impl Deref for Live {
    type Target = Index;

    fn deref(&self) -> &Index {
        &self.index
    }
}

/// What is read before it is indexed: of an atom that changes often only the last version is.
#[derive(Default)]
struct Batch {
    atoms: Vec<(Arc<Atom>, Position)>,
    places: BTreeMap<AtomId, usize>,
    bytes: usize,
}

impl Batch {
    /// In the order of the first version that is in it: the order of birth.
    fn take(&mut self, atom: &Arc<Atom>, at: Position) {
        self.bytes += atom.content.bytes();
        let place = *self.places.entry(atom.id).or_insert(self.atoms.len());
        match self.atoms.get_mut(place) {
            Some(older) => *older = (atom.clone(), at),
            None => self.atoms.push((atom.clone(), at)),
        }
    }

    fn full(&self, (atoms_max, bytes_max): (usize, usize)) -> bool {
        self.atoms.len() >= atoms_max || self.bytes >= bytes_max
    }
}

impl Live {
    fn new(space: SpaceId, embed: Arc<dyn Embed>, batch_max: (usize, usize)) -> Live {
        let index = Index::new(space, embed);
        Live { index, stream: space.stream(), seq: 0, upto: Position(0), batch_max }
    }

    /// Entries of the space that are in it.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether nothing up to a position is missing.
    fn is_at(&self, store: &Store, upto: Position) -> Result<bool, StoreError> {
        if self.upto >= upto {
            return Ok(true);
        }
        let next = store.stream_after(self.stream, self.seq).next().transpose()?;
        Ok(next.is_none_or(|(_, at)| at > upto))
    }

    /// Reads on. After an error it is as far as it got, and whole. What is read is read by one
    /// thread and indexed by another when it is much: an index that is made anew is half the wait.
    fn catch_up(&mut self, store: &Store, upto: Position) -> Result<(), StoreError> {
        let (stream, from, batch_max) = (self.stream, self.seq, self.batch_max);
        let much = store.last_seq(stream)?.saturating_sub(from) > batch_max.0 as u64;
        if much {
            std::thread::scope(|scope| {
                let (hand_over, batches) = sync_channel(1);
                // Whoever indexes has gone when nobody takes a batch any more.
                let mut hand = move |batch, last| hand_over.send((batch, last)).is_ok();
                let reader =
                    scope.spawn(move || read(store, stream, from, upto, batch_max, &mut hand));
                batches.into_iter().for_each(|(batch, last)| self.index(batch, last));
                reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })?;
        } else {
            let mut hand = |batch, last| {
                self.index(batch, last);
                true
            };
            read(store, stream, from, upto, batch_max, &mut hand)?;
        }
        self.upto = self.upto.max(upto);
        Ok(())
    }

    fn index(&mut self, batch: Batch, last: u64) {
        batch.atoms.iter().for_each(|(atom, at)| self.index.upsert(atom, *at));
        self.seq = last;
    }
}

/// Reads a stream on, in batches, for as long as they are taken.
fn read(
    store: &Store,
    stream: StreamId,
    from: u64,
    upto: Position,
    batch_max: (usize, usize),
    hand: &mut dyn FnMut(Batch, u64) -> bool,
) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    let mut last = from;
    for entry in store.entries_after(stream, from) {
        let entry = entry?;
        let (seq, at) = (entry.header.seq, entry.position);
        if at > upto {
            break;
        }
        for event in incarnation::events::<Space>(&entry.body)? {
            Space::atom(&event).into_iter().for_each(|atom| batch.take(atom, at));
        }
        last = seq;
        if batch.full(batch_max) && !hand(std::mem::take(&mut batch), last) {
            return Ok(());
        }
    }
    hand(batch, last);
    Ok(())
}

/// The index with everything up to a position in it.
pub(crate) fn caught_up<'a>(
    live: &'a RwLock<Live>,
    store: &Store,
    upto: Position,
) -> Result<RwLockReadGuard<'a, Live>, StoreError> {
    let reading = live.read();
    if reading.is_at(store, upto)? {
        return Ok(reading);
    }
    drop(reading);
    let mut writing = live.write();
    writing.catch_up(store, upto)?;
    Ok(RwLockWriteGuard::downgrade(writing))
}
