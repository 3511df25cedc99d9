//! What a space says of files, and how it is found without looking at its passages.
//!
//! Every file atom refers to the one *catalogue* atom of its space, every passage to its file: so
//! all of either kind are one range of rows, and a space of a hundred thousand passages whose
//! files have not changed is asked for its files only. The catalogue is among the first entries
//! of a space that is kept for sources.

use super::plan::Kept;
use super::walk::Seen;
use crate::caller::{Caller, WriteOptions};
use crate::failure::StoreError;
use crate::problem::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content, Metadata};
use stoa_actors::behaviour::{Behaviour, View};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::space::{Draft, Space};
use stoa_actors::value::Value;
use stoa_documents::Passage;

/// How documents are read and cut; with another the same file is read anew.
const FORM: i64 = 1;

/// Entries of a space that are looked at for its catalogue.
const CATALOGUE_ENTRIES: usize = 1_000;

/// From a file to the catalogue.
pub(super) const LISTED_IN: &str = "listed_in";

/// From a passage to its file.
pub(super) const OF: &str = "of";

/// A file as its atom has it.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) id: AtomId,
    pub(super) version: u64,
    pub(super) path: String,
    /// All its passages are there; if not, the run that read it was cut off.
    pub(super) complete: bool,
    pub(super) passages: usize,
    size: u64,
    mtime: i64,
    hash: String,
}

impl Recorded {
    fn of(atom: &Atom) -> Option<Recorded> {
        let number = |key| int(atom, key).unwrap_or(-1);
        let path = text(atom, "path").filter(|_| text(atom, "kind") == Some("file"))?.to_owned();
        Some(Recorded {
            id: atom.id,
            version: atom.version,
            path,
            complete: text(atom, "state") == Some("complete") && int(atom, "form") == Some(FORM),
            passages: usize::try_from(number("passages")).unwrap_or_default(),
            size: u64::try_from(number("size")).unwrap_or(u64::MAX),
            mtime: number("mtime"),
            hash: text(atom, "hash").unwrap_or_default().to_owned(),
        })
    }

    /// Nothing needs to be read to know that it is as it was.
    pub(super) fn is(&self, seen: &Seen) -> bool {
        self.complete && (self.size, self.mtime) == (seen.size, seen.mtime)
    }

    /// It was read, and is as it was.
    pub(super) fn says(&self, hash: &str) -> bool {
        self.complete && self.hash == hash
    }
}

/// The files that a space knows.
#[derive(Default)]
pub(super) struct Known {
    pub(super) files: BTreeMap<String, Recorded>,
    /// Second atoms of a file, by two runs at once.
    pub(super) surplus: Vec<Recorded>,
    /// The last atom of a path that is out of use: what a new one comes after.
    pub(super) gone: BTreeMap<String, AtomId>,
}

impl Known {
    /// Reads what is known. It blocks: call it where that is allowed.
    pub(super) fn of(caller: &Caller, space: SpaceId, catalogue: AtomId) -> Result<Known, Problem> {
        let mut known = Known::default();
        for atom in referring(caller, space, catalogue, LISTED_IN)? {
            let Some(file) = Recorded::of(&atom) else { continue };
            if atom.deprecated.is_some() {
                known.gone.insert(file.path, file.id);
            } else if known.files.contains_key(&file.path) {
                known.surplus.push(file);
            } else {
                known.files.insert(file.path.clone(), file);
            }
        }
        Ok(known)
    }
}

/// What a passage's atom says, but for whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) annotation: String,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) text: String,
}

