//! Why an actor did not answer.

use crate::failure::StoreError;
use crate::problem::{Problem, ProblemKind};
use stoa_actors::id::StreamId;
use stoa_actors::incarnation::Refused;
use stoa_actors::retry::Unanswered;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError<R: std::error::Error> {
    /// The actor says no; nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refused<R>),
    /// The actor died while it had the request. Whether it took effect is not known: repeat it
    /// with the same idempotency key, and it happens once.
    #[error("the actor was restarted meanwhile; ask again, with the same key")]
    Restarted,
    /// It died too often and is kept out of service.
    #[error("{0} is quarantined: {1}; look at `stoa status`")]
    Quarantined(StreamId, String),
    /// Its mailbox, or the room of all mailboxes, stayed full.
    #[error("too many requests are waiting; ask again in a moment")]
    Busy,
    /// The store has stopped, or is stopping.
    #[error(transparent)]
    Store(StoreError),
}

impl<R: std::error::Error> AskError<R> {
    /// Whether asking again, with the same key, may succeed.
    pub fn retryable(&self) -> bool {
        matches!(self, AskError::Restarted | AskError::Busy)
    }

    /// The same, for whoever decides what to do about it.
    pub fn unanswered(&self) -> Unanswered {
        match self {
            AskError::Refused(_) => Unanswered::Refused,
            AskError::Restarted => Unanswered::Restarted,
            AskError::Quarantined(..) => Unanswered::Quarantined,
            AskError::Busy => Unanswered::NoRoom,
            AskError::Store(_) => Unanswered::Stopped,
        }
    }
}

impl<R: std::error::Error> From<AskError<R>> for Problem
where
    Problem: From<R>,
{
    fn from(error: AskError<R>) -> Self {
        match error {
            AskError::Refused(Refused::Actor(refusal)) => refusal.into(),
            AskError::Refused(Refused::KeyReused(key)) => {
                Problem::new(ProblemKind::Conflict, Refused::<R>::KeyReused(key))
                    .hint("--key ANOTHER_KEY")
            }
            AskError::Refused(refused) => {
                Problem::new(ProblemKind::Invalid, refused).hint("--help")
            }
            AskError::Store(error) => error.into(),
            error @ AskError::Quarantined(..) => {
                Problem::new(ProblemKind::Busy, error).hint("stoa status")
            }
            error => Problem::new(ProblemKind::Busy, error).hint("stoa status"),
        }
    }
}
