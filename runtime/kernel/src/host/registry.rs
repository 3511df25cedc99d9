//! All addresses of a runtime, and the keeper that lets go those nobody uses.
//!
//! A address has one actor at a time because a stream has one address at a time: it leaves the table only
//! under the table's lock, empty, and when nobody else holds it. Its actor leaves it only while the
//! keeper holds every place of the mailbox, so that no request is inside and none gets in; whoever
//! comes meanwhile waits for a place, and brings the actor back.

use super::{ActorAddress, Deps, Passivate, Perform, Standing};
use crate::failure::StoreError;
use crate::limits::Config;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::StreamId;
use stoa_actors::passivation::{Activity, Sitting, due};
use tokio::sync::Notify;

/// Every stream that is registered, whatever its kind.
pub(crate) struct Registry {
    table: Mutex<HashMap<StreamId, Arc<dyn Passivate>>>,
    deps: Deps,
    /// Rung when there are more than there should be.
    crowded: Arc<Notify>,
}

impl Registry {
    /// Without any, and with a keeper that ends with them.
    pub(crate) fn start(deps: &Deps) -> Arc<Registry> {
        let crowded = Arc::new(Notify::new());
        let addresses = Arc::new(Registry {
            table: Mutex::default(),
            deps: deps.clone(),
            crowded: crowded.clone(),
        });
        let keeper = Keeper { addresses: Arc::downgrade(&addresses), crowded };
        tokio::spawn(keeper.run(deps.shared.config.clone()));
        addresses
    }

    /// The address of a stream, made if there is none.
    pub(crate) fn take<B: Behaviour + Sync>(
        &self,
        stream: StreamId,
        performer: Arc<dyn Perform<B>>,
    ) -> Result<Arc<ActorAddress<B>>, StoreError> {
        let mut table = self.table.lock();
        let before = table.len();
        let address = table
            .entry(stream)
            .or_insert_with(|| ActorAddress::<B>::new(stream, &self.deps, performer))
            .clone();
        // One that was there crowds nobody: it would ring with every message.
        let crowded = table.len() > before.max(self.deps.shared.config.addresses_max);
        drop(table);
        if crowded {
            self.crowded.notify_one();
        }
        address.into_any().downcast::<ActorAddress<B>>().map_err(|_| {
            StoreError::Invariant(format!("stream {stream} is not of kind {}", B::KIND))
        })
    }

    /// Whether a stream has an actor in memory.
    pub(crate) fn is_up(&self, stream: StreamId) -> bool {
        self.table.lock().get(&stream).is_some_and(|address| address.doing() != Activity::Empty)
    }

    /// The address of a stream, if there is one.
    pub(crate) fn get(&self, stream: StreamId) -> Option<Arc<dyn Passivate>> {
        self.table.lock().get(&stream).cloned()
    }

    /// Whether the actor of a stream can be asked; nothing without an address.
    pub(crate) fn standing(&self, stream: StreamId) -> Option<Standing> {
        self.table.lock().get(&stream).map(|address| address.stands())
    }

    /// How many requests the actor of a stream has been sent; none without an address.
    pub(crate) fn asked(&self, stream: StreamId) -> u64 {
        self.table.lock().get(&stream).map_or(0, |address| address.asked())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.lock().len()
    }

    /// Each, as the verdict wants it.
    fn sittings(&self) -> Vec<Sitting<StreamId>> {
        let table = self.table.lock();
        let sitting = |(stream, address): (&StreamId, &Arc<dyn Passivate>)| {
            let doing = match address.doing() {
                Activity::Empty if !free(address) => Activity::InUse,
                doing => doing,
            };
            Sitting { key: *stream, used: address.used(), doing }
        };
        table.iter().map(sitting).collect()
    }

    /// Lets one go, unless it was used since. Its address goes too, when nobody else holds it.
    async fn let_go(&self, sitting: Sitting<StreamId>) {
        let Some(address) = self.table.lock().get(&sitting.key).cloned() else { return };
        if !address.clone().rest(sitting.used).await {
            return;
        }
        drop(address);
        let mut table = self.table.lock();
        let empty =
            |address: &Arc<dyn Passivate>| address.doing() == Activity::Empty && free(address);
        if table.get(&sitting.key).is_some_and(empty) {
            table.remove(&sitting.key);
        }
    }
}

/// Whether the table alone holds an empty address. Under the table's lock nobody can take it meanwhile.
fn free(address: &Arc<dyn Passivate>) -> bool {
    Arc::strong_count(address) == 1 && !address.followed()
}

/// Holds no runtime open.
struct Keeper {
    addresses: Weak<Registry>,
    crowded: Arc<Notify>,
}

impl Keeper {
    async fn run(self, config: Config) {
        let often = Duration::from_millis((config.passivate_idle_ms / 2).clamp(10, 30_000));
        let soon = Duration::from_millis(config.passivate_retry_ms);
        let mut wait = often;
        loop {
            drop(tokio::time::timeout(wait, self.crowded.notified()).await);
            let Some(addresses) = self.addresses.upgrade() else { return };
            let shared = &addresses.deps.shared;
            if shared.store.failure.error().is_some() {
                return;
            }
            let (idle_ms, max) = (config.passivate_idle_ms, config.addresses_max);
            for sitting in due(&addresses.sittings(), shared.clock.now(), idle_ms, max) {
                addresses.let_go(sitting).await;
            }
            // Those in use may be done in a moment, and nobody rings then.
            wait = if addresses.len() > max { soon } else { often };
        }
    }
}
