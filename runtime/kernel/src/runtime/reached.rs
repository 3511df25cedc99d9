//! What reaches the actors of a runtime from beneath it, by their kinds.

use super::WeakRuntime;
use crate::failure::StoreError;
use crate::host::{Boxed, Reach};
use stoa_actors::id::StreamId;
use stoa_actors::outbox::{Outcome, Outgoing};
use stoa_actors::retry::Unanswered;

impl Reach for WeakRuntime {
    fn is_there(&self) -> bool {
        self.0.strong_count() > 0
    }

    fn send<'a>(
        &'a self,
        outgoing: &'a Outgoing,
        key: &'a str,
    ) -> Boxed<'a, Option<Result<Outcome, Unanswered>>> {
        Box::pin(async move {
            let runtime = self.upgrade()?;
            Some(runtime.kinds().send(&runtime, outgoing, key).await)
        })
    }

    fn due(&self, stream: StreamId) -> Boxed<'_, Option<Result<bool, StoreError>>> {
        Box::pin(async move {
            let runtime = self.upgrade()?;
            let kind = match runtime.store().kind_of(stream) {
                Ok(kind) => kind.unwrap_or_default(),
                Err(error) => return Some(Err(error)),
            };
            Some(runtime.kinds().due(&runtime, &kind, stream).await)
        })
    }
}
