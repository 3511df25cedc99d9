//! The index of one space in memory, and how far it has read.

use super::source::Source;
use crate::failure::StoreError;
use crate::store::Store;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, Position, SpaceId, StreamId};
use stoa_actors::incarnation;
use stoa_actors::search::{Asking, Index};
use stoa_actors::space::Space;

/// How far the index of a space is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct IndexCard {
    pub space: SpaceId,
    /// Entries of it that were read.
    pub entries: u64,
    /// Entries there were when reading began: while it is less than that the index is being made,
    /// and searches of the space wait.
    pub of: u64,
    /// Atoms in it.
    pub atoms: u64,
    /// Vectors that segments find, so that they need not be scanned.
    pub sealed: u64,
    /// How many vectors are in the segment that is being made, and of how many.
    pub sealing: Option<(u64, u64)>,
}

impl IndexCard {
    /// Whether searches wait for it.
    pub fn is_being_made(&self) -> bool {
        self.entries < self.of
    }
}

/// Atoms and bytes of contents that are indexed together, while nobody can search.
#[derive(Clone, Copy)]
pub(super) struct BatchMax {
    /// When an index is made.
    pub(super) atoms: usize,
    /// When it is caught up.
    pub(super) few: usize,
    pub(super) bytes: usize,
}

/// A space's index, for many readers and whoever reads on for it.
pub(crate) struct Live {
    space: SpaceId,
    source: Source,
    batch_max: BatchMax,
    read: RwLock<Read>,
    /// Atoms whose vectors came after they were indexed.
    arrived: Mutex<BTreeSet<AtomId>>,
    /// Who reads on: one at a time, and those who wait find it done.
    making: Mutex<()>,
    /// Seen without waiting for either.
    entries: AtomicU64,
    of: AtomicU64,
    atoms: AtomicU64,
    sealed: AtomicU64,
    sealing: Mutex<Option<(u64, u64)>>,
}

/// An index and how far it has read.
pub(crate) struct Read {
    pub(crate) index: Index,
    /// The last entry of the stream that is in it.
    pub(crate) seq: u64,
    /// Everything of the stream up to this position is in it.
    upto: AtomicU64,
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
}

impl Live {
    pub(super) fn new(space: SpaceId, source: Source, batch_max: BatchMax, asking: Asking) -> Live {
        let mut index = Index::new(space, source.embed());
        index.ask_segments(asking);
        let read = Read { index, seq: 0, upto: AtomicU64::new(0) };
        Live {
            space,
            source,
            batch_max,
            read: RwLock::new(read),
            arrived: Mutex::default(),
            making: Mutex::new(()),
            entries: AtomicU64::new(0),
            of: AtomicU64::new(0),
            atoms: AtomicU64::new(0),
            sealed: AtomicU64::new(0),
            sealing: Mutex::new(None),
        }
    }

