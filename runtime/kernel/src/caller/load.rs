//! Agents as the log has them, also one whose own entries break it: whoever looks at all of them
//! must not die of one.

use super::{Caller, GrantRequest};
use crate::failure::StoreError;
use crate::host::{Standing, load};
use crate::problem::Problem;
use crate::runtime::Runtime;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use stoa_actors::id::{ROOT, SessionId};
use stoa_actors::incarnation;
use stoa_actors::rights::{GrantNote, Level};
use stoa_actors::session::{AgentSpec, Event, Session};

impl Runtime {
    /// The state of a session; nothing when its entries do not make one. Not on a thread of the
    /// executor.
    pub(crate) fn life(&self, session: SessionId) -> Result<Option<Session>, StoreError> {
        let load = || load::<Session>(self.store(), session.stream());
        match catch_unwind(AssertUnwindSafe(load)) {
            Ok(loaded) => loaded.map(|it| Some(it.into_state())),
            Err(_) => Ok(None),
        }
    }

    /// What an agent was brought up with, whatever became of it.
    pub(crate) fn charter(&self, session: SessionId) -> Result<Option<AgentSpec>, StoreError> {
        let Some(at) = self.store().position_of(session.stream(), 1)? else { return Ok(None) };
        let Some(entry) = self.store().entry(at)? else { return Ok(None) };
        let first = incarnation::events::<Session>(&entry.body)?;
        Ok(first.into_iter().find_map(|event| match event {
            Event::Born(charter) => Some(Arc::unwrap_or_clone(charter)),
            _ => None,
        }))
    }

    /// Why the actor of a session is kept out of service, if it is.
    pub fn out_of_service(&self, session: SessionId) -> Option<String> {
        match self.standing(session.stream()) {
            Some(Standing::Quarantined(why)) => Some(why),
            _ => None,
        }
    }
}

impl Caller {
    /// What an agent was brought up with; nothing for a session that is none.
    pub fn charter_of(&self, session: SessionId) -> Result<Option<AgentSpec>, Problem> {
        let is_agent = {
            let rights = self.runtime.shared().rights.read();
            session != ROOT && rights.is_agent(session)
        };
        if !is_agent {
            return Ok(None);
        }
        Ok(self.runtime.charter(session)?)
    }

    /// What an agent is told of a right that it is given, in the space that it shares with its
    /// parent; nothing for a session that is no agent, or that shares none with the caller.
    pub(crate) fn note_of_grant(
        &self,
        agent: SessionId,
        space: &str,
        grant: &GrantRequest,
    ) -> Result<Option<Box<GrantNote>>, Problem> {
        let Some(charter) = self.charter_of(agent)? else { return Ok(None) };
        if self.level(charter.dm).is_none_or(|it| it < Level::Append) {
            return Ok(None);
        }
        let metadata = [
            ("kind".to_owned(), "granted".into()),
            ("level".to_owned(), grant.level.to_string().as_str().into()),
            ("space".to_owned(), space.into()),
        ];
        let (space, text) = (charter.dm, grant.reason.clone());
        Ok(Some(Box::new(GrantNote { space, text, metadata: metadata.into() })))
    }
}
