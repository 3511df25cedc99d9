//! What waits in a runtime.

use super::Runtime;

/// Bytes that are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Of requests that were taken into mailboxes and are not answered; `mailbox_bytes_max` bounds
    /// them.
    pub mailbox_bytes: usize,
    /// Of entries and states that were decided and are not told; `log_bytes_max` bounds them.
    pub log_bytes: usize,
}

impl Runtime {
    /// What waits now. At rest it is nothing.
    pub fn waiting(&self) -> Waiting {
        let (deps, shared) = (&self.0.deps, self.shared());
        let room = (shared.config.mailbox_bytes_max / 1024).max(1);
        let taken = room.saturating_sub(deps.bytes.available_permits());
        Waiting { mailbox_bytes: taken * 1024, log_bytes: shared.log.bytes() }
    }
}
