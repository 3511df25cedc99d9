//! Who may do what, as far as a caller may know of it.

use super::Caller;
use super::OWNER;
use crate::problem::{Problem, ProblemKind};
use stoa_actors::id::{Millis, ROOT, SessionId, SpaceId};
use stoa_actors::rights::Link;

/// One right that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct AccessCard {
    /// From whom, to whom, what, until when and why.
    pub link: Link,
    pub since: Millis,
}

impl Caller {
    /// The rights that there are now on a space, of one session, or of one session on a space: those
    /// that concern the caller, and those on spaces where it may grant rights.
    pub async fn access(
        &self,
        space: Option<SpaceId>,
        of: Option<SessionId>,
    ) -> Result<Vec<AccessCard>, Problem> {
        self.reading(move |caller| {
            let now = caller.runtime.now();
            let links = {
                let rights = caller.runtime.shared().rights.read();
                rights.links_told(caller.session(), space, of, now)
            };
            let since = |link: Link| {
                let (runtime, id) = (&caller.runtime, link.id);
                let given = runtime.facts().given(runtime.store(), id)?.map(|it| it.body.at);
                let born = || runtime.shared().rights.read().birth(link.to).map(|it| it.at);
                let since = given.or_else(born).unwrap_or_default();
                Ok(AccessCard { link, since })
            };
            links.into_iter().map(since).collect()
        })
        .await
    }

    /// The session whose rights are asked for. One that the caller has no name for and that is not
    /// under it is there for it only where one of its rights is.
    pub async fn session_of_access(
        &self,
        name: &str,
        space: Option<SpaceId>,
    ) -> Result<(SessionId, Vec<AccessCard>), Problem> {
        let unknown = || {
            let text = format!("no session {name:?} that you may see");
            let problem = Problem::new(ProblemKind::Unknown, text).hint("stoa session list");
            problem.meant(self.session_like(name), "access --of")
        };
        let session = match self.session_named(name) {
            Ok(session) => session,
            Err(problem) if problem.kind == ProblemKind::Conflict => return Err(problem),
            Err(_) if name == OWNER => ROOT,
            // What its parent calls it, and it itself does not.
            Err(_) if self.birth_name(self.session()).1.as_deref() == Some(name) => self.session(),
            Err(_) => self.session_shown_as(name).ok_or_else(unknown)?,
        };
        let access = self.access(space, Some(session)).await?;
        let known = !access.is_empty() || session == self.session() || {
            let rights = self.runtime.shared().rights.read();
            let named = stoa_actors::rights::Named::Session(session);
            rights.governs(self.session(), session)
                || rights.alias_of(self.session(), named).is_some()
        };
        if known { Ok((session, access)) } else { Err(unknown()) }
    }
}
