//! The index of one space: a fold of its events.

use super::Hit;
use super::lexicon::{Lexicon, SLOTS_MAX};
use super::sealed::{Asking, Frozen, Nearest, Sealed};
use super::vector_table::{Probe, VectorTable};
use super::words::words;
use crate::atom::{Atom, Embed};
use crate::behaviour::Behaviour;
use crate::conditions::Bits;
use crate::conditions::Dictionary;
use crate::conditions::Facets;
use crate::id::{AtomId, Position, SpaceId};
use crate::mutant;
use crate::space::{Event, Space, Used};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All atoms of one space, the newest version of each, deprecated ones included.
///
/// An atom has a slot, in the order of birth, for good. Derived and disposable: the same events
/// make the same index. It holds no contents: an atom of 40 words, four metadata keys and one
/// reference takes at most 1.5 KB (resident memory over 100,000 atoms, `benches/search.rs`).
pub struct Index {
    pub(super) space: SpaceId,
    pub(super) embed: Arc<dyn Embed>,
    pub(super) filed: Filed,
    pub(super) deprecated: Bits,
    /// Erased ones keep their slot; nothing finds them.
    pub(super) erased: Bits,
    pub(super) lexicon: Lexicon,
    pub(super) facets: Facets,
    pub(super) vectors: VectorTable,
    pub(super) sealed: Sealed,
    pub(super) asking: Asking,
}

/// Who is in which slot, and who refers to whom.
#[derive(Default)]
pub(super) struct Filed {
    slots: BTreeMap<AtomId, u32>,
    docs: Vec<Doc>,
    links: Dictionary<Arc<Link>>,
    /// How each link goes and where it ends, by its number: a condition is looked at often.
    ends: Vec<End>,
    relations: BTreeMap<Box<str>, u32>,
    /// How many references there are of each relation, by its number.
    referring: Vec<u32>,
}

/// What a condition asks of a link, without its names.
#[derive(Clone, Copy)]
struct End {
    relation: u32,
    slot: u32,
}

/// An atom that is referred to.
pub(super) enum Target {
    /// One of this space, by its slot.
    Here(u32),
    /// One of another space, or none.
    Elsewhere(AtomId),
}

/// The end of a link to an atom of another space, or to none.
const ELSEWHERE: u32 = u32::MAX;

/// A relation and the atom it points at; its postings are those that point.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    target: AtomId,
    relation: Box<str>,
}

struct Doc {
    id: AtomId,
    version: u64,
    position: Position,
    terms: Box<[u32]>,
    facets: Box<[u32]>,
    links: Box<[u32]>,
}

impl Filed {
    pub(super) fn slot(&self, id: AtomId) -> Option<u32> {
        self.slots.get(&id).copied()
    }

    pub(super) fn id(&self, slot: u32) -> AtomId {
        self.docs[slot as usize].id
    }

    pub(super) fn hit(&self, slot: u32, score: f32) -> Hit {
        let doc = &self.docs[slot as usize];
        Hit { id: doc.id, version: doc.version, score, position: doc.position }
    }

    /// The atoms that a slot refers to, and their slots if they are of this space.
    pub(super) fn targets<'a>(
        &'a self,
        slot: u32,
        relation: Option<u32>,
    ) -> impl Iterator<Item = Target> + 'a {
        let links = self.docs[slot as usize].links.iter();
        links.filter_map(move |number| {
            let end = self.ends[*number as usize];
            (Some(end.relation) == relation).then(|| match end.slot {
                ELSEWHERE => Target::Elsewhere(self.links.key(*number).target),
                slot => Target::Here(slot),
            })
        })
    }

    /// What a relation is called here; nothing if no atom has it.
    pub(super) fn relation(&self, name: &str) -> Option<u32> {
        self.relations.get(name).copied()
    }

    fn relation_of(&mut self, name: &str) -> u32 {
        let next = self.relations.len() as u32;
        match self.relations.get(name) {
            Some(known) => *known,
            None => {
                self.referring.push(0);
                *self.relations.entry(name.into()).or_insert(next)
            }
        }
    }

    /// Puts an atom in the next slot. Those that referred to it before it was there now do.
    fn push(&mut self, doc: Doc) {
        let (id, slot) = (doc.id, self.docs.len() as u32);
        let first = Arc::new(Link { target: id, relation: "".into() });
        for (_, number, _) in self.links.from(&first).take_while(|(link, ..)| link.target == id) {
            self.ends[number as usize].slot = slot;
        }
        self.slots.insert(id, slot);
        self.docs.push(doc);
    }

    /// The slots that refer to an atom.
    pub(super) fn sources(&self, target: AtomId, relation: &str) -> &[u32] {
        self.links.postings(&Link { target, relation: relation.into() })
    }
}

