//! What is found for a turn in the spaces that are searched for it: what fits best to what woke the
//! agent, within a part of its window.

use crate::caller::Caller;
use crate::problem::Problem;
use std::collections::BTreeSet;
use std::sync::Arc;
use stoa_actors::briefing::AtomVersion;
use stoa_actors::search::Query;
use stoa_actors::session::Brief;
use stoa_actors::window::Transcript;

/// The part of a window that what was found for one turn may take.
const FOUND_FACTOR: usize = 16;

/// Atoms of one space that are looked at.
const FOUND_LOOKED: usize = 8;

/// Bytes of what is searched for.
const WANTED_BYTES_MAX: usize = 1 << 10;

/// What was found.
#[derive(Default)]
pub(super) struct Searched {
    pub(super) found: Vec<AtomVersion>,
    pub(super) texts: Vec<(AtomVersion, Arc<str>)>,
}

impl Searched {
    /// In the spaces that are searched for this agent. What it was told already is not told again; a
    /// space that it may not read any more has nothing for it.
    pub(super) async fn search(
        of: &Caller,
        brief: &Brief,
        past: Option<&Transcript>,
        window_bytes: usize,
    ) -> Result<Searched, Problem> {
        let mut searched = Searched::default();
        let told: BTreeSet<AtomVersion> = past.into_iter().flat_map(|it| it.atoms()).collect();
        let mut room = window_bytes / FOUND_FACTOR;
        for space in &brief.charter.memory {
            let text = wanted(brief);
            if of.level(*space).is_none() {
                continue;
            }
            let query = Query { text: Some(text), limit: FOUND_LOOKED, ..Query::default() };
            for hit in of.search(*space, query).await? {
                let atom = AtomVersion { id: hit.read.atom.id, version: hit.read.atom.version };
                let Some(text) = super::context::text_of(of.runtime.store(), atom)? else {
                    continue;
                };
                if told.contains(&atom) || text.len() > room {
                    continue;
                }
                room -= text.len();
                searched.found.push(atom);
                searched.texts.push((atom, text));
            }
        }
        Ok(searched)
    }
}

/// What woke it, else what it was told to do.
fn wanted(brief: &Brief) -> String {
    let comments: Vec<&str> =
        brief.wakes.iter().flat_map(|it| &it.comments).map(String::as_str).collect();
    let mut text = match comments.is_empty() {
        true => brief.charter.task.clone(),
        false => comments.join("\n"),
    };
    text.truncate(text.floor_char_boundary(WANTED_BYTES_MAX));
    text
}
