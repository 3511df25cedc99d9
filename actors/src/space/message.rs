//! What a space is asked, what happens in it, and what it answers.

use super::{
    ClaimRequest, Declarations, Draft, Edit, End, Fence, Filter, ImportedVersion, Lease, Mutation,
    Origin, Patch, Resource, Subscription, Terms,
};
use crate::atom::{Atom, Reference};
use crate::id::{AtomId, Millis, Position, SessionId, SpaceId, SubscriptionId};
use crate::mutant::planted;
use crate::weight::weight;
use serde::Serialize;
use std::sync::Arc;

/// What a space can be asked. New ones come last: a request is known again by its hash.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Message {
    /// Says what the space is for: its convention.
    Describe(String),
    /// Changes one thing.
    Change(Mutation),
    /// Changes several things, all of them or none.
    Transact {
        /// In this order, each seeing those before.
        mutations: Vec<Mutation>,
        /// The leases of the asker that must hold at that moment.
        fences: Vec<Fence>,
    },
    /// Finds an atom that is as wanted, changes it and leases it to the asker.
    Claim(Box<ClaimRequest>),
    /// Leases something to the asker.
    Acquire {
        resource: Resource,
        /// For how long.
        ttl_ms: u64,
        intent: String,
    },
    /// Lets a lease of the asker last longer, counted from now.
    Renew {
        fence: Fence,
        /// For how long from now on.
        ttl_ms: u64,
    },
    /// Records the end of what is over. Leases end without it; this tidies, and puts back what a
    /// claim has set.
    Expire,
    /// Ends what the asker has leased from one moment to another, both included, and puts back what
    /// its claims have set: it has failed, or is out of service.
    LetGo {
        /// What it has leased before stays.
        since: Millis,
        /// What it has leased after stays.
        until: Millis,
    },
    /// Keeps a cursor for the asker, and wakes it when something matches.
    Subscribe {
        /// What is of interest.
        filter: Filter,
        /// From where on.
        cursor: Position,
        /// When it is told, and until when.
        terms: Terms,
    },
    /// Makes a subscription of the asker another one.
    Edit { id: SubscriptionId, edit: Edit },
    /// Ends a subscription of the asker; of anybody, if the asker may grant rights here.
    Unsubscribe(SubscriptionId),
    /// Moves the cursor of a subscription of the asker forward.
    Advance {
        id: SubscriptionId,
        /// The last position seen.
        cursor: Position,
    },
    /// Takes versions of atoms in that come from elsewhere, all of them or none.
    Import(Vec<ImportedVersion>),
    /// Records the end of subscriptions that tell nothing any more: those that are over, and those
    /// whose subscriber has no right here.
    EndVoid,
    /// Says what the space declares, in place of all that it has declared.
    Declare {
        /// What it is for, where that is said anew; what its front matter declares is declared as
        /// well.
        description: Option<String>,
        /// What it declares. Of what both declare, this counts.
        declares: Declarations,
    },
    /// Says what the space declares besides what it declares already.
    DeclareMore(Declarations),
}

/// Which version a change is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Exactly this one, else nothing changes.
    Version(u64),
    /// Whatever it is at: the asker accepts to overwrite what it has not read.
    Any,
}

/// What happened in a space.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Event {
    /// It says what it is for.
    Described(String),
    /// An atom was added.
    AtomPut(Arc<Atom>),
    /// An atom has a new version.
    AtomUpdated {
        /// All of it.
        atom: Arc<Atom>,
        /// The references it did not have before.
        added: Vec<Reference>,
        /// The references it no longer has.
        dropped: Vec<Reference>,
    },
    /// An atom is out of search.
    AtomDeprecated(Arc<Atom>),
    /// A session follows the space like this.
    SubscriptionSet {
        space: SpaceId,
        /// How it follows.
        subscription: Subscription,
        /// Whether it did before.
        was: Was,
    },
    /// It no longer does.
    Unsubscribed(SubscriptionId),
    /// It has seen everything up to here.
    Advanced {
        id: SubscriptionId,
        /// The last position seen.
        cursor: Position,
    },
    /// Something is leased.
    Leased(Lease),
    /// A lease lasts longer.
    LeaseRenewed {
        space: SpaceId,
        resource: Resource,
        token: u64,
        /// When it would have ended.
        was: Millis,
        /// When it ends.
        until: Millis,
    },
    /// A lease is over.
    LeaseEnded {
        space: SpaceId,
        resource: Resource,
        /// Whose it was.
        holder: SessionId,
        token: u64,
        /// When it would have ended.
        until: Millis,
        how: End,
    },
    /// A version that comes from elsewhere.
    AtomImported {
        /// All of it.
        atom: Arc<Atom>,
        /// The references it did not have before.
        added: Vec<Reference>,
        /// The references it no longer has.
        dropped: Vec<Reference>,
        /// What is said of it where it comes from.
        origin: Box<Origin>,
    },
    /// An atom says nothing any more.
    AtomErased {
        /// Its last version.
        atom: Arc<Atom>,
        /// The references it had.
        dropped: Vec<Reference>,
        /// What is said of it where it comes from, if it does.
        origin: Option<Box<Origin>>,
    },
    /// It declares this, in place of all that it has declared.
    Declared(Declarations),
}

