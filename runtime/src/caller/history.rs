//! What happens in a space, in order: read from the log, followed by cursor.

use super::Caller;
use crate::face::Bell;
use crate::failure::StoreError;
use crate::problem::Problem;
use std::sync::Arc;
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::space::{Filter, Follower, Wake};

pub use stoa_actors::space::Change;

impl Caller {
    /// Changes that pass, and the cursor to go on from: past everything that was looked through.
    pub(crate) fn changes(
        &self,
        space: SpaceId,
        after: Position,
        limit: usize,
        filter: &Filter,
    ) -> Result<(Vec<Change>, Position), Problem> {
        let store = self.runtime.store();
        let entries_max = self.runtime.shared().config.follow_entries_max.max(limit);
        let stream = space.stream();
        let first = store.seq_at(stream, after)?;
        let mut follower = Follower::new(space, after, filter.clone());
        let (mut found, mut looked) = (Vec::new(), 0);
        for place in store.stream_after(stream, first) {
            if found.len() >= limit || looked >= entries_max {
                break;
            }
            let (_, at) = place?;
            let Some(entry) = store.entry(at)? else { continue };
            found.extend(follower.take(at, &entry.body).map_err(StoreError::from)?);
            looked += 1;
        }
        // Rights second: what was read before a revoke is not handed out after it.
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        Ok((found, follower.cursor()))
    }

    /// Follows a space from a cursor: every change after it once, in order, however slow the
    /// reader is. The log is the only copy, so a stalled reader costs one bell.
    pub fn follow(
        &self,
        space: SpaceId,
        after: Position,
        filter: Filter,
    ) -> Result<Follow, Problem> {
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        filter.check(&self.runtime.shared().config.limits.search)?;
        let bell = self.runtime.space(space)?.face.watch();
        Ok(Follow { caller: self.clone(), space, cursor: after, filter, bell })
    }
}

/// A reader that follows a space.
pub struct Follow {
    caller: Caller,
    space: SpaceId,
    cursor: Position,
    filter: Filter,
    bell: Arc<Bell>,
}

impl Follow {
    /// Everything up to here has been seen.
    pub fn cursor(&self) -> Position {
        self.cursor
    }

    /// The changes that are there now, at most `limit`; none when there is nothing new.
    pub fn ready(&mut self, limit: usize) -> Result<Vec<Change>, Problem> {
        loop {
            let (changes, cursor) =
                self.caller.changes(self.space, self.cursor, limit, &self.filter)?;
            let moved = cursor != self.cursor;
            self.cursor = cursor;
            if !changes.is_empty() || !moved {
                return Ok(changes);
            }
        }
    }

    /// The next changes, waited for.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Change>, Problem> {
        loop {
            let changes = self.ready(limit)?;
            if !changes.is_empty() {
                return Ok(changes);
            }
            self.bell.heard().await;
        }
    }

    /// Waits until something happens, without looking at what.
    pub async fn rung(&self) {
        self.bell.heard().await;
    }

    /// One coalesced wake for everything new: how much, from where, and a few comments.
    pub async fn wake(&mut self) -> Result<Wake, Problem> {
        let config = &self.caller.runtime.shared().config;
        let (quoted, most) = (config.limits.wake_comments_max, config.follow_entries_max);
        loop {
            let mut pending = None;
            loop {
                let changes = self.ready(most)?;
                if changes.is_empty() {
                    break;
                }
                for change in changes {
                    let notice = change.notice();
                    Wake::coalesce(&mut pending, self.caller.session, &notice, quoted);
                }
            }
            if let Some(wake) = pending {
                return Ok(wake);
            }
            self.bell.heard().await;
        }
    }
}
