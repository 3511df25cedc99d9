//! What a caller calls others, and who is meant by a name that a caller is shown.

use super::Caller;
use stoa_actors::id::{ROOT, SessionId, SpaceId};
use stoa_actors::rights::Named;

/// What the owner of a directory is called.
pub const OWNER: &str = "owner";

impl Caller {
    /// What the caller calls a session: by its own name for it, or by the way to one under it, as
    /// `boss/helper`. Nothing where somebody on the way has no name.
    pub fn name_of(&self, session: SessionId) -> Option<String> {
        let shared = self.runtime.shared();
        let rights = shared.rights.read();
        let own = |it| rights.alias_of(self.session(), Named::Session(it));
        let (mut names, mut at) = (Vec::new(), session);
        loop {
            if let Some(alias) = own(at) {
                names.push(alias);
                names.reverse();
                return Some(names.join("/"));
            }
            if at == ROOT || !rights.governs(self.session(), at) {
                return (session == ROOT).then(|| OWNER.to_owned());
            }
            let parent = rights.birth(at)?.parent?;
            names.push(rights.alias_of(parent, Named::Session(at))?);
            if parent == self.session() {
                return None;
            }
            at = parent;
        }
    }

    /// The session that the caller is shown under this name: `owner`, or the way to one under it.
    pub fn session_shown_as(&self, name: &str) -> Option<SessionId> {
        if name == OWNER {
            return Some(ROOT);
        }
        let shared = self.runtime.shared();
        let rights = shared.rights.read();
        name.split('/').try_fold(self.session(), |at, name| match rights.called(at, name) {
            Some(Named::Session(next)) => Some(next),
            _ => None,
        })
    }

    /// Who brought a session up, and what that one calls it.
    pub fn birth_name(&self, session: SessionId) -> (Option<SessionId>, Option<String>) {
        let shared = self.runtime.shared();
        let rights = shared.rights.read();
        let parent = rights.birth(session).and_then(|it| it.parent);
        let name = parent.and_then(|it| rights.alias_of(it, Named::Session(session)));
        (parent, name.map(str::to_owned))
    }

    /// What the caller calls a space.
    pub fn name_of_space(&self, space: SpaceId) -> Option<String> {
        let shared = self.runtime.shared();
        let rights = shared.rights.read();
        rights.alias_of(self.session(), Named::Space(space)).map(str::to_owned)
    }
}
