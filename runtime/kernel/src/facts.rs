//! What the log of rights says of spaces, found without reading all of it each time.
//!
//! The log is the only truth: here is where in it what is told of a space stands, and where each
//! link was given. It is made by the first who asks, goes on with the log, and lives as long as the
//! process. Sessions for one action take no room in it.

use crate::failure::StoreError;
use crate::store::{LogEntry, Store};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use stoa_actors::id::{LinkId, Position, RIGHTS, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::rights::{Event, Fact, Link, Rights};

/// Where things stand in the log of rights.
#[derive(Default)]
pub(crate) struct Facts(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Everything up to this entry is known.
    seq: u64,
    /// The entry in which each link was given.
    given: BTreeMap<LinkId, u64>,
    /// The entries that tell of each space, in order.
    of: BTreeMap<SpaceId, Vec<u64>>,
}

impl Facts {
    /// Takes in what the log has meanwhile. Not on a thread of the executor, like all that is here.
    fn catch_up(&self, store: &Store) -> Result<(), StoreError> {
        let mut known = self.0.lock();
        for entry in store.entries_after(RIGHTS, known.seq) {
            let entry = entry?;
            let seq = entry.header.seq;
            let events = incarnation::events::<Rights>(&entry.body)?;
            for event in events.iter().filter(|it| !it.is_of_one_action()) {
                known.given.extend(event.given().iter().map(|it| (it.id, seq)));
            }
            for fact in facts(&events, |link| found(store, known.given.get(&link).copied(), link))?
            {
                let of = known.of.entry(fact.space).or_default();
                if of.last() != Some(&seq) {
                    of.push(seq);
                }
            }
            known.seq = seq;
        }
        Ok(())
    }

    /// What an entry of the log of rights says.
    pub(crate) fn told(&self, store: &Store, entry: &LogEntry) -> Result<Vec<Fact>, StoreError> {
        let events = incarnation::events::<Rights>(&entry.body)?;
        if events.iter().all(|it| it.taken().is_empty()) {
            return facts(&events, |_| Ok(None));
        }
        self.catch_up(store)?;
        facts(&events, |link| {
            let seq = self.0.lock().given.get(&link).copied();
            found(store, seq, link)
        })
    }

    /// The places after one position and before another that tell of a space, in order.
    pub(crate) fn of(
        &self,
        store: &Store,
        space: SpaceId,
        after: Position,
        before: Position,
    ) -> Result<Vec<u64>, StoreError> {
        self.catch_up(store)?;
        let from = store.seq_at(RIGHTS, after)?;
        let upto = store.seq_at(RIGHTS, Position(before.0.saturating_sub(1)))?;
        let known = self.0.lock();
        let all = known.of.get(&space).map(Vec::as_slice).unwrap_or_default();
        let first = all.partition_point(|it| *it <= from);
        let end = all.partition_point(|it| *it <= upto).max(first);
        Ok(all[first..end].to_vec())
    }

    /// The entry in which a link was given; nothing for those of sessions for one action.
    pub(crate) fn given(
        &self,
        store: &Store,
        link: LinkId,
    ) -> Result<Option<LogEntry>, StoreError> {
        if !self.0.lock().given.contains_key(&link) {
            self.catch_up(store)?;
        }
        let seq = self.0.lock().given.get(&link).copied();
        seq.map_or(Ok(None), |seq| entry_of(store, seq))
    }
}

fn facts(
    events: &[Event],
    mut given: impl FnMut(LinkId) -> Result<Option<Link>, StoreError>,
) -> Result<Vec<Fact>, StoreError> {
    let mut all = Vec::new();
    for event in events {
        all.extend(event.facts(&mut given)?);
    }
    Ok(all)
}

fn entry_of(store: &Store, seq: u64) -> Result<Option<LogEntry>, StoreError> {
    store.position_of(RIGHTS, seq)?.map_or(Ok(None), |at| store.entry(at))
}

/// A link as it was given.
fn found(store: &Store, seq: Option<u64>, link: LinkId) -> Result<Option<Link>, StoreError> {
    let Some(entry) = seq.map(|seq| entry_of(store, seq)).transpose()?.flatten() else {
        return Ok(None);
    };
    let events = incarnation::events::<Rights>(&entry.body)?;
    Ok(events.iter().flat_map(Event::given).find(|it| it.id == link).cloned())
}
