//! Whether an agent would hear of what is new, known without asking it.

use super::{Event, Phase, Session};
use crate::mutant::planted;
use std::sync::Arc;

/// What whoever is shown what an agent writes, and what it then wants done, knows of it.
#[derive(Clone, Debug, Default)]
pub enum Ear {
    /// It is to be asked.
    #[default]
    Unknown,
    /// It is in a turn, or about to try one again: the end of that makes it look.
    Busy,
    /// It would hear, and is like this.
    Open(Arc<Session>),
}

impl Ear {
    /// The next events of the agent are durable. What it wants done is shown after what it has
    /// written.
    pub fn happened(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::TurnBegan { .. } => *self = Ear::Busy,
                Event::Born(_)
                | Event::TurnEnded { .. }
                | Event::Quarantined { .. }
                | Event::Parked { .. }
                | Event::Stopped { .. }
                | Event::Resumed { .. }
                | Event::Wiped { .. }
                | Event::Exhausted { .. } => *self = Ear::Unknown,
                Event::LetGo(_) if planted("session.hears_as_it_was") => {}
                // A turn goes on, and one that is in none is another than it was.
                Event::Thought { .. }
                | Event::Deferred { .. }
                | Event::Answered
                | Event::Briefed(_)
                | Event::WindowFull { .. }
                | Event::Compacted(_)
                | Event::Noted(_)
                | Event::Observed(_)
                | Event::Steered { .. }
                | Event::Interrupted { .. }
                | Event::TurnFailed { .. }
                | Event::Unfollowed(_)
                | Event::Wrote { .. }
                | Event::Told(_)
                | Event::Untold { .. }
                | Event::Spawning { .. }
                | Event::Booked(_)
                | Event::Forgiven { .. }
                | Event::LetGo(_)
                | Event::FollowSet { .. } => {
                    if matches!(self, Ear::Open(_)) {
                        *self = Ear::Unknown;
                    }
                }
            }
        }
    }

    /// It wants to look for what is new, and is like that then.
    pub fn listens(&mut self, then: Arc<Session>) {
        let busy = matches!(then.phase(), Phase::Turning(_) | Phase::Waiting { .. });
        *self = if busy { Ear::Busy } else { Ear::Open(then) };
    }

    /// Whether what is known is so.
    pub fn is_true_of(&self, session: &Session) -> bool {
        match self {
            Ear::Unknown => true,
            Ear::Busy => matches!(session.phase(), Phase::Turning(_) | Phase::Waiting { .. }),
            Ear::Open(then) => **then == *session,
        }
    }
}
