//! Where a page ends, as a text that a client hands back. Opaque: what is in it may change.

use crate::problem::{Problem, ProblemKind};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use stoa_actors::codec;
use stoa_actors::id::SpaceId;
use stoa_actors::log::Hash;
use stoa_actors::search::{PageEnd, Query};

/// What the first byte of a cursor says.
const CURSOR_FORM: u8 = 1;

/// The end of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cursor {
    pub(super) place: PageEnd,
    /// Entries of the space that were searched.
    pub(super) seq: u64,
}

/// What is written: with a digest of the query, so that no other takes it for its own.
#[derive(Serialize, Deserialize)]
struct Written {
    of: u64,
    place: PageEnd,
    seq: u64,
}

impl Cursor {
    pub(super) fn write(&self, space: SpaceId, query: &Query) -> String {
        let written = Written { of: digest(space, query), place: self.place, seq: self.seq };
        URL_SAFE_NO_PAD.encode(codec::encode(CURSOR_FORM, &written).unwrap_or_default())
    }

    /// Refuses what is no cursor of this query in this space.
    pub(super) fn read(text: &str, space: SpaceId, query: &Query) -> Result<Cursor, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let written = bytes.and_then(|it| codec::decode::<Written>(CURSOR_FORM, &it).ok());
        let Some(Written { of, place, seq }) = written else {
            return Err(refused("it is no cursor"));
        };
        if of != digest(space, query) {
            return Err(refused("it is that of another query or space"));
        }
        Ok(Cursor { place, seq })
    }
}

/// The query apart from how much of it is asked for at once.
fn digest(space: SpaceId, query: &Query) -> u64 {
    let of = (space, Query { limit: 0, after: None, ..query.clone() });
    let hash = Hash::of(&codec::encode(CURSOR_FORM, &of).unwrap_or_default());
    hash.0.first_chunk().map_or(0, |it| u64::from_le_bytes(*it))
}

pub(crate) fn refused(why: &str) -> Problem {
    let text = format!("cannot go on behind this cursor: {why}; begin with the first page");
    Problem::new(ProblemKind::Invalid, text).hint("stoa search SPACE --limit 20")
}

#[cfg(test)]
mod tests {
    use super::*;
    use stoa_actors::id::AtomId;

    #[test]
    fn a_cursor_is_of_one_query_in_one_space() {
        let (here, there) = (SpaceId([1; 16]), SpaceId([2; 16]));
        let query = Query::text("what");
        let cursor = Cursor { place: PageEnd { id: AtomId([7; 16]), score: Some(0.25) }, seq: 9 };
        let text = cursor.write(here, &query);
        let longer = Query { limit: 99, ..query.clone() };
        assert_eq!(Cursor::read(&text, here, &longer), Ok(cursor));
        assert!(Cursor::read(&text, there, &query).is_err());
        assert!(Cursor::read(&text, here, &Query::text("which")).is_err());
        for garbage in ["", "x", "AAAA", &text[1..], &text[..text.len() - 2], "\u{e9}"] {
            assert!(Cursor::read(garbage, here, &query).is_err(), "{garbage:?}");
        }
    }
}
