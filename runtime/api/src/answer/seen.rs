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
pub enum SeenAtom {
    /// A change of a space.
    Change(Box<ChangeAnswer>),
    /// What an agent did.
    Happened(Box<Happened>),
}

impl SeenAtom {
    pub(crate) fn change(caller: &Caller, change: &Change) -> SeenAtom {
        SeenAtom::Change(Box::new(ChangeAnswer::of(caller, change)))
    }

    pub(crate) fn happened(caller: &Caller, it: AgentEvent) -> SeenAtom {
        SeenAtom::Happened(Box::new(Happened::of(caller, it)))
    }
}

impl Answer for SeenAtom {
    fn show(&self, to: &mut Page) {
        match self {
            SeenAtom::Change(it) => it.show(to),
            SeenAtom::Happened(it) => it.show(to),
        }
    }
}
