//! What is told of a run: while it goes on, and when it is over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use stoa_actors::value::Value;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "numbers of what they are called")]
pub enum ResearchStep {
    /// The documents are read.
    Reading { files: u64, done: u64, passages: u64 },
    /// The agents work.
    Working { agents: u64, running: u64, tasks: u64, closed: u64, findings: u64 },
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AnswerSource {
    /// It was worked out now.
    Worked,
    /// A run that was cut off has gone on.
    Resumed,
    /// It was there, and the documents are the same.
    Stored,
}

/// Where a sentence stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Citation {
    pub text: String,
    pub path: String,
    /// The line it begins on, from 1.
    pub line: u64,
    /// The line it ends on.
    pub last: u64,
}

impl Citation {
    pub(super) fn of(value: &Value) -> Option<Citation> {
        let Value::Map(map) = value else { return None };
        let text = |key: &str| map.get(key).and_then(Value::text).map(str::to_owned);
        let number = |key: &str| match map.get(key) {
            Some(Value::Int(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        let (line, last) = (number("line")?, number("last")?);
        Some(Citation { text: text("text")?, path: text("path")?, line, last })
    }
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Report {
    /// What was asked.
    pub question: String,
    /// Whether the documents hold an answer.
    pub found: bool,
    /// The answer, each sentence with its place; or that there is none, and what came nearest.
    pub text: String,
    /// Where its sentences stand.
    pub citations: Vec<Citation>,
    /// Where it comes from.
    pub how: AnswerSource,
    /// The coordinator's name, and the beginning of the names of its spaces and agents.
    pub run: String,
    /// Agents that took part.
    pub agents: u64,
    /// Tasks, all closed.
    pub tasks: u64,
    pub findings: u64,
    /// Tasks whose researchers failed.
    pub failed: u64,
    /// Files that were read, now or before.
    pub files: u64,
    pub passages: u64,
    /// Files that were not, and why.
    pub skipped: Vec<(PathBuf, String)>,
}
