//! What an atom was made from: who wrote it, in which step, and the atoms that its model had before it.

use super::past::{Reach, events, past};
use super::shown::{StepPlace, charter, step_of};
use crate::caller::{Caller, ReadAtom};
use crate::problem::Problem;
use std::collections::BTreeMap;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::briefing::AtomVersion;
use stoa_actors::id::{AtomId, SessionId};
use stoa_actors::session::{CallNote, Event, Recorded, RecordedItem, Session};
use stoa_actors::value::Value;

/// Where a version of an atom comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct AtomOrigin {
    /// It, as it was written.
    pub read: ReadAtom,
    /// The turn and the step of the agent that has written it; nothing where it was no agent.
    pub step: Option<(u64, u32)>,
    /// The code that has written it.
    pub code: Option<String>,
    /// What its model had before it then: each once.
    pub sources: Vec<Source>,
}

/// An atom that a model had before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// How it came to it.
    pub kind: SourceKind,
    /// Which version of which atom.
    pub of: AtomVersion,
}

/// How an atom came before a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// Its code has read it.
    Read,
    /// It was said to it.
    Heard,
    /// It was found for a turn.
    Found,
    /// It is one of its instructions.
    Instruction,
    /// It was told of it as of something that it owes or is owed.
    Owed,
}

impl SourceKind {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            SourceKind::Read => "read",
            SourceKind::Heard => "heard",
            SourceKind::Found => "found",
            SourceKind::Instruction => "instruction",
            SourceKind::Owed => "owed",
        }
    }
}

impl Caller {
    /// Where a version of an atom comes from, the newest where none is named. Of an agent that the
    /// caller does not govern nothing is told but that it has written it.
    ///
    /// Errors: as of reading the atom.
    pub async fn origin(&self, id: AtomId, version: Option<u64>) -> Result<AtomOrigin, Problem> {
        let read = match version {
            Some(version) => self.get_version(id, version).await?,
            None => self.get(id).await?,
        };
        self.reading(move |it| it.origin_of(read)).await
    }

    fn origin_of(&self, read: ReadAtom) -> Result<AtomOrigin, Problem> {
        let (store, author) = (self.runtime.store(), read.atom.author);
        let none = |read| AtomOrigin { read, step: None, code: None, sources: Vec::new() };
        let governs = self.runtime.shared().rights.read().governs(self.session(), author);
        if !governs || store.kind_of(author.stream())?.as_deref() != Some(Session::KIND) {
            return Ok(none(read));
        }
        let seq = store.seq_at(author.stream(), read.position)?;
        let Some(place) = step_of(store, author, seq)? else { return Ok(none(read)) };
        let code = events(store, author, place.seq)?.into_iter().find_map(|it| match it {
            Event::Thought { thought, .. } => thought.code,
            _ => None,
        });
        let sources = self.sources_of(author, &place, seq, &read)?;
        Ok(AtomOrigin { read, step: Some((place.turn, place.step)), code, sources })
    }

    /// What the model had before it at a step, and what the code has read by then.
    fn sources_of(
        &self,
        author: SessionId,
        place: &StepPlace,
        upto: u64,
        written: &ReadAtom,
    ) -> Result<Vec<Source>, Problem> {
        let store = self.runtime.store();
        let model = self.runtime.shared().config.models.find(&charter(store, author)?.model);
        let reach = match model.ok().and_then(|it| it.window_bytes()) {
            Some(_) => Reach::Window { bytes_max: usize::MAX, told: true },
            None => Reach::Turn,
        };
        let told = past(store, author, place.seq, reach, false)?;
        let mut sources: BTreeMap<AtomVersion, SourceKind> = BTreeMap::new();
        for briefing in told.briefings() {
            let of = |kind| move |it: &AtomVersion| (*it, kind);
            sources.extend(briefing.instructions.iter().map(of(SourceKind::Instruction)));
            sources.extend(briefing.heard.iter().map(of(SourceKind::Heard)));
            sources.extend(briefing.found.iter().map(of(SourceKind::Found)));
            let owed = briefing.obligations.iter().filter_map(|it| it.atom());
            sources.extend(owed.map(|it| (it, SourceKind::Owed)));
        }
        // What its code has read in the steps that were before it, and in this one.
        let first = told.first_step();
        let mut seq = upto;
        while seq > 0 {
            let entry = events(store, author, seq)?;
            for event in &entry {
                let Event::Noted(note) = event else { continue };
                let read = read_by(note);
                for it in read {
                    sources.entry(it).or_insert(SourceKind::Read);
                }
            }
            let began = entry.iter().any(|it| {
                matches!(it, Event::TurnBegan { turn, .. } if first.is_none_or(|at| *turn <= at.0))
            });
            if began {
                break;
            }
            seq -= 1;
        }
        sources.remove(&AtomVersion { id: written.atom.id, version: written.atom.version });
        let mut sources: Vec<Source> =
            sources.into_iter().map(|(of, kind)| Source { kind, of }).collect();
        sources.sort();
        Ok(sources)
    }
}

/// What a call has read. A claim has read what it has claimed.
fn read_by(note: &CallNote) -> Vec<AtomVersion> {
    match &note.answer {
        Some(Recorded::Atom { id, version }) if !note.wrote => {
            vec![AtomVersion { id: *id, version: *version }]
        }
        Some(Recorded::Atoms(found)) if !note.wrote => {
            found.iter().map(|it| AtomVersion { id: it.id, version: it.version }).collect()
        }
        Some(Recorded::Said(RecordedItem::Object(object))) if object.class == "Atom" => {
            let field = |name: &str| match object.fields.iter().find(|it| it.0 == name) {
                Some((_, RecordedItem::Value(value))) => Some(value),
                _ => None,
            };
            let id = match field("id") {
                Some(Value::Text(id)) => id.parse().ok(),
                _ => None,
            };
            match (id, field("version")) {
                (Some(id), Some(Value::Int(version))) => {
                    vec![AtomVersion { id, version: *version as u64 }]
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}
