//! What a caller finds in a space: pages of it, what fitted at a moment, and under whose names.
//!
//! *Snapshot first, rights second*, as with every read.

mod cursor;
mod names;
mod past;

use names::Names;

use super::{Caller, ReadAtom};
use crate::as_of::Moment;
use crate::blocking::blocking;
use crate::problem::{Problem, ProblemKind, condition_hint};
use crate::runtime::Runtime;
use crate::search::Searches;
use cursor::Cursor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::atom::{Atom, Embedding};
use stoa_actors::behaviour::{Behaviour, View};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::search::{Elsewhere, Hit, PageEnd, Query, QueryRefusal, words};
use stoa_actors::space::{Draft, MadeFor, Patch, Space};

/// An atom that was found, as it was where the search looked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Found {
    pub read: ReadAtom,
    /// How well it fits, for comparison within one answer; 0 without a text.
    pub score: f32,
}

/// What a search has found.
pub struct Looked {
    /// What was found, best first.
    pub hits: Vec<Found>,
    /// Entries of the space that were looked at.
    seq: u64,
    /// Whether it stopped at the bound of an answer.
    pub cut: bool,
}

/// One page of what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchPage {
    /// What was found, the best first.
    pub hits: Vec<Found>,
    /// The cursor of the next page, where there may be one: as many were found as were asked for, or
    /// as fit into one answer.
    pub next: Option<String>,
    /// The space has changed since the page before, and with it the ranks of a text or the order by
    /// what atoms say: what rose above the end of that page is not told, and what fell behind it is
    /// told again. Never so in the order of birth.
    pub moved: bool,
}

impl Caller {
    /// What fits in a space, page by page; `after` is the cursor of the page before.
    ///
    /// Pages together are the answer that one search without a limit would give. In the order of
    /// birth that holds whatever is written meanwhile. With a text, or an order by what atoms say, it
    /// holds as long as the space does not change ([`SearchPage::moved`]). Errors: those of [`Caller::search`];
    /// [`ProblemKind::Invalid`] for a cursor of another query or space, or none at all.
    pub async fn page(
        &self,
        space: SpaceId,
        query: Query,
        after: Option<&str>,
    ) -> Result<SearchPage, Problem> {
        self.page_as_of(space, query, after, None).await
    }

    /// The same of what fitted at a moment, as [`Caller::search_as_of`] tells it.
    pub async fn page_as_of(
        &self,
        space: SpaceId,
        query: Query,
        after: Option<&str>,
        as_of: Option<Moment>,
    ) -> Result<SearchPage, Problem> {
        let bytes_max = self.runtime.shared().config.answer_bytes_max;
        self.page_within(space, query, after, as_of, bytes_max).await
    }

    /// The same, with so many bytes of atoms in one page; one atom at least.
    pub async fn page_within(
        &self,
        space: SpaceId,
        mut query: Query,
        after: Option<&str>,
        as_of: Option<Moment>,
        bytes_max: usize,
    ) -> Result<SearchPage, Problem> {
        let before = after.map(|text| Cursor::read(text, space, &query)).transpose()?;
        query.after = before.as_ref().map(|it| it.place);
        let Looked { hits, seq, cut } =
            self.looked_within(space, query.clone(), as_of, bytes_max).await?;
        let moved = names::moves(&query) && before.is_some_and(|it| it.seq != seq);
        let last = hits.last().filter(|_| cut || hits.len() == query.limit);
        let next = last.map(|it| {
            let place = PageEnd { id: it.read.atom.id, score: Some(it.score) };
            Cursor { place, seq }.write(space, &query)
        });
        Ok(SearchPage { hits, next, moved })
    }

    /// What fits in a space, the best first: everything acknowledged before this was called is
    /// looked at.
    ///
    /// The first search of a space reads its stream. Atoms are collected up to `answer_bytes_max`,
    /// one at least: of large atoms fewer than `limit` are given, and [`Caller::page`] says where to
    /// go on. Errors: [`ProblemKind::Unknown`] when the caller cannot read the space, [`ProblemKind::Invalid`]
    /// over a limit, for a condition that nobody can have meant, for one on a name that a space which
    /// declares neither declares nor uses, and for an order by a key that it does not declare as
    /// ordered.
    pub async fn search(&self, space: SpaceId, query: Query) -> Result<Vec<Found>, Problem> {
        Ok(self.looked(space, query, None).await?.hits)
    }

