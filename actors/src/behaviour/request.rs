//! A request as an actor gets it, and the ways in which it is refused.

use super::Behaviour;
use crate::id::SessionId;
use crate::log::Cause;

/// A request to an actor.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Request<M> {
    /// What is asked.
    pub message: M,
    pub asker: SessionId,
    /// Makes repeating it harmless.
    pub key: Option<String>,
    /// What it is for.
    pub comment: String,
    /// What set it off.
    pub cause: Cause,
}

impl<M> Request<M> {
    /// From outside, without key or comment.
    pub fn new(asker: SessionId, message: M) -> Request<M> {
        Request { message, asker, key: None, comment: String::new(), cause: Cause::default() }
    }

    /// With an idempotency key: asked again, it is answered again and nothing more happens.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Request<M> {
        Request { key: Some(key.into()), ..self }
    }

    /// What it takes in memory, asked of an actor of kind `B`.
    pub fn weight<B: Behaviour<Message = M>>(&self) -> usize {
        let key = self.key.as_ref().map_or(0, String::len);
        B::weight(&self.message).saturating_add(key + self.comment.len())
    }

    /// With what it is for.
    #[must_use]
    pub fn comment(self, comment: impl Into<String>) -> Request<M> {
        Request { comment: comment.into(), ..self }
    }
}

/// A no from the actor, or from the order of delivery itself.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Refused<R: std::error::Error> {
    /// The actor refuses.
    #[error(transparent)]
    Actor(R),
    /// The idempotency key was used for another request.
    #[error(
        "key {0:?} was used for another request; repeat that request exactly, or use a new key"
    )]
    KeyReused(String),
    /// Over a limit.
    #[error("{what} has {bytes} bytes; the limit is {max}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        bytes: usize,
        max: usize,
    },
    /// Together it is larger than one log entry may be.
    #[error("the request does not fit one log entry: {0}; split it")]
    Oversize(String),
    /// A write has failed, here or in what this rests on. Whether it took effect is not known until
    /// the next open. A simulation says so; a runtime names what went wrong instead.
    #[error("the store has stopped; open it again and ask with the same key")]
    Stopped,
}
