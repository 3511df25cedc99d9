//! What is decided but not yet durable, laid over what is.

use crate::atom::Atom;
use crate::behaviour::{Row, View};
use crate::id::{AtomId, SessionId, SpaceId};
use crate::log::Answered;
use crate::mutant;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What is decided but not yet durable.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// The newest pending version of each, and those pending before it.
    atoms: BTreeMap<AtomId, (u64, Pending)>,
    /// Whether (target, relation, source) holds.
    references: BTreeMap<(AtomId, String, AtomId), (u64, bool)>,
    answers: BTreeMap<(SessionId, String), (u64, Answered)>,
    laid: VecDeque<(u64, Laying)>,
}

#[derive(Debug)]
struct Pending {
    newest: Arc<Atom>,
    older: Vec<Arc<Atom>>,
}

impl Pending {
    fn version(&self, version: u64) -> Option<&Arc<Atom>> {
        let all = std::iter::once(&self.newest).chain(&self.older);
        all.into_iter().find(|it| it.version == version)
    }
}

#[derive(Debug)]
enum Laying {
    Atom(AtomId),
    Reference((AtomId, String, AtomId)),
    Answer((SessionId, String)),
}

impl Overlay {
    pub(crate) fn lay(&mut self, seq: u64, atom: Option<&Arc<Atom>>, rows: &[Row]) {
        if let Some(atom) = atom {
            match self.atoms.entry(atom.id) {
                Entry::Vacant(free) => {
                    free.insert((seq, Pending { newest: atom.clone(), older: Vec::new() }));
                }
                Entry::Occupied(mut there) => {
                    let (last, pending) = there.get_mut();
                    pending.older.push(std::mem::replace(&mut pending.newest, atom.clone()));
                    *last = seq;
                }
            }
            self.laid.push_back((seq, Laying::Atom(atom.id)));
        }
        for row in rows {
            let (key, holds) = match row {
                Row::Reference { target, relation, source } => {
                    ((*target, relation.clone(), *source), true)
                }
                Row::NoReference { target, relation, source } => {
                    ((*target, relation.clone(), *source), false)
                }
                _ => continue,
            };
            self.references.insert(key.clone(), (seq, holds));
            self.laid.push_back((seq, Laying::Reference(key)));
        }
    }

    pub(crate) fn lay_answer(&mut self, seq: u64, asker: SessionId, answered: Answered) {
        let key = (asker, answered.key.clone());
        self.answers.insert(key.clone(), (seq, answered));
        self.laid.push_back((seq, Laying::Answer(key)));
    }

    /// The answer to a request that is not durable yet, and the number of its entry.
    pub(crate) fn answer(&self, asker: SessionId, key: &str) -> Option<(u64, Answered)> {
        self.answers.get(&(asker, key.to_owned())).cloned()
    }

    /// Forgets what the durable rows show by now.
    pub(crate) fn trim(&mut self, durable: u64) {
        let ahead = u64::from(mutant::planted("overlay.forgets_too_soon"));
        let durable = durable + ahead;
        while let Some((_, laying)) = self.laid.pop_front_if(|(seq, _)| *seq <= durable) {
            match laying {
                Laying::Atom(id) => forget(&mut self.atoms, &id, durable),
                Laying::Reference(key) => forget(&mut self.references, &key, durable),
                Laying::Answer(key) => forget(&mut self.answers, &key, durable),
            }
        }
    }
}

fn forget<K: Ord, V>(map: &mut BTreeMap<K, (u64, V)>, key: &K, durable: u64) {
    if map.get(key).is_some_and(|(seq, _)| *seq <= durable) {
        map.remove(key);
    }
}

/// Durable rows under, pending atoms over.
pub(crate) struct Laid<'a, U: View + ?Sized> {
    pub(crate) over: &'a Overlay,
    pub(crate) under: &'a U,
}

impl<U: View + ?Sized> View for Laid<'_, U> {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        match self.over.atoms.get(&id) {
            Some((_, pending)) => Some(pending.newest.clone()),
            None => self.under.atom(id),
        }
    }

    fn version(&self, id: AtomId, version: u64) -> Option<Arc<Atom>> {
        let pending = self.over.atoms.get(&id).and_then(|(_, it)| it.version(version));
        pending.cloned().or_else(|| self.under.version(id, version))
    }

    fn space_of(&self, id: AtomId) -> Option<SpaceId> {
        match self.over.atoms.get(&id) {
            Some((_, pending)) => Some(pending.newest.space),
            None => self.under.space_of(id),
        }
    }

    fn sources(&self, target: AtomId, relation: Option<&str>) -> Vec<(String, AtomId)> {
        let mut found = self.under.sources(target, relation);
        let from = (target, relation.unwrap_or_default().to_owned(), AtomId([0; 16]));
        for ((_, how, source), (_, holds)) in
            self.over.references.range(from..).take_while(|((to, how, _), _)| {
                *to == target && relation.is_none_or(|it| it == how)
            })
        {
            found.retain(|it| it != &(how.clone(), *source));
            if *holds {
                found.push((how.clone(), *source));
            }
        }
        found
    }
    fn each_atom(&self, space: SpaceId, to: &mut dyn FnMut(&Arc<Atom>)) {
        self.under.each_atom(space, &mut |atom| {
            if !self.over.atoms.contains_key(&atom.id) {
                to(atom);
            }
        });
        let laid = self.over.atoms.values().map(|(_, pending)| &pending.newest);
        laid.filter(|atom| atom.space == space).for_each(to);
    }
}
