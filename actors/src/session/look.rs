//! Looking for what is new to a session: pure, shown the changes of the spaces that it follows.
//!
//! A [`Look`] asks for pages of changes, one space after the other, and comes to what is to be told
//! now, what set it off, and when to look again. Who is parked is told only of a word in the space
//! that it shares with its parent, and goes on as a reaction to that.

use super::{FollowSpec, Phase, Session};
use crate::id::{Millis, Position, SessionId, SpaceId};
use crate::log::Cause;
use crate::mutant::planted;
use crate::space::{Change, Filter, Tells, Wake};
use std::collections::VecDeque;

/// What is new to a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct New {
    /// What is to be told now.
    pub wakes: Vec<Wake>,
    /// What set it off: the longest chain; of one that is parked the answer that is nearest to
    /// somebody outside.
    pub cause: Cause,
    /// When what waits for a pause is to be looked at again.
    pub later: Option<Millis>,
    /// What is followed no more: it is over.
    pub over: Vec<SpaceId>,
    /// Spaces in which nothing up to there is of interest.
    pub scanned: Vec<(SpaceId, Position)>,
}

/// A page of changes that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeQuery {
    /// Of which space.
    pub space: SpaceId,
    /// After which position.
    pub after: Position,
    /// Which of them.
    pub filter: Filter,
}

/// A look under way.
#[derive(Debug)]
pub struct Look {
    to: SessionId,
    now: Millis,
    quoted_max: usize,
    spaces: VecDeque<(SpaceId, FollowSpec)>,
    reading: Option<Reading>,
    /// The space in which an answer is looked for, and after which position.
    answer: Option<(SpaceId, Position)>,
    nearest: Option<Cause>,
    /// Until then it rests, unless its parent speaks to it there.
    rests: Option<(Millis, Option<SpaceId>)>,
    new: New,
}

/// One space, read so far.
#[derive(Debug)]
struct Reading {
    space: SpaceId,
    follow: FollowSpec,
    after: Position,
    wake: Option<Wake>,
    cause: Cause,
    times: Option<(Millis, Millis)>,
}

impl Look {
    /// At what a session follows, each from where it has seen or `scanned` it.
    pub fn new(
        session: &Session,
        now: Millis,
        quoted_max: usize,
        scanned: impl Fn(SpaceId) -> Position,
    ) -> Look {
        let mut new = New::default();
        let mut spaces = VecDeque::new();
        for (space, follow) in session.follows() {
            if follow.terms.over(now) {
                new.over.push(space);
                continue;
            }
            let seen = match planted("session.looks_past_the_new") {
                true => Position(u64::MAX),
                false => scanned(space),
            };
            let cursor = follow.cursor.max(seen);
            spaces.push_back((space, FollowSpec { cursor, ..follow.clone() }));
        }
        let answer = answered_in(session);
        let (to, reading, nearest) = (session.id(), None, None);
        let rests = session.rests_until().filter(|until| now < *until);
        let rests = rests.map(|until| (until, session.charter().map(|it| it.dm)));
        Look { to, now, quoted_max, spaces, reading, answer, nearest, rests, new }
    }

    /// At what was said to a session that is to see it now: all that it has not heard in the space that
    /// it shares with its parent, without a pause.
    pub fn at_words(session: &Session, now: Millis, quoted_max: usize) -> Look {
        let dm = session.charter().map(|it| it.dm);
        let own = session.follows().find(|(space, _)| Some(*space) == dm);
        let spaces = own.into_iter().map(|(space, follow)| {
            let (cursor, filter) = (session.heard_upto(space), follow.filter.clone());
            (space, FollowSpec { filter, ..FollowSpec::all(cursor) })
        });
        let (to, spaces, new) = (session.id(), spaces.collect(), New::default());
        let (reading, answer, nearest, rests) = (None, answered_in(session), None, None);
        Look { to, now, quoted_max, spaces, reading, answer, nearest, rests, new }
    }

    /// The page to be read next; nothing once all is known.
    pub fn wants(&mut self) -> Option<ChangeQuery> {
        if self.reading.is_none()
            && let Some((space, follow)) = self.spaces.pop_front()
        {
            let (after, cause) = (follow.cursor, Cause::default());
            self.reading = Some(Reading { space, follow, after, wake: None, cause, times: None });
        }
        if let Some(Reading { space, follow, after, .. }) = &self.reading {
            let (space, after, filter) = (*space, *after, follow.filter.clone());
            return Some(ChangeQuery { space, after, filter });
        }
        let (space, after) = self.answer?;
        Some(ChangeQuery { space, after, filter: Filter::default() })
    }

    /// The page: changes that pass the filter, up to a position; the same position as was asked for
    /// when there is nothing more.
    pub fn page(&mut self, changes: Vec<Change>, upto: Position) {
        let Some(reading) = &mut self.reading else { return self.answers(changes, upto) };
        if upto == reading.after {
            return self.read();
        }
        reading.after = upto;
        for change in changes {
            if change.by != self.to {
                if reading.cause.root.is_none() || change.hop > reading.cause.hop {
                    let root = change.root.or(Some(change.id));
                    reading.cause = Cause { root, hop: change.hop };
                }
                let (since, latest) = reading.times.unwrap_or((change.at, change.at));
                reading.times = Some((change.at.min(since), change.at.max(latest)));
            }
            Wake::coalesce(&mut reading.wake, self.to, &change.notice(), self.quoted_max);
        }
    }

    /// The right to read the space is gone: nothing there is of its concern until it is back.
    pub fn forbidden(&mut self) {
        if self.reading.take().is_none() {
            self.answer = None;
        }
    }

    fn read(&mut self) {
        let Some(reading) = self.reading.take() else { return };
        let Reading { space, follow, after, wake, cause, times } = reading;
        let Some((wake, (since, latest))) = wake.zip(times) else {
            self.new.scanned.push((space, after));
            return;
        };
        match follow.terms.tells(since, latest, self.now) {
            Tells::Now => {}
            Tells::At(due) => {
                self.new.later = Some(self.new.later.map_or(due, |it| it.min(due)));
                return;
            }
            Tells::Never => return,
        }
        if self.new.cause.root.is_none() || cause.hop > self.new.cause.hop {
            self.new.cause = cause;
        }
        self.new.wakes.push(wake);
    }

    fn answers(&mut self, changes: Vec<Change>, upto: Position) {
        let Some((_, after)) = &mut self.answer else { return };
        for it in changes.into_iter().filter(|it| it.by != self.to) {
            if self.nearest.is_none_or(|nearest| it.hop < nearest.hop) {
                self.nearest = Some(Cause { root: it.root.or(Some(it.id)), hop: it.hop });
            }
        }
        match upto == *after {
            true => self.answer = None,
            false => *after = upto,
        }
    }

    /// What came of it, once it wants nothing more. `parked` is whether the session was.
    pub fn done(self, parked: bool) -> New {
        let cause = match parked {
            true => self.nearest.unwrap_or_default(),
            false => self.new.cause,
        };
        let mut new = New { cause, ..self.new };
        if let Some((until, dm)) = self.rests
            && !new.wakes.is_empty()
            && !new.wakes.iter().any(|it| Some(it.space) == dm)
        {
            new.wakes.clear();
            new.later = Some(new.later.map_or(until, |it| it.min(until)));
        }
        new
    }
}

/// The space in which one that is parked is answered, and after which position.
fn answered_in(session: &Session) -> Option<(SpaceId, Position)> {
    match (session.phase(), session.charter()) {
        (Phase::Parked { heard, .. }, Some(charter)) => Some((charter.dm, *heard)),
        _ => None,
    }
}
