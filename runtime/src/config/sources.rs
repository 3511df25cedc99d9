//! What is read of documents.

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
