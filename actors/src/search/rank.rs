//! The plan of a search: what may be seen, what of it comes first, and what then meets the
//! conditions on references.

use super::index::Index;
use super::lexicon::Scores;
use super::references::Conditions;
use super::sealed::Asking;
use super::vector_table::Probe;
use super::{Elsewhere, Hit, Query, SearchOrder, WORDS_WEIGHT};
use crate::atom::Embedding;
use crate::conditions::Bits;
use crate::id::AtomId;
use crate::mutant::planted;
use std::cmp::{Ordering, Reverse};

/// Of the best so many may fail the conditions on references before all are looked at.
const MISSED_MAX: usize = 256;

/// With segments so many times what is asked for may fail them before all are scanned.
const NEAR_MISSED_FACTOR: usize = 3;

/// Vectors that are fetched from memory together: where a filter leaves gaps the processor does not
/// see ahead what comes next, and waits for one after the other.
const AHEAD: usize = 16;

/// How far two ways of adding up one cosine may lie apart.
const ROUNDING: f32 = 1e-5;

/// One that may be a hit. The better one is greater; of equals the older one.
#[derive(Clone, Copy, PartialEq)]
struct Ranked {
    score: f32,
    slot: Reverse<u32>,
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(self.slot.cmp(&other.slot))
    }
}

/// A text as it is asked for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    words: Option<&'a Scores>,
    probe: Option<&'a Probe>,
    /// Only what ranks behind this.
    behind: Option<Ranked>,
    /// So many may fail the conditions on references before all are looked at.
    missed_max: usize,
}

/// The best of those that were offered.
struct Top {
    keep: usize,
    kept: Vec<Ranked>,
    /// What is not better than this is not among them.
    least: Option<Ranked>,
}

impl Top {
    fn new(keep: usize) -> Top {
        Top { keep, kept: Vec::new(), least: None }
    }

    fn wants(&self, it: Ranked) -> bool {
        self.least.is_none_or(|least| it > least)
    }

    /// Sorts out only once in a while: most are turned away by one comparison.
    fn put(&mut self, it: Ranked) {
        self.kept.push(it);
        if self.kept.len() >= 2 * self.keep + 64 {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() >= self.keep {
            let (_, least, _) =
                self.kept.select_nth_unstable_by(self.keep - 1, |one, other| other.cmp(one));
            self.least = Some(*least);
            self.kept.truncate(self.keep);
        }
    }

    /// The best first, and whether others were turned away for them.
    fn end(mut self) -> (Vec<Ranked>, bool) {
        let more = self.least.is_some() || self.kept.len() > self.keep;
        self.cut();
        self.kept.sort_unstable_by(|one, other| other.cmp(one));
        (self.kept, more)
    }
}

impl Index {
    /// Whether it knows an atom: a [`PageEnd`](super::PageEnd) is one of these.
    pub fn knows(&self, id: AtomId) -> bool {
        self.filed.slot(id).is_some()
    }

    /// What fits, the best first.
    ///
    /// `vector` is the query text's; one of another embedder than the index's is not compared. An
    /// atom that has no word of the text and no vector is not found by a text. BM25 counts every
    /// atom of the space, deprecated ones included; its maximum is that of the atoms that pass the
    /// metadata filter. Reference conditions are looked at in rank order until enough hold. Nothing
    /// is found behind a place that the index does not know.
    pub fn search(
        &self,
        query: &Query,
        vector: Option<&Embedding>,
        elsewhere: &dyn Elsewhere,
    ) -> Vec<Hit> {
        let mut conditions =
            Conditions::new(query, self.space, &self.filed, &self.facets, elsewhere);
        let behind = match query.after.map(|it| (self.filed.slot(it.id), it.score)) {
            Some((None, _)) => return Vec::new(),
            Some((Some(slot), score)) => Some((slot, score)),
            None => None,
        };
        let visible = self.visible(query);
        if query.limit == 0 {
            return Vec::new();
        }
        let mut holds = |slot| conditions.hold(slot);
        let Some(text) = &query.text else {
            return self.in_order(query, visible, behind.map(|it| it.0), &mut holds);
        };
        let own = vector.filter(|it| it.fingerprint == self.embed.fingerprint());
        let probe = own.and_then(Probe::new);
        let mut counted = visible.clone();
        if let Some((slot, None)) = behind {
            counted.put(slot, true);
        }
        let words = self.lexicon.scores(text, &counted);
        let missed_max = if query.references.is_empty() { 0 } else { MISSED_MAX };
        let (words, probe) = (words.as_ref(), probe.as_ref());
        let mut asked = Asked { words, probe, behind: None, missed_max };
        asked.behind = behind.map(|(slot, score)| {
            let score = score.or_else(|| self.score(&asked, slot)).unwrap_or_default();
            Ranked { score, slot: Reverse(slot) }
        });
        self.by_rank(query.limit, &asked, &visible, &mut holds)
    }

