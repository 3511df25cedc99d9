//! What is followed: changes of spaces, and what agents did.

use super::{ChangeAnswer, Happened};
use crate::agents::AgentEvent;
use crate::caller::{Caller, Change};
use crate::operation::{Answer, Page};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Seen {
    /// A change of a space.
    Change(Box<ChangeAnswer>),
    /// What an agent did.
    Happened(Box<Happened>),
}

impl Seen {
    pub(crate) fn change(caller: &Caller, change: &Change) -> Seen {
        Seen::Change(Box::new(ChangeAnswer::of(caller, change)))
    }

    pub(crate) fn happened(caller: &Caller, it: AgentEvent) -> Seen {
        Seen::Happened(Box::new(Happened::of(caller, it)))
    }
}

impl Answer for Seen {
    fn show(&self, to: &mut Page) {
        match self {
            Seen::Change(it) => it.show(to),
            Seen::Happened(it) => it.show(to),
        }
    }
}
