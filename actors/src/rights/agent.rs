//! Spawning an agent: a session with its rights, the space it shares with its parent, and what its
//! actor is begun with, in one entry. All of it or nothing, and after a crash the rest is owed.

use super::grant::Spawn;
use super::{Asking, Decision, Event, Level, Link, Refusal, Reply, Right, Rights, Subject};
use crate::id::LinkId;
use crate::mutant::planted;
use crate::session::{Budget, Charter};
use std::sync::Arc;

/// What an agent calls the space that it shares with its parent.
pub const DM: &str = "dm";

impl Rights {
    pub(super) fn spawn_agent(
        &self,
        asking: Asking<'_>,
        spawn: Spawn,
        dm_links: [LinkId; 2],
        (charter, budget): (Arc<Charter>, Budget),
    ) -> Result<Decision, Refusal> {
        let (child, reason) = (spawn.child, spawn.reason.clone());
        let by = asking.by;
        if charter.parent != by && !planted("rights.charters_for_another") {
            return Err(Refusal::NoSuchSession(charter.parent));
        }
        if spawn.asks.iter().any(|it| it.alias.as_deref() == Some(DM)) {
            return Err(Refusal::AliasTaken(DM.to_owned()));
        }
        let [mine, theirs] = dm_links;
        let asked = |it: &LinkId| mine == theirs || spawn.asks.iter().any(|ask| ask.link == *it);
        if let Some(taken) = dm_links.iter().find(|it| asked(it)) {
            return Err(Refusal::LinkTaken(*taken));
        }
        let mut decision = self.spawn(asking, spawn)?;
        // Asked again, or asked for too much.
        let Some(Event::Spawned { links, names, .. }) = decision.events.last_mut() else {
            return Ok(decision);
        };
        let dm = self.create_space(asking, charter.dm, mine, None, reason.clone())?;
        self.link_is_fresh(theirs)?;
        let level =
            if planted("rights.child_may_only_read_its_dm") { Level::Read } else { Level::Write };
        let right = Right::to_use(Subject::Space(charter.dm), level);
        let (basis, expires) = (Some(mine), None);
        links.push(Link { id: theirs, from: by, to: child, right, basis, expires, reason });
        names.push((DM.to_owned(), charter.dm));
        let chartered = Event::Chartered { session: child, charter };
        let chartered = Some(chartered).filter(|_| !planted("rights.agent_without_charter"));
        let allotted = Event::Allotted { session: child, budget };
        let allotted = Some(allotted).filter(|_| !budget.is_unbounded());
        let spawned = dm.events.into_iter().chain(decision.events);
        decision.events = spawned.chain(chartered).chain(allotted).collect();
        decision.answer = Ok(Reply::Spawned { child });
        Ok(decision)
    }
}
