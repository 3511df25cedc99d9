//! Where a request has written.

use super::Caller;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use stoa_actors::id::{Position, SessionId, SpaceId};

/// Spaces that are kept of what was written.
const WROTE_SPACES_MAX: usize = 64;

/// By space and author, from where to where.
pub(crate) type Places = BTreeMap<(SpaceId, SessionId), (Position, Position)>;

/// Where a request has written: by space and author, from where to where.
#[derive(Debug, Default)]
pub(crate) struct Wrote(Mutex<Places>);

impl Wrote {
    pub(super) fn note(&self, space: SpaceId, by: SessionId, at: Position) {
        let mut wrote = self.0.lock();
        if wrote.len() < WROTE_SPACES_MAX || wrote.contains_key(&(space, by)) {
            let (first, last) = wrote.entry((space, by)).or_insert((at, at));
            (*first, *last) = ((*first).min(at), (*last).max(at));
        }
    }
}

impl Caller {
    /// The same caller, which keeps where it writes.
    pub fn noting(self) -> Caller {
        Caller { wrote: Some(Arc::default()), ..self }
    }

    /// Another session in the same request: what it writes is kept with the rest.
    pub(crate) fn beside(&self, session: SessionId) -> Caller {
        Caller { wrote: self.wrote.clone(), ..self.runtime.caller(session) }
    }

    /// Where this request has written so far; nothing where that is not kept.
    pub(crate) fn wrote(&self) -> Option<Places> {
        self.wrote.as_ref().map(|it| it.0.lock().clone())
    }
}
