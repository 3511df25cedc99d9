//! A lease.

use crate::caller::Caller;
use crate::envelope::instant;
use crate::operation::{Answer, Column, Line, Page, TextTable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::ending::shown;
use stoa_actors::space::{Lease, Resource};

/// Who has something to itself, and until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeaseAnswer {
    /// The id of the space.
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
    /// What it was taken for, in the words of its holder.
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

/// Leases, one a line.
static LEASES: TextTable = TextTable {
    columns: &[
        Column::new("LEASED"),
        Column::new("BY"),
        Column::new("UNTIL"),
        Column::number("TOKEN").left_out(1),
        Column::new("INTENT").cut_to(8).left_out(2),
    ],
    headed: true,
    tree: false,
};

impl LeaseAnswer {
    fn by(&self) -> &str {
        self.holder_name.as_deref().unwrap_or_else(|| shown(&self.holder))
    }

    /// It, below what is leased.
    pub(super) fn line(&self, to: &Page) -> Line {
        let line = Line::new().dim("leased  token ").bold(self.token);
        line.plain(format!("  until {}  {}", to.time(&self.until), self.intent))
    }
}

impl Answer for LeaseAnswer {
    fn show(&self, to: &mut Page) {
        let what = if self.of == "atom" { shown(&self.resource) } else { &self.resource };
        let cells = [
            Line::new().bold(what),
            Line::new().plain(self.by()),
            Line::new().plain(to.time(&self.until)),
            Line::new().plain(self.token),
            Line::new().plain(&self.intent),
        ];
        to.row(&LEASES, cells);
    }
}
