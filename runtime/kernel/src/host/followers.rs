//! Who follows which space, and which of the followed ones have gone on. A space that is followed
//! needs no actor and no task: an entry that becomes durable is one place in a set, and one task
//! finds out who wants to know. The acker never waits for that, nor for those who come and go.
//!
//! Two rows a follow and nothing else: this stays in memory for agents that are put away.

use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use stoa_actors::id::{Position, SessionId, SpaceId, StreamId};
use tokio::sync::Notify;

/// Who follows what, and up to where there was nothing of interest to it: at or beyond its durable
/// cursor, past own writes mostly.
#[derive(Default)]
struct Follows {
    rows: BTreeMap<(SpaceId, SessionId), Position>,
    /// The same by who follows, so that one who goes costs what it followed.
    of: BTreeSet<(SessionId, SpaceId)>,
}

impl Follows {
    fn remove(&mut self, space: SpaceId, session: SessionId) {
        self.rows.remove(&(space, session));
        self.of.remove(&(session, space));
    }

    fn of(&self, session: SessionId) -> Vec<SpaceId> {
        let rows = self.of.range((session, SpaceId([0; 16]))..);
        rows.take_while(|it| it.0 == session).map(|it| it.1).collect()
    }
}

#[derive(Default)]
pub(crate) struct Followers {
    any: AtomicBool,
    follows: RwLock<Follows>,
    /// Each stream once, however often it went on: so it is bounded by the streams there are.
    gone_on: Mutex<HashSet<StreamId>>,
    /// Held while they are told.
    telling: Mutex<()>,
    /// What has become of who follows what, in the order of the log; not applied yet.
    changes: Mutex<Vec<Change>>,
    told: Notify,
}

/// Who follows what from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A session hears of a space.
    Follow(SpaceId, SessionId),
    /// It hears of it no more.
    Unfollow(SpaceId, SessionId),
    /// It looks, whatever it follows.
    Look(SessionId),
    /// It hears of nothing any more.
    Gone(SessionId),
}

impl Followers {
    /// Something durable has changed who follows what. On the acker's thread: it is applied by
    /// whoever tells next, before anything is told.
    pub(crate) fn change(&self, changes: impl IntoIterator<Item = Change>) {
        self.changes.lock().extend(changes);
        self.any.store(true, Ordering::Release);
        self.told.notify_one();
    }

    /// Applies what has changed. Who follows anew has perhaps missed something: it is told.
    fn apply(&self, to: &mut impl FnMut(SessionId), gone: &mut impl FnMut(SessionId)) {
        for change in std::mem::take(&mut *self.changes.lock()) {
            match change {
                Change::Follow(space, session) => {
                    self.follow(space, session);
                    to(session);
                }
                Change::Unfollow(space, session) => self.unfollow(space, session),
                Change::Look(session) => to(session),
                Change::Gone(session) => {
                    self.unfollow_all(session);
                    gone(session);
                }
            }
        }
    }

    /// From now on a session hears of a space. It has looked at nothing there: with another filter
    /// or another cursor what was of no interest may be now.
    pub(crate) fn follow(&self, space: SpaceId, session: SessionId) {
        let mut follows = self.follows.write();
        follows.rows.insert((space, session), Position(0));
        follows.of.insert((session, space));
        self.any.store(true, Ordering::Release);
    }

    /// The same for many at once, which lie closer together in memory then; it costs a walk over all
    /// that are followed.
    pub(crate) fn follow_all(&self, all: Vec<(SpaceId, SessionId)>) {
        let mut of: BTreeSet<_> = all.iter().map(|(space, session)| (*session, *space)).collect();
        let mut rows: BTreeMap<_, _> = all.into_iter().map(|it| (it, Position(0))).collect();
        let mut follows = self.follows.write();
        follows.rows.append(&mut rows);
        follows.of.append(&mut of);
        self.any.store(true, Ordering::Release);
    }

    /// A session hears of a space no more.
    pub(crate) fn unfollow(&self, space: SpaceId, session: SessionId) {
        self.follows.write().remove(space, session);
    }

