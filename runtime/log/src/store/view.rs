//! The store as actors see it: nothing but what is durable.

use super::{Store, keys, space_atom};
use crate::blocking::assert_may_block;
use crate::failure::StoreError;
use std::sync::Arc;
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::View;
use stoa_actors::id::{AtomId, SessionId, SpaceId, StreamId};
use stoa_actors::incarnation::{self, Durable};
use stoa_actors::log::Answered;
use stoa_actors::space::Space;

impl Store {
    /// A read that cannot be answered ends the store, and with it the incarnation that asked.
    fn or_stop<T>(&self, read: Result<T, StoreError>) -> T {
        match read {
            Ok(found) => found,
            Err(error) => {
                let error = self.failure.trip(error);
                panic!("store: {error}");
            }
        }
    }
}

impl Store {
    /// The atoms that refer to an atom, by relation and id. Not on a thread of the executor.
    pub fn referrers(
        &self,
        target: AtomId,
        relation: Option<&str>,
    ) -> impl Iterator<Item = Result<(String, AtomId), StoreError>> + use<> {
        assert_may_block();
        let rows = self.references.prefix(keys::references(target, relation));
        rows.filter_map(|guard| match guard.key() {
            Ok(key) => keys::referrer(&key).map(Ok),
            Err(error) => Some(Err(error.into())),
        })
    }
}

impl View for Store {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        self.or_stop(self.newest(id)).map(|(_, atom)| atom)
    }

    fn version(&self, id: AtomId, version: u64) -> Option<Arc<Atom>> {
        self.or_stop(Store::version(self, id, version)).map(|(_, atom)| atom)
    }

    fn space_of(&self, id: AtomId) -> Option<SpaceId> {
        let value = self.or_stop(self.atoms.get(id.0).map_err(StoreError::from));
        value.and_then(|it| keys::space(&it))
    }

    fn sources(&self, target: AtomId, relation: Option<&str>) -> Vec<(String, AtomId)> {
        let rows = self.references.prefix(keys::references(target, relation));
        let found: Result<Vec<_>, fjall::Error> =
            rows.map(|guard| Ok(keys::referrer(&guard.key()?))).collect();
        self.or_stop(found.map_err(StoreError::from)).into_iter().flatten().collect()
    }

    fn each_atom(&self, space: SpaceId, to: &mut dyn FnMut(&Arc<Atom>)) {
        for entry in self.along(space.stream(), 0) {
            let entry = self.or_stop(entry);
            let at = entry.position;
            let events =
                self.or_stop(incarnation::events::<Space>(&entry.body).map_err(Into::into));
            for (index, atom) in (0..).zip(&events).filter_map(|(n, it)| Some((n, space_atom(it)?)))
            {
                let newest = self.or_stop(self.atoms.get(atom.id.0).map_err(StoreError::from));
                if newest.and_then(|it| keys::place(&it)) == Some((at, index)) {
                    to(atom);
                }
            }
        }
    }
}

impl Durable for Store {
    fn answered(&self, stream: StreamId, asker: SessionId, key: &str) -> Option<(u64, Answered)> {
        self.or_stop(self.answer(stream, asker, key))
    }
}
