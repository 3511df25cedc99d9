//! Why a space says no.

use super::{Fence, InvalidSubscription, Misdeclared, Resource, Undeclared};
use crate::atom::NoVector;
use crate::conditions::ConditionRefusal;
use crate::id::{AtomId, SessionId, SubscriptionId};
use crate::name::Misspelt;
use crate::right::Level;
use crate::value::ValueRefusal;

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Refusal {
    /// The asker may not read the space: said as if it were not there.
    #[error("no space here that you can read; ask its owner for access")]
    Unknown,
    /// The asker may read, but not this.
    #[error(
        "permission denied: you have {held} here, and this needs {needed}; ask the one who granted it"
    )]
    Right {
        /// What it holds.
        held: Level,
        /// What it would need.
        needed: Level,
    },
    /// The atom is not in this space, or nowhere that the asker can read.
    #[error("no atom {0} that you can read")]
    NoAtom(AtomId),
    /// Somebody was first.
    #[error("atom {id} is at version {current}, not {expected}; read it again and retry")]
    Conflict {
        id: AtomId,
        /// What was expected.
        expected: u64,
        /// What it is at.
        current: u64,
    },
    /// It is out of use.
    #[error("atom {id} is deprecated{}; put a new atom", superseded(.by))]
    Deprecated {
        id: AtomId,
        /// What to read instead.
        by: Option<AtomId>,
    },
    /// It is not out of use.
    #[error("atom {0} is in use: it is not deprecated")]
    InUse(AtomId),
    /// It was emptied, for good.
    #[error("atom {0} was erased; put a new atom")]
    Erased(AtomId),
    /// What is to be written is what only an erase leaves behind.
    #[error("such content can only result from an erase; erase the atom")]
    Gone,
    /// An atom cannot supersede itself.
    #[error("an atom cannot supersede itself")]
    OwnSuccessor,
    /// A value that cannot be stored.
    #[error(transparent)]
    Value(#[from] ValueRefusal),
    /// A condition that nobody can have meant.
    #[error(transparent)]
    Condition(#[from] ConditionRefusal),
    /// An embedding that is no vector.
    #[error(transparent)]
    Vector(#[from] NoVector),
    /// Over a limit.
    #[error("{what} takes {size}; the limit is {max}")]
    Limit {
        /// What is too large.
        what: &'static str,
        size: usize,
        /// The limit, in the same unit.
        max: usize,
    },
    /// A name must be there.
    #[error("{0} is empty; give it a name")]
    Empty(&'static str),
    /// A name that a reader could not type again.
    #[error(transparent)]
    Misspelt(#[from] Misspelt),
    /// A subscription that cannot be.
    #[error(transparent)]
    Subscription(#[from] InvalidSubscription),
    /// An atom with this id is there, here or elsewhere.
    #[error("there is an atom {0} already; an id is given once")]
    Taken(AtomId),
    /// An atom comes from elsewhere under an id that is in use outside this space, for the asker to
    /// see or not; or that may be, for all that the asker may learn.
    #[error(
        "atom {0} cannot be imported under its id, which may be in use in another space; \
         --new-ids gives it a new one"
    )]
    Elsewhere(AtomId),
    /// A version that comes from elsewhere is not what is here under its number.
    #[error(
        "atom {id} version {version} differs from the one here: the copies have diverged; --merge \
         keeps both sides"
    )]
    Differs { id: AtomId, version: u64 },
    /// A version comes from elsewhere without the one before.
    #[error(
        "atom {id} version {version} cannot follow version {newest}: the versions between are \
         missing"
    )]
    Gap {
        id: AtomId,
        version: u64,
        /// The newest that is here; 0 for none.
        newest: u64,
    },
    /// An atom does not say what it was expected to.
    #[error("atom {id} does not have the expected {key:?}; read it again and retry")]
    Unexpected {
        id: AtomId,
        /// The first key that differs.
        key: String,
    },
    /// Somebody else works on it.
    #[error("{resource} is leased by {holder} for another {}", seconds(.left_ms))]
    Leased {
        resource: Resource,
        holder: SessionId,
        /// For so long, if it is not renewed.
        left_ms: u64,
    },
    /// The lease that a request rests on is over, or was never the asker's.
    #[error(
        "the lease on {} with token {} has ended; read the data again, then claim or acquire it \
         again", .fence.resource, .fence.token
    )]
    Stale {
        /// What it rests on.
        fence: Fence,
        /// The token that holds now, if any does.
        now: Option<u64>,
    },
    /// Nobody has leased it.
    #[error("{0} is not leased")]
    NoLease(Resource),
    /// A lease lasts for longer than nothing and not for ever.
    #[error(
        "a lease of {} is not possible; it lasts up to {} and can be renewed", span(.ttl_ms),
        span(.max_ms)
    )]
    Ttl {
        /// What was asked for.
        ttl_ms: u64,
        max_ms: u64,
    },
    /// A name in a condition or an order that the space neither declares nor uses.
    #[error(transparent)]
    Undeclared(#[from] Undeclared),
    /// Something that cannot be declared.
    #[error(transparent)]
    Misdeclared(#[from] Misdeclared),
    /// A reference would close a circle of a relation that leads in none.
    #[error(
        "atom {id} cannot refer to {target} by {relation:?}: that leads back to {id}, and the \
         relation is declared acyclic here"
    )]
    Circle {
        id: AtomId,
        /// By which relation.
        relation: String,
        target: AtomId,
    },
    /// Whether a reference would close a circle is more work than one write may be.
    #[error(
        "atom {id} cannot refer to {target} by {relation:?}, which is declared acyclic here: more \
         than {max} atoms are reachable from it, too many to check for a cycle; refer to fewer"
    )]
    Far {
        id: AtomId,
        /// By which relation.
        relation: String,
        target: AtomId,
        /// How many are looked at.
        max: usize,
    },
    /// Attempts that nobody can have meant.
    #[error(
        "attempts_max is 1 or more, and goes with exhausted: what is set on an atom whose attempts \
         are used up"
    )]
    NoAttempts,
    /// What is set on an atom whose attempts are used up leaves it wanted.
    #[error(
        "an atom whose attempts are used up would be claimed again; let exhausted set a value \
         that the condition does not match"
    )]
    StillWanted,
    /// What comes first was tried as often as it may be, and is out of the way from now on.
    #[error("{0} atoms had used up their attempts and were set aside; claim again")]
    UsedUp(usize),
    /// A text ranks by itself.
    #[error("a query has its own order, best match first; leave out the query or the order")]
    TextAndOrder,
    /// Not a subscription of the asker.
    #[error("no subscription {0} of yours here")]
    NoSubscription(SubscriptionId),
}

/// Rounded up: after so long it is over.
fn seconds(ms: &u64) -> String {
    format!("{} s", ms.div_ceil(1_000))
}

/// A time as people write it: in the largest unit that tells it exactly.
fn span(ms: &u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| *ms > 0 && ms.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

fn superseded(by: &Option<AtomId>) -> String {
    by.map_or_else(String::new, |id| format!(", superseded by {id}"))
}
