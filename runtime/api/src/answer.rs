//! What is told of the things that there are: as JSON, which scripts rely on, and as people see it.
//!
//! A name stands beside every id that the caller has a name for. An id is told whole; what takes an
//! id takes its end as well.

mod access;
mod agent;
mod atom;
mod change;
mod cost;
mod difference;
mod happens;
mod incident;
mod lease;
mod live;
mod origin;
mod outcome;
mod report;
mod seen;
mod space;
mod span;
mod status;
mod subscription;
mod undeclared;
mod window;
mod woken;

pub use access::{AccessAnswer, SessionAnswer};
pub use agent::{AgentAnswer, Failed, Happened};
pub use atom::AtomAnswer;
pub use change::{Actor, ChangeAnswer, ChangeBody, ChangeRefs, RightAnswer};
pub use cost::{CostAnswer, amounts};
pub use difference::DifferenceAnswer;
pub use incident::{IncidentAnswer, IncidentBody};
pub use lease::LeaseAnswer;
pub use live::{AgentLine, LiveAnswer, LiveKind};
pub use origin::OriginAnswer;
pub use outcome::OutcomeAnswer;
pub use report::ReportAnswer;
pub use seen::SeenAtom;
pub use space::SpaceAnswer;
pub use span::{SpanAnswer, SpanLink, SpanProblem, TraceLine, TraceUpto};
pub use status::{FailingAnswer, IndexAnswer, StatusAnswer, VectorAnswer};
pub use subscription::{SubscriptionAnswer, SubscriptionEntry};
pub use undeclared::UndeclaredAnswer;
pub use window::{AgentShown, WindowAnswer};
pub use woken::{HeldAnswer, NOBODY_RUNS, WokenAnswer};

use crate::operation::Page;

pub(crate) use stoa_actors::printable::count;

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
