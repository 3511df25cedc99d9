//! Delivers what actors send each other (`stoa_actors::outbox`): to whatever kind it is for, again
//! and again until it is answered.

use super::{Reach, Shared};
use crate::fault::Point;
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::outbox::{Outcome, Outgoing};
use stoa_actors::retry::{Unanswered, wait_ms};
use tokio::sync::watch;

/// Who reaches every actor of a runtime, once there is one.
pub(crate) struct Post(watch::Sender<Option<Arc<dyn Reach>>>);

impl Post {
    pub(crate) fn new() -> Post {
        Post(watch::Sender::new(None))
    }

    /// From now on messages are delivered.
    pub(crate) fn open(&self, reach: Arc<dyn Reach>) {
        self.0.send_replace(Some(reach));
    }

    async fn reach(&self) -> Option<Arc<dyn Reach>> {
        let mut opened = self.0.subscribe();
        opened.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl Shared {
    /// The answer to a message, however long it takes; nothing when the runtime stops: then it is
    /// owed by the next.
    pub(crate) async fn deliver(&self, outgoing: &Outgoing, key: &str) -> Option<Outcome> {
        let reach = self.post.reach().await?;
        let mut failures = 0;
        while reach.is_there() {
            let (first, most) = (self.config.outbox_wait_first_ms, self.config.outbox_wait_ms_max);
            let wait = wait_ms(failures, first, most);
            if !self.config.log.faults.holds(Point::Deliver) {
                match reach.send(outgoing, key).await? {
                    Ok(outcome) => return Some(outcome),
                    Err(Unanswered::Stopped) => return None,
                    Err(why) => {
                        if failures == 0 {
                            tracing::warn!(?outgoing, ?why, "not answered yet; it is tried again");
                        }
                        failures = failures.saturating_add(1);
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        None
    }
}
