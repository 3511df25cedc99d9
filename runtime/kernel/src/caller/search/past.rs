//! Search in a space as it was: an index that has read its stream up to a position and no further.

use super::super::Caller;
use super::{Found, Looked, cursor};
use crate::as_of::Moment;
use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use crate::search::Live;
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use stoa_actors::atom::{Atom, Embedding};
use stoa_actors::id::{AtomId, Position, SpaceId};
use stoa_actors::rights::{Holding, Subject};
use stoa_actors::search::{Elsewhere, Query};

impl Caller {
    /// What fitted in a space at a moment, the best first: the same as a search would have found
    /// then, with the rights and the embedder of now. Conditions on references look at
    /// the same moment, also in other spaces.
    ///
    /// Names are held to what the space declares now, or what its atoms used then.
    ///
    /// The first search of a moment reads the space's stream up to there, as the first search of a
    /// space does; a condition on `<-relation` does so with every space that the caller can read.
    /// The last `search_pasts_max` of them are kept; those of such a condition are read together, so
    /// it is refused where they have more entries than `search_atoms_max`. Errors: as of
    /// [`search`](Caller::search), and [`ProblemKind::Invalid`] for a moment that is still to come.
    pub async fn search_as_of(
        &self,
        space: SpaceId,
        query: Query,
        moment: Moment,
    ) -> Result<Vec<Found>, Problem> {
        Ok(self.looked(space, query, Some(moment)).await?.hits)
    }

    pub(super) fn search_past(
        &self,
        space: SpaceId,
        query: &Query,
        vector: Option<Embedding>,
        at: Position,
        bytes_max: usize,
    ) -> Result<Looked, Problem> {
        let (declares, query) = self.in_declared_order(space, query)?;
        let past =
            Past { caller: self, space, at, others: OnceCell::new(), failed: Cell::default() };
        let live = past.live(space)?;
        let read = live.caught_up(self.runtime.store(), at)?;
        if query.after.is_some_and(|it| !read.index.knows(it.id)) {
            return Err(cursor::refused("it names no atom of this space"));
        }
        self.names_permitted(space, &declares, &query, &read.index)?;
        let hits = read.index.search(&query, vector.as_ref(), &past);
        let seq = read.seq;
        drop(read);
        if let Some(problem) = past.failed.into_inner() {
            return Err(problem);
        }
        // What was erased since this index was made says nothing, and is not found.
        let is_there = |it: &Found| !it.read.atom.content.is_gone();
        let (hits, cut) = self.collected(&hits, bytes_max, is_there)?;
        // Rights second: what was read before a revoke is not handed out after it.
        self.readable(space)?;
        Ok(Looked { hits, seq, cut })
    }
}

/// What the caller can read of other spaces, as they were at a position.
struct Past<'a> {
    caller: &'a Caller,
    /// What is searched.
    space: SpaceId,
    at: Position,
    /// The indexes of all others, made when the first is asked.
    others: OnceCell<Vec<Arc<Live>>>,
    /// What could not be looked at: nothing that is found then is told.
    failed: Cell<Option<Problem>>,
}

impl Past<'_> {
    fn live(&self, space: SpaceId) -> Result<Arc<Live>, StoreError> {
        let runtime = &self.caller.runtime;
        let (searches, config) = (runtime.searches(), &runtime.shared().config);
        let seq = runtime.store().seq_at(space.stream(), self.at)?;
        let most = (config.search_pasts_max, config.search_atoms_max);
        Ok(searches.pasts().live((space, seq), most, || searches.begin(space)))
    }

    /// Those of the other spaces that the caller can read now.
    fn others(&self) -> Result<Vec<Arc<Live>>, Problem> {
        let shared = self.caller.runtime.shared();
        let held = shared.rights.read().holdings(self.caller.session(), shared.clock.now());
        let space = |it: &Holding| match it.subject {
            Subject::Space(space) if it.use_.is_some() && space != self.space => Some(space),
            _ => None,
        };
        let (mut lives, mut entries) = (Vec::new(), 0);
        for space in held.iter().filter_map(space) {
            entries += self.caller.runtime.store().seq_at(space.stream(), self.at)?;
            if entries > shared.config.search_atoms_max as u64 {
                let text = "a condition on <-relation at a moment reads every space that you can \
                            read, and they are too much at once";
                return Err(
                    Problem::new(ProblemKind::Invalid, text).hint("stoa search SPACE --ref")
                );
            }
            lives.push(self.live(space)?);
        }
        Ok(lives)
    }

    fn or_failed<T: Default>(&self, found: Result<T, impl Into<Problem>>) -> T {
        found.unwrap_or_else(|error| {
            self.failed.set(Some(error.into()));
            T::default()
        })
    }
}

impl Elsewhere for Past<'_> {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        let found = self.caller.runtime.store().atom_as_of(id, self.at);
        let (_, atom) = self.or_failed(found)?;
        self.caller.level(atom.space).map(|_| atom)
    }

    fn sources(&self, target: AtomId, relation: &str) -> Vec<AtomId> {
        let store = self.caller.runtime.store();
        let others = self.others.get_or_init(|| self.or_failed(self.others()));
        let sources = |live: &Arc<Live>| {
            live.caught_up(store, self.at).map(|it| it.index.sources(target, relation))
        };
        others.iter().flat_map(|it| self.or_failed(sources(it))).collect()
    }
}
