//! What a session tells its parent: each word once, and owed until it is in their space.

use super::lifecycle::{TELL, numbered};
use super::{Effect, Event, Session};
use crate::behaviour::{Decision, EffectId};
use crate::log::Cause;
use crate::mutant::planted;

/// One word to the parent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ParentMessage {
    /// What it is about: `said`, `exhausted`, `parked`, `quarantined`, `stopped`.
    pub subject: String,
    pub text: String,
    /// What set the turn off that it is about.
    pub cause: Cause,
}

impl Session {
    /// Adds a letter to the parent.
    pub(super) fn write(
        &self,
        mut decision: Decision<Self>,
        subject: &str,
        text: String,
        cause: Cause,
    ) -> Decision<Self> {
        let Some(charter) = self.charter() else { return decision };
        let id = numbered(self.written + 1, TELL);
        let letter = ParentMessage { subject: subject.to_owned(), text, cause };
        decision.events.push(Event::Wrote { id, letter: letter.clone() });
        decision.effect(id, Effect::Tell { dm: charter.dm, letter })
    }

    pub(super) fn owed_letters(&self) -> Vec<(EffectId, Effect)> {
        let Some(dm) = self.charter().map(|it| it.dm) else { return Vec::new() };
        let tell = |letter: &ParentMessage| Effect::Tell { dm, letter: letter.clone() };
        if planted("session.forgets_letters") {
            return Vec::new();
        }
        self.letters.iter().map(|(id, letter)| (*id, tell(letter))).collect()
    }
}
