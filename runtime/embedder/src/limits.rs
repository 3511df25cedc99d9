//! Who makes vectors, and what an embedder that is asked may take.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `WORD_CHARS_MAX` | `100` | what counts as a word in the embedding's vocabulary |
//! | `NUMBER_BYTES_MAX` | `32` | an embedder's protocol: one number of an answer |
//! | `AROUND_BYTES` | `64 << 10` | an embedder's protocol: what surrounds the numbers |
//! | `COMPLAINT_BYTES` | `4 << 10` | bytes of an endpoint's complaint that are read |
//! | `COMPLAINT_CHARS_MAX` | `300` | characters of it that are told on |

use crate::settings::RemoteConfig;

/// The embedder that is built in, or another one over HTTP.
#[derive(Clone, Debug)]
pub struct EmbeddingConfig {
    /// The one whose vectors searches go by; the built-in one without.
    pub remote: Option<RemoteConfig>,
    /// Dimensions that it may have.
    pub dims_max: usize,
    /// Texts of one request to it.
    pub batch_texts: usize,
    /// Their bytes, about.
    pub batch_bytes: usize,
    /// How long it may take for one.
    pub request_ms_max: u64,
    /// How long it may take for what is searched for; the search goes by words then.
    pub query_ms_max: u64,
    /// Vectors of what was searched for last that are kept.
    pub queries_kept: usize,
    /// How long to wait before it is asked again; doubled with each failure.
    pub retry_ms: u64,
    /// The longest wait.
    pub retry_ms_max: u64,
}

impl Default for EmbeddingConfig {
    fn default() -> Self {
        EmbeddingConfig {
            remote: None,
            dims_max: 4_096,
            batch_texts: 64,
            batch_bytes: 128 << 10,
            request_ms_max: 30_000,
            query_ms_max: 2_000,
            queries_kept: 1_024,
            retry_ms: 500,
            retry_ms_max: 60_000,
        }
    }
}
