//! Who follows which space, and which of the followed ones have gone on. A space that is followed
//! needs no actor and no task: an entry of it that becomes durable is one look at a map.
//!
//! One row a follow and nothing else: this stays in memory for agents that are put away.

use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use stoa_actors::id::{Position, SessionId, SpaceId, StreamId};
use tokio::sync::Notify;

/// Who follows what, and up to where there was nothing of interest to it: at or beyond its durable
/// cursor, past own writes mostly.
type Follows = BTreeMap<(SpaceId, SessionId), Position>;

#[derive(Default)]
pub(crate) struct News {
    any: AtomicBool,
    follows: RwLock<Follows>,
    /// Each once, however often it went on: so it is bounded by what is followed.
    gone_on: Mutex<BTreeSet<StreamId>>,
    told: Notify,
}

impl News {
    /// From now on a session hears of a space. It has looked at nothing there: with another filter
    /// or another cursor what was of no interest may be now.
    pub(crate) fn follow(&self, space: SpaceId, session: SessionId) {
        self.follows.write().insert((space, session), Position(0));
        self.any.store(true, Ordering::Release);
    }

    /// The same for many at once, which lie closer together in memory then.
    pub(crate) fn follow_all(&self, all: Vec<(SpaceId, SessionId)>) {
        let mut all: Follows = all.into_iter().map(|it| (it, Position(0))).collect();
        self.follows.write().append(&mut all);
        self.any.store(true, Ordering::Release);
    }

    /// A session hears of a space no more.
    pub(crate) fn unfollow(&self, space: SpaceId, session: SessionId) {
        self.follows.write().remove(&(space, session));
    }

    /// A session hears of nothing any more.
    pub(crate) fn unfollow_all(&self, session: SessionId) {
        self.follows.write().retain(|(_, follower), _| *follower != session);
    }

    /// Up to where a session has found nothing of interest in a space.
    pub(crate) fn scanned(&self, space: SpaceId, session: SessionId) -> Position {
        self.follows.read().get(&(space, session)).copied().unwrap_or_default()
    }

    /// There is nothing of interest to a session up to there.
    pub(crate) fn scan(&self, space: SpaceId, session: SessionId, upto: Position) {
        if let Some(scanned) = self.follows.write().get_mut(&(space, session)) {
            *scanned = upto;
        }
    }

    fn followers(&self, space: SpaceId) -> Vec<SessionId> {
        let follows = self.follows.read();
        let rows = follows.range((space, SessionId([0; 16]))..);
        rows.map(|(key, _)| *key).take_while(|it| it.0 == space).map(|it| it.1).collect()
    }

    fn is_followed(&self, space: SpaceId) -> bool {
        let follows = self.follows.read();
        let next = follows.range((space, SessionId([0; 16]))..).next();
        next.is_some_and(|((it, _), _)| *it == space)
    }

    /// One more entry of a stream is durable: before its asker is answered.
    pub(crate) fn gone_on(&self, stream: StreamId) {
        if self.any.load(Ordering::Acquire) && self.is_followed(SpaceId(stream.0)) {
            self.gone_on.lock().insert(stream);
            self.told.notify_one();
        }
    }

    /// Tells of all that have gone on, whoever follows. Who calls this while another does waits
    /// until that is done, so that afterwards everything that was acknowledged before is told.
    pub(crate) fn tell(&self, mut to: impl FnMut(SessionId)) {
        let mut gone_on = self.gone_on.lock();
        while let Some(stream) = gone_on.pop_first() {
            self.followers(SpaceId(stream.0)).into_iter().for_each(&mut to);
        }
    }

    /// Returns once there may be something to tell.
    pub(crate) async fn told(&self) {
        self.told.notified().await;
    }
}
