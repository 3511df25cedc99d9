//! What became of rights, as far as a caller may know of it: those of spaces where it may grant
//! rights, and those that concern it. It reads with the changes of the space, in one order.

use super::{Caller, Change, ChangeStream};
use crate::failure::StoreError;
use crate::host::Waiter;
use crate::problem::{Problem, ProblemKind};
use crate::store::LogEntry;
use std::sync::Arc;
use stoa_actors::id::{Position, RIGHTS, SpaceId};
use stoa_actors::rights::RIGHT_KINDS;
use stoa_actors::space::Filter;

impl Caller {
    /// What an entry of the log of rights tells the caller.
    pub(crate) fn told_of_rights(&self, entry: &LogEntry) -> Result<Vec<Change>, StoreError> {
        let runtime = &self.runtime;
        let all = runtime.facts().told(runtime.store(), entry)?;
        let now = runtime.now();
        // Rights second: what was read before a revoke is not handed out after it.
        let rights = runtime.shared().rights.read();
        let told = rights.facts_told(self.session(), all, now).into_iter();
        let told = told.map(|it| Change::of_right(it, entry.position, &entry.body));
        Ok(told.collect())
    }

    /// The same of one space, in a part of the log: up to `limit`, and up to where all is known.
    async fn rights_between(
        &self,
        space: SpaceId,
        after: Position,
        upto: Position,
        limit: usize,
    ) -> Result<(Vec<Change>, Position), Problem> {
        self.reading(move |caller| {
            let (runtime, store) = (&caller.runtime, caller.runtime.store());
            let before = Position(upto.0.saturating_add(1));
            let mut found = Vec::new();
            for seq in runtime.facts().of(store, space, after, before)? {
                let Some(at) = store.position_of(RIGHTS, seq)? else { continue };
                let Some(entry) = store.entry(at)? else { continue };
                let told = caller.told_of_rights(&entry)?;
                found.extend(told.into_iter().filter(|it| it.space == space));
                if found.len() >= limit {
                    return Ok((found, at));
                }
            }
            Ok((found, upto))
        })
        .await
    }

    /// Follows a space and what becomes of rights there, from a cursor: every change after it once,
    /// in order, as [`Caller::follow`] does.
    pub fn watch(
        &self,
        space: SpaceId,
        after: Position,
        filter: Filter,
    ) -> Result<Watching, Problem> {
        let of_rights = |it: &&String| RIGHT_KINDS.contains(&it.as_str());
        let wrong = |it: &&String| it.starts_with("right.") && !RIGHT_KINDS.contains(&it.as_str());
        if let Some(wrong) = filter.types.iter().find(wrong) {
            let text = format!("there is no type {wrong:?}; there are {}", RIGHT_KINDS.join(", "));
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--type right.granted"));
        }
        let types = filter.types.iter().filter(|it| !of_rights(it)).cloned().collect();
        let follow = self.follow(space, after, Filter { types, ..filter.clone() })?;
        let rights = self.runtime.rights().stream_head.watch();
        Ok(Watching { caller: self.clone(), space, cursor: after, filter, follow, rights })
    }
}

/// A reader that follows a space and the rights on it.
pub struct Watching {
    caller: Caller,
    space: SpaceId,
    cursor: Position,
    filter: Filter,
    /// Only to be woken.
    follow: ChangeStream,
    rights: Arc<Waiter>,
}

impl Watching {
    /// Everything up to here has been seen.
    pub fn cursor(&self) -> Position {
        self.cursor
    }

    /// The changes that are there now, about `limit`; none when there is nothing new.
    pub async fn ready(&mut self, limit: usize) -> Result<Vec<Change>, Problem> {
        loop {
            let upto = self.caller.runtime.durable();
            let (mut found, looked) =
                self.caller.changes(self.space, self.cursor, limit, &self.filter).await?;
            let end = looked == self.cursor;
            // All of the space is known up to there.
            let upto = if end { upto.max(self.cursor) } else { looked };
            let (mut rights, known) =
                self.caller.rights_between(self.space, self.cursor, upto, limit).await?;
            rights.retain(|it| self.filter.passes(&it.kind, None));
            if known < upto {
                found.retain(|it| it.position <= known);
            }
            let moved = known != self.cursor;
            self.cursor = known;
            found.append(&mut rights);
            found.sort_by_key(|it| it.position);
            if !found.is_empty() || (end && known == upto) || !moved {
                return Ok(found);
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
            tokio::select! {
                () = self.follow.rung() => {}
                () = self.rights.heard() => {}
            }
        }
    }
}
