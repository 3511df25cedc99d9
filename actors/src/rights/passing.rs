//! Sessions that are there for one action: they end with it, and then nothing is left of them but
//! what the log says. Nobody brings them up again, calls them by a name, or is brought up by them.

use super::arena::RowId;
use super::{Refusal, Rights};
use crate::id::SessionId;
use crate::mutant::planted;

/// How long a session stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Its id means it for good, also once it has ended.
    Lasting,
    /// It ends with one action, and is forgotten then. Whose process has died ends when the
    /// directory is opened again; in a log that others write to, where nobody can tell, its rights
    /// expire and its row stays.
    OneAction,
}

impl Rights {
    /// The living sessions that are there for one action.
    pub fn passing(&self) -> impl Iterator<Item = SessionId> {
        let seen = self.passing.iter().map(|it| self.sessions.get(*it));
        seen.filter(|row| self.shows(row.hidden)).map(|row| row.id)
    }

    pub(super) fn lifetime(&self, session: RowId) -> Lifetime {
        match self.passing.contains(&session) {
            true => Lifetime::OneAction,
            false => Lifetime::Lasting,
        }
    }

    pub(super) fn stays(&self, session: SessionId) -> Result<(), Refusal> {
        match self.sessions.find(&session).map(|it| self.lifetime(it)) {
            Some(Lifetime::OneAction) if !planted("rights.the_passing_have_names") => {
                Err(Refusal::Passing(session))
            }
            _ => Ok(()),
        }
    }

    /// Takes out a session that has ended, if it was there for one action: nothing means it any more.
    pub(super) fn pass_away(&mut self, session: RowId) {
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

#[cfg(test)]
mod tests {
    use crate::id::{LinkId, Millis, ROOT, SessionId, SpaceId};
    use crate::rights::{
        Level, Lifetime, Message, Named, Refusal, Reply, Right, RightRequest, Rights, Subject,
    };
    use crate::space::Declarations;

    const ONE: SessionId = SessionId([1; 16]);
    const OTHER: SessionId = SessionId([2; 16]);

    fn tell(rights: &mut Rights, by: SessionId, message: Message) -> Result<Reply, Refusal> {
        let decision = rights.decide(by, Millis(1), message)?;
        decision.events.iter().for_each(|event| rights.apply(event));
        decision.answer
    }

    fn spawn(
        child: SessionId,
        lifetime: Lifetime,
        alias: Option<&str>,
        asks: Vec<RightRequest>,
    ) -> Message {
        let (alias, reason) = (alias.map(str::to_owned), String::new());
        Message::Spawn { child, alias, asks, reason, lifetime }
    }

    #[test]
    fn one_that_passes_has_no_name_brings_up_nobody_and_leaves_nothing() {
        let mut rights = Rights::default();
        let space = SpaceId([7; 16]);
        let (link, alias, reason) = (LinkId([9; 16]), None, String::new());
        let (description, declares) = (String::new(), Declarations::default());
        let create = Message::CreateSpace { space, link, alias, reason, description, declares };
        tell(&mut rights, ROOT, create).unwrap();
        let before = rights.clone();
        let once = Lifetime::OneAction;
        let named = tell(&mut rights, ROOT, spawn(ONE, once, Some("amy"), vec![]));
        assert_eq!(named, Err(Refusal::Passing(ONE)));
        let right = Right::to_use(Subject::Space(space), Level::Write);
        let ask = RightRequest {
            link: LinkId([8; 16]),
            alias: Some("board".into()),
            right,
            expires: None,
        };
        tell(&mut rights, ROOT, spawn(ONE, once, None, vec![ask])).unwrap();
        assert_eq!(rights.passing().collect::<Vec<_>>(), [ONE]);
        let child = tell(&mut rights, ONE, spawn(OTHER, Lifetime::Lasting, None, vec![]));
        assert_eq!(child, Err(Refusal::Passing(ONE)));
        let name = Message::Name { alias: "amy".into(), named: Named::Session(ONE) };
        assert_eq!(tell(&mut rights, ROOT, name), Err(Refusal::Passing(ONE)));
        assert_ne!(rights, before);
        let end = || Message::End { session: ONE, reason: String::new() };
        tell(&mut rights, ROOT, end()).unwrap();
        assert_eq!(rights, before);
        assert_eq!(tell(&mut rights, ROOT, end()), Err(Refusal::NoSuchSession(ONE)));
    }
}
