//! In which sequence commits stand: the seam at which a log can become that of many nodes.
//!
//! The log writer offers commits and takes what stands from [`CommitOrder::next`], own commits and those
//! of other nodes alike; it writes nothing to the store on its own. The local order is a queue of
//! this process, and the sync of the store is what makes a commit durable. A shared one keeps
//! commits elsewhere: there a commit is durable before it is handed out, and stays so.
//!
//! What an order promises:
//!
//! * every node gets the same commits in the same sequence, at places that rise;
//! * a node that begins after a place gets everything behind it, again if need be;
//! * a commit may come late, more than once, and after [`CommitOrder::offer`] seemed to fail;
//! * what is [refused](Ordered::Refused) never stands, then or later.
//!
//! What it need not promise: that a commit stands once, or that those of one node keep their
//! sequence. [`stoa_actors::commit`] judges that, the same way on every node.

mod local;

pub(crate) use local::Local;

use crate::failure::StoreError;
use std::sync::Arc;
use stoa_actors::commit::{Commit, CommitId};
use stoa_actors::id::NodeId;

/// Where a commit stands in a shared order. Places rise and may have gaps; 0 is before the first.
/// They say nothing about positions, which only the fold gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderSlot(pub u64);

/// What an order has to tell.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Ordered {
    /// The next commit, of whomever.
    Stands {
        /// Where; nothing in an order that nobody else writes to.
        place: Option<OrderSlot>,
        /// What stands there. In a shared order as [`Commit::shared`] has it.
        commit: Commit,
    },
    /// What was offered here and never stands.
    Refused {
        id: CommitId,
        /// Why, as the offerer is told.
        why: String,
    },
}

/// Decides in which sequence commits stand.
pub trait CommitOrder: Send {
    /// Offers a commit, and does not wait for what becomes of it: [`CommitOrder::next`] tells that. Those
    /// of one life should stand in the sequence in which they are offered; one that overtakes
    /// another is void, and so is the other.
    ///
    /// Errors: what ends the store. A commit that may still stand is not an error.
    fn offer(&mut self, commit: Commit) -> Result<(), StoreError>;

    /// What has come next, without waiting; the [`OrderWaker`] rings when there is something.
    ///
    /// Errors: what ends the store, like a place that is missing.
    fn next(&mut self) -> Result<Option<Ordered>, StoreError>;
}

/// Wakes the log writer. Rung too often it costs little, and one that is not rung is a commit that
/// waits.
#[derive(Clone)]
pub struct OrderWaker(Arc<dyn Fn() + Send + Sync>);

impl OrderWaker {
    pub(crate) fn new(ring: impl Fn() + Send + Sync + 'static) -> OrderWaker {
        OrderWaker(Arc::new(ring))
    }

    /// There may be something new.
    pub fn ring(&self) {
        (self.0)();
    }
}

/// What a node begins with in a shared order.
pub struct Joining {
    /// Everything behind this place is to come.
    pub after: OrderSlot,
    /// Rings when something has come.
    pub bell: OrderWaker,
}

type Join = dyn Fn(Joining) -> Result<Box<dyn CommitOrder>, StoreError> + Send + Sync;

/// Which order the log of a directory has.
#[derive(Clone, Default)]
pub struct Orders(Option<Shared>);

#[derive(Clone)]
struct Shared {
    node: NodeId,
    offers_max: usize,
    join: Arc<Join>,
}

impl Orders {
    /// One that others write to as well. `node` names this directory among them, for good;
    /// `offers_max` is how many commits of it may be on their way.
    pub fn shared(
        node: NodeId,
        offers_max: usize,
        join: impl Fn(Joining) -> Result<Box<dyn CommitOrder>, StoreError> + Send + Sync + 'static,
    ) -> Orders {
        Orders(Some(Shared { node, offers_max: offers_max.max(1), join: Arc::new(join) }))
    }

    /// Who offers here; nothing in an order that nobody else writes to.
    pub fn node(&self) -> Option<NodeId> {
        self.0.as_ref().map(|it| it.node)
    }

    /// Offers that may be on their way.
    pub(crate) fn offers_max(&self) -> usize {
        self.0.as_ref().map_or(1, |it| it.offers_max)
    }

    pub(crate) fn join(&self, joining: Joining) -> Result<Box<dyn CommitOrder>, StoreError> {
        match &self.0 {
            Some(shared) => (shared.join)(joining),
            None => Ok(Box::new(Local::default())),
        }
    }
}

impl std::fmt::Debug for Orders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.node() {
            Some(node) => write!(f, "shared, as {node}"),
            None => f.write_str("local"),
        }
    }
}
