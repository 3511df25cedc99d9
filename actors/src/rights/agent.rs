//! Spawning an agent: a session with its rights, the space it shares with its parent, and what its
//! actor is begun with, in one entry. All of it or nothing, and after a crash the rest is owed.

use super::grant::{Spawn, reason_fits};
use super::{
    Asking, Event, Level, Lifetime, Link, Refusal, Reply, Right, RightRequest, Rights,
    RightsDecision, Subject,
};
use crate::agent::{AgentSpec, Budget};
use crate::id::{LinkId, Millis, ROOT, SessionId};
use crate::mutant::planted;
use std::sync::Arc;

/// What an agent calls the space that it shares with its parent.
pub const DM: &str = "dm";

/// An agent to be brought up: its rights, the space that it shares with its parent, and what its
/// actor is begun with.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct AgentSpawn {
    /// A fresh id for it.
    pub child: SessionId,
    /// What its parent shall call it.
    pub alias: Option<String>,
    /// What it shall hold.
    pub asks: Vec<RightRequest>,
    /// Fresh ids: the parent's link on the shared space, and the child's.
    pub dm_links: [LinkId; 2],
    /// What its actor is begun with; `charter.parent` is the asker.
    pub charter: Arc<AgentSpec>,
    /// What it may spend.
    pub budget: Budget,
    pub reason: String,
}

impl Rights {
    pub(super) fn spawn_agent(
        &self,
        asking: Asking<'_>,
        spawn: AgentSpawn,
    ) -> Result<RightsDecision, Refusal> {
        let AgentSpawn { child, alias, asks, dm_links, charter, budget, reason } = spawn;
        let lifetime = Lifetime::Lasting;
        let spawn = Spawn { child, alias, asks, reason: reason.clone(), lifetime };
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

    /// Ends an agent and all agents under it: each actor is told to end, and each one's rights end
    /// when it has. From the first instant none of them is given anything more or brings up anybody.
    pub(super) fn wipe(
        &self,
        asking: Asking<'_>,
        session: SessionId,
        reason: String,
    ) -> Result<RightsDecision, Refusal> {
        let Asking { by, now, limits } = asking;
        reason_fits(&reason, limits)?;
        if session == ROOT {
            return Err(Refusal::RootStays);
        }
        self.living(session)?;
        if !self.is_self_or_ancestor(by, session) {
            return Err(Refusal::NotYoursToEnd(session));
        }
        let own = Some(session).filter(|it| self.is_agent(*it));
        let under = own.into_iter().chain(self.agents_under(session));
        let at = |it: &SessionId| self.birth(*it).map_or(Millis(0), |it| it.at);
        let mut doomed: Vec<SessionId> = under.filter(|it| !self.is_doomed(*it)).collect();
        // The youngest first: what they give back goes to those who are still there.
        doomed.sort_by_key(|it| std::cmp::Reverse((at(it), *it)));
        if doomed.is_empty() {
            return Ok(RightsDecision::nothing(Reply::Doomed { sessions: doomed }));
        }
        let sessions = doomed.clone();
        let event = Event::Doomed { sessions: doomed, at: now, by, reason };
        Ok(RightsDecision::one(event, Reply::Doomed { sessions }))
    }
}
