//! Everything from scratch for every question: atoms in a list, BM25 by counting words, vectors in
//! fractions of 64 bits. It has its own idea of what a word is: a table.

use std::cmp::Ordering;
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content, Embed, Embedding, Metadata};
use stoa_actors::id::{AtomId, Position};
use stoa_actors::search::{Condition, Direction, Elsewhere, OrderBy, Query, SearchOrder, Which};
use stoa_actors::space::Event;
use stoa_actors::value::Value;

/// Every word that is said here, and what it is found by; stop words by nothing.
pub(crate) const WORDS: [(&str, Option<&str>); 12] = [
    ("task", Some("task")),
    ("tasks", Some("task")),
    ("Released", Some("release")),
    ("releasing", Some("release")),
    ("login", Some("login")),
    ("bug", Some("bug")),
    ("bugs", Some("bug")),
    ("the", None),
    ("of", None),
    ("404", Some("404")),
    ("open", Some("open")),
    ("x2", Some("x2")),
];

pub(crate) const DIMS: usize = 12;

/// Each word in a direction of its own, but for the last ones, which nobody knows.
pub(crate) struct Words;

impl Embed for Words {
    fn fingerprint(&self) -> u32 {
        77
    }

    fn embed(&self, text: &str) -> Option<Embedding> {
        let mut dims = [0i32; DIMS];
        for word in text.split_whitespace() {
            if let Some(n) = WORDS[..9].iter().position(|(known, _)| *known == word) {
                dims[n] += 3;
                dims[(n * 5 + 2) % DIMS] -= 2;
            }
        }
        let known = dims.iter().any(|it| *it != 0);
        let dims = dims.iter().map(|it| (*it).clamp(-127, 127) as i8 as u8).collect();
        known.then_some(Embedding { fingerprint: 77, scale: 0.25, dims })
    }
}

/// The space that is searched, in the order of birth, and what there is besides.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) here: Vec<(Arc<Atom>, Position)>,
    pub(crate) others: Vec<(Arc<Atom>, bool)>,
}

type Fitting = (Arc<Atom>, Position, f64);

impl Model {
    pub(crate) fn take(&mut self, event: &Event, at: Position) {
        let (Event::AtomPut(atom) | Event::AtomUpdated { atom, .. } | Event::AtomDeprecated(atom)) =
            event
        else {
            return;
        };
        match self.here.iter_mut().find(|(known, _)| known.id == atom.id) {
            Some(known) => *known = (atom.clone(), at),
            None => self.here.push((atom.clone(), at)),
        }
    }

    pub(crate) fn pick(&self, n: u8) -> Option<Arc<Atom>> {
        let count = self.here.len().max(1);
        self.here.get(n as usize % count).map(|(atom, _)| atom.clone())
    }

    /// All that fits, the best first, however many are asked for.
    pub(crate) fn search(&self, query: &Query) -> Vec<Fitting> {
        let filtered: Vec<&(Arc<Atom>, Position)> = self
            .here
            .iter()
            .filter(|(atom, _)| query.include_deprecated || atom.deprecated.is_none())
            .filter(|(atom, _)| says(atom, &query.metadata))
            .collect();
        let meets =
            |atom: &Atom| query.references.iter().all(|(how, it)| self.meets(atom, how, it));
        let Some(text) = &query.text else {
            let fitting = filtered.iter().filter(|(atom, _)| meets(atom));
            let mut found: Vec<Fitting> = fitting.map(|(it, at)| (it.clone(), *at, 0.0)).collect();
            match &query.order {
                SearchOrder::Oldest => {}
                SearchOrder::Newest => found.reverse(),
                SearchOrder::By(keys) => found = in_order(found, keys, |it| &it.0.metadata),
            }
            return found;
        };
        let bm25: Vec<f64> = filtered.iter().map(|(atom, _)| self.bm25(atom, text)).collect();
        let best = bm25.iter().copied().fold(0.0, f64::max);
        let asked = Words.embed(text);
        let mut found = Vec::new();
        for ((atom, at), words) in filtered.into_iter().zip(bm25) {
            let meaning = asked.as_ref().and_then(|asked| Some(cosine(&vector(atom)?, asked)));
            if (words > 0.0 || meaning.is_some()) && meets(atom) {
                let words = if best > 0.0 { words / best } else { 0.0 };
                found.push((atom.clone(), *at, 0.4 * words + 0.6 * meaning.unwrap_or(0.0)));
            }
        }
        found.sort_by(|a, b| b.2.total_cmp(&a.2));
        found
    }

