//! What a caller calls others, and who is meant by a name that a caller is shown.

use super::Caller;
use stoa_actors::id::{ROOT, SessionId, SpaceId};
use stoa_actors::nearest::nearest;
use stoa_actors::rights::{Named, Subject};

/// What the owner of a directory is called.
pub const OWNER: &str = "owner";

impl Caller {
    /// What the caller calls a session: by its own name for it, or by the way to one under it, as
    /// `boss/helper`; itself as its parent calls it. Nothing where somebody on the way has no name.
    pub fn name_of(&self, session: SessionId) -> Option<String> {
        if session == self.session() && session != ROOT {
            return self.birth_name(session).1;
        }
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
        if self.session() != ROOT && self.birth_name(self.session()).1.as_deref() == Some(name) {
            return Some(self.session());
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

    /// The names of a session and of those above it, the highest first: `editor/critic`. One that has
    /// none is `-`.
    pub(crate) fn path_of(&self, session: SessionId) -> String {
        let shared = self.runtime.shared();
        let rights = shared.rights.read();
        let mut names = Vec::new();
        let mut at = session;
        while let Some(parent) = rights.birth(at).and_then(|it| it.parent) {
            names.push(rights.alias_of(parent, Named::Session(at)).unwrap_or("-"));
            at = parent;
        }
        names.reverse();
        names.join("/")
    }

    /// What the caller calls a space.
    pub fn name_of_space(&self, space: SpaceId) -> Option<String> {
        let shared = self.runtime.shared();
        let rights = shared.rights.read();
        rights.alias_of(self.session(), Named::Space(space)).map(str::to_owned)
    }

    /// A space that the caller can read and calls much like this.
    pub(crate) fn space_like(&self, name: &str) -> Option<String> {
        let shared = self.runtime.shared();
        let (now, rights) = (shared.clock.now(), shared.rights.read());
        let reads = |space| rights.level(self.session(), &Subject::Space(space), now).is_some();
        let known = rights.names(self.session()).filter_map(|(alias, it)| match it {
            Named::Space(space) if reads(space) => Some(alias),
            _ => None,
        });
        nearest(name, known.take(NEAREST_AMONG_MAX)).map(str::to_owned)
    }

    /// A living session that the caller sees under a name much like this: one whose own name is this
    /// and that is under another goes first.
    pub(crate) fn session_like(&self, name: &str) -> Option<String> {
        let living: Vec<SessionId> = {
            let shared = self.runtime.shared();
            let (own, rights) = (self.session(), shared.rights.read());
            let seen = |it: &SessionId| own == ROOT || rights.governs(own, *it);
            let living = rights.births().filter(|(_, birth)| birth.ended.is_none());
            living.map(|(it, _)| it).filter(seen).take(NEAREST_AMONG_MAX).collect()
        };
        let known: Vec<String> = living.into_iter().filter_map(|it| self.name_of(it)).collect();
        let below = |it: &&String| it.rsplit('/').next() == Some(name);
        let found = known.iter().find(below).cloned();
        found.or_else(|| nearest(name, known.iter().map(String::as_str)).map(str::to_owned))
    }
}

/// Names that another is compared with, to tell which was meant.
pub(crate) const NEAREST_AMONG_MAX: usize = 1_000;
