//! What the tree does with an address.

use super::{ActorAddress, Boxed, Registered};
use crate::host::actor::Host;
use ractor::{Actor, ActorCell};
use std::sync::Arc;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::StreamId;
use tokio::task::AbortHandle;

/// What the tree does with an address, whatever sits in it.
pub(crate) trait Supervised: Send + Sync + 'static {
    /// The stream of the actor.
    fn stream(&self) -> StreamId;
    /// Starts an incarnation under a supervisor.
    fn start<'a>(self: Arc<Self>, under: ActorCell) -> Boxed<'a, Result<ActorCell, String>>;
    /// The incarnation is gone.
    fn restarting(&self);
    /// It went as it was asked to; the next message starts another.
    fn rested(&self);
    /// It stays gone.
    fn quarantined(&self, why: &str);
    /// The runtime stops: effects that run are cut off, and owed again after the next open.
    fn abandon(&self);
}

impl<B: Behaviour + Sync> Supervised for ActorAddress<B> {
    fn stream(&self) -> StreamId {
        self.stream
    }

    fn start<'a>(self: Arc<Self>, under: ActorCell) -> Boxed<'a, Result<ActorCell, String>> {
        Box::pin(async move {
            let spawned = Actor::spawn_linked(None, Host::<B>::new(), self.clone(), under).await;
            let (actor, _task) = spawned.map_err(|error| error.to_string())?;
            let cell = actor.get_cell();
            self.registered.send_replace(Registered::Live(actor));
            Ok(cell)
        })
    }

    fn restarting(&self) {
        self.registered.send_replace(Registered::Restarting);
    }

    fn rested(&self) {
        self.registered.send_replace(Registered::Idle);
    }

    fn quarantined(&self, why: &str) {
        self.registered.send_replace(Registered::Quarantined(why.to_owned()));
        self.performer.quarantined(why);
    }

    fn abandon(&self) {
        self.running.lock().values().for_each(AbortHandle::abort);
    }
}
