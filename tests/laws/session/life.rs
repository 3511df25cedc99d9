//! Where a session stands, as the model has it.

use super::words::What;
use stoa_actors::id::Millis;
use stoa_actors::log::Cause;
use stoa_actors::session::CallNote;
use stoa_actors::space::Wake;

/// Where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Life {
    Unborn,
    Idle,
    Turning(Box<Now>),
    Waiting { turn: u64, first: u64, since: u64, until: u64, wakes: Vec<Wake>, hop: u16 },
    Parked { heard: u64 },
    Stopped,
    Quarantined,
    Wiped,
}

/// The turn it is in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Now {
    pub(crate) turn: u64,
    /// The first try of it.
    pub(crate) first: u64,
    pub(crate) step: u32,
    pub(super) wakes: Vec<Wake>,
    pub(crate) cause: Cause,
    pub(super) began: u64,
    /// The code that runs, and when it was said.
    pub(crate) acting: Option<(String, Millis)>,
    pub(crate) notes: Vec<CallNote>,
    pub(super) changed: bool,
    /// How often its thought was put off, how often for a failure, and until when.
    pub(crate) deferred: Option<(u32, u32, u64)>,
    /// How long that took altogether.
    pub(super) deferred_ms: u64,
    /// Requests of the step that came to no thought.
    pub(crate) requests: u32,
    /// Its window is being made anew, by its model or not.
    pub(crate) compacting: Option<bool>,
    /// How often that was at this step.
    pub(crate) compactions: u32,
    /// What was said that it was not told of yet.
    pub(crate) steered: Vec<Wake>,
}

impl Now {
    /// Whether its model is asked for a thought.
    pub(super) fn asks(&self) -> bool {
        self.acting.is_none() && self.compacting.is_none()
    }

    /// Whether it is at this request, or at its action.
    pub(super) fn is_at(&self, attempt: Option<u32>) -> bool {
        match attempt {
            Some(attempt) => self.acting.is_none() && self.requests == attempt,
            None => self.acting.is_some(),
        }
    }

    /// Whether its model is to be asked later.
    pub(super) fn is_put_off(&self, now: u64) -> bool {
        self.deferred.is_some_and(|it| it.2 > now)
    }

    /// A model that was waited for has answered.
    pub(super) fn answered(&self) -> Option<What> {
        self.deferred.is_some().then_some(What::Answered)
    }
}

/// How far a space has been seen since it is followed.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    pub(crate) from: u64,
    pub(crate) cursor: u64,
}
