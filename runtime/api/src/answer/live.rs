//! What an agent's model is saying while it says it.

use super::{Happened, count};
use crate::operation::{Answer, Line, Page, Tone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::live::{Live, LivePart};

/// A line of an agent's log, or what is said meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AgentLine {
    /// An entry of its log.
    Happened(Box<Happened>),
    /// What its model is saying: in no log, and not sure before it is in one.
    Live(LiveAnswer),
}

/// What is said while a model is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveAnswer {
    /// What this line tells.
    pub live: LiveKind,
    /// The turn in which it is said.
    pub turn: u64,
    /// The step of the turn.
    pub step: u32,
    /// What is said, or why it is withdrawn; of a call the name of what is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Bytes that were said and are not told, for nobody read them in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What a line tells of a request to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LiveKind {
    /// The model is asked; what was said before and was not kept counts for nothing.
    Asked,
    /// More of its text.
    Text,
    /// More of its reasoning.
    Reasoning,
    /// It calls a tool.
    Call,
    /// More of the arguments of that call, as JSON.
    Arguments,
    /// What was said since it was asked is in the log now.
    Kept,
    /// What was said since it was asked counts for nothing.
    Withdrawn,
    /// Something was said here that is not told.
    Missed,
}

impl From<Live> for LiveAnswer {
    fn from(live: Live) -> LiveAnswer {
        let Live { turn, step, part } = live;
        let (live, text, bytes) = match part {
            LivePart::Asked => (LiveKind::Asked, None, None),
            LivePart::Text(text) => (LiveKind::Text, Some(text), None),
            LivePart::Reasoning(text) => (LiveKind::Reasoning, Some(text), None),
            LivePart::Call(name) => (LiveKind::Call, Some(name), None),
            LivePart::Arguments(text) => (LiveKind::Arguments, Some(text), None),
            LivePart::Kept => (LiveKind::Kept, None, None),
            LivePart::Withdrawn(why) => (LiveKind::Withdrawn, Some(why), None),
            LivePart::Missed(bytes) => (LiveKind::Missed, None, Some(bytes)),
        };
        LiveAnswer { live, turn, step, text, bytes }
    }
}

impl Answer for AgentLine {
    fn show(&self, to: &mut Page) {
        match self {
            AgentLine::Happened(it) => it.show(to),
            AgentLine::Live(it) => it.show(to),
        }
    }
}

impl Answer for LiveAnswer {
    fn show(&self, to: &mut Page) {
        let text = self.text.as_deref().unwrap_or_default();
        match self.live {
            // What is kept is shown as a line of the log.
            LiveKind::Asked | LiveKind::Kept => {}
            LiveKind::Text => to.words(Tone::New, text),
            LiveKind::Reasoning | LiveKind::Arguments => to.words(Tone::Dim, text),
            LiveKind::Call => to.line(Line::new().dim(format!("calls {text}"))),
            LiveKind::Withdrawn => {
                to.line(Line::new().piece(Tone::Warn, "withdrawn: ").plain(text));
            }
            LiveKind::Missed => {
                let missed = count(self.bytes.unwrap_or(0), "byte", "bytes");
                to.line(Line::new().dim(format!("… {missed} not shown …")));
            }
        }
    }
}
