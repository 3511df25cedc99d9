//! What an actor asks to be done: messages are delivered, everything else is performed, and the
//! actor is told of the outcome until it has taken it.

use super::{ActorAddress, AskError, Boxed, Receipt};
use crate::log::Urgency;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use stoa_actors::behaviour::{Behaviour, EffectId};
use stoa_actors::id::ROOT;
use stoa_actors::incarnation::Request;
use stoa_actors::outbox::{self, Outcome, Outgoing};
use stoa_actors::retry::wait_ms;
use tokio::sync::oneshot;

/// Hears what became of a message.
pub(crate) type Heard = oneshot::Receiver<Outcome>;

impl<B: Behaviour + Sync> ActorAddress<B> {
    /// Starts an effect, unless it runs already. Of a message it is heard what becomes of it.
    pub(crate) fn start_effect(self: &Arc<Self>, id: EffectId, effect: B::Effect) -> Option<Heard> {
        match B::outgoing(self.stream, &effect) {
            Some(outgoing) => {
                let (told, heard) = oneshot::channel();
                let started = self.run(id, |address| address.deliver(id, effect, outgoing, told));
                started.then_some(heard)
            }
            None => {
                self.run(id, |address| {
                    // Behind what has happened, and before anything else does.
                    let performed = address.performer.perform(id, effect);
                    async move {
                        if let Some(message) = performed.await {
                            Box::pin(address.tell(id, message, Urgency::Synced)).await;
                        }
                    }
                });
                None
            }
        }
    }

    /// Whether it was started: not, if it runs.
    fn run<F: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        id: EffectId,
        work: impl FnOnce(Arc<Self>) -> F,
    ) -> bool {
        let mut running = self.running.lock();
        if running.contains_key(&id) {
            return false;
        }
        let (address, work) = (self.clone(), work(self.clone()));
        // In a box, so that a task is compiled once and not for each kind of work.
        let work: Boxed<'static, ()> = Box::pin(async move {
            work.await;
            address.running.lock().remove(&id);
            address.performed.notify_waiters();
        });
        let task = self.shared.spawner.spawn(work);
        running.insert(id, task.abort_handle());
        true
    }

    /// Cuts off the effects that run but those that are still owed.
    pub(crate) fn keep_effects(&self, owed: &[EffectId]) {
        self.running.lock().retain(|id, running| {
            let keep = owed.contains(id);
            if !keep {
                running.abort();
            }
            keep
        });
        self.performed.notify_waiters();
    }

    /// Returns once an effect does not run.
    pub(crate) async fn performed(&self, id: EffectId) {
        loop {
            let performed = self.performed.notified();
            tokio::pin!(performed);
            performed.as_mut().enable();
            if !self.running.lock().contains_key(&id) {
                return;
            }
            performed.await;
        }
    }

    /// Returns once nothing runs.
    pub(crate) async fn all_performed(&self) {
        loop {
            let performed = self.performed.notified();
            tokio::pin!(performed);
            performed.as_mut().enable();
            if self.running.lock().is_empty() {
                return;
            }
            performed.await;
        }
    }

    async fn deliver(
        self: Arc<Self>,
        id: EffectId,
        effect: B::Effect,
        outgoing: Outgoing,
        told: oneshot::Sender<Outcome>,
    ) {
        let key = outbox::key(self.stream, id);
        let Some(outcome) = self.shared.deliver(&outgoing, &key).await else { return };
        if let Some(message) = B::settled(id, &effect, &outcome) {
            let urgency = match outgoing.is_settled_at_once() {
                true => Urgency::Synced,
                false => Urgency::Lazy,
            };
            Box::pin(self.tell(id, message, urgency)).await;
        }
        // Who has asked may have gone.
        drop(told.send(outcome));
    }

    /// Tells the actor what became of an effect, until it has taken that in. What it refuses it has
    /// no use for.
    async fn tell(self: &Arc<Self>, id: EffectId, message: B::Message, urgency: Urgency) {
        let config = &self.shared.config;
        for failures in 0.. {
            let ask = Request::new(ROOT, message.clone())
                .key(outbox::outcome_key(id))
                .comment(format!("outcome of effect {id}"));
            let told = match urgency {
                Urgency::Synced => self.ask(ask).await.map(drop),
                Urgency::Lazy => self.ask_aside(ask).await,
            };
            match told {
                // What is owed is owed again after the next open.
                Ok(_) | Err(AskError::Store(_)) => return,
                Err(AskError::Refused(refused)) => {
                    tracing::debug!(stream = %self.stream, effect = id, %refused, "of no use");
                    return;
                }
                Err(error) if failures == 0 => {
                    let stream = self.stream;
                    tracing::warn!(%stream, effect = id, %error, "an outcome is told again");
                }
                Err(_) => {}
            }
            let wait = wait_ms(failures, config.outbox_wait_first_ms, config.outbox_wait_ms_max);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }

    /// Asks, and waits until also the messages have been answered that are sent because of it.
    pub(crate) async fn ask_and_what_follows(
        self: &Arc<Self>,
        ask: Request<B::Message>,
    ) -> Result<(Receipt<B::Reply>, Vec<Outcome>), AskError<B::Refusal>> {
        let (sent, hear) = oneshot::channel();
        let answer = self.send_and_hear(ask, sent).await?;
        let receipt = self.answered(answer).await?;
        let mut outcomes = Vec::new();
        for heard in hear.await.unwrap_or_default() {
            match heard.await {
                Ok(outcome) => outcomes.push(outcome),
                // The runtime stops, and it is owed by the next.
                Err(_) => {
                    let stopped = self.shared.refuses();
                    return Err(stopped.map_or(AskError::Restarted, AskError::Store));
                }
            }
        }
        Ok((receipt, outcomes))
    }
}