    /// What the metadata filter lets through.
    fn visible(&self, query: &Query) -> Bits {
        let allowed = self.facets.allowed(&query.metadata);
        let mut visible = allowed.unwrap_or_else(|| Bits::full(self.len()));
        visible.drop_all(&self.erased);
        if !query.include_deprecated {
            visible.drop_all(&self.deprecated);
        }
        visible
    }

    fn in_order(
        &self,
        query: &Query,
        mut visible: Bits,
        behind: Option<u32>,
        holds: &mut dyn FnMut(u32) -> bool,
    ) -> Vec<Hit> {
        if let SearchOrder::By(keys) = &query.order {
            let slots = self.by_keys(keys, &visible, behind);
            let fitting = slots.filter(|slot| holds(*slot)).take(query.limit);
            return fitting.map(|slot| self.filed.hit(slot, 0.0)).collect();
        }
        let newest = query.order == SearchOrder::Newest && !planted("search.newest_is_oldest");
        match behind {
            Some(_) if planted("search.page_begins_anew") => {}
            Some(slot) if newest => visible.drop_from(slot),
            Some(slot) => visible.drop_below(slot + 1),
            None => {}
        }
        let mut slots = visible.iter();
        let mut next = || if newest { slots.next_back() } else { slots.next() };
        let fitting = std::iter::from_fn(&mut next).filter(|slot| holds(*slot));
        fitting.take(query.limit).map(|slot| self.filed.hit(slot, 0.0)).collect()
    }

    fn by_rank(
        &self,
        limit: usize,
        asked: &Asked<'_>,
        visible: &Bits,
        holds: &mut dyn FnMut(u32) -> bool,
    ) -> Vec<Hit> {
        if let Some(hits) = self.near(limit, asked, visible, holds) {
            return hits;
        }
        let mut best = Top::new(limit + asked.missed_max);
        self.offer(&mut best, asked, visible.iter(), &mut |_| true);
        let (ranked, more) = best.end();
        let (mut hits, room) = self.take(limit, &ranked, holds);
        if more && room > 0 {
            // Few hold: all are looked at, but for those that could not be among the best.
            let behind = ranked.last().copied();
            let mut best = Top::new(room);
            self.offer(&mut best, &Asked { behind, ..*asked }, visible.iter(), holds);
            let rest = best.end().0;
            hits.extend(rest.iter().map(|it| self.filed.hit(it.slot.0, it.score)));
        }
        hits
    }

    /// Those that hold, in their order, until there is no more room.
    fn take(
        &self,
        limit: usize,
        ranked: &[Ranked],
        holds: &mut dyn FnMut(u32) -> bool,
    ) -> (Vec<Hit>, usize) {
        let (mut hits, mut room) = (Vec::new(), limit);
        for Ranked { score, slot } in ranked {
            let held = holds(slot.0);
            if held {
                hits.push(self.filed.hit(slot.0, *score));
            }
            room -= usize::from(held || planted("search.limit_before_conditions"));
            if room == 0 {
                break;
            }
        }
        (hits, room)
    }

