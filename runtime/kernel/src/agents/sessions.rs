//! The sessions that there are, and what each is doing.

use crate::caller::Caller;
use crate::problem::Problem;
use stoa_actors::id::{Millis, ROOT, SessionId};

/// A session, as those see it who may.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct SessionCard {
    pub id: SessionId,
    /// Who brought it up; nothing for the owner.
    pub parent: Option<SessionId>,
    /// `owner`, `agent`, `session`, or `action` for one that ends with its action.
    pub kind: &'static str,
    /// What it is doing: that of an agent, else `living` or `ended`.
    pub state: String,
    /// When it came to be.
    pub since: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
}

impl Caller {
    /// The caller's own session and those under it, all of them for the owner; the oldest first.
    pub async fn sessions(&self, ended: bool) -> Result<Vec<SessionCard>, Problem> {
        let mut states = self.phases().await?;
        let (own, runtime) = (self.session(), &self.runtime);
        let rights = runtime.shared().rights.read();
        let sees = |it: SessionId| own == ROOT || it == own || rights.governs(own, it);
        let mut cards = Vec::new();
        for (id, birth) in rights.births().filter(|(_, it)| ended || it.ended.is_none()) {
            let Some(kind) = rights.sort_of(id).filter(|_| sees(id)) else { continue };
            let state = match (birth.ended, kind) {
                (Some(_), _) => "ended".to_owned(),
                (None, "agent") => match states.remove(&id) {
                    _ if runtime.out_of_service(id).is_some() => "quarantined".to_owned(),
                    Some(word) if word == "running" => runtime.in_a_turn().to_owned(),
                    Some(word) => word,
                    None => "idle".to_owned(),
                },
                (None, _) => "living".to_owned(),
            };
            let (parent, since, ended) = (birth.parent, birth.at, birth.ended);
            cards.push(SessionCard { id, parent, kind, state, since, ended });
        }
        cards.sort_by_key(|it| (it.since, it.id));
        Ok(cards)
    }
}
