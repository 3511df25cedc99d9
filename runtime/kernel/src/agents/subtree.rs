//! Stopping an agent and all under it, and letting them go on.

use super::control::{AgentCard, by_age};
use crate::caller::Caller;
use crate::problem::{Problem, ProblemKind};
use std::collections::BTreeSet;
use stoa_actors::id::SessionId;

/// What became of an agent and all under it.
#[derive(Clone, Debug, Default)]
pub struct Subtree {
    /// Those of which it is so.
    pub agents: Vec<AgentCard>,
    /// Why it is not so of the first of the others.
    pub failed: Option<Problem>,
}

impl Subtree {
    /// Takes in what became of one of them; whether it is so.
    fn take(&mut self, one: Result<AgentCard, Problem>) -> bool {
        match one {
            Ok(card) => self.agents.push(card),
            // It is gone, with all under it.
            Err(problem) if problem.kind == ProblemKind::Unknown => return false,
            Err(problem) => {
                self.failed.get_or_insert(problem);
                return false;
            }
        }
        true
    }
}

impl Caller {
    /// Stops an agent and all under it, those first that were spawned first; the agents that it has
    /// stopped, and why some could not be. Who is brought up meanwhile is stopped as well. A crash in
    /// between leaves some stopped: said again it stops the others.
    pub async fn stop_subtree(&self, name: &str, reason: &str) -> Result<Subtree, Problem> {
        let session = self.governed(name)?;
        let mut known = BTreeSet::new();
        let mut stopped = Subtree::default();
        loop {
            let new: Vec<SessionId> = {
                let rights = self.runtime.shared().rights.read();
                let all = Some(session).into_iter().chain(rights.agents_under(session));
                by_age(&rights, all.filter(|it| rights.is_agent(*it) && !known.contains(it)))
            };
            if new.is_empty() {
                return Ok(stopped);
            }
            for it in new {
                known.insert(it);
                // One that is out of service brings up nobody.
                if stopped.take(self.stop_agent(&it.to_string(), reason).await) {
                    self.until_brought_up(it).await?;
                }
            }
        }
    }

    /// Returns once each child is there, and born, that an agent has begun to bring up.
    async fn until_brought_up(&self, session: SessionId) -> Result<(), Problem> {
        let bell = self.runtime.agent(session)?.stream_head.watch();
        while super::context::state(&self.runtime, session).await?.is_bringing_up() {
            bell.heard().await;
        }
        Ok(())
    }

    /// Lets the stopped ones go on among an agent and all under it; those that do, and why some do not.
    pub async fn resume_subtree(&self, name: &str) -> Result<Subtree, Problem> {
        let session = self.governed(name)?;
        let all: Vec<SessionId> = {
            let rights = self.runtime.shared().rights.read();
            by_age(&rights, Some(session).into_iter().chain(rights.agents_under(session)))
        };
        let mut resumed = Subtree::default();
        for it in all {
            if self.agent_card(it).await?.state == "stopped" {
                resumed.take(self.resume_agent(&it.to_string()).await);
            }
        }
        Ok(resumed)
    }
}
