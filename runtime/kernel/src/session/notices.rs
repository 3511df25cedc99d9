//! What the code of an action is told besides its answers: that one of them ended early.

use super::host_api::HostApi;
use stoa_actors::code::{ActionEnd, ActionOutcome};

/// Notices of one action; more say nothing new.
const NOTICES_MAX: usize = 16;

impl HostApi {
    /// Says something that is no answer; each once.
    pub fn notice(&mut self, text: String) {
        if !self.notices.contains(&text) && self.notices.len() < NOTICES_MAX {
            self.notices.push(text);
        }
    }

    /// Code that looks for a space that is not among those it was handed hears how to come by it.
    pub(crate) fn tell_of_more(&mut self, more: bool, outcome: &ActionOutcome) {
        let missed =
            |it: &ActionEnd| matches!(it, ActionEnd::Failed { class, .. } if class == "KeyError");
        if more && missed(&outcome.ending) {
            let text = "`spaces` has a part of your spaces; coordinator.space(\"NAME\") opens any";
            self.notice(text.to_owned());
        }
    }

    /// The outcome of the action, with what it is to be told besides.
    pub(crate) fn told_besides(&self, mut outcome: ActionOutcome) -> ActionOutcome {
        let notices = outcome.notice.iter().chain(&self.notices).cloned().collect::<Vec<_>>();
        if !notices.is_empty() {
            outcome.notice = Some(notices.join("; "));
        }
        outcome
    }
}
