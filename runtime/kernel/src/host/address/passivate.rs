//! How the actor of an address is let go, and what the keeper sees of it.

use super::{ActorAddress, Boxed, Registered, Standing};
use crate::host::actor::Mail;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{Millis, Position};
use stoa_actors::passivation::{Activity, Rest};
use tokio::sync::oneshot;

/// What the keeper does with an address, whatever sits in it.
pub(crate) trait Passivate: Send + Sync + 'static {
    /// When it was used last.
    fn used(&self) -> Millis;
    /// How many requests it has been sent.
    fn asked(&self) -> u64;
    /// What it is doing, as far as it can tell itself.
    fn doing(&self) -> Activity;
    /// Whether it can be asked.
    fn stands(&self) -> Standing;
    /// Others have written to its stream; the log ends there now.
    fn others_wrote(&self, head: Position);
    /// Whether somebody waits for it to go on.
    fn followed(&self) -> bool;
    /// Lets its actor go, unless it was used after `unless`. True when there is none afterwards.
    fn rest<'a>(self: Arc<Self>, unless: Millis) -> Boxed<'a, bool>;
    /// Returns once it can be asked; or says why it cannot.
    fn is_back<'a>(self: Arc<Self>) -> Boxed<'a, Result<(), String>>;
    /// Itself, to be told apart by kind.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<B: Behaviour + Sync> Passivate for ActorAddress<B> {
    fn used(&self) -> Millis {
        Millis(self.used.load(Ordering::Relaxed))
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn doing(&self) -> Activity {
        let places = self.shared.config.mailbox_messages_max;
        if self.gate.available_permits() < places || !self.running.lock().is_empty() {
            return Activity::InUse;
        }
        match &*self.registered.borrow() {
            Registered::Idle => Activity::Empty,
            Registered::Live(_) => Activity::Waiting,
            Registered::Restarting | Registered::Quarantined(_) => Activity::InUse,
        }
    }

    fn stands(&self) -> Standing {
        self.standing()
    }

    fn others_wrote(&self, head: Position) {
        self.lead_astray();
        self.stream_head.reach(head);
    }

    fn followed(&self) -> bool {
        self.stream_head.watched()
    }

    fn rest<'a>(self: Arc<Self>, unless: Millis) -> Boxed<'a, bool> {
        Box::pin(async move {
            let Ok(places) = u32::try_from(self.shared.config.mailbox_messages_max) else {
                return false;
            };
            // A place is given back once its answer is durable: with all of them in hand nothing is
            // under way, and what comes waits here until this is over.
            let Ok(_places) = self.gate.clone().try_acquire_many_owned(places) else {
                return false;
            };
            if self.used() > unless || !self.running.lock().is_empty() {
                return false;
            }
            let actor = match &*self.registered.borrow() {
                Registered::Idle => return true,
                Registered::Live(actor) => actor.clone(),
                Registered::Restarting | Registered::Quarantined(_) => return false,
            };
            let (told, hear) = oneshot::channel();
            if actor.cast(Mail::Rest(told)).is_err() {
                return false;
            }
            match hear.await {
                Ok(Rest::Go | Rest::GoWithSnapshot) => {
                    self.supervisors.dismiss(self.stream).await.is_ok()
                }
                Ok(Rest::Stay) | Err(_) => false,
            }
        })
    }

    fn is_back<'a>(self: Arc<Self>) -> Boxed<'a, Result<(), String>> {
        Box::pin(async move {
            match self.settled().await {
                Ok(()) => {}
                Err(error) => return Err(format!("it does not start: {error}")),
            }
            match self.standing() {
                Standing::Quarantined(why) => Err(format!("it is quarantined again: {why}")),
                _ => Ok(()),
            }
        })
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
