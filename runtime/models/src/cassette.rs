//! A cassette: what models were asked and what they answered, on file. A run that is replayed from it
//! asks nobody, and needs no key.
//!
//! ```text
//! run ── request ── Provider ──┬── network ── answer      recorded: a line for each exchange
//!                              └── cassette ── answer     replayed: the line of the same agent,
//!                                                         turn and step that was asked the same
//! ```
//!
//! The file is JSON Lines. The first line is its [`CassetteHeader`], each other one an [`Exchange`]; each has a
//! hash of itself and of all before it, so a line that was changed is found. A request is compared as
//! JSON in which each id and each time is replaced by its place among those it names ([`names`]): these
//! differ from run to run. What a recorded answer names of them is told by the names of the run that
//! replays. No secret is in it: headers of requests are not written at all, and a key is taken out of
//! what anybody says.
//!
//! By crash: a line is written before its answer is acted upon, so a run that was killed and went on has
//! all of its thoughts in it. A last line that is half is dropped.

mod file;
pub mod names;
mod record;
mod replay;
#[cfg(test)]
mod tests;

pub use record::{Recorder, Tape};
pub use replay::{Played, Replay};

use crate::fault::FaultKind;
use crate::request::Place;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::Arc;
use stoa_actors::id::Millis;
use stoa_kernel::clock::RunOrigin;

/// Bytes of a cassette.
pub const CASSETTE_BYTES_MAX: u64 = 256 << 20;

/// What is done with a cassette.
#[derive(Clone, Debug)]
pub enum Cassette {
    /// What is asked and answered is written to it.
    Record(Arc<Recorder>),
    /// Nobody is asked: it answers.
    Replay(Arc<Replay>),
}

impl Cassette {
    /// How the run began that is on it: a new directory that begins so has the same ids.
    pub fn origin(&self) -> RunOrigin {
        let header = match self {
            Cassette::Record(recorder) => recorder.header(),
            Cassette::Replay(replay) => replay.header(),
        };
        RunOrigin { seed: header.seed, began: Millis(header.began_ms) }
    }
}

/// How the run began that is on a cassette: its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CassetteHeader {
    /// The form of the file: [`FORM`].
    pub cassette: u32,
    /// The version that has written it.
    pub version: String,
    /// What its ids were drawn from.
    pub seed: u64,
    /// What its clock began with, in milliseconds since 1970.
    pub began_ms: u64,
}

/// The form of the file that this build writes and reads.
pub const FORM: u32 = 1;

/// A request and its answer, as they went over the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Who has asked.
    #[serde(flatten)]
    pub place: Place,
    /// When it was asked, in milliseconds since the run began.
    pub at_ms: u64,
    /// Who was asked.
    pub provider: String,
    /// How it was spoken to.
    pub dialect: String,
    /// The body of the request.
    pub request: Json,
    /// The status of the answer; nothing where none came.
    pub status: Option<u16>,
    /// Those headers of it that are acted upon.
    pub headers: Vec<(String, String)>,
    /// Its body, as it came.
    pub pieces: Vec<RecordedPiece>,
    /// How it ended.
    pub end: AnswerEnd,
    /// When it ended, in milliseconds since it was asked.
    pub took_ms: u64,
}

/// What came at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPiece {
    /// When, in milliseconds since it was asked.
    pub ms: u64,
    /// Its bytes, in one of two forms.
    #[serde(flatten)]
    pub bytes: PieceBytes,
}

/// Bytes as they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PieceBytes {
    /// That are text.
    Text(String),
    /// That are none, such as half of a letter: two hexadecimal digits each.
    Hex(String),
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerEnd {
    /// The server has closed it, or nothing of it was wanted any more.
    Whole,
    /// The one who asked did not wait for it: it is never whole.
    Cancelled,
    /// The connection failed.
    Broken {
        /// The kind of fault, as [`FaultKind::name`] has it.
        kind: String,
        /// What was wrong.
        text: String,
        /// Whether it may be paid for.
        paid: bool,
    },
}

impl PieceBytes {
    fn of(bytes: &[u8]) -> PieceBytes {
        match std::str::from_utf8(bytes) {
            Ok(text) => PieceBytes::Text(text.to_owned()),
            Err(_) => PieceBytes::Hex(bytes.iter().map(|it| format!("{it:02x}")).collect()),
        }
    }

    /// The bytes; nothing where it is no form of any.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            PieceBytes::Text(text) => Some(text.as_bytes().to_vec()),
            PieceBytes::Hex(digits) => {
                let digits = digits.as_bytes().chunks(2).map(std::str::from_utf8);
                digits.map(|it| u8::from_str_radix(it.ok()?, 16).ok()).collect()
            }
        }
    }
}

/// The kinds of fault that a connection has.
fn kind_of(name: &str) -> FaultKind {
    let all = [FaultKind::Cut, FaultKind::Silent, FaultKind::Network];
    all.into_iter().find(|it| it.name() == name).unwrap_or(FaultKind::Network)
}

/// Why a file is no cassette that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum CassetteError {
    /// The file system says so.
    #[error("cassette {}: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
    /// It is something else.
    #[error("cassette {}: line {line}: {why}", path.display())]
    Garbled { path: PathBuf, line: usize, why: String },
    /// Somebody has changed it.
    #[error("cassette {}: line {line} is not as it was recorded", path.display())]
    Changed { path: PathBuf, line: usize },
    /// More than [`CASSETTE_BYTES_MAX`].
    #[error("cassette {}: it has more than {CASSETTE_BYTES_MAX} bytes", path.display())]
    TooLong { path: PathBuf },
    /// Another process is recording to it.
    #[error("cassette {}: another process is recording to it", path.display())]
    Busy { path: PathBuf },
}
