//! A session's no.

use crate::agent::{Amount, BudgetUnit};

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Refusal {
    /// It was never begun.
    #[error("no such agent; list them with `stoa agent list`")]
    Unborn,
    /// It is dead.
    #[error("the agent is wiped; what it wrote is still there")]
    Wiped,
    /// An outcome of something that is over.
    #[error("turn {turn}, step {step} is over")]
    Stale { turn: u64, step: u32 },
    /// Over a limit.
    #[error("{what} takes {size}; the limit is {max}")]
    Limit {
        /// What is too large.
        what: &'static str,
        size: usize,
        /// The limit, in the same unit.
        max: usize,
    },
    /// What the calls of an action were answered is more than is kept of it.
    #[error(
        "the answers to the calls of this action take {size} bytes, and notes_bytes_max is {max}: end \
         the action here and go on in the next, or ask for less at a time"
    )]
    NotesFull {
        /// What they would take in memory.
        size: usize,
        max: usize,
    },
    /// A space cannot be followed like that.
    #[error(transparent)]
    Follow(#[from] crate::space::InvalidSubscription),
    /// There is nothing left to think with.
    #[error("its budget is spent ({0}); add to it, and the agent resumes")]
    Exhausted(String),
    /// A child would be without a bound where its parent has one.
    #[error(
        "you have {0} left, and a child's budget is taken out of yours: say how many, \
         budget={{\"{unit}\": N}}", unit = .0.unit
    )]
    BudgetUnnamed(Amount),
    /// More than there is.
    #[error(
        "{asked} are more than the {left} you have left; give less, or ask for more \
         yourself in the space you share with your parent", left = .left.unit.shown(.left.count)
    )]
    BudgetShort {
        /// How much was asked for.
        asked: Amount,
        /// What is left, in the same unit.
        left: Amount,
    },
    /// It may bring up nobody any more.
    #[error("you may bring up no more agents: the spawns of your budget are used up")]
    NoMoreSpawns,
    /// It may bring up nobody.
    #[error("you may bring up no agents: the depth of your budget is 0")]
    TooDeep,
    /// A bound that is not handed on.
    #[error("depth is said at birth, and nothing is added to it")]
    DepthAdded,
    /// Nothing can be done with nothing.
    #[error("a budget of 0 {0} does not allow a single turn; give it some, or leave {0} out")]
    BudgetEmpty(BudgetUnit),
    /// More of what has no end.
    #[error("it has no limit in {0}, so nothing can be added")]
    BudgetUnbounded(BudgetUnit),
}
