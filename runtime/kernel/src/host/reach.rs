//! How any actor of a runtime is reached from beneath it.

use super::Boxed;
use crate::failure::StoreError;
use stoa_actors::id::StreamId;
use stoa_actors::outbox::{Outcome, Outgoing};
use stoa_actors::retry::Unanswered;

/// Reaches every actor of a runtime, whatever its kind, and keeps none open: it says nothing once
/// the runtime is gone.
pub(crate) trait Reach: Send + Sync + 'static {
    /// Whether there is the runtime still.
    fn is_there(&self) -> bool;

    /// Delivers a message once.
    fn send<'a>(
        &'a self,
        outgoing: &'a Outgoing,
        key: &'a str,
    ) -> Boxed<'a, Option<Result<Outcome, Unanswered>>>;

    /// Tells an actor that something of its own is due; whether it has recorded anything.
    fn due(&self, stream: StreamId) -> Boxed<'_, Option<Result<bool, StoreError>>>;
}