    /// The index as it is now.
    #[cfg(feature = "vectors")]
    pub(super) fn now(&self) -> RwLockReadGuard<'_, Read> {
        self.read.read()
    }

    /// Changes how the index finds vectors, never what is in it.
    #[cfg(feature = "vectors")]
    pub(super) fn resegment<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        let mut read = self.read.write();
        let changed = change(&mut read.index);
        self.sealed.store(read.index.sealed() as u64, Ordering::Relaxed);
        changed
    }

    #[cfg(feature = "vectors")]
    pub(super) fn say_sealing(&self, so_far: Option<(usize, usize)>) {
        *self.sealing.lock() = so_far.map(|(done, of)| (done as u64, of as u64));
    }

    pub(crate) fn card(&self) -> IndexCard {
        IndexCard {
            space: self.space,
            entries: self.entries.load(Ordering::Relaxed),
            of: self.of.load(Ordering::Relaxed),
            atoms: self.atoms(),
            sealed: self.sealed(),
            sealing: *self.sealing.lock(),
        }
    }

    pub(super) fn atoms(&self) -> u64 {
        self.atoms.load(Ordering::Relaxed)
    }

    pub(super) fn sealed(&self) -> u64 {
        self.sealed.load(Ordering::Relaxed)
    }

    /// The index with everything up to a position in it.
    pub(crate) fn caught_up(
        &self,
        store: &Store,
        upto: Position,
    ) -> Result<RwLockReadGuard<'_, Read>, StoreError> {
        self.dress(store)?;
        loop {
            let read = self.read.read();
            if read.is_at(store, self.space.stream(), upto)? {
                return Ok(read);
            }
            drop(read);
            self.catch_up(store, upto)?;
        }
    }

    /// Atoms that are in it may have vectors that they had not.
    pub(super) fn arrived(&self, ids: Vec<AtomId>) {
        self.arrived.lock().extend(ids);
    }

    /// Takes those in. An atom that it does not know in this version will be read with its vector.
    fn dress(&self, store: &Store) -> Result<(), StoreError> {
        if self.arrived.lock().is_empty() {
            return Ok(());
        }
        let _one = self.making.lock();
        for id in std::mem::take(&mut *self.arrived.lock()) {
            let Some((at, atom)) = store.newest(id)? else { continue };
            let atom = self.source.dressed(&atom);
            let mut read = self.read.write();
            if read.index.version(id) == Some(atom.version) {
                read.index.upsert(&atom, at);
            }
        }
        Ok(())
    }

    /// Reads on. Between two batches others search; after an error it is as far as it got, and
    /// whole. What is read is read by one thread and indexed by another when it is much: an index
    /// that is made anew is half the wait.
    pub(super) fn catch_up(&self, store: &Store, upto: Position) -> Result<(), StoreError> {
        let _one = self.making.lock();
        let stream = self.space.stream();
        let from = {
            let read = self.read.read();
            if read.is_at(store, stream, upto)? {
                return Ok(());
            }
            read.seq
        };
        let of = store.last_seq(stream)?;
        self.of.store(of, Ordering::Relaxed);
        let done = self.read_on(store, from, of, upto);
        let mut read = self.read.write();
        if done.is_ok() {
            *read.upto.get_mut() = upto.0.max(*read.upto.get_mut());
        }
        // What is behind is not missing: it was not asked for.
        self.of.store(read.seq, Ordering::Relaxed);
        done
    }

    fn read_on(&self, store: &Store, from: u64, of: u64, upto: Position) -> Result<(), StoreError> {
        let stream = self.space.stream();
        let atoms_max = if from == 0 { self.batch_max.atoms } else { self.batch_max.few };
        let batch_max = (atoms_max, self.batch_max.bytes);
        if of.saturating_sub(from) <= self.batch_max.atoms as u64 {
            let mut hand = |batch, last| {
                self.index(batch, last);
                true
            };
            return read(store, stream, from, upto, batch_max, &mut hand);
        }
        std::thread::scope(|scope| {
            let (hand_over, batches) = sync_channel(1);
            // Whoever indexes has gone when nobody takes a batch any more.
            let mut hand = move |batch, last| hand_over.send((batch, last)).is_ok();
            let reader = scope.spawn(move || read(store, stream, from, upto, batch_max, &mut hand));
            batches.into_iter().for_each(|(batch, last)| self.index(batch, last));
            reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn index(&self, batch: Batch, last: u64) {
        let mut read = self.read.write();
        batch
            .atoms
            .iter()
            .for_each(|(atom, at)| read.index.upsert(&self.source.dressed(atom), *at));
        read.seq = last;
        self.entries.store(last, Ordering::Relaxed);
        self.atoms.store(read.index.len() as u64, Ordering::Relaxed);
        self.sealed.store(read.index.sealed() as u64, Ordering::Relaxed);
    }
}

impl Read {
    /// Whether nothing up to a position is missing.
    fn is_at(&self, store: &Store, stream: StreamId, upto: Position) -> Result<bool, StoreError> {
        let known = Position(self.upto.load(Ordering::Relaxed));
        if known >= upto || !store.may_go_on(stream, known) {
            return Ok(true);
        }
        let next = store.stream_after(stream, self.seq).next().transpose()?;
        let all = next.is_none_or(|(_, at)| at > upto);
        if all {
            self.upto.fetch_max(upto.0, Ordering::Relaxed);
        }
        Ok(all)
    }
}

/// Reads a stream on, in batches, for as long as they are taken.
fn read(
    store: &Store,
    stream: StreamId,
    from: u64,
    upto: Position,
    (atoms_max, bytes_max): (usize, usize),
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
        let full = batch.atoms.len() >= atoms_max || batch.bytes >= bytes_max;
        if full && !hand(std::mem::take(&mut batch), last) {
            return Ok(());
        }
    }
    hand(batch, last);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::WriteOptions;
    use crate::limits::Config;
    use crate::runtime::Runtime;
    use stoa_actors::id::ROOT;
    use stoa_actors::search::Query;
    use stoa_actors::space::Draft;

    async fn put(runtime: &Runtime, space: SpaceId, count: usize) {
        for _ in 0..count {
            let draft = Draft { content: "note".into(), ..Draft::default() };
            runtime.caller(ROOT).put(space, draft, WriteOptions::default()).await.expect("put");
        }
    }

    /// Whoever looks on sees how far an index is while it is made, and who searches waits for it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_index_that_is_made_says_how_far_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime =
            Runtime::open_with(Config::at(dir.path()), crate::kinds()).await.expect("opens");
        let space = runtime.caller(ROOT).create_space("s", "").await.expect("space");
        put(&runtime, space, 5).await;
        assert_eq!(runtime.searches().cards(), []);
        let live = runtime.searches().live(space);
        let (search, handle) = (runtime.clone(), tokio::runtime::Handle::current());
        let found = tokio::task::block_in_place(|| {
            let reader = live.read.read();
            let search = handle.spawn(async move {
                search.caller(ROOT).search(space, Query::default()).await.expect("search").len()
            });
            // It cannot take anything in while somebody reads.
            while !live.card().is_being_made() {
                std::thread::yield_now();
            }
            let card = runtime.searches().card(space).expect("an index");
            assert_eq!((card.space, card.entries, card.of, card.atoms), (space, 0, 5, 0));
            drop(reader);
            handle.block_on(search).expect("ends")
        });
        assert_eq!(found, 5);
        let card = &runtime.searches().cards()[0];
        assert_eq!((card.is_being_made(), card.entries, card.atoms), (false, 5, 5));
        runtime.stop().await.expect("stops");
    }

    /// What is written to a space that was searched lately is in its index without another search.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_index_follows_the_writes() {
        let dir = tempfile::tempdir().expect("a directory");
        let config = Config { index_follow_ms: 1, ..Config::at(dir.path()) };
        let runtime = Runtime::open_with(config, crate::kinds()).await.expect("opens");
        let space = runtime.caller(ROOT).create_space("s", "").await.expect("space");
        let caller = runtime.caller(ROOT);
        assert_eq!(caller.search(space, Query::default()).await.expect("search"), []);
        put(&runtime, space, 200).await;
        let followed = async {
            while runtime.searches().card(space).is_none_or(|it| it.atoms < 200) {
                tokio::task::yield_now().await;
            }
        };
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, followed).await.expect("followed");
        let all = Query { limit: 1_000, ..Query::default() };
        assert_eq!(caller.search(space, all).await.expect("search").len(), 200);
        runtime.stop().await.expect("stops");
    }
}
