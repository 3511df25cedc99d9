//! placeholder until merged
use serde::{Deserialize, Serialize};
/// Level
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// See
    Read,
    /// Add
    Append,
    /// Change
    Write,
    /// Share
    Grant,
}
