//! The index of one space: a fold of its events, and the plan of a search.

use super::conditions::Conditions;
use super::dictionary::Dictionary;
use super::facets::Facets;
use super::lexicon::{Lexicon, SLOTS_MAX};
use super::slab::{Probe, Slab};
use super::words::words;
use super::{Elsewhere, Hit, Order, Query, WORDS_WEIGHT};
use crate::atom::{Atom, Embed, Embedding};
use crate::behaviour::Behaviour;
use crate::id::{AtomId, Position, SpaceId};
use crate::mutant;
use crate::space::{Event, Space};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// All atoms of one space, the newest version of each, deprecated ones included.
///
/// An atom has a slot, in the order of birth, for good. Derived and disposable: the same events
/// make the same index. It holds no contents: an atom of 40 words, four metadata keys and one
/// reference takes at most 1.5 KB (resident memory over 100,000 atoms, `benches/search.rs`).
pub struct Index {
    space: SpaceId,
    embed: Arc<dyn Embed>,
    filed: Filed,
    deprecated: Vec<bool>,
    /// Erased ones keep their slot; nothing finds them.
    erased: Vec<bool>,
    lexicon: Lexicon,
    facets: Facets,
    slab: Slab,
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
            None => *self.relations.entry(name.into()).or_insert(next),
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

/// Of the best so many may fail the conditions on references before all are looked at.
const MISSED_MAX: usize = 256;

/// One that may be a hit. The better one is greater; of equals the older one.
#[derive(PartialEq)]
struct Ranked {
    score: f32,
    slot: Reverse<u32>,
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.score.total_cmp(&other.score).then(self.slot.cmp(&other.slot))
    }
}

impl Index {
    /// An index without atoms. What it makes vectors with stays the same for good.
    pub fn new(space: SpaceId, embed: Arc<dyn Embed>) -> Index {
        Index {
            space,
            embed,
            filed: Filed::default(),
            deprecated: Vec::new(),
            erased: Vec::new(),
            lexicon: Lexicon::default(),
            facets: Facets::default(),
            slab: Slab::default(),
        }
    }

    /// Atoms it knows.
    pub fn len(&self) -> usize {
        self.filed.docs.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.filed.docs.is_empty()
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
            self.deprecated[slot as usize] = deprecated;
            self.erased[slot as usize] = erased;
        } else {
            self.filed.push(doc);
            self.deprecated.push(deprecated);
            self.erased.push(erased);
        }
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
            links.iter().for_each(|link| self.filed.links.unfile(*link, slot, slot));
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
                filed.push(number);
            }
        }
        filed.into()
    }

    fn embed(&mut self, slot: u32, atom: &Atom, text: &str) {
        let fingerprint = self.embed.fingerprint();
        let any = mutant::planted("search.compares_embedders");
        let own = atom.embedding.as_ref().filter(|it| any || it.fingerprint == fingerprint);
        if own.is_some_and(|own| self.slab.put(slot, Probe::new(own).as_ref())) {
            return;
        }
        let made = self.embed.embed(text);
        self.slab.put(slot, made.as_ref().and_then(Probe::new).as_ref());
    }

    /// What fits, the best first.
    ///
    /// `vector` is the query text's; one of another embedder than the index's is not compared. An
    /// atom that has no word of the text and no vector is not found by a text. BM25 counts every
    /// atom of the space, deprecated ones included; its maximum is that of the atoms that pass the
    /// metadata filter. Reference conditions are looked at in rank order until enough hold.
    pub fn search(
        &self,
        query: &Query,
        vector: Option<&Embedding>,
        elsewhere: &dyn Elsewhere,
    ) -> Vec<Hit> {
        let mut conditions =
            Conditions::new(query, self.space, &self.filed, &self.facets, elsewhere);
        let allowed = self.facets.allowed(&query.metadata);
        let all = 0..self.len() as u32;
        let shown = |slot: &u32| {
            let slot = *slot as usize;
            !self.erased[slot] && (query.include_deprecated || !self.deprecated[slot])
        };
        let hit = |slot: u32, score: f32| {
            let doc = &self.filed.docs[slot as usize];
            Hit { id: doc.id, version: doc.version, score, position: doc.position }
        };
        let Some(text) = &query.text else {
            let mut slots: Box<dyn DoubleEndedIterator<Item = u32>> = match allowed {
                Some(slots) => Box::new(slots.into_iter()),
                None => Box::new(all),
            };
            let newest = query.order == Order::Newest;
            if newest && !mutant::planted("search.newest_is_oldest") {
                slots = Box::new(slots.rev());
            }
            let fitting = slots.filter(shown).filter(|slot| conditions.hold(*slot));
            return fitting.take(query.limit).map(|slot| hit(slot, 0.0)).collect();
        };
        let mut ranked = match allowed {
            Some(slots) => self.rank(text, vector, slots.into_iter().filter(shown)),
            None => self.rank(text, vector, all.filter(shown)),
        };
        let mut hits = Vec::new();
        let (mut room, mut missed) = (query.limit, 0);
        while room > 0
            && let Some(Ranked { score, slot }) = ranked.pop()
        {
            let holds = conditions.hold(slot.0);
            if holds {
                hits.push(hit(slot.0, score));
            }
            room -= usize::from(holds || mutant::planted("search.limit_before_conditions"));
            missed += usize::from(!holds);
            if missed > MISSED_MAX {
                // Few hold: to look at all that are left costs less than to bring them in order.
                let mut rest = ranked.into_vec();
                rest.retain(|it| conditions.hold(it.slot.0));
                rest.sort_unstable_by(|one, other| other.cmp(one));
                hits.extend(rest.iter().take(room).map(|it| hit(it.slot.0, it.score)));
                break;
            }
        }
        hits
    }

    /// Scores every slot that has a word of the text or a vector to compare.
    fn rank(
        &self,
        text: &str,
        vector: Option<&Embedding>,
        slots: impl Iterator<Item = u32>,
    ) -> BinaryHeap<Ranked> {
        let words = self.lexicon.scores(text);
        let own = vector.filter(|it| it.fingerprint == self.embed.fingerprint());
        let probe = own.and_then(Probe::new);
        let mut best = 0.0f32;
        let mut ranked = Vec::new();
        for slot in slots {
            let word = words.as_ref().map_or(0.0, |it| it[slot as usize]);
            let meaning = probe.as_ref().and_then(|probe| self.slab.cosine(slot, probe));
            if word == 0.0 && meaning.is_none() {
                continue;
            }
            best = best.max(word);
            let score = (1.0 - WORDS_WEIGHT) * meaning.unwrap_or_default();
            ranked.push(Ranked { score, slot: Reverse(slot) });
        }
        if let Some(words) = words.filter(|_| best > 0.0) {
            for it in &mut ranked {
                it.score += WORDS_WEIGHT * words[it.slot.0 as usize] / best;
            }
        }
        BinaryHeap::from(ranked)
    }
}
