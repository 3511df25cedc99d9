//! Why a collector is none, or takes nothing.

use stoa_endpoint::AddressError;

/// Why nothing can be sent there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectorError {
    /// Its address is none.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// What is to be sent in front of each request is no header.
    #[error("{variable} is no list of NAME=VALUE: {why}")]
    Headers {
        /// The variable of the environment.
        variable: String,
        /// What is wrong with it; never its value.
        why: &'static str,
    },
}

/// Why spans were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFault {
    /// In words; never with a header.
    pub text: String,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// How long to wait before it is asked again, in milliseconds, where it may take them then; nothing
    /// where it never will.
    pub again_ms: Option<u64>,
}
