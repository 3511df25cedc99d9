//! What happened in a space, in order: read from the log, followed by cursor.

use super::Caller;
use crate::face::Bell;
use crate::failure::StoreError;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stoa_actors::id::{AtomId, Position, SpaceId, StreamId};
use stoa_actors::space::{Filter, Follower, Wake};

pub use stoa_actors::space::Change;

/// Which part of a history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// After this cursor.
    pub after: Position,
    /// At most so many, the oldest first.
    pub limit: usize,
}

impl Caller {
    /// What happened in a space after a cursor.
    pub async fn history(
        &self,
        space: SpaceId,
        query: &HistoryQuery,
    ) -> Result<Vec<Change>, Problem> {
        let (changes, _) = self.changes(space, query.after, query.limit, &Filter::default())?;
        Ok(changes)
    }

    /// The versions of one atom, the oldest first.
    pub async fn atom_history(&self, id: AtomId) -> Result<Vec<Change>, Problem> {
        let newest = self.get(id).await?.atom;
        let (mut found, mut last) = (Vec::new(), Position(0));
        for version in 1..=newest.version {
            let Some((at, _)) = self.runtime.store().version(id, version)? else { continue };
            // An entry may hold several versions of it, and of other atoms.
            if at == last {
                continue;
            }
            last = at;
            if let Some(entry) = self.runtime.store().entry(at)? {
                let space = SpaceId(entry.header.stream.0);
                let changes = Change::of(space, at, &entry.body).map_err(StoreError::from)?;
                let own = |it: &Change| it.atom.is_none_or(|(of, _)| of == id);
                found.extend(changes.into_iter().map(|(it, _)| it).filter(own));
            }
        }
        // Rights second.
        self.get(id).await?;
        Ok(found)
    }

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
        let first = seq_after(store, stream, after)?;
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

/// The number of the last entry of a stream at or before a position.
fn seq_after(
    store: &crate::store::Store,
    stream: StreamId,
    after: Position,
) -> Result<u64, StoreError> {
    let (mut low, mut high) = (0, store.last_seq(stream)?);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match store.position_of(stream, middle)? {
            Some(at) if at <= after => low = middle,
            _ => high = middle - 1,
        }
    }
    Ok(low)
}
