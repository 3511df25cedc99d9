//! What the code of an action is told besides its answers: that one of them ended early.

use super::hands::Hands;
use stoa_actors::code::Outcome;

/// Notices of one action; more say nothing new.
const NOTICES_MAX: usize = 16;

impl Hands {
    /// Says something that is no answer; each once.
    pub(super) fn notice(&mut self, text: String) {
        if !self.notices.contains(&text) && self.notices.len() < NOTICES_MAX {
            self.notices.push(text);
        }
    }

    /// The outcome of the action, with what it is to be told besides.
    pub(crate) fn told_besides(&self, mut outcome: Outcome) -> Outcome {
        let notices = outcome.notice.iter().chain(&self.notices).cloned().collect::<Vec<_>>();
        if !notices.is_empty() {
            outcome.notice = Some(notices.join("; "));
        }
        outcome
    }
}
