//! What came of code.

use super::WokenAnswer;
use crate::operation::{Answer, Line, Page};
use crate::problem::{Problem, ProblemKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::{ActionEnd, ActionOutcome};

/// Why code has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeFailure {
    /// The class of the exception.
    pub class: String,
    /// The traceback, as Python writes it.
    pub traceback: String,
}

/// What came of code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeAnswer {
    /// What it has printed.
    pub printed: String,
    /// What it is told besides.
    pub notice: Option<String>,
    /// It has not failed.
    pub ok: bool,
    /// The value of its last expression, as Python writes it.
    #[serde(default)]
    pub value: Option<String>,
    /// Why it has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<CodeFailure>,
    /// Who hears of what it has written, where agents do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub woken: Option<WokenAnswer>,
}

impl From<ActionOutcome> for OutcomeAnswer {
    fn from(outcome: ActionOutcome) -> Self {
        let ActionOutcome { ending, printed, notice, .. } = outcome;
        match ending {
            ActionEnd::Done { value } => {
                OutcomeAnswer { printed, notice, ok: true, value, error: None, woken: None }
            }
            ActionEnd::Failed { class, traceback } => {
                let error = Some(CodeFailure { class, traceback });
                OutcomeAnswer { printed, notice, ok: false, value: None, error, woken: None }
            }
        }
    }
}

impl Answer for OutcomeAnswer {
    fn show(&self, to: &mut Page) {
        to.text(&self.printed);
        self.value.iter().for_each(|it| to.lines(it));
        if let Some(notice) = &self.notice {
            to.aside(Line::new().plain(format!("note: {notice}")));
        }
        if let Some(woken) = &self.woken {
            woken.show(to);
        }
    }

    fn failure(&self) -> Option<Problem> {
        let it = self.error.as_ref()?;
        let problem = Problem::new(ProblemKind::Action, it.traceback.trim_end());
        Some(problem.hint("stoa exec FILE --spaces NAME=LEVEL --json"))
    }
}
