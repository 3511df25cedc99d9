//! What keeps actors alive: the [`ActorAddress`] is the lasting address of one, over all its incarnations;
//! here it is started, asked, supervised, put away, and told what becomes of what it wants done.
//!
//! In reading order: `actor` is one incarnation under ractor, and the order of a delivery; `address`
//! how it is reached, and `registry` all of them; `supervisor` who starts it again. `post` delivers
//! what actors send each other, and `timer` says what is due: both by `Reach`, which whoever
//! knows the kinds of actor brings. `stream_head` and `followers` tell who wants to know how a
//! stream goes on.

mod actor;
mod address;
mod ask_error;
mod followers;
mod post;
mod reach;
mod registry;
mod shown;
mod stream_head;
mod supervisor;
mod timer;

pub(crate) use actor::{Hook, load};
pub use address::{ActorAddress, Asked, Boxed, Nothing, Perform, Receipt, Standing};
pub(crate) use address::{Deps, Heard, Passivate, Supervised};
pub use ask_error::AskError;
pub(crate) use followers::{Change, Followers};
pub(crate) use post::Post;
pub(crate) use reach::Reach;
pub(crate) use registry::Registry;
pub(crate) use shown::Shown;
pub(crate) use stream_head::{Publisher, Waiter};
pub(crate) use supervisor::Supervisors;
pub(crate) use timer::{settle_due, start_timer};

use crate::clock::{Clock, Fresh};
use crate::failure::StoreError;
use crate::limits::Config;
use crate::log::Log;
use crate::store::Store;
use parking_lot::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use stoa_actors::rights::RightsTable;

/// What all hosts of a runtime share.
pub struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Store,
    /// Where entries go.
    pub log: Log,
    /// What entries are stamped with.
    pub clock: Clock,
    pub(crate) fresh: Fresh,
    /// Effects are started from the acker, which is no task.
    pub(crate) spawner: tokio::runtime::Handle,
    /// Who may do what, as readers and deciders see it: less when a loss is decided, more only once
    /// a gain is durable. The rights actor's own state lies here, and with the actor only while it
    /// decides.
    pub rights: RwLock<RightsTable>,
    pub(crate) shown: Shown,
    /// The last entry of the rights that is decided, and the last that is durable: whoever is told
    /// no may be told so because of one in between.
    pub(crate) rights_decided: AtomicU64,
    pub(crate) rights_durable: AtomicU64,
    pub(crate) followers: Followers,
    pub(crate) post: Post,
    /// Nothing more is taken in.
    pub(crate) closed: AtomicBool,
}

impl Shared {
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether all that is decided about rights is durable.
    fn rights_are_settled(&self) -> bool {
        let durable = self.rights_durable.load(Ordering::Acquire);
        self.rights_decided.load(Ordering::Acquire) <= durable
    }

    /// Why nothing is taken in, if so.
    pub(crate) fn refuses(&self) -> Option<StoreError> {
        let stopping = || self.closed.load(Ordering::Acquire).then_some(StoreError::Stopping);
        self.store.failure.error().or_else(stopping)
    }
}