    fn meets(&self, atom: &Atom, relation: &str, condition: &Condition) -> bool {
        let ends: Vec<bool> = match relation.strip_prefix("<-") {
            None => {
                let links = atom.references.iter().filter(|it| it.relation == relation);
                let target = |id| self.readable().find(|it| it.id == id);
                links
                    .map(|it| target(it.target).is_some_and(|to| says(to, &condition.metadata)))
                    .collect()
            }
            Some(relation) => {
                let refers = |it: &&Arc<Atom>| {
                    it.references.iter().any(|to| to.target == atom.id && to.relation == relation)
                };
                let sources = self.readable().filter(refers);
                sources.map(|source| says(source, &condition.metadata)).collect()
            }
        };
        match condition.which {
            Which::All => !ends.contains(&false),
            Which::Any => ends.contains(&true),
            Which::None => !ends.contains(&true),
        }
    }

    fn readable(&self) -> impl Iterator<Item = &Arc<Atom>> {
        let others = self.others.iter().filter(|(_, readable)| *readable).map(|(atom, _)| atom);
        self.here.iter().map(|(atom, _)| atom).chain(others)
    }

    fn bm25(&self, atom: &Atom, text: &str) -> f64 {
        let texts: Vec<Vec<&str>> =
            self.here.iter().map(|(atom, _)| found_by(&said(atom))).collect();
        let count = texts.len() as f64;
        let mean = (texts.iter().map(Vec::len).sum::<usize>() as f64 / count).max(1.0);
        let own = found_by(&said(atom));
        let mut asked = found_by(text);
        asked.sort_unstable();
        asked.dedup();
        let mut score = 0.0;
        for word in asked {
            let times = own.iter().filter(|it| **it == word).count() as f64;
            let held = texts.iter().filter(|it| it.contains(&word)).count() as f64;
            let idf = (1.0 + (count - held + 0.5) / (held + 0.5)).ln();
            score += idf * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * own.len() as f64 / mean));
        }
        score
    }
}

/// As a store: in-space referrers are told as well, and what is forbidden.
impl Elsewhere for Model {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        self.readable().find(|it| it.id == id).cloned()
    }

    fn sources(&self, target: AtomId, relation: &str) -> Vec<AtomId> {
        let all = self.here.iter().map(|it| &it.0).chain(self.others.iter().map(|it| &it.0));
        let refers = |it: &&Arc<Atom>| {
            it.references.iter().any(|to| to.target == target && to.relation == relation)
        };
        all.filter(refers).map(|it| it.id).collect()
    }
}

fn says(atom: &Atom, metadata: &Metadata) -> bool {
    asks(&atom.metadata, metadata)
}

pub(crate) fn asks(found: &Metadata, wanted: &Metadata) -> bool {
    wanted.iter().all(|(key, wanted)| match (key.as_str(), wanted) {
        ("any", Value::List(any)) => {
            any.iter().any(|it| matches!(it, Value::Map(one) if asks(found, one)))
        }
        (path, wanted) => {
            let parts: Vec<&str> = path.split('.').collect();
            at(found, &parts).is_some_and(|found| match wanted {
                Value::Map(map) => map.iter().all(|(how, bound)| stands(found, how, bound)),
                wanted => equal(found, wanted),
            })
        }
    })
}

/// What is found under a key or a path.
pub(crate) fn lookup<'a>(found: &'a Metadata, path: &str) -> Option<&'a Value> {
    at(found, &path.split('.').collect::<Vec<_>>())
}

