//! A reply of a model of which nothing is acted upon: it is told why, and goes on.

use super::{Event, Observation, Reply, Session, Turn, TurnOutcome};
use crate::behaviour::{Decision, Delivery};

/// Bytes of why a reply is not acted upon.
const UNUSABLE_BYTES_MAX: usize = 4 << 10;

/// What a reply is called that is not acted upon, where an exception of code would be named.
const UNUSABLE: &str = "UnusableReply";

impl Session {
    /// A reply of which nothing is acted upon: the model is told, as of an action, and goes on.
    pub(super) fn unusable(
        &self,
        at: &Turn,
        mut text: String,
        spoken: Vec<Event>,
        delivery: &Delivery<'_>,
    ) -> Decision<Self> {
        let steps_max = delivery.limits.session.turn_steps_max;
        if at.step > steps_max {
            let cut = format!("turn_steps_max = {steps_max}");
            let mut ended = self.end(at, TurnOutcome::Exhausted(cut), String::new(), delivery);
            ended.events.splice(0..0, spoken);
            return ended;
        }
        text.truncate(text.floor_char_boundary(UNUSABLE_BYTES_MAX));
        let seen = Event::Observed(Observation { text, failed: Some(UNUSABLE.to_owned()) });
        let mut decision = Decision::read(Reply::Done);
        decision.events.extend(spoken.into_iter().chain([seen]));
        self.goes_on(decision)
    }
}
