//! Delivers what actors send each other (`stoa_actors::outbox`): to whatever kind it is for, again
//! and again until it is answered.

use crate::fault::Point;
use crate::runtime::{Runtime, WeakRuntime};
use std::time::Duration;
use stoa_actors::outbox::{Outcome, Outgoing};
use stoa_actors::retry::{Unanswered, wait_ms};
use tokio::sync::watch;

/// Reaches every actor of a runtime, once there is one.
pub(crate) struct Post(watch::Sender<Option<WeakRuntime>>);

impl Post {
    pub(crate) fn new() -> Post {
        Post(watch::Sender::new(None))
    }

    /// From now on messages are delivered.
    pub(crate) fn open(&self, runtime: &Runtime) {
        self.0.send_replace(Some(runtime.downgrade()));
    }

    async fn runtime(&self) -> Option<Runtime> {
        let mut opened = self.0.subscribe();
        let weak = opened.wait_for(Option::is_some).await.ok()?.clone();
        weak?.upgrade()
    }

    /// The answer to a message, however long it takes; nothing when the runtime stops: then it is
    /// owed by the next.
    pub(crate) async fn deliver(&self, outgoing: &Outgoing, key: &str) -> Option<Outcome> {
        let mut failures = 0;
        loop {
            let runtime = self.runtime().await?;
            let config = &runtime.shared().config;
            let wait = wait_ms(failures, config.outbox_wait_first_ms, config.outbox_wait_ms_max);
            let kinds = runtime.kinds().clone();
            if config.log.faults.holds(Point::Deliver) {
                drop(runtime);
                tokio::time::sleep(Duration::from_millis(wait)).await;
                continue;
            }
            match kinds.send(&runtime, outgoing, key).await {
                Ok(outcome) => return Some(outcome),
                Err(Unanswered::Stopped) => return None,
                Err(why) => {
                    if failures == 0 {
                        tracing::warn!(?outgoing, ?why, "not answered yet; it is tried again");
                    }
                    failures = failures.saturating_add(1);
                }
            }
            drop(runtime);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }
}
