//! What bounds what is sent.
//!
//! | constant | value | what it bounds |
//! |---|---|---|
//! | `SPANS_MAX` | `512` | spans of one request, as OpenTelemetry's own exporters have it |
//! | `SPANS_SAID_MAX` | `32` | the same where what was said is in them: each may be a whole window |
//! | `BYTES_MAX` | `4 << 20` | bytes of one request, which collectors take; a span that is larger alone goes without what was said in it |
//! | `ANSWER_MS_MAX` | `10_000` | how long a collector is waited for |
//! | `ANSWER_BYTES` | `1 << 20` | bytes of what a collector answers |
//! | `FIRST_WAIT_MS` | `250` | how long is waited before a collector is asked again, at first |
//! | `WAIT_MS_MAX` | `60_000` | and at most, whatever it says itself |

/// Spans of one request.
pub const SPANS_MAX: usize = 512;

/// The same where what was said is in them.
pub const SPANS_SAID_MAX: usize = 32;

pub(crate) const BYTES_MAX: usize = 4 << 20;

pub(crate) const ANSWER_MS_MAX: u64 = 10_000;

pub(crate) const ANSWER_BYTES: usize = 1 << 20;

pub(crate) const COMPLAINT_CHARS: usize = 300;

/// How long is waited before a collector is asked again, at first.
pub const FIRST_WAIT_MS: u64 = 250;

pub(crate) const WAIT_MS_MAX: u64 = 60_000;