struct UsedHere<'a>(&'a Index);

impl Used for UsedHere<'_> {
    fn key(&self, path: &str) -> bool {
        self.0.facets.has(path)
    }

    fn relation(&self, name: &str) -> bool {
        let known = self.0.filed.relation(name);
        known.is_some_and(|it| self.0.filed.referring[it as usize] > 0)
    }

    fn keys(&self, most: usize) -> Vec<String> {
        self.0.facets.keys(most)
    }

    fn relations(&self, most: usize) -> Vec<String> {
        let Filed { relations, referring, .. } = &self.0.filed;
        let used = relations.iter().filter(|(_, it)| referring[**it as usize] > 0);
        used.take(most).map(|(name, _)| name.to_string()).collect()
    }
}

impl Index {
    /// An index without atoms. What it makes vectors with stays the same for good.
    pub fn new(space: SpaceId, embed: Arc<dyn Embed>) -> Index {
        Index {
            space,
            embed,
            filed: Filed::default(),
            deprecated: Bits::default(),
            erased: Bits::default(),
            lexicon: Lexicon::default(),
            facets: Facets::default(),
            vectors: VectorTable::default(),
            sealed: Sealed::default(),
            asking: Asking::default(),
        }
    }

    /// When segments are asked from now on.
    pub fn ask_segments(&mut self, asking: Asking) {
        self.asking = asking;
    }

    /// Vectors that no segment covers.
    pub fn unsealed(&self) -> usize {
        self.vectors.len() - self.sealed.covered().len()
    }

    /// Vectors that segments cover.
    pub fn sealed(&self) -> usize {
        self.sealed.covered().len()
    }

    /// Begins a segment: what changes from now on will not be covered by it. Segments of which a
    /// quarter has changed are given up.
    pub fn freeze(&mut self) -> Frozen {
        self.sealed.freeze();
        Frozen { next: 0, width: self.vectors.width(), slots: Vec::new(), rows: Vec::new() }
    }

    /// Copies some more vectors that no segment covers, the oldest first; false once there are none.
    pub fn copy(&self, to: &mut Frozen, count: usize) -> bool {
        let full = to.len() + count;
        while to.len() < full && (to.next as usize) < self.len() {
            let slot = to.next;
            to.next += 1;
            let loose = !self.sealed.covered().has(slot);
            if let Some(row) = self.vectors.row(slot).filter(|_| loose) {
                to.slots.push(slot);
                to.rows.extend(row);
            }
        }
        (to.next as usize) < self.len()
    }

    /// Has vectors that were [copied](Self::copy) since the last [`freeze`](Self::freeze) found by a
    /// segment from now on.
    pub fn seal(&mut self, frozen: &Frozen, near: Arc<dyn Nearest>) {
        self.sealed.seal(frozen, near);
    }

    /// Gives up all segments: everything is scanned again.
    pub fn unseal(&mut self) {
        self.sealed.unseal();
    }

    /// Atoms it knows.
    pub fn len(&self) -> usize {
        self.filed.docs.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.filed.docs.is_empty()
    }

    /// The version of an atom that it has.
    pub fn version(&self, id: AtomId) -> Option<u64> {
        self.filed.slot(id).map(|slot| self.filed.docs[slot as usize].version)
    }

    /// Its atoms that refer to an atom by a relation.
    pub fn sources(&self, target: AtomId, relation: &str) -> Vec<AtomId> {
        let slots = self.filed.sources(target, relation).iter();
        slots.map(|slot| self.filed.id(*slot)).collect()
    }

