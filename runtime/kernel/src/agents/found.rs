//! What is found for a turn in the spaces that are searched for it: what fits best to what woke the
//! agent, within a part of its window.

use super::control::first_line;
use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use stoa_actors::atom::Content;
use stoa_actors::briefing::{AtomVersion, Briefing};
use stoa_actors::id::{Position, SessionId, SpaceId};
use stoa_actors::incarnation;
use stoa_actors::search::Query;
use stoa_actors::session::Brief;
use stoa_actors::space::{self, Space, Wake};
use stoa_actors::window::Transcript;

/// The part of a window that what was found for one turn may take.
const FOUND_FACTOR: usize = 16;

/// The part of a window that what was said to it may take beside its first lines.
const HEARD_FACTOR: usize = 4;

/// Entries of the space that it shares with its parent that are looked at.
const HEARD_ENTRIES: usize = 256;

/// Atoms of one space that are looked at.
const FOUND_LOOKED: usize = 8;

/// Bytes of what is searched for.
const WANTED_BYTES_MAX: usize = 1 << 10;

/// What was found.
#[derive(Default)]
pub(super) struct Searched {
    pub(super) said: Vec<Wake>,
    pub(super) heard: Vec<AtomVersion>,
    pub(super) found: Vec<AtomVersion>,
    pub(super) texts: Vec<(AtomVersion, Arc<str>)>,
}

impl Searched {
    /// With what it is told besides.
    pub(super) fn tell(&self, briefing: &mut Briefing) {
        briefing.said.clone_from(&self.said);
        briefing.heard.clone_from(&self.heard);
        briefing.found.clone_from(&self.found);
    }

    /// In the spaces that are searched for this agent. What it was told already is not told again; a
    /// space that it may not read any more has nothing for it.
    pub(super) async fn search(
        of: &Caller,
        brief: &Brief,
        past: Option<&Transcript>,
        window_bytes: usize,
    ) -> Result<Searched, Problem> {
        let mut searched = Searched::default();
        searched.hear(of, brief.charter.dm, &brief.wakes, window_bytes).await?;
        if brief.charter.memory.is_empty() {
            return Ok(searched);
        }
        let told: BTreeSet<AtomVersion> = past.into_iter().flat_map(|it| it.atoms()).collect();
        let mut room = window_bytes / FOUND_FACTOR;
        for space in &brief.charter.memory {
            let text = wanted(brief);
            if of.level(*space).is_none() {
                continue;
            }
            let query = Query { text: Some(text), limit: FOUND_LOOKED, ..Query::default() };
            // A turn goes on without what it does not find.
            let hits = match of.search(*space, query).await {
                Ok(hits) => hits,
                Err(problem) => {
                    tracing::warn!(session = %of.session(), %problem, "a memory is not searched");
                    continue;
                }
            };
            for hit in hits {
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

    /// The whole of what was said in the space that it shares with its parent, of which these wakes have
    /// the first lines.
    pub(super) async fn hear(
        &mut self,
        of: &Caller,
        dm: SpaceId,
        wakes: &[Wake],
        window_bytes: usize,
    ) -> Result<(), Problem> {
        let (me, mut most) = (of.session(), window_bytes / HEARD_FACTOR);
        for wake in wakes.iter().filter(|it| it.space == dm) {
            let within = wake.first..=wake.last;
            let texts = of.reading(move |it| heard(it, dm, me, within, most)).await?;
            most = most.saturating_sub(texts.iter().map(|it| it.1.len()).sum());
            self.heard.extend(texts.iter().map(|it| it.0));
            self.texts.extend(texts);
        }
        Ok(())
    }
}

/// What others have said in the space that it shares with its parent, where a wake has the first line of
/// it alone; the earliest, within so many bytes.
fn heard(
    of: &Caller,
    dm: SpaceId,
    me: SessionId,
    within: RangeInclusive<Position>,
    bytes_max: usize,
) -> Result<Vec<(AtomVersion, Arc<str>)>, Problem> {
    let store = of.runtime.store();
    let before = Position(within.start().0.saturating_sub(1));
    let from = store.seq_at(dm.stream(), before)?;
    let (mut heard, mut room) = (Vec::new(), bytes_max);
    for entry in store.entries_after(dm.stream(), from).take(HEARD_ENTRIES) {
        let entry = entry?;
        if entry.position > *within.end() {
            break;
        }
        let events = incarnation::events::<Space>(&entry.body)
            .map_err(|error| Problem::new(ProblemKind::Store, error))?;
        for event in events {
            let space::Event::AtomPut(atom) = event else { continue };
            let Content::Text(text) = &atom.content else { continue };
            if atom.author == me || first_line(text) == text.trim() || text.len() > room {
                continue;
            }
            room -= text.len();
            let of = AtomVersion { id: atom.id, version: atom.version };
            heard.push((of, text.as_str().into()));
        }
    }
    Ok(heard)
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
