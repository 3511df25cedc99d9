//! What is asked of a model, in the same words whoever the provider is.

use crate::reply::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One request: all that a model is told, since it keeps nothing between two.
///
/// What comes first in it should never change from one request to the next: providers keep what they
/// have read once, as far as it stands at the same place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelRequest {
    /// The model, as its provider names it.
    pub model: String,
    /// What holds for all turns, in parts.
    pub system: Vec<String>,
    /// The tools that it may have called.
    pub tools: Vec<ToolSpec>,
    /// What was said so far, the oldest first.
    pub messages: Vec<ModelMessage>,
    /// The most tokens that it may say, reasoning included. It is always sent.
    pub output_max: u64,
    /// The window of the model in tokens, where a server has to be told of it.
    pub window: Option<u64>,
    /// How it chooses its words. Nothing of it is sent that is not set: newer models refuse it.
    pub sampling: Sampling,
    /// How much it thinks, in the provider's word.
    pub effort: Option<String>,
}

/// How a model chooses its words.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampling {
    /// From 0, for the likeliest, upwards.
    pub temperature: Option<f64>,
    /// The part of all likelihood that is chosen from.
    pub top_p: Option<f64>,
    /// The same seed may give the same words.
    pub seed: Option<u64>,
}

impl Sampling {
    /// What is set, with the name that every protocol but Anthropic's has for it.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&'static str, Json)> {
        let number = |it: Option<f64>| it.map(Json::from);
        let all = [
            ("temperature", number(self.temperature)),
            ("top_p", number(self.top_p)),
            ("seed", self.seed.map(Json::from)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

/// A tool, as a model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// What it is called by: letters, digits, `_` and `-`.
    pub name: String,
    /// What it does, and when to call it.
    pub description: String,
    /// The JSON schema of its arguments, an object.
    pub parameters: Json,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelMessage {
    /// What the model is told.
    User(Vec<MessagePart>),
    /// What it said.
    Assistant(Said),
    /// What came of its calls.
    Results(Vec<CallResult>),
}

/// What a model said, as it is told to it again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// What it said in words.
    pub text: String,
    /// The calls that it wanted.
    pub calls: Vec<Call>,
    /// As it came, where it goes back to the same model of the same provider: signed reasoning is
    /// taken back in no other form, and by no other model. Otherwise nothing.
    pub blocks: Vec<Json>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessagePart {
    /// Words, or what reads as words.
    Text(String),
    /// An image, for models that take them.
    Image {
        /// `image/png` and the like.
        media_type: String,
        /// Its bytes in base 64.
        base64: String,
    },
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// The id of the call.
    pub id: String,
    /// The tool that was called.
    pub name: String,
    /// What it answered.
    pub text: String,
    /// Whether it failed.
    pub failed: bool,
}

/// Who asks a model, and at what. Ids are others in each run: an agent is its name, behind those of the
/// agents above it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// `editor/critic`; one that has no name is `-`. Nothing where no agent asks.
    pub agent: String,
    /// The turn, from 1.
    pub turn: u64,
    /// The step within the turn, from 1.
    pub step: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.agent.as_str() {
            "" => f.write_str("nobody"),
            agent => write!(f, "{agent}, turn {}, step {}", self.turn, self.step),
        }
    }
}