    /// Which names its atoms use.
    pub fn used(&self) -> impl Used + '_ {
        UsedHere(self)
    }

    /// Takes one event of the space in, in the order of the log.
    pub fn apply(&mut self, event: &Event, position: Position) {
        if let Some(atom) = Space::atom(event) {
            self.upsert(atom, position);
        }
    }

    /// Takes one version of an atom in, in place of the one before.
    ///
    /// Its vector is made here if it has none, or one of another embedder.
    pub fn upsert(&mut self, atom: &Atom, position: Position) {
        let slot = self.filed.slots.get(&atom.id).copied();
        if let Some(slot) = slot {
            self.unfile(slot);
        }
        let slot = slot.unwrap_or(self.len() as u32);
        assert!((slot as usize) < SLOTS_MAX, "an index has at most {SLOTS_MAX} atoms");
        let text = words(&atom.annotation, &atom.metadata, &atom.content);
        let doc = Doc {
            id: atom.id,
            version: atom.version,
            position,
            terms: self.lexicon.file(slot, &text).into(),
            facets: self.facets.file(slot, &atom.metadata).into(),
            links: self.link(slot, atom),
        };
        let old = slot as usize != self.len();
        if !(old && mutant::planted("search.vector_stays")) {
            self.embed(slot, atom, &text);
        }
        let erased = atom.content.is_gone();
        let deprecated = atom.deprecated.is_some() && !mutant::planted("search.deprecated_stays");
        if old {
            self.filed.docs[slot as usize] = doc;
        } else {
            self.filed.push(doc);
        }
        self.deprecated.put(slot, deprecated);
        self.erased.put(slot, erased);
    }

    fn unfile(&mut self, slot: u32) {
        let doc = &mut self.filed.docs[slot as usize];
        if !mutant::planted("search.postings_stay") {
            self.lexicon.unfile(slot, &doc.terms);
        }
        if !mutant::planted("search.facets_stay") {
            self.facets.unfile(slot, &doc.facets);
        }
        let links = std::mem::take(&mut doc.links);
        if !mutant::planted("search.links_stay") {
            for link in &links {
                let relation = self.filed.ends[*link as usize].relation;
                self.filed.referring[relation as usize] -= 1;
                self.filed.links.unfile(*link, slot, slot);
            }
        }
    }

    fn link(&mut self, slot: u32, atom: &Atom) -> Box<[u32]> {
        let mut filed = Vec::with_capacity(atom.references.len());
        for reference in &atom.references {
            let relation = reference.relation.as_str().into();
            let link = Arc::new(Link { target: reference.target, relation });
            let number = self.filed.links.number(&link, || link.clone());
            self.filed.links.file(number, slot);
            let relation = self.filed.relation_of(&reference.relation);
            let slot = self.filed.slots.get(&reference.target).copied().unwrap_or(ELSEWHERE);
            let ends = &mut self.filed.ends;
            let none = End { relation, slot: ELSEWHERE };
            ends.resize(ends.len().max(number as usize + 1), none);
            ends[number as usize] = End { relation, slot };
            if !filed.contains(&number) {
                self.filed.referring[relation as usize] += 1;
                filed.push(number);
            }
        }
        filed.into()
    }

    fn embed(&mut self, slot: u32, atom: &Atom, text: &str) {
        let fingerprint = self.embed.fingerprint();
        let any = mutant::planted("search.compares_embedders");
        let own = atom.embedding.as_ref().filter(|it| any || it.fingerprint == fingerprint);
        if own.is_some_and(|own| self.put(slot, Probe::new(own).as_ref())) {
            return;
        }
        let made = self.embed.embed(text);
        self.put(slot, made.as_ref().and_then(Probe::new).as_ref());
    }

    fn put(&mut self, slot: u32, probe: Option<&Probe>) -> bool {
        let same = probe.is_some_and(|it| self.vectors.row(slot) == Some(it.dims()));
        if !same {
            self.sealed.change(slot);
        }
        same || self.vectors.put(slot, probe)
    }
}
