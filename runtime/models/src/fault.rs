//! Why a model has said nothing that can be acted upon: one typed error, whoever the provider is.

use std::fmt;
use std::time::Duration;

/// What kind of fault it is: it decides whether a request is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The stream ended before the reply was complete.
    Cut,
    /// What came is not what the protocol says.
    Garbled,
    /// More came than is taken from one reply.
    TooLong,
    /// Nothing came for too long.
    Silent,
    /// The provider was not reached, or the connection broke.
    Network,
    /// Too many requests or tokens in this time.
    RateLimited,
    /// The provider has too much to do.
    Overloaded,
    /// The provider failed by itself.
    Server,
    /// The account has no money left, or its limit is reached: time does not help.
    SpendLimit,
    /// The key is missing, or is not accepted.
    Key,
    /// The key may not do this.
    Forbidden,
    /// There is no such model, or no such address.
    Unknown,
    /// The request is longer than the model takes.
    TooBig,
    /// The provider refuses the request as it is.
    Invalid,
    /// The server has dropped part of the request without saying so.
    Truncated,
    /// The cassette has no answer to the request, or cannot be written.
    Cassette,
}

impl FaultKind {
    /// Its name in logs and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Cut => "cut",
            FaultKind::Garbled => "garbled",
            FaultKind::TooLong => "too_long",
            FaultKind::Silent => "silent",
            FaultKind::Network => "network",
            FaultKind::RateLimited => "rate_limited",
            FaultKind::Overloaded => "overloaded",
            FaultKind::Server => "server",
            FaultKind::SpendLimit => "spend_limit",
            FaultKind::Key => "key",
            FaultKind::Forbidden => "forbidden",
            FaultKind::Unknown => "unknown",
            FaultKind::TooBig => "too_big",
            FaultKind::Invalid => "invalid",
            FaultKind::Truncated => "truncated",
            FaultKind::Cassette => "cassette",
        }
    }

    /// Whether the same request may succeed later, if nothing of a reply was acted upon.
    pub fn may_pass(self) -> bool {
        use FaultKind::{Cut, Network, Overloaded, RateLimited, Server, Silent};
        matches!(self, Cut | Network | Overloaded | RateLimited | Server | Silent)
    }

    /// Whether the provider asks to wait: nobody has failed.
    pub fn is_wait(self) -> bool {
        matches!(self, FaultKind::RateLimited | FaultKind::Overloaded)
    }
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// What the provider said, or what is wrong, in one line of at most [`TEXT_BYTES_MAX`].
    pub text: String,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// How long to wait before another try, where the provider says it.
    pub wait: Option<Duration>,
    /// Whether the provider says that another try is of use, or of none.
    pub retry: Option<bool>,
    /// Whether the provider may have worked on the request all the same, and have it paid for.
    pub paid: bool,
}

/// Bytes of what is told of a fault.
pub const TEXT_BYTES_MAX: usize = 500;

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, text: impl AsRef<str>) -> Fault {
        let text = one_line(text.as_ref());
        Fault { kind, text, status: None, wait: None, retry: None, paid: false }
    }

    /// Whether the same request may be sent again.
    pub fn may_retry(&self) -> bool {
        let never = matches!(self.kind, FaultKind::SpendLimit | FaultKind::Key);
        !never && self.retry.unwrap_or_else(|| self.kind.may_pass())
    }
}

fn one_line(text: &str) -> String {
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > TEXT_BYTES_MAX {
        line.truncate(line.floor_char_boundary(TEXT_BYTES_MAX));
        line.push('…');
    }
    line
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::Cut => "the reply ended before it was complete",
            FaultKind::Garbled => "the reply is not what the protocol says",
            FaultKind::TooLong => "the reply is too long",
            FaultKind::Silent => "nothing came for too long",
            FaultKind::Network => "the provider was not reached",
            FaultKind::RateLimited => "the provider limits the rate",
            FaultKind::Overloaded => "the provider is overloaded",
            FaultKind::Server => "the provider failed",
            FaultKind::SpendLimit => "the account's spending limit is reached",
            FaultKind::Key => "the key is not accepted",
            FaultKind::Forbidden => "the key may not do this",
            FaultKind::Unknown => "there is no such model or address",
            FaultKind::TooBig => "the request is longer than the model takes",
            FaultKind::Invalid => "the provider refuses the request",
            FaultKind::Truncated => "the server has dropped part of the request",
            FaultKind::Cassette => "cassette",
        };
        f.write_str(what)?;
        if let Some(status) = self.status {
            write!(f, " ({status})")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}

impl std::error::Error for Fault {}
