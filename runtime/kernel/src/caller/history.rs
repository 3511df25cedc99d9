//! What happens in a space, in order: read from the log, followed by cursor.

use super::Caller;
use crate::failure::StoreError;
use crate::host::Waiter;
use crate::problem::Problem;
use std::sync::Arc;
use stoa_actors::id::{Position, SpaceId};
use stoa_actors::space::{Filter, Follower, Wake};

pub use stoa_actors::space::Change;

impl Caller {
    /// Changes that pass, and the cursor to go on from: past everything that was looked through.
    /// One bounded piece: nothing new is left when the cursor is where it was.
    pub(crate) async fn changes(
        &self,
        space: SpaceId,
        after: Position,
        limit: usize,
        filter: &Filter,
    ) -> Result<(Vec<Change>, Position), Problem> {
        if !self.runtime.store().goes_on(space.stream(), after)? {
            self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
            return Ok((Vec::new(), after));
        }
        let follower = Follower::new(space, after, filter.clone());
        self.reading(move |caller| caller.piece_of(space, follower, limit)).await
    }

    fn piece_of(
        &self,
        space: SpaceId,
        mut follower: Follower,
        limit: usize,
    ) -> Result<(Vec<Change>, Position), Problem> {
        let (store, config) = (self.runtime.store(), &self.runtime.shared().config);
        let first = store.seq_at(space.stream(), follower.cursor())?;
        let (mut found, mut looked, mut bytes) = (Vec::new(), 0, 0);
        for entry in store.entries_after(space.stream(), first) {
            let entry = entry?;
            bytes += entry.bytes();
            looked += 1;
            let taken = follower.take(entry.position, &entry.body);
            found.extend(taken.map_err(StoreError::from)?);
            if found.len() >= limit
                || looked >= config.follow_entries_max
                || bytes >= config.read_piece_bytes
            {
                break;
            }
        }
        // Rights second: what was read before a revoke is not handed out after it.
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        Ok((found, follower.cursor()))
    }

    /// Follows a space from a cursor: every change after it once, in order, however slow the
    /// reader is. The log is the only copy, so a stalled reader costs a few bytes.
    pub fn follow(
        &self,
        space: SpaceId,
        after: Position,
        filter: Filter,
    ) -> Result<ChangeStream, Problem> {
        self.level(space).ok_or_else(|| Problem::no_space(&space.to_string()))?;
        filter.check(&self.runtime.shared().config.limits.search)?;
        let waiter = self.runtime.space(space)?.stream_head.watch();
        Ok(ChangeStream { caller: self.clone(), space, cursor: after, filter, waiter })
    }
}

/// A reader that follows a space.
pub struct ChangeStream {
    caller: Caller,
    space: SpaceId,
    cursor: Position,
    filter: Filter,
    waiter: Arc<Waiter>,
}

impl ChangeStream {
    /// Everything up to here has been seen.
    pub fn cursor(&self) -> Position {
        self.cursor
    }

    /// The changes that are there now, at most `limit`; none when there is nothing new.
    pub async fn ready(&mut self, limit: usize) -> Result<Vec<Change>, Problem> {
        loop {
            let (changes, cursor) =
                self.caller.changes(self.space, self.cursor, limit, &self.filter).await?;
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
            let changes = self.ready(limit).await?;
            if !changes.is_empty() {
                return Ok(changes);
            }
            self.waiter.heard().await;
        }
    }

    /// Waits until something happens, without looking at what.
    pub async fn rung(&self) {
        self.waiter.heard().await;
    }

    /// One coalesced wake for everything new: how much, from where, and a few comments. Nothing when
    /// nothing is new but what the reader did itself.
    pub async fn pending(&mut self) -> Result<Option<Wake>, Problem> {
        let config = &self.caller.runtime.shared().config;
        let (quoted, most) = (config.limits.wake_comments_max, config.follow_entries_max);
        let mut pending = None;
        loop {
            let changes = self.ready(most).await?;
            if changes.is_empty() {
                return Ok(pending);
            }
            for change in changes {
                let notice = change.notice();
                Wake::coalesce(&mut pending, self.caller.session, &notice, quoted);
            }
        }
    }

    /// The same, waited for.
    pub async fn wake(&mut self) -> Result<Wake, Problem> {
        loop {
            if let Some(wake) = self.pending().await? {
                return Ok(wake);
            }
            self.waiter.heard().await;
        }
    }
}
