//! Subscriptions as they were stored before they had terms. Read for good; written no more, but in
//! what an agent is born with.

use super::{Filter, Subscription, Terms};
use crate::atom::Metadata;
use crate::id::{Position, SessionId, SubscriptionId};
use serde::{Deserialize, Serialize};

/// The first form of a [`Filter`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter1 {
    /// Types of entry; none is all.
    pub types: Vec<String>,
    /// What the atom's metadata must say.
    pub metadata: Metadata,
}

/// The first form of a [`Subscription`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription1 {
    /// Its name.
    pub id: SubscriptionId,
    /// Who follows.
    pub subscriber: SessionId,
    /// What is of interest.
    pub filter: Filter1,
    /// Everything up to here has been seen.
    pub cursor: Position,
}

impl From<Filter1> for Filter {
    fn from(Filter1 { types, metadata }: Filter1) -> Filter {
        Filter { types, metadata, ..Filter::default() }
    }
}

impl From<Subscription1> for Subscription {
    fn from(Subscription1 { id, subscriber, filter, cursor }: Subscription1) -> Subscription {
        Subscription { id, subscriber, filter: filter.into(), cursor, terms: Terms::default() }
    }
}
