//! Messages between actors: how a decision that concerns several of them is carried out.
//!
//! An actor that wants something of another keeps the intent in its own state and asks for an effect
//! that [is a message](Behaviour::outgoing). The host delivers it once the events of the decision
//! are durable, under a [`key`] that is the same whenever it is delivered, so that it happens
//! once however often it arrives. It tries again until it is answered — over a full mailbox, a
//! death, a quarantine, a restart of either side — and tells the sender of the
//! [`Outcome`] as [`Behaviour::settled`] says, once. A refusal is an answer: who is gone for good
//! says so, and the sender decides what becomes of it.
//!
//! ```text
//! decide → intent durable → delivered (key stream-effect) → answered → settled by an event
//!                              ↑______ no answer: later again ______|
//! ```

use super::{Behaviour, EffectId, Refused, Request};
use crate::id::{SessionId, StreamId};
use crate::log::Cause;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A message on its way from one actor to another, whatever their kinds.
#[derive(Clone)]
pub struct Outgoing {
    to: StreamId,
    kind: &'static str,
    asker: SessionId,
    comment: String,
    cause: Cause,
    waits: bool,
    prompt: bool,
    message: Arc<dyn Fn() -> Box<dyn Any + Send> + Send + Sync>,
}

impl Outgoing {
    /// A message to the actor of kind `B` at a stream, in the name of `asker`: the receiver knows
    /// no other identity, and its rights are those that count.
    pub fn new<B: Behaviour>(to: StreamId, asker: SessionId, message: B::Message) -> Outgoing {
        Outgoing::to_kind(B::KIND, to, asker, message)
    }

    /// A message that the receiving kind [takes](Behaviour::received) though it is not its own type.
    pub fn to_kind<M: Clone + Send + Sync + 'static>(
        kind: &'static str,
        to: StreamId,
        asker: SessionId,
        message: M,
    ) -> Outgoing {
        Outgoing {
            to,
            kind,
            asker,
            comment: String::new(),
            cause: Cause::default(),
            waits: false,
            prompt: false,
            message: Arc::new(move || Box::new(message.clone())),
        }
    }

    /// What it is for.
    #[must_use]
    pub fn comment(self, comment: impl Into<String>) -> Outgoing {
        Outgoing { comment: comment.into(), ..self }
    }

    /// What set it off.
    #[must_use]
    pub fn cause(self, cause: Cause) -> Outgoing {
        Outgoing { cause, ..self }
    }

    /// It counts as answered only when the messages that the receiver sends because of it have been
    /// answered too. Lost with a restart: then it counts as answered when the receiver has.
    #[must_use]
    pub fn and_what_follows(self) -> Outgoing {
        Outgoing { waits: true, ..self }
    }

    /// Its outcome is recorded by the sender at once. Otherwise that rides along with the next entry
    /// that asks for a sync: lost with a crash before it, the message is delivered again.
    #[must_use]
    pub fn settled_at_once(self) -> Outgoing {
        Outgoing { prompt: true, ..self }
    }

    /// Whether its outcome is recorded [at once](Outgoing::settled_at_once).
    pub fn is_settled_at_once(&self) -> bool {
        self.prompt
    }

    /// Whose mailbox it goes to.
    pub fn to(&self) -> StreamId {
        self.to
    }

    /// The kind of actor that it is for.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether it waits for [what follows](Outgoing::and_what_follows).
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// The request, as the actor gets it each time; nothing where it is for another kind.
    pub fn ask<B: Behaviour>(&self, key: &str) -> Option<Request<B::Message>> {
        let message = B::received((self.message)())?;
        let (asker, cause) = (self.asker, self.cause);
        let (key, comment) = (Some(key.to_owned()), self.comment.clone());
        Some(Request { message, asker, key, comment, cause })
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outgoing { to, kind, asker, comment, .. } = self;
        write!(f, "to {kind} {to} by {asker}: {comment}")
    }
}

/// The idempotency key under which an effect's message is delivered.
pub fn key(sender: StreamId, effect: EffectId) -> String {
    format!("{sender}-{effect}")
}

/// The idempotency key under which an actor is told what became of an effect of its own.
pub fn outcome_key(effect: EffectId) -> String {
    format!("effect-{effect}")
}

/// What became of a message: the receiver's answer, for good.
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Outcome {
    /// It was accepted; the reply.
    Accepted(Box<dyn Any + Send>),
    /// It was refused, and would be again.
    Refused {
        /// The receiver's refusal; nothing where the order of delivery itself refuses.
        refusal: Option<Box<dyn Any + Send>>,
        text: String,
    },
}

impl Outcome {
    /// What an actor of kind `B` answered.
    pub fn of<B: Behaviour>(answer: Result<B::Reply, Refused<B::Refusal>>) -> Outcome {
        match answer {
            Ok(reply) => Outcome::Accepted(Box::new(reply)),
            Err(refused) => {
                let text = refused.to_string();
                let refusal = match refused {
                    Refused::Actor(refusal) => Some(Box::new(refusal) as Box<dyn Any + Send>),
                    _ => None,
                };
                Outcome::Refused { refusal, text }
            }
        }
    }

    /// There is no such actor, and never will be one.
    pub fn nobody(text: impl Into<String>) -> Outcome {
        Outcome::Refused { refusal: None, text: text.into() }
    }

    /// Why it was refused, if it was.
    pub fn refused(&self) -> Option<&str> {
        match self {
            Outcome::Accepted(_) => None,
            Outcome::Refused { text, .. } => Some(text),
        }
    }

    /// The reply of an actor of kind `B`.
    pub fn reply<B: Behaviour>(&self) -> Option<&B::Reply> {
        match self {
            Outcome::Accepted(reply) => reply.downcast_ref(),
            Outcome::Refused { .. } => None,
        }
    }

    /// The refusal of an actor of kind `B`.
    pub fn refusal<B: Behaviour>(&self) -> Option<&B::Refusal> {
        match self {
            Outcome::Refused { refusal: Some(refusal), .. } => refusal.downcast_ref(),
            _ => None,
        }
    }

    /// The same, taken out.
    pub fn into_refusal<B: Behaviour>(self) -> Option<B::Refusal> {
        match self {
            Outcome::Refused { refusal: Some(refusal), .. } => {
                refusal.downcast().ok().map(|it| *it)
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refused() {
            None => f.write_str("accepted"),
            Some(text) => write!(f, "refused: {text}"),
        }
    }
}
