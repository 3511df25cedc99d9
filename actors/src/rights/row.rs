//! What is kept of a session, a space, a link and a name: identities once, and places elsewhere.

use super::arena::{Arena, Row, RowId};
use super::{Level, SpawnProgress};
use crate::id::{LinkId, Millis, SessionId, SpaceId};
use std::cmp::Ordering;

/// Later than any instant: what does not end ends then.
pub(super) const NEVER: Millis = Millis(u64::MAX);

/// One session: for good, or until its one action is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionRow {
    pub(super) id: SessionId,
    pub(super) at: Millis,
    pub(super) ended: Millis,
    pub(super) parent: Option<RowId>,
    /// How many links it holds.
    pub(super) links: u32,
    /// How many names it has.
    pub(super) names: u32,
    pub(super) seen: SpawnProgress,
    pub(super) hidden: bool,
}

impl SessionRow {
    pub(super) fn lives(&self) -> bool {
        self.ended == NEVER
    }
}

impl Row for SessionRow {
    type Key = SessionId;
    fn against(&self, key: &SessionId) -> Ordering {
        self.id.cmp(key)
    }
}

/// One space, for good.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpaceRow {
    pub(super) id: SpaceId,
    pub(super) hidden: bool,
}

impl Row for SpaceRow {
    type Key = SpaceId;
    fn against(&self, key: &SpaceId) -> Ordering {
        self.id.cmp(key)
    }
}

/// Which kind of subject a right is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Space,
    Tool,
    Secret,
    Model,
}

/// A subject: of which kind, and where its row stands, among the spaces or among the texts.
pub(super) type On = (Kind, RowId);

/// One link, until it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkRow {
    pub(super) id: LinkId,
    pub(super) expires: Millis,
    pub(super) from: RowId,
    pub(super) to: RowId,
    pub(super) of: RowId,
    pub(super) basis: Option<RowId>,
    pub(super) reason: RowId,
    pub(super) kind: Kind,
    pub(super) use_: Option<Level>,
    pub(super) delegate: Option<Level>,
    pub(super) hidden: bool,
}

impl LinkRow {
    pub(super) fn on(&self) -> On {
        (self.kind, self.of)
    }

    /// How the links of one holder, and of those the ones on one subject, come to lie together.
    pub(super) fn held_as(&self) -> (RowId, Option<On>) {
        (self.to, Some(self.on()))
    }

    /// Has it not yet expired?
    pub(super) fn is_live(&self, now: Millis) -> bool {
        crate::mutant::planted("rights.level_ignores_expiry") || now < self.expires
    }
}

impl Row for LinkRow {
    type Key = LinkId;
    fn against(&self, key: &LinkId) -> Ordering {
        self.id.cmp(key)
    }
}

/// One alias in its holder's table: the holder's place, and the text's.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameRow {
    pub(super) holder: RowId,
    pub(super) text: RowId,
    /// Among the sessions or among the spaces.
    pub(super) of: RowId,
    pub(super) is_space: bool,
    pub(super) hidden: bool,
}

impl NameRow {
    /// How the names of one holder, and of those the ones for one thing, come to lie together.
    pub(super) fn means(&self) -> (RowId, Option<(bool, RowId)>) {
        (self.holder, Some((self.is_space, self.of)))
    }
}

impl Row for NameRow {
    type Key = (RowId, Option<RowId>);
    fn against(&self, key: &(RowId, Option<RowId>)) -> Ordering {
        (self.holder, Some(self.text)).cmp(key)
    }
}

/// Names of things and reasons, each kept once however often it is said.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(Arena<Text>);

#[derive(Clone, Debug)]
struct Text {
    text: Box<str>,
    uses: u32,
}

impl Row for Text {
    type Key = str;
    fn against(&self, key: &str) -> Ordering {
        match (self.text.is_empty(), key.is_empty()) {
            // What has no bytes has no address either, and a comparison of bytes looks there
            // all the same, at the price of a fault: a sixth of a birth without a reason.
            (true, _) | (_, true) => self.text.len().cmp(&key.len()),
            (false, false) => (*self.text).cmp(key),
        }
    }
}

impl Texts {
    pub(super) fn find(&self, text: &str) -> Option<RowId> {
        self.0.find(text)
    }

    pub(super) fn get(&self, place: RowId) -> &str {
        &self.0.get(place).text
    }

    /// One more use of a text.
    pub(super) fn hold(&mut self, text: &str) -> RowId {
        match self.0.find(text) {
            Some(place) => {
                self.0.get_mut(place).uses += 1;
                place
            }
            None => self.0.put(text, Text { text: text.into(), uses: 1 }),
        }
    }

    /// One use less; with the last the text goes.
    pub(super) fn release(&mut self, place: RowId) {
        let row = self.0.get_mut(place);
        row.uses -= 1;
        if row.uses == 0 {
            let text = row.text.clone();
            self.0.take(&text);
        }
    }
}
