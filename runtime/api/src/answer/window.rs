//! What an agent's model was told, message by message.

use super::AgentAnswer;
use crate::agents::{ShownMessage, ShownRole};
use crate::operation::{Answer, Line, Page, Tone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One message of what an agent's model was told at a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowAnswer {
    /// The turn that it was told in.
    pub turn: u64,
    /// The step of the turn.
    pub step: u32,
    /// Whose it is: `system`, `told`, `said` (by the model), `observed` (what its code printed), or
    /// `note` for what was not sent.
    pub role: String,
    /// What it says in words.
    pub text: String,
    /// The code in it, where some was to be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl WindowAnswer {
    /// Of a message that was told at a step.
    pub fn of(turn: u64, step: u32, message: ShownMessage) -> WindowAnswer {
        let role = match message.role {
            ShownRole::System => "system",
            ShownRole::Told => "told",
            ShownRole::Said => "said",
            ShownRole::Observed => "observed",
            ShownRole::Note => "note",
        };
        WindowAnswer { turn, step, role: role.into(), text: message.text, code: message.code }
    }
}

impl Answer for WindowAnswer {
    fn show(&self, to: &mut Page) {
        if self.role == "note" {
            to.aside(Line::new().piece(Tone::Warn, &self.text));
            return;
        }
        to.line(Line::new().bold(format!("── {}", self.role)));
        for line in self.text.trim_end().lines() {
            to.verbatim(Tone::Plain, line);
        }
        for line in self.code.iter().flat_map(|it| it.trim_end().lines()) {
            to.verbatim(Tone::Dim, line);
        }
    }
}

/// An agent, or what its model was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AgentShown {
    /// The agent as it is.
    Agent(Box<AgentAnswer>),
    /// One message of what its model was told.
    Told(Box<WindowAnswer>),
}

impl AgentShown {
    /// The agent, if it is one.
    pub fn agent(self) -> Option<AgentAnswer> {
        match self {
            AgentShown::Agent(agent) => Some(*agent),
            AgentShown::Told(_) => None,
        }
    }
}

impl Answer for AgentShown {
    fn show(&self, to: &mut Page) {
        match self {
            AgentShown::Agent(it) => it.show(to),
            AgentShown::Told(it) => it.show(to),
        }
    }
}