    /// The same, whatever names its conditions have.
    pub(crate) async fn search_any_name(
        &self,
        space: SpaceId,
        query: Query,
    ) -> Result<Vec<Found>, Problem> {
        self.askable(space, &query)?;
        let search = self.reading(move |caller| caller.found_now(space, &query));
        search.await
    }

    /// The ids of what fits, the best first, without reading what the atoms say.
    pub(crate) async fn ranked(
        &self,
        space: SpaceId,
        query: Query,
    ) -> Result<Vec<AtomId>, Problem> {
        self.askable(space, &query)?;
        let vector = self.query_vector(&query).await;
        let ranked = self.reading(move |caller| {
            let (hits, _) = caller.hits_now(space, &query, vector, Names::Known)?;
            caller.readable(space)?;
            Ok(hits.into_iter().map(|it| it.id).collect())
        });
        ranked.await
    }

    /// Searches, and tells what fits with where the search looked.
    pub async fn looked(
        &self,
        space: SpaceId,
        query: Query,
        moment: Option<Moment>,
    ) -> Result<Looked, Problem> {
        let bytes_max = self.runtime.shared().config.answer_bytes_max;
        self.looked_within(space, query, moment, bytes_max).await
    }

    async fn looked_within(
        &self,
        space: SpaceId,
        query: Query,
        moment: Option<Moment>,
        bytes_max: usize,
    ) -> Result<Looked, Problem> {
        self.askable(space, &query)?;
        let at = match moment {
            Some(moment) => Some(self.runtime.moment(moment).await?),
            None => None,
        };
        let vector = self.query_vector(&query).await;
        let caller = self.clone();
        let search = blocking(move || match at {
            None => caller.search_now(space, &query, vector, bytes_max, Names::Known),
            Some(at) => caller.search_past(space, &query, vector, at, bytes_max),
        });
        search.await?
    }

    /// What fits and has no text to be compared, whatever names are asked for, on a thread that may
    /// wait.
    pub(crate) fn found_now(&self, space: SpaceId, query: &Query) -> Result<Vec<Found>, Problem> {
        self.askable(space, query)?;
        let bytes_max = self.runtime.shared().config.answer_bytes_max;
        Ok(self.search_now(space, query, None, bytes_max, Names::Any)?.hits)
    }

    /// Refuses what cannot be asked, or not by the caller.
    fn askable(&self, space: SpaceId, query: &Query) -> Result<(), Problem> {
        self.readable(space)?;
        query.check(&self.runtime.shared().config.limits.search).map_err(refused)
    }

    /// What an index compares with, of whoever made its vectors; nothing when that one does not
    /// answer in time.
    async fn query_vector(&self, query: &Query) -> Option<Embedding> {
        let text = query.text.as_deref()?;
        match self.runtime.vectors().filter(|it| it.serves()) {
            Some(vectors) => {
                let ms = self.runtime.shared().config.embedding.query_ms_max;
                vectors.query(text, Duration::from_millis(ms)).await
            }
            None => self.runtime.searches().embed().embed(text),
        }
    }

    fn search_now(
        &self,
        space: SpaceId,
        query: &Query,
        vector: Option<Embedding>,
        bytes_max: usize,
        names: Names,
    ) -> Result<Looked, Problem> {
        let (hits, seq) = self.hits_now(space, query, vector, names)?;
        let (hits, cut) = self.collected(&hits, bytes_max, |_| true)?;
        // Rights second: what was read before a revoke is not handed out after it.
        self.readable(space)?;
        Ok(Looked { hits, seq, cut })
    }

    /// What was found, up to the bound of an answer; and whether there is more of it.
    fn collected(
        &self,
        hits: &[Hit],
        most: usize,
        is_told: fn(&Found) -> bool,
    ) -> Result<(Vec<Found>, bool), Problem> {
        let (mut all, mut bytes) = (Vec::new(), 0);
        for hit in hits {
            let found = found(&self.runtime, hit)?;
            if !is_told(&found) {
                continue;
            }
            bytes += found.read.atom.bytes();
            if bytes > most && !all.is_empty() {
                return Ok((all, true));
            }
            all.push(found);
        }
        Ok((all, false))
    }

