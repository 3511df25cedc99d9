//! Live indexes of spaces, outside the mailboxes.
//!
//! An index is made at the first search of its space and caught up from the log, in the background
//! while the space is in use and by every search up to the last durable position: what was
//! acknowledged before a search is in it, and what is not durable yet is not. Who may see what is
//! found is nothing that is known here.

mod index_cache;
mod index_follower;
mod live;
mod past;
#[cfg(feature = "vectors")]
mod sealer;
mod source;

pub(crate) use index_cache::Searches;
pub use live::IndexCard;
pub(crate) use live::Live;
pub(crate) use past::Pasts;

use crate::runtime::Runtime;
use std::sync::Arc;
use stoa_actors::id::SpaceId;

impl Runtime {
    pub(crate) fn searches(&self) -> Arc<Searches> {
        self.part()
    }

    /// The indexes of searches in memory, and how far each is.
    pub fn indexes(&self) -> Vec<IndexCard> {
        self.searches().cards()
    }

    /// The index of a space, if it is in memory.
    pub fn index_of(&self, space: SpaceId) -> Option<IndexCard> {
        self.searches().card(space)
    }
}