/// What is given in the order of birth in another one: sorted by each key in turn, the last first. Of
/// the keys that are declared for it, `n` has numbers and all others texts.
pub(crate) fn in_order<T>(
    mut all: Vec<T>,
    keys: &[OrderBy],
    metadata: impl Fn(&T) -> &Metadata,
) -> Vec<T> {
    let text = |it: &Value| it.text().map(|it| it.as_bytes()[..it.len().min(256)].to_vec());
    // Of two nothing is equal in the order of birth, so what comes behind it decides nothing.
    let birth = keys.iter().position(|it| it.key == "created");
    if birth.is_some_and(|at| keys[at].direction == Direction::Descending) {
        all.reverse();
    }
    for by in keys[..birth.unwrap_or(keys.len())].iter().rev() {
        let down = by.direction == Direction::Descending;
        let (has, lacks): (Vec<T>, Vec<T>) = all.into_iter().partition(|it| {
            let found = lookup(metadata(it), &by.key);
            found.is_some_and(
                |it| if by.key == "n" { parts(it).is_some() } else { text(it).is_some() },
            )
        });
        all = has;
        all.sort_by(|one, other| {
            let values = (lookup(metadata(one), &by.key), lookup(metadata(other), &by.key));
            let (Some(one), Some(other)) = values else { return Ordering::Equal };
            let order = match by.key == "n" {
                true => parts(one).cmp(&parts(other)),
                false => text(one).cmp(&text(other)),
            };
            if down { order.reverse() } else { order }
        });
        all.extend(lacks);
    }
    all
}

/// The longest key first that is all of the path; then the shortest that leads on.
fn at<'a>(map: &'a Metadata, parts: &[&str]) -> Option<&'a Value> {
    let key = |n: usize| map.get(&parts[..n].join("."));
    let on = |n: usize| match key(n) {
        Some(Value::Map(inner)) => at(inner, &parts[n..]),
        _ => None,
    };
    key(parts.len()).or_else(|| (1..parts.len()).find_map(on))
}

fn stands(found: &Value, operator: &str, bound: &Value) -> bool {
    let order = match (found, bound) {
        (Value::Text(one), Value::Text(other)) => Some(one.chars().cmp(other.chars())),
        (one, other) => parts(one).zip(parts(other)).map(|(one, other)| one.cmp(&other)),
    };
    match operator {
        "<" => order == Some(Ordering::Less),
        "<=" => order.is_some_and(|it| it != Ordering::Greater),
        ">" => order == Some(Ordering::Greater),
        ">=" => order.is_some_and(|it| it != Ordering::Less),
        "!=" => !equal(found, bound),
        "in" => matches!(bound, Value::List(all) if all.iter().any(|it| equal(found, it))),
        "contains" => matches!(found, Value::List(all) if all.iter().any(|it| equal(it, bound))),
        "==" => equal(found, bound),
        _ => false,
    }
}

fn equal(one: &Value, other: &Value) -> bool {
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// A number as whole units and parts of 2^-64, rounded down: exact for all that is tried here.
fn parts(number: &Value) -> Option<(i128, u64)> {
    match number {
        Value::Int(whole) => Some((i128::from(*whole), 0)),
        Value::Float(it) => {
            let down = it.floor();
            Some((down as i128, ((it - down) * 2f64.powi(64)) as u64))
        }
        _ => None,
    }
}

fn said(atom: &Atom) -> String {
    let mut out = vec![atom.annotation.clone()];
    atom.metadata.values().for_each(|it| texts(it, &mut out));
    if let Content::Text(text) = &atom.content {
        out.push(text.clone());
    }
    out.join(" ")
}

fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Text(text) => out.push(text.clone()),
        Value::List(list) => list.iter().for_each(|it| texts(it, out)),
        Value::Map(map) => map.values().for_each(|it| texts(it, out)),
        _ => {}
    }
}

fn found_by(text: &str) -> Vec<&'static str> {
    let known = |word: &str| WORDS.iter().find(|(it, _)| *it == word).and_then(|(_, by)| *by);
    text.split_whitespace().filter_map(known).collect()
}

fn vector(atom: &Atom) -> Option<Embedding> {
    let own = atom.embedding.clone().filter(|it| it.fingerprint == 77);
    let made = own.or_else(|| Words.embed(&said(atom)))?;
    made.dims.iter().any(|it| *it != 0).then_some(made)
}

fn cosine(a: &Embedding, b: &Embedding) -> f64 {
    let floats = |it: &Embedding| -> Vec<f64> {
        it.dims.iter().map(|dim| f64::from(*dim as i8) * f64::from(it.scale)).collect()
    };
    let (a, b) = (floats(a), floats(b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}