    fn hits_now(
        &self,
        space: SpaceId,
        query: &Query,
        vector: Option<Embedding>,
        names: Names,
    ) -> Result<(Vec<Hit>, u64), Problem> {
        let (declares, query) = self.in_declared_order(space, query)?;
        let searches = self.runtime.searches();
        let _whole = Whole { searches: &searches, space };
        let upto = self.runtime.durable();
        let live = searches.live(space);
        let read = live.caught_up(self.runtime.store(), upto)?;
        if query.after.is_some_and(|it| !read.index.knows(it.id)) {
            return Err(cursor::refused("it names no atom of this space"));
        }
        if names == Names::Known {
            self.names_permitted(space, &declares, &query, &read.index)?;
        }
        let hits = read.index.search(&query, vector.as_ref(), &Reach { caller: self });
        let seq = read.seq;
        drop(read);
        searches.searched(space);
        Ok((hits, seq))
    }

    /// The draft with its vector.
    pub(crate) async fn embedded(&self, mut draft: Draft) -> Draft {
        if draft.embedding.is_none() {
            let text = words(&draft.annotation, &draft.metadata, &draft.content);
            draft.embedding = self.embed(text).await;
        }
        draft
    }

    /// The patch with the vector of what it makes of an atom.
    pub(crate) async fn embedded_patch(&self, before: &Atom, mut patch: Patch) -> Patch {
        if patch.embedding.is_none() {
            let mut atom = before.clone();
            patch.merge(&mut atom);
            let text = words(&atom.annotation, &atom.metadata, &atom.content);
            let made = self.embed(text).await;
            let base = before.version;
            patch.embedding = made.map(|embedding| MadeFor { base, embedding });
        }
        patch
    }

    /// A dead pool means that the runtime is going: the atom is then without a vector.
    pub(crate) async fn embed(&self, text: String) -> Option<Embedding> {
        let with = self.runtime.searches().embed();
        if text.len() <= self.runtime.shared().config.embed_inline_bytes_max {
            return with.embed(&text);
        }
        blocking(move || with.embed(&text)).await.ok().flatten()
    }

    fn readable(&self, space: SpaceId) -> Result<(), Problem> {
        self.level(space).map(drop).ok_or_else(|| Problem::no_space(&space.to_string()))
    }
}

/// Forgets the index of a space when the search dies: it may have died half-way through an update.
struct Whole<'a> {
    searches: &'a Searches,
    space: SpaceId,
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.searches.forget(self.space);
        }
    }
}

fn refused(refusal: QueryRefusal) -> Problem {
    let hint = match &refusal {
        QueryRefusal::Condition(it) => format!("stoa search SPACE {}", condition_hint(it)),
        QueryRefusal::TextAndOrder => "--help".to_owned(),
        _ => "--limit 20".to_owned(),
    };
    Problem::new(ProblemKind::Invalid, refusal).hint(hint)
}

/// The version that was found, also when there is a newer one by now, even in the same entry.
fn found(runtime: &Runtime, hit: &Hit) -> Result<Found, Problem> {
    let invalid = || Problem::new(ProblemKind::Store, format!("entry {} is damaged", hit.position));
    let atom = atom_at(runtime, hit)?.ok_or_else(|| invalid().hint("stoa audit"))?;
    Ok(Found { read: ReadAtom { atom, position: hit.position }, score: hit.score })
}

fn atom_at(runtime: &Runtime, hit: &Hit) -> Result<Option<Arc<Atom>>, Problem> {
    // Most often it is the newest, which may have been read before.
    let newest = runtime.store().newest(hit.id)?;
    if let Some((_, atom)) = newest.filter(|it| it.0 == hit.position && it.1.version == hit.version)
    {
        return Ok(Some(atom));
    }
    let Some(entry) = runtime.store().entry(hit.position)? else { return Ok(None) };
    let events =
        incarnation::events::<Space>(&entry.body).map_err(crate::failure::StoreError::from)?;
    let mut atoms = events.iter().filter_map(Space::atom);
    Ok(atoms.find(|it| it.id == hit.id && it.version == hit.version).cloned())
}

/// What the caller can read of other spaces. A store that cannot be read stops.
struct Reach<'a> {
    caller: &'a Caller,
}

impl Elsewhere for Reach<'_> {
    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        let atom = View::atom(self.caller.runtime.store(), id)?;
        self.caller.level(atom.space).map(|_| atom)
    }

    fn sources(&self, target: AtomId, relation: &str) -> Vec<AtomId> {
        let sources = self.caller.runtime.store().sources(target, Some(relation));
        sources.into_iter().map(|(_, source)| source).collect()
    }
}
