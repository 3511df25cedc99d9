//! What a search finds, over random schedules of one space beside others, against the naive
//! [`model`]: every answer, whole, and the answers of an index that is made anew at the end.

pub(crate) mod model;
pub(crate) mod schedule;

use crate::laws::cases;
use model::{Model, Words};
use proptest::test_runner::Config;
use schedule::{Op, Said};
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content, Deprecation, Embed, Embedding, Reference};
use stoa_actors::id::{AtomId, Millis, Position, ROOT, SpaceId};
use stoa_actors::search::{Asking, Frozen, Hit, Index, Nearest, PageEnd, Query};
use stoa_actors::space::{Event, Used};

/// Follows `cases` schedules of up to `steps_max` steps. A breach begins with what is broken.
pub(crate) fn hold(config: Config, seed: u64, steps_max: usize) -> Result<(), String> {
    cases::hold(config, seed, schedule::schedule(steps_max), |steps| follow(&steps))
}

const HERE: SpaceId = SpaceId([1; 16]);
const READABLE: SpaceId = SpaceId([2; 16]);
const FORBIDDEN: SpaceId = SpaceId([3; 16]);

/// Scores are sums of fractions of 32 bits; the model has 64.
const CLOSE: f64 = 1e-4;

/// A segment that misses nothing.
struct Whole(Vec<(u32, Vec<i8>)>);

impl Nearest for Whole {
    fn nearest(&self, vector: &[i8], count: usize) -> Option<Vec<u32>> {
        let dot = |row: &[i8], other: &[i8]| -> f64 {
            row.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
        };
        let cosine = |row: &[i8]| dot(row, vector) / dot(row, row).sqrt();
        let mut all: Vec<(f64, u32)> = self.0.iter().map(|(n, row)| (cosine(row), *n)).collect();
        all.sort_by(|one, other| other.0.total_cmp(&one.0));
        Some(all.into_iter().take(count).map(|it| it.1).collect())
    }
}

struct World {
    index: Index,
    frozen: Option<Frozen>,
    model: Model,
    position: u64,
}

fn follow(steps: &[Op]) -> Result<(), String> {
    let mut index = Index::new(HERE, Arc::new(Words));
    index.ask_segments(Asking { scan_max: 1, factor: 1, least: 1, most: 1_000 });
    let mut world = World { index, frozen: None, model: Model::default(), position: 0 };
    let mut asked = Vec::new();
    for (at, op) in steps.iter().enumerate() {
        world.step(op, &mut asked).map_err(|breach| format!("{breach}\nat step {at}: {op:?}"))?;
    }
    let mut anew = Index::new(HERE, Arc::new(Words));
    world.model.here.iter().for_each(|(atom, at)| anew.upsert(atom, *at));
    world.check_names(&anew)?;
    for query in asked {
        world.check(&query)?;
        world.turn_pages(&query)?;
        let (old, new) = (world.ask(&world.index, &query), world.ask(&anew, &query));
        if old != new {
            return Err(format!("fold: {query:?} finds {old:?}, and made anew {new:?}"));
        }
    }
    Ok(())
}