    /// The same with what the segments find for candidates, and what they do not cover; nothing
    /// where others might rank as high. Every score is that of the scan. If the segments miss
    /// nothing the answer is that of the scan.
    fn near(
        &self,
        limit: usize,
        asked: &Asked<'_>,
        visible: &Bits,
        holds: &mut dyn FnMut(u32) -> bool,
    ) -> Option<Vec<Hit>> {
        let (probe, seen) = (asked.probe?, visible.len());
        let Asking { scan_max, factor, least, most } = self.asking;
        if self.sealed.segments() == 0 || asked.behind.is_some() || seen < scan_max.max(1) {
            return None;
        }
        let count = (limit * factor).max(least) * self.len() / seen;
        if count > most {
            return None;
        }
        let near = self.sealed.nearest(probe.dims(), count)?;
        let cosine = |slot: &u32| self.vectors.cosine(*slot, probe).unwrap_or(f32::NEG_INFINITY);
        // Nothing that a segment covers and did not find means more than this.
        let others = near.iter().filter(|it| it.more);
        let others = others.map(|it| it.slots.iter().map(cosine).fold(f32::INFINITY, f32::min));
        let others = (1.0 - WORDS_WEIGHT) * (others.fold(-1.0, f32::max) + ROUNDING);
        let mut tried = visible.clone();
        tried.drop_all(self.sealed.covered());
        near.iter().flat_map(|it| &it.slots).for_each(|it| tried.put(*it, visible.has(*it)));
        // Fewer than a scan tries: the more there is room for the more has to be scored.
        let mut best = Top::new(limit + asked.missed_max.min(NEAR_MISSED_FACTOR * limit));
        self.offer(&mut best, asked, tried.iter(), &mut |_| true);
        if let Some(words) = asked.words.filter(|_| !planted("search.near_forgets_words")) {
            let mut said = visible.clone();
            said.drop_all(&tried);
            self.offer_said(&mut best, asked, (words, others), &said);
        }
        let (hits, room) = self.take(limit, &best.end().0, holds);
        let sure = hits.last().is_some_and(|it| it.score > others);
        (room == 0 && (sure || planted("search.near_is_always_sure"))).then_some(hits)
    }

    /// Offers what has a word of the text and could rank among the best, if it means no more than
    /// all the `others` do: first what says most, so that little is left to be scored.
    fn offer_said(
        &self,
        best: &mut Top,
        asked: &Asked<'_>,
        (words, others): (&Scores, f32),
        said: &Bits,
    ) {
        let bound = |slot: u32| {
            let word = words.of(slot);
            let score = others + WORDS_WEIGHT * word;
            (word > 0.0).then_some(Ranked { score, slot: Reverse(slot) })
        };
        let mut most = Top::new(best.keep);
        for it in said.iter().filter_map(bound) {
            if most.wants(it) {
                most.put(it);
            }
        }
        let (most, more) = most.end();
        self.offer(best, asked, most.iter().map(|it| it.slot.0), &mut |_| true);
        best.cut();
        if more && let Some(least) = most.last() {
            let rest = said.iter().filter_map(bound).filter(|it| it < least && best.wants(*it));
            let rest: Vec<u32> = rest.map(|it| it.slot.0).collect();
            self.offer(best, asked, rest.into_iter(), &mut |_| true);
        }
    }

    /// What a slot scores, if it has a word of the text or a vector to compare.
    fn score(&self, asked: &Asked<'_>, slot: u32) -> Option<f32> {
        let word = asked.words.map_or(0.0, |it| it.of(slot));
        let meaning = asked.probe.and_then(|probe| self.vectors.cosine(slot, probe));
        if word == 0.0 && meaning.is_none() {
            return None;
        }
        Some((1.0 - WORDS_WEIGHT) * meaning.unwrap_or_default() + WORDS_WEIGHT * word)
    }

    fn offer(
        &self,
        best: &mut Top,
        asked: &Asked<'_>,
        slots: impl Iterator<Item = u32>,
        holds: &mut dyn FnMut(u32) -> bool,
    ) {
        let mut slots = slots.peekable();
        while slots.peek().is_some() {
            let (mut some, mut count) = ([0; AHEAD], 0);
            for (place, slot) in some.iter_mut().zip(slots.by_ref()) {
                *place = slot;
                count += 1;
            }
            let some = &some[..count];
            if asked.probe.is_some() {
                self.vectors.touch(some);
            }
            for slot in some {
                let Some(score) = self.score(asked, *slot) else { continue };
                let it = Ranked { score, slot: Reverse(*slot) };
                let seen = asked.behind.is_some_and(|behind| it >= behind);
                let seen = seen && !planted("search.page_begins_anew");
                if !seen && best.wants(it) && holds(*slot) {
                    best.put(it);
                }
            }
        }
    }
}
