//! Sessions that are there for one action: they end with it, and then nothing is left of them but
//! what the log says. Nobody brings them up again, calls them by a name, or is brought up by them.

use super::shelf::Place;
use super::{Refusal, Rights};
use crate::id::SessionId;
use crate::mutant::planted;

/// How long a session stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// Its id means it for good, also once it has ended.
    #[default]
    Lasting,
    /// It ends with one action, or with the process that runs it, and is forgotten then.
    OneAction,
}

impl Rights {
    /// The living sessions that are there for one action.
    pub fn passing(&self) -> impl Iterator<Item = SessionId> {
        let seen = self.passing.iter().map(|it| self.sessions.get(*it));
        seen.filter(|row| self.shows(row.hidden)).map(|row| row.id)
    }

    pub(super) fn lifetime(&self, session: Place) -> Lifetime {
        match self.passing.contains(&session) {
            true => Lifetime::OneAction,
            false => Lifetime::Lasting,
        }
    }

    pub(super) fn stays(&self, session: SessionId) -> Result<(), Refusal> {
        match self.sessions.find(&session).map(|it| self.lifetime(it)) {
            Some(Lifetime::OneAction) => Err(Refusal::Passing(session)),
            Some(Lifetime::Lasting) | None => Ok(()),
        }
    }

    /// Takes out a session that has ended, if it was there for one action: nothing means it any more.
    pub(super) fn pass_away(&mut self, session: Place) {
        if !self.passing.remove(&session) || planted("rights.the_passing_stay") {
            return;
        }
        let (sessions, row) = (&self.sessions, *self.sessions.get(session));
        if row.parent.is_some() {
            self.under.remove(session, |it| (sessions.get(it).parent, it) < (row.parent, session));
        }
        self.sessions.take(&row.id);
    }
}
