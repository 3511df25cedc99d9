//! What a piece of research may take.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `PROBE_BYTES` | `8 << 10` | how much of a file is read before it is told from a binary |
//! | `HIGH_PERCENT_MAX` | `15` | what counts as a text in Latin-1 |
//! | `CONTROL_PERMILLE_MAX` | `5` | what counts as a text |
//! | `CATALOGUE_ENTRIES` | `1_000` | the form of a space of sources: where its catalogue is |

/// What one piece of research may take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ResearchLimits {
    /// The question, in UTF-8 bytes.
    pub question_bytes_max: usize,
    pub researchers_max: usize,
    /// Drafts of a model that are looked at; of the last one what is held is the answer.
    pub drafts_max: usize,
    /// One draft, in UTF-8 bytes.
    pub draft_bytes_max: usize,
    /// Places that one sentence of a draft may name.
    pub places_max: usize,
    /// Lines of one place that a draft names.
    pub place_lines_max: u64,
    /// One place, in UTF-8 bytes.
    pub place_bytes_max: usize,
    /// Passages of one place that an answer refers to.
    pub place_passages_max: usize,
    /// What an answer cites, in UTF-8 bytes: it is kept with it.
    pub cited_bytes_max: usize,
    /// Sentences of one draft.
    pub sentences_max: usize,
    /// How often somebody who looks on is told how far it is.
    pub look_ms: u64,
    pub sources: SourceLimits,
}

impl Default for ResearchLimits {
    fn default() -> Self {
        Self {
            question_bytes_max: 8 << 10,
            researchers_max: 64,
            drafts_max: 4,
            draft_bytes_max: 16 << 10,
            places_max: 6,
            place_lines_max: 20,
            place_bytes_max: 6 << 10,
            place_passages_max: 8,
            cited_bytes_max: 24 << 10,
            sentences_max: 60,
            look_ms: 100,
            sources: SourceLimits::default(),
        }
    }
}

/// What bounds documents that are read into a space. What is over a limit of one file is skipped
/// and listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLimits {
    /// Files of one call; more are refused before any is read.
    pub files_max: usize,
    /// One file as it is on disk.
    pub file_bytes_max: usize,
    /// One file that was packed.
    pub unpacked_bytes_max: usize,
    /// How often a file is read that changes while it is.
    pub file_tries_max: u32,
    /// Files read at the same time.
    pub reads_max: usize,
    /// Files in memory together, in bytes on disk; one at least.
    pub bytes_max: usize,
    /// Writes on their way at the same time, and files under way.
    pub writes_max: usize,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            files_max: 100_000,
            file_bytes_max: 8 << 20,
            unpacked_bytes_max: 32 << 20,
            file_tries_max: 3,
            reads_max: 2,
            bytes_max: 32 << 20,
            writes_max: 256,
        }
    }
}
