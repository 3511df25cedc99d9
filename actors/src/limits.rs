//! Every limit that a decision enforces, with its unit last and its default.

use serde::{Deserialize, Serialize};

/// What one mutation may carry. Over a limit is a refusal that names it; nothing is cut silently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Content of one atom.
    pub content_bytes_max: usize,
    /// Annotation of one atom.
    pub annotation_bytes_max: usize,
    /// Metadata of one atom, keys and values.
    pub metadata_bytes_max: usize,
    /// References of one atom.
    pub references_max: usize,
    /// A relation's name, a metadata key or an alias.
    pub name_bytes_max: usize,
    /// A comment.
    pub comment_bytes_max: usize,
    /// A space's description.
    pub description_bytes_max: usize,
    /// An idempotency key.
    pub key_bytes_max: usize,
    /// Durable subscriptions of one space.
    pub subscriptions_max: usize,
    /// Comments quoted in one wake; the count beyond them is exact.
    pub wake_comments_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            content_bytes_max: 8 << 20,
            annotation_bytes_max: 16 << 10,
            metadata_bytes_max: 64 << 10,
            references_max: 1_000,
            name_bytes_max: 256,
            comment_bytes_max: 4 << 10,
            description_bytes_max: 64 << 10,
            key_bytes_max: 256,
            subscriptions_max: 10_000,
            wake_comments_max: 20,
        }
    }
}
