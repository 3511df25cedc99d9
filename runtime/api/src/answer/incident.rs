//! What goes wrong with an agent, told by the process that runs it.

use super::change::Actor;
use crate::agents::{Incident, Wrong};
use crate::envelope::instant;
use crate::operation::{Answer, Line, Page, Tone};
use crate::runtime::Runtime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::ROOT;

/// What is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentBody {
    /// What happened, in words.
    pub text: String,
    /// When the turn is tried again, or the model asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<String>,
}

/// What has gone wrong with an agent, or is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentAnswer {
    /// When it was told.
    pub ts: String,
    /// What: `turn.failed`, `model.deferred`, `agent.quarantined`, `agent.parked`, `agent.exhausted`,
    /// `agent.resumed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The agent that it happened to.
    pub actor: Actor,
    /// What is said of it.
    pub body: IncidentBody,
}

impl IncidentAnswer {
    /// As the owner of the directory sees it.
    pub fn of(runtime: &Runtime, incident: &Incident) -> IncidentAnswer {
        let (kind, text, next_try) = match &incident.what {
            Wrong::Failed { why, next_try } => ("turn.failed", why.clone(), Some(*next_try)),
            Wrong::Quarantined { why } => ("agent.quarantined", why.clone(), None),
            Wrong::Parked { hops } => ("agent.parked", format!("{hops} reactions in a row"), None),
            Wrong::Exhausted { what } => ("agent.exhausted", what.clone(), None),
            Wrong::Deferred { why, next_try } => ("model.deferred", why.clone(), Some(*next_try)),
            Wrong::Resumed => ("agent.resumed", String::new(), None),
        };
        IncidentAnswer {
            ts: instant(runtime.now()),
            kind: kind.to_owned(),
            actor: Actor::of(&runtime.caller(ROOT), incident.agent),
            body: IncidentBody { text, next_try: next_try.map(instant) },
        }
    }
}

impl Answer for IncidentAnswer {
    fn show(&self, to: &mut Page) {
        let (tone, said) = match self.kind.as_str() {
            "turn.failed" => (Tone::Bad, "turn failed"),
            "agent.quarantined" => (Tone::Bad, "quarantined"),
            "model.deferred" => (Tone::Warn, "waits for its model"),
            "agent.parked" => (Tone::Warn, "parked"),
            "agent.exhausted" => (Tone::Warn, "out of budget"),
            _ => (Tone::Good, "resumed"),
        };
        let line =
            Line::new().dim(to.time(&self.ts)).plain("  ").bold(self.actor.shown()).plain("  ");
        let mut line = line.piece(tone, said);
        if !self.body.text.is_empty() {
            line = line.plain(format!(": {}", self.body.text));
        }
        if let Some(next) = &self.body.next_try {
            line = line.plain(format!("; next try {}", to.time(next)));
        }
        to.line(line);
    }
}
