//! What is told of the things that there are: as JSON, which scripts rely on, and as people see it.
//!
//! A name stands beside every id that the caller has a name for. An id is told whole; what takes an
//! id takes its end as well.

mod access;
mod agent;
mod atom;
mod change;
mod difference;
mod incident;
mod lease;
mod outcome;
mod report;
mod seen;
mod space;
mod status;
mod subscription;
mod woken;

pub use access::{AccessAnswer, SessionAnswer};
pub use agent::{AgentAnswer, Failed, Happened};
pub use atom::AtomAnswer;
pub use change::{Actor, ChangeAnswer, ChangeBody, ChangeRefs, RightAnswer};
pub use difference::DifferenceAnswer;
pub use incident::{IncidentAnswer, IncidentBody};
pub use lease::LeaseAnswer;
pub use outcome::OutcomeAnswer;
pub use report::ReportAnswer;
pub use seen::Seen;
pub use space::SpaceAnswer;
pub use status::{FailingAnswer, StatusAnswer};
pub use subscription::{Read, SubscriptionAnswer};
pub use woken::{NOBODY_RUNS, WokenAnswer};

use crate::caller::Caller;
use crate::operation::Page;
use stoa_actors::id::{ROOT, SessionId, SpaceId};
use stoa_actors::rights::Named;

/// A word for each thing: one of it, or more.
pub(crate) fn count(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// What the owner of a directory is called.
pub(crate) const OWNER: &str = "owner";

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
    pub(crate) fn session_shown_as(&self, name: &str) -> Option<SessionId> {
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
    pub(crate) fn birth_name(&self, session: SessionId) -> (Option<SessionId>, Option<String>) {
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

/// Answers that say one thing in one field, and one line.
macro_rules! plain_answer {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)? } $show:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl $crate::operation::Answer for $name {
            fn show(&self, to: &mut $crate::operation::Page) {
                let line: fn(&$name) -> String = $show;
                to.plain(line(self));
            }
        }
    };
}
pub(crate) use plain_answer;

/// What stands for an answer of an operation that gives none.
impl crate::operation::Answer for () {
    fn show(&self, _: &mut Page) {}
}
