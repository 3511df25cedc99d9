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
        "nothing called {0:?} is within your reach; list what you hold, or ask your parent for \
         access in the space you share with it"
    )]
    UnknownName(String),
    /// The session is not known, or was wiped.
    #[error("there is no living session {0}; name one that you spawned, or spawn it")]
    NoSuchSession(SessionId),
    /// The session ends with its action.
    #[error(
        "session {0} ends with its action: it has no name and spawns nobody; name a session that stays"
    )]
    Passing(SessionId),
    /// A spawn asked for more than its parent may delegate. This one is also recorded.
    #[error(
        "{asked} is more than you may delegate ({}); ask for less, or ask for more rights \
         yourself in the space you share with your parent", may(*.held)
    )]
    BeyondDelegable {
        /// What was asked for.
        asked: Right,
        /// What the parent may delegate.
        held: Option<Level>,
    },
    /// Sharing needs more than the granter holds.
    #[error(
        "you may not share {0}: the level grant on a space is enough to share its use; to share what \
         the other may pass on takes grant with as much to pass on (--delegate), and tools, secrets \
         and models take the right to pass them on; ask who granted it to you"
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
    #[error("a right on {0} must give a level to use, to delegate, or both")]
    EmptyRight(Subject),
    /// Tools, secrets and models are used or not used.
    #[error("{0} knows the level `read` only, which means that it may be used; say read")]
    LevelUnknown(Subject),
    /// Only spaces have aliases.
    #[error("{0} is called by its own name; leave the alias out")]
    NotAliased(Subject),
    /// There is nothing there to revoke, or it is not the asker's to revoke: one text for both.
    #[error(
        "no such right is yours to revoke; you can revoke what you granted, what rests on it, and \
         with `grant` any right in a space on which your own does not rest"
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
    #[error("you call something else {0:?} already; choose another name")]
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
    #[error("session {holder} holds {max} rights already; revoke some first")]
    TooManyLinks { holder: SessionId, max: usize },
    /// Too many aliases in one table.
    #[error("session {holder} has {max} names already; let another session hold the rest")]
    TooManyNames { holder: SessionId, max: usize },
    /// Too much asked for in one spawn.
    #[error("a spawn asks for at most {max} rights, not {asked}; share the rest afterwards")]
    TooManyAsks { asked: usize, max: usize },
    /// The chain to the origin would be too long.
    #[error(
        "{subject} would rest on more than {max} links; have it granted by somebody nearer its \
         origin"
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
    #[error("{0:?} is read as an id and cannot be a name; choose another name")]
    NameLikeId(String),
}

fn may(held: Option<Level>) -> String {
    held.map_or("nothing of it".into(), |level| format!("up to {level}"))
}
