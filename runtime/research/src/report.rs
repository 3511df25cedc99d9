//! What is told of a run: while it goes on, and when it is over.

use super::draft::Place;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

/// What an answer says, and the lines that hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct AnswerSentence {
    pub text: String,
    pub citations: Vec<Citation>,
}

impl AnswerSentence {
    pub(super) fn quoted(citation: &Citation) -> AnswerSentence {
        AnswerSentence { text: citation.text.clone(), citations: vec![citation.clone()] }
    }

    pub(super) fn of(value: &Value) -> Option<AnswerSentence> {
        let Value::Map(map) = value else { return None };
        let Value::List(list) = map.get("citations")? else { return None };
        let citations = list.iter().filter_map(Citation::of).collect();
        Some(AnswerSentence { text: map.get("text")?.text()?.to_owned(), citations })
    }
}

/// Where a sentence stands, or the lines that hold it.
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
    /// As it is written in an answer.
    pub(super) fn place(&self) -> Place {
        Place { path: self.path.clone(), line: self.line, last: self.last }
    }

    pub(super) fn value(&self) -> Value {
        let Citation { text, path, line, last } = self;
        Value::Map(BTreeMap::from([
            ("text".to_owned(), Value::Text(text.clone())),
            ("path".to_owned(), Value::Text(path.clone())),
            ("line".to_owned(), Value::Int(*line as i64)),
            ("last".to_owned(), Value::Int(*last as i64)),
        ]))
    }

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
    /// What it says, sentence by sentence; nothing where there is no answer.
    pub sentences: Vec<AnswerSentence>,
    /// Where its sentences stand, or what came nearest.
    pub citations: Vec<Citation>,
    /// Sentences of a model that the lines they name do not hold.
    pub left_out: u64,
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
