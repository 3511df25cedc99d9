//! A space as JSON Lines: one event a line, in the envelope of the agent bus (seed 003), so that
//! other tools can read it and another store can take it in.
//!
//! The first line says what it is: `type` `space.exported`, `form`, `ts`, `cursor` (the head of the
//! log it was read at) and `space` with `space_id` and `description`. The last says how many events
//! there are: `type` `export.ended`, `events`; a file without it is cut. In between stands every
//! version of every atom, in the order of the log:
//!
//! | field | what it is |
//! |---|---|
//! | `event_id`, `cursor`, `ts` | the entry, where it stood, when it was decided (RFC 3339, ms) |
//! | `type` | `atom.put`, `atom.updated`, `atom.deprecated`, `atom.erased` |
//! | `actor` | `agent_id` `agent:ID` and `session_id` `sess:ID`: who wrote it |
//! | `refs` | `space_id`, `atom_id` |
//! | `idempotency_key` | where the request had one |
//! | `body.comment`, `body.hop`, `body.root` | what for, and what set it off |
//! | `body.version` | 1…k for each atom, none left out |
//! | `body.content`, or `.json`, or `.media_type` and `.base64` | the payload |
//! | `body.erased` | instead of a payload: nothing, for its atom was erased |
//! | `body.annotation`, `.metadata`, `.references` | as `get --json` shows them |
//! | `body.deprecated`, `.superseded_by` | where it is out of use |
//! | `body.embedding` | `fingerprint`, `scale`, `base64`; not of the built-in embedder |
//! | `imported` | of what was itself imported: by whom, when, by which entry; of no effect |
//!
//! What is not in it: subscriptions, leases and rights, which belong to the store's own sessions,
//! older descriptions, and the vectors of the built-in embedder, which are made anew.

mod fields;
mod json;
mod read;
mod write;

pub use json::{NotAValue, fits, from_map, from_value, instant, value};
pub use read::{Batches, Checked, Flaw, Foreign, check};
pub use write::{ended, exported, line, origin};

use serde::{Deserialize, Serialize};
use stoa_actors::id::{Millis, Position, SpaceId};

/// The form of the file.
pub(crate) const FORM: u64 = 1;

/// What an export begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Exported {
    pub space: SpaceId,
    /// What it is for.
    pub description: String,
    /// Everything up to there is in it.
    pub upto: Position,
    /// When that entry was made.
    pub at: Millis,
}