/// Whether something was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// It was not.
    New,
    /// It is changed.
    There,
}

/// What the asker gets.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Reply {
    /// It is so.
    Done,
    /// The atom is at this version now.
    Version {
        id: AtomId,
        version: u64,
    },
    /// The subscription's name.
    Subscribed(SubscriptionId),
    /// The atoms of a transaction, in order, each at its version.
    Versions(Vec<(AtomId, u64)>),
    Lease(Lease),
    /// What was claimed: which atom, at which version, under which lease; nothing if nothing
    /// matches.
    Claimed(Option<(AtomId, u64, Box<Lease>)>),
    /// What was taken in.
    Imported {
        /// Versions that were not here.
        new: u64,
        /// Versions that were here, just so.
        known: u64,
    },
    /// What was taken in, and kept aside.
    Merged {
        /// Versions that were not here.
        new: u64,
        /// Versions that were here, just so.
        known: u64,
        /// Versions that lost to what is here, and are in the attic now.
        attic: u64,
        /// The atoms of which some did, now or before.
        lost: Vec<AtomId>,
    },
}

impl From<Mutation> for Message {
    fn from(mutation: Mutation) -> Message {
        Message::Change(mutation)
    }
}

impl Message {
    /// Adds an atom.
    pub fn put(draft: Draft) -> Message {
        Mutation::Put(Box::new(draft)).into()
    }

    /// Changes an atom.
    pub fn update(id: AtomId, expect: Expect, patch: Patch) -> Message {
        Mutation::Update { id, expect, patch: Box::new(patch) }.into()
    }

    /// Brings a deprecated atom back into search.
    pub fn reinstate(id: AtomId, expect: Expect) -> Message {
        Mutation::Reinstate { id, expect }.into()
    }

    /// Empties an atom.
    pub fn erase(id: AtomId, expect: Expect) -> Message {
        Mutation::Erase { id, expect }.into()
    }

    /// What it takes in memory: also what is made before the delivery, which its serialized form
    /// leaves out for it is no part of the request.
    pub(super) fn weight(&self) -> usize {
        let made = match self {
            _ if planted("space.weighs_no_vectors") => 0,
            Message::Change(mutation) => mutation.vector(),
            Message::Transact { mutations, .. } => mutations.iter().map(Mutation::vector).sum(),
            Message::Claim(claim) => {
                claim.ranked.as_ref().map_or(0, |it| it.len() * size_of::<AtomId>())
            }
            _ => 0,
        };
        weight(self).saturating_add(made)
    }

    /// Takes an atom out of search.
    pub fn deprecate(id: AtomId, expect: Expect, superseded_by: Option<AtomId>) -> Message {
        Mutation::Deprecate { id, expect, superseded_by }.into()
    }
}

/// The types of entry in a space's log, by which it is followed.
pub const TYPES: [&str; 17] = [
    "space.described",
    "space.declared",
    "atom.put",
    "atom.updated",
    "atom.deprecated",
    "atom.imported",
    "atom.erased",
    "subscription.created",
    "subscription.edited",
    "subscription.ended",
    "subscription.advanced",
    "lease.acquired",
    "lease.renewed",
    "lease.released",
    "lease.expired",
    "lease.abandoned",
    "lease.broken",
];

#[cfg(test)]
mod tests {
    use super::TYPES;

    /// Each is the name of an event, and each event has its name here.
    #[test]
    fn the_types_are_the_names_of_the_events() {
        let source = include_str!("../space.rs");
        let names = source.split("fn name(event: &Event)").nth(1).expect("it names events");
        let names = names.split("fn project").next().expect("and ends");
        let mut named: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
        let mut types = TYPES.to_vec();
        named.sort_unstable();
        types.sort_unstable();
        assert_eq!(named, types);
    }
}