    /// A session hears of nothing any more.
    pub(crate) fn unfollow_all(&self, session: SessionId) {
        let mut follows = self.follows.write();
        for space in follows.of(session) {
            follows.remove(space, session);
        }
    }

    /// Up to where a session has found nothing of interest in a space.
    pub(crate) fn scanned(&self, space: SpaceId, session: SessionId) -> Position {
        self.follows.read().rows.get(&(space, session)).copied().unwrap_or_default()
    }

    /// There is nothing of interest to a session up to there.
    pub(crate) fn scan(&self, space: SpaceId, session: SessionId, upto: Position) {
        if let Some(scanned) = self.follows.write().rows.get_mut(&(space, session)) {
            *scanned = upto;
        }
    }

    /// Who follows a space, of the agents that are run.
    pub(crate) fn of(&self, space: SpaceId) -> Vec<SessionId> {
        let follows = self.follows.read();
        let rows = follows.rows.range((space, SessionId([0; 16]))..);
        rows.map(|(key, _)| *key).take_while(|it| it.0 == space).map(|it| it.1).collect()
    }

    /// One more entry of a stream is durable: before its asker is answered. On the acker's thread.
    pub(crate) fn gone_on(&self, stream: StreamId) {
        if self.any.load(Ordering::Acquire) && self.gone_on.lock().insert(stream) {
            self.told.notify_one();
        }
    }

    /// Tells of all that have gone on, whoever follows. Who calls this while another does waits
    /// until that is done, so that afterwards everything that was acknowledged before is told.
    pub(crate) fn tell(&self, mut to: impl FnMut(SessionId), mut gone: impl FnMut(SessionId)) {
        let _one = self.telling.lock();
        loop {
            self.apply(&mut to, &mut gone);
            let gone_on = std::mem::take(&mut *self.gone_on.lock());
            if gone_on.is_empty() {
                return;
            }
            for stream in gone_on {
                self.of(SpaceId(stream.0)).into_iter().for_each(&mut to);
            }
        }
    }

    /// Returns once there may be something to tell.
    pub(crate) async fn told(&self) {
        self.told.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SpaceId = SpaceId([1; 16]);
    const B: SpaceId = SpaceId([2; 16]);
    const ANN: SessionId = SessionId([1; 16]);
    const BOB: SessionId = SessionId([2; 16]);

    fn told(followers: &Followers) -> Vec<SessionId> {
        let mut told = Vec::new();
        followers.tell(|it| told.push(it), |_| {});
        told
    }

    /// The acker brought the next entry while a thousand followers of the one before were woken, and
    /// waited for that.
    #[test]
    fn an_entry_that_comes_while_others_are_told_waits_for_nobody() {
        let followers = Followers::default();
        followers.follow_all(vec![(A, ANN), (A, BOB), (B, BOB)]);
        followers.gone_on(A.stream());
        let mut told = Vec::new();
        let tell = |it| {
            if told.is_empty() {
                followers.gone_on(B.stream());
                followers.unfollow_all(ANN);
            }
            told.push(it);
        };
        followers.tell(tell, |_| {});
        assert_eq!(told, [ANN, BOB, BOB], "what came meanwhile is told as well");
    }

    #[test]
    fn who_has_gone_is_told_nothing_and_others_are() {
        let followers = Followers::default();
        followers.follow_all(vec![(A, ANN), (B, ANN), (A, BOB)]);
        followers.unfollow_all(ANN);
        followers.unfollow(B, BOB);
        [A, B].into_iter().for_each(|it| followers.gone_on(it.stream()));
        assert_eq!(told(&followers), [BOB]);
        followers.scan(A, BOB, Position(7));
        assert_eq!(
            (followers.scanned(A, BOB), followers.scanned(A, ANN)),
            (Position(7), Position(0))
        );
        followers.unfollow(A, BOB);
        followers.gone_on(A.stream());
        assert_eq!(told(&followers), []);
        assert!(followers.follows.read().of.is_empty(), "and nothing is kept of them");
    }
}
