//! Which embedder is asked, with what, and why there is no vector.

use std::time::Duration;
use stoa_endpoint::Key;

/// What makes the vectors of a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteConfig {
    /// Where, up to `/embeddings`: `http://127.0.0.1:11434/v1`.
    pub url: String,
    /// What it calls the model.
    pub model: String,
    /// The dimensions of its vectors; an answer with others is refused.
    pub dims: usize,
    /// What it is asked with, if it wants a key.
    pub key: Option<Key>,
}

/// Why there is no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum EmbedError {
    /// The settings cannot be used.
    #[error("embedder {what}: {why}")]
    Settings {
        /// Which of them.
        what: &'static str,
        why: String,
    },
    /// The key is to be in the environment, and is not.
    #[error("embedder key_env: {variable} is not set")]
    NoKey {
        /// Where it is to be.
        variable: String,
    },
    /// It did not answer in time, or at all.
    #[error("the embedder at {host} {why}")]
    Unreachable { host: String, why: String },
    /// It answered that it will not, now or to us.
    #[error("the embedder at {host} answers {status}: {complaint}")]
    Status {
        host: String,
        status: u16,
        /// In its words.
        complaint: String,
        /// When to come back, if it said so.
        after: Option<Duration>,
    },
    /// What it answered is no answer.
    #[error("the embedder at {host} answered with something invalid: {why}")]
    Invalid {
        host: String,
        /// What is wrong with it.
        why: String,
    },
}

impl EmbedError {
    /// Whether it is the text's fault: others would be answered.
    pub fn is_of_the_text(&self) -> bool {
        matches!(self, EmbedError::Status { status: 400 | 413 | 422, .. })
    }

    /// When to come back, if it said so.
    pub fn after(&self) -> Option<Duration> {
        match self {
            EmbedError::Status { after, .. } => *after,
            _ => None,
        }
    }
}