impl Says {
    pub(super) fn of(title: &str, passage: Passage) -> Says {
        let Passage { mut headings, first, last, text } = passage;
        // The widest heading is the title once more, mostly.
        let again = |it: &String| {
            let rest = title.strip_prefix(it.as_str());
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        if headings.first().is_some_and(again) {
            headings.remove(0);
        }
        headings.insert(0, title.to_owned());
        let annotation = headings.join(" › ");
        Says { annotation, first: first as i64, last: last as i64, text }
    }

    pub(super) fn metadata(&self, path: &str, n: usize) -> Metadata {
        Metadata::from([
            ("kind".to_owned(), Value::from("passage")),
            ("path".to_owned(), Value::from(path)),
            ("first".to_owned(), Value::Int(self.first)),
            ("last".to_owned(), Value::Int(self.last)),
            ("n".to_owned(), Value::Int(n as i64)),
        ])
    }
}

/// The passages of a file that are in use. Blocks.
pub(super) fn passages_of(
    caller: &Caller,
    space: SpaceId,
    file: AtomId,
) -> Result<Vec<Kept<Says>>, Problem> {
    let kept = |atom: Arc<Atom>| {
        let n = int(&atom, "n").filter(|_| text(&atom, "kind") == Some("passage"))?;
        let (first, last) = (int(&atom, "first")?, int(&atom, "last")?);
        let Content::Text(text) = &atom.content else { return None };
        let annotation = atom.annotation.clone();
        let says = Says { annotation, first, last, text: text.clone() };
        let n = usize::try_from(n).ok().filter(|_| atom.deprecated.is_none())?;
        Some(Kept { id: atom.id, version: atom.version, n, says })
    };
    Ok(referring(caller, space, file, OF)?.into_iter().filter_map(kept).collect())
}

/// What a file atom says while its passages come and go.
pub(super) fn reading() -> Metadata {
    Metadata::from([("state".to_owned(), Value::from("reading"))])
}

/// What it says once they are there.
pub(super) fn complete(seen: &Seen, hash: &str, title: &str, passages: usize) -> Metadata {
    Metadata::from([
        ("state".to_owned(), Value::from("complete")),
        ("form".to_owned(), Value::Int(FORM)),
        ("hash".to_owned(), Value::from(hash)),
        ("size".to_owned(), Value::Int(i64::try_from(seen.size).unwrap_or(i64::MAX))),
        ("mtime".to_owned(), Value::Int(seen.mtime)),
        ("title".to_owned(), Value::from(title)),
        ("passages".to_owned(), Value::Int(passages as i64)),
    ])
}

/// The catalogue of a space, made if there is none.
pub(super) async fn catalogue(caller: &Caller, space: SpaceId) -> Result<AtomId, Problem> {
    let first = move |caller: &Caller| first_catalogue(caller, space);
    if let Some(there) = caller.reading(first).await? {
        return Ok(there);
    }
    let draft = Draft {
        content: Content::from("The files that are read into this space refer to this."),
        metadata: Metadata::from([("kind".to_owned(), Value::from("catalogue"))]),
        ..Draft::default()
    };
    let why = WriteOptions::comment("sources: catalogue").key("sources: catalogue");
    let put = caller.put(space, draft, why).await?.id;
    // Of two that were made at once the first is the one.
    Ok(caller.reading(first).await?.unwrap_or(put))
}

fn first_catalogue(caller: &Caller, space: SpaceId) -> Result<Option<AtomId>, Problem> {
    let store = caller.runtime().store();
    let mut found = None;
    for place in store.stream_after(space.stream(), 0).take(CATALOGUE_ENTRIES) {
        let Some(entry) = store.entry(place?.1)? else { continue };
        let events = incarnation::events::<Space>(&entry.body).map_err(StoreError::from)?;
        let mut atoms = events.iter().filter_map(Space::atom);
        found = atoms.find(|atom| text(atom, "kind") == Some("catalogue")).map(|it| it.id);
        if found.is_some() {
            break;
        }
    }
    readable(caller, space)?;
    Ok(found)
}

/// The atoms of a space that refer to an atom, in the order of their ids.
fn referring(
    caller: &Caller,
    space: SpaceId,
    target: AtomId,
    relation: &str,
) -> Result<Vec<Arc<Atom>>, Problem> {
    let store = caller.runtime().store();
    let mut found = Vec::new();
    for (_, source) in store.sources(target, Some(relation)) {
        let newest = store.newest(source)?;
        found.extend(newest.map(|(_, atom)| atom).filter(|atom| atom.space == space));
    }
    // Rights second: what was read before a revoke is not handed out after it.
    readable(caller, space)?;
    Ok(found)
}

fn readable(caller: &Caller, space: SpaceId) -> Result<(), Problem> {
    caller.level(space).map(drop).ok_or_else(|| Problem::no_space(&space.to_string()))
}

fn text<'a>(atom: &'a Atom, key: &str) -> Option<&'a str> {
    atom.metadata.get(key).and_then(Value::text)
}

fn int(atom: &Atom, key: &str) -> Option<i64> {
    match atom.metadata.get(key) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}