impl World {
    fn step(&mut self, op: &Op, asked: &mut Vec<Query>) -> Result<(), String> {
        self.position += 3;
        match op {
            Op::Put(said) => {
                let atom = self.atom(HERE, said);
                self.take(Event::AtomPut(atom));
            }
            Op::Elsewhere(said, readable) => {
                let atom = self.atom(if *readable { READABLE } else { FORBIDDEN }, said);
                self.model.others.push((atom, *readable));
            }
            Op::Update(which, said) => {
                let Some(old) = self.model.pick(*which) else { return Ok(()) };
                let fresh = self.atom(HERE, said);
                let atom = Atom {
                    id: old.id,
                    version: old.version + 1,
                    born: old.born,
                    deprecated: old.deprecated.clone(),
                    attempts: old.attempts,
                    ..Atom::clone(&fresh)
                };
                let (added, dropped) = (atom.references.clone(), old.references.clone());
                self.take(Event::AtomUpdated { atom: Arc::new(atom), added, dropped });
            }
            Op::Deprecate(which) => {
                let Some(old) = self.model.pick(*which) else { return Ok(()) };
                let deprecated = Some(Deprecation { superseded_by: None });
                let atom = Atom { version: old.version + 1, deprecated, ..Atom::clone(&old) };
                self.take(Event::AtomDeprecated(Arc::new(atom)));
            }
            Op::Reinstate(which) => {
                let Some(old) = self.model.pick(*which) else { return Ok(()) };
                let (version, deprecated) = (old.version + 1, None);
                let atom = Atom { version, deprecated, ..Atom::clone(&old) };
                let (added, dropped) = (Vec::new(), Vec::new());
                self.take(Event::AtomUpdated { atom: Arc::new(atom), added, dropped });
            }
            Op::Freeze(most) => {
                let mut frozen = self.index.freeze();
                self.index.copy(&mut frozen, *most);
                self.frozen = Some(frozen);
            }
            Op::Seal => {
                if let Some(frozen) = self.frozen.take() {
                    let rows = frozen.rows().map(|(slot, row)| (slot, row.to_vec()));
                    self.index.seal(&frozen, Arc::new(Whole(rows.collect())));
                }
            }
            Op::Search(query) => {
                self.check(query)?;
                asked.push(query.clone());
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event) {
        let at = Position(self.position);
        self.index.apply(&event, at);
        self.model.take(&event, at);
    }

    fn atom(&self, space: SpaceId, said: &Said) -> Arc<Atom> {
        let id = |position: u64| {
            // Not in order of making, so that "smallest id" is not "oldest".
            let mixed = position.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut id = [1; 16];
            id[..8].copy_from_slice(&mixed.to_be_bytes());
            id
        };
        let target = |n: u8| {
            let all = self.model.here.iter().map(|(atom, _)| atom.id);
            let all: Vec<AtomId> =
                all.chain(self.model.others.iter().map(|(atom, _)| atom.id)).collect();
            // Now and then one that is yet to come, or never will.
            if (230..250).contains(&n) {
                return AtomId(id(self.position + 3 * u64::from(n - 229)));
            }
            if all.is_empty() || n >= 250 { AtomId([9; 16]) } else { all[n as usize % all.len()] }
        };
        let mut references: Vec<Reference> = Vec::new();
        for (relation, n) in &said.references {
            let reference = Reference { relation: relation.clone(), target: target(*n) };
            if !references.contains(&reference) {
                references.push(reference);
            }
        }
        Arc::new(Atom {
            id: AtomId(id(self.position)),
            space,
            version: 1,
            born: self.position,
            author: ROOT,
            at: Millis(0),
            content: Content::Text(said.text.clone()),
            annotation: said.annotation.clone(),
            metadata: said.metadata.clone(),
            references,
            embedding: said.embedding.map(|own| Embedding {
                fingerprint: if own { Words.fingerprint() } else { 1 },
                scale: 0.5,
                dims: (0..model::DIMS as u8)
                    .map(|n| n.wrapping_mul(said.text.len() as u8))
                    .collect(),
            }),
            deprecated: None,
            attempts: 0,
        })
    }

    fn ask(&self, index: &Index, query: &Query) -> Vec<Hit> {
        let vector = query.text.as_deref().and_then(|text| Words.embed(text));
        index.search(query, vector.as_ref(), &self.model)
    }

    /// Page after page is one answer, and the page behind the last hit is empty.
    fn turn_pages(&self, query: &Query) -> Result<(), String> {
        let all = self.ask(&self.index, &Query { limit: 10_000, ..query.clone() });
        let limit = query.limit.max(1);
        let cursor = |hit: &Hit| PageEnd::from(hit);
        let atom = |hit: &Hit| PageEnd { id: hit.id, score: None };
        for place in [&cursor as &dyn Fn(&Hit) -> PageEnd, &atom] {
            let (mut pages, mut after): (Vec<Hit>, _) = (Vec::new(), None);
            loop {
                let page = self.ask(&self.index, &Query { limit, after, ..query.clone() });
                pages.extend(&page);
                after = page.last().map(place);
                if page.is_empty() {
                    break;
                }
                if page.len() > limit || pages.len() > all.len() {
                    return Err(format!("pages: {query:?} goes on with {page:?}"));
                }
            }
            if pages != all {
                return Err(format!("pages: {query:?} finds {pages:?}, and at once {all:?}"));
            }
        }
        Ok(())
    }

    /// Which keys and relations are used, the oldest atoms' included, after all that was changed.
    fn check_names(&self, anew: &Index) -> Result<(), String> {
        let atoms = || self.model.here.iter().map(|(atom, _)| atom);
        for index in [&self.index, anew] {
            let used = index.used();
            let mut keys = used.keys(100);
            for path in ["status", "n", "n.of", "status.of", "of", "n.of.n", "m"] {
                let has = atoms().any(|it| model::lookup(&it.metadata, path).is_some());
                if used.key(path) != has || keys.contains(&path.to_owned()) != has {
                    return Err(format!("used: {path} is{} here", if has { "" } else { " not" }));
                }
                keys.retain(|it| it != path);
            }
            for name in ["blocked_by", "part_of", "see"] {
                let has = atoms().any(|it| it.references.iter().any(|to| to.relation == name));
                if used.relation(name) != has || used.relations(9).contains(&name.into()) != has {
                    return Err(format!("used: {name} is{} here", if has { "" } else { " not" }));
                }
            }
        }
        Ok(())
    }

    /// As many as there should be, each what it should be, in the order of what they score.
    fn check(&self, query: &Query) -> Result<(), String> {
        let hits = self.ask(&self.index, query);
        let expected = self.model.search(query);
        let fail = |what: &str| {
            Err(format!("{what}: {query:?}\nfinds    {hits:?}\nexpected {expected:?}"))
        };
        if hits.len() != expected.len().min(query.limit) {
            return fail("count");
        }
        let exact = query.text.is_none();
        for (n, hit) in hits.iter().enumerate() {
            let Some(same) = expected.iter().find(|it| it.0.id == hit.id) else {
                return fail("found");
            };
            if (same.0.version, same.1) != (hit.version, hit.position) {
                return fail("version");
            }
            let close = |score: f64| (f64::from(hit.score) - score).abs() < CLOSE;
            if !close(same.2) || !close(expected[n].2) || (exact && expected[n].0.id != hit.id) {
                return fail("rank");
            }
            if hits[..n].iter().any(|it| it.id == hit.id) {
                return fail("twice");
            }
        }
        Ok(())
    }
}
