//! A lease.

use crate::caller::Caller;
use crate::envelope::instant;
use crate::operation::{Answer, Line, Page};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::ending::shown;
use stoa_actors::printable::one_line;
use stoa_actors::space::{Lease, Resource};

/// Who has something to itself, and until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeaseAnswer {
    /// Where.
    pub space: String,
    /// The id of an atom, or a name.
    pub resource: String,
    /// Which of the two: `atom` or `name`.
    pub of: String,
    /// What its holder proves it by.
    pub token: u64,
    /// The session that has it.
    pub holder: String,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_name: Option<String>,
    /// When it ends by itself.
    pub until: String,
    /// What for.
    pub intent: String,
}

impl LeaseAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, lease: &Lease) -> LeaseAnswer {
        let (of, resource) = match &lease.resource {
            Resource::Atom(id) => ("atom", id.to_string()),
            Resource::Name(name) => ("name", name.clone()),
        };
        LeaseAnswer {
            space: lease.space.to_string(),
            resource,
            of: of.to_owned(),
            token: lease.token,
            holder: lease.holder.to_string(),
            holder_name: caller.name_of(lease.holder),
            until: instant(lease.until),
            intent: lease.intent.clone(),
        }
    }
}

impl Answer for LeaseAnswer {
    fn show(&self, to: &mut Page) {
        let about = if self.intent.is_empty() { "" } else { "  " };
        let by = self.holder_name.as_deref().unwrap_or_else(|| shown(&self.holder));
        let what = if self.of == "atom" { shown(&self.resource) } else { &self.resource };
        to.line(
            Line::new()
                .dim("leased")
                .plain(format!(" {}  token ", one_line(what)))
                .bold(self.token)
                .plain(format!("  until {}  ", self.until))
                .dim(format!("by {by}"))
                .plain(format!("{about}{}", self.intent)),
        );
    }
}
