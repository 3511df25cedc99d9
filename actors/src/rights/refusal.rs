//! Why the rights actor says no.

use super::{Level, Right, Subject};
use crate::id::{LinkId, Millis, SessionId, SpaceId};
use crate::name::Misspelt;

/// Nothing was changed. The text names the thing and the next step, and never tells a forbidden
/// thing from one that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Refusal {
    /// The name means nothing to its asker, or something it may not reach: one text for both.
    #[error(
        "nothing called {0:?} is visible to you; list your permissions, or ask whoever gave you \
         yours for access"
    )]
    UnknownName(String),
    /// The session is not known, or was wiped.
    #[error("there is no living session {0}; name one that you spawned, or spawn it")]
    NoSuchSession(SessionId),
    /// The session ends with its action.
    #[error(
        "session {0} exists only for one action, so it has no name and no children; use a named \
         session"
    )]
    Passing(SessionId),
    /// A spawn asked for more than its parent may delegate. This one is also recorded.
    #[error(
        "permission denied: {asked} is more than you may delegate ({}); ask for less, or ask \
         whoever gave you your permissions for more", may(*.held)
    )]
    BeyondDelegable {
        /// What was asked for.
        asked: Right,
        /// What the parent may delegate.
        held: Option<Level>,
    },
    /// Sharing needs more than the granter holds.
    #[error(
        "permission denied: you may not share {0}; sharing a space needs the level grant; letting \
         the other delegate it needs that you may delegate as much (--delegate); tools, secrets \
         and models need the permission to delegate them; ask the one who granted it"
    )]
    MayNotShare(Right),
    /// The right asked for would outlive what it rests on. Recorded when it was a spawn.
    #[error("{asked} can last until {} ms at most; leave the expiry out to get that", until.0)]
    OutlivesBasis {
        /// What was asked for.
        asked: Right,
        /// When what it would rest on expires.
        until: Millis,
    },
    /// The expiry asked for is not in the future.
    #[error(
        "an expiry at {} ms has passed already (it is {} ms); give a later one", expires.0, now.0
    )]
    AlreadyExpired {
        /// What was asked for.
        expires: Millis,
        /// The time of the message.
        now: Millis,
    },
    /// The right grants nothing.
    #[error("a permission on {0} must give a level to use, to delegate, or both")]
    EmptyRight(Subject),
    /// Tools, secrets and models are used or not used.
    #[error("{0} has only the level `read`, which allows its use; write read")]
    LevelUnknown(Subject),
    /// Only spaces have aliases.
    #[error("{0} is called by its own name; leave the alias out")]
    NotAliased(Subject),
    /// There is nothing there to revoke, or it is not the asker's to revoke: one text for both.
    #[error(
        "there is no permission that you can revoke; you can revoke what you granted and what \
         depends on it, and with the level `grant` any permission in the space on which yours \
         does not depend"
    )]
    NothingToRevoke,
    /// Only the session itself, those it descends from and the root may end it.
    #[error("session {0} is not yours to end; a session is ended by itself or an ancestor")]
    NotYoursToEnd(SessionId),
    /// The root is the data directory's owner.
    #[error("the root session cannot be ended; stop the runtime instead")]
    RootStays,
    /// Only the root is given things from outside.
    #[error("only the root is given tools, secrets and models; spaces are created instead")]
    OnlyRoot,
    /// The alias is in use in the asker's own table.
    #[error("you already use the name {0:?} for something else; choose another name")]
    AliasTaken(String),
    /// The identity is in use.
    #[error("session {0} exists already; spawn with a fresh id")]
    SessionTaken(SessionId),
    /// The identity is in use.
    #[error("space {0} exists already; create with a fresh id")]
    SpaceTaken(SpaceId),
    /// The identity is in use.
    #[error("link {0} exists already; grant with a fresh id")]
    LinkTaken(LinkId),
    /// Too many links to one holder.
    #[error("session {holder} has {max} permissions already; revoke some first")]
    TooManyLinks { holder: SessionId, max: usize },
    /// Too many aliases in one table.
    #[error("session {holder} has {max} names already; let another session hold the rest")]
    TooManyNames { holder: SessionId, max: usize },
    /// Too much asked for in one spawn.
    #[error("a spawn takes at most {max} permissions, not {asked}; grant the rest afterwards")]
    TooManyAsks { asked: usize, max: usize },
    /// The chain to the origin would be too long.
    #[error(
        "{subject} would depend on more than {max} delegations; have it granted by somebody \
         nearer its origin"
    )]
    ChainTooLong { subject: Subject, max: usize },
    /// The spawn tree would be too deep.
    #[error("a session may have at most {max} ancestors; let one of yours spawn instead")]
    TooDeep { max: usize },
    /// A reason too long.
    #[error("a reason has at most {max} bytes, not {bytes}; put the rest into an atom")]
    ReasonTooLong { bytes: usize, max: usize },
    /// A name too long, or empty.
    #[error("a name has 1 to {max} bytes, not {bytes}")]
    BadName { bytes: usize, max: usize },
    /// A name that a reader could not type again.
    #[error(transparent)]
    Misspelt(#[from] Misspelt),
    /// A name that is read as an id: it would stand for the thing whose id it is.
    #[error("{0:?} looks like an id and cannot be a name; choose another name")]
    NameLikeId(String),
}

fn may(held: Option<Level>) -> String {
    held.map_or("nothing of it".into(), |level| format!("up to {level}"))
}
