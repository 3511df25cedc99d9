//! A session's no.

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It was never begun.
    #[error("no such agent; list them with `stoa agent list`")]
    Unborn,
    /// It is dead.
    #[error("the agent is wiped; what it wrote is still there")]
    Wiped,
    /// An outcome of something that is over.
    #[error("turn {turn}, step {step} is over")]
    Stale {
        /// Which turn.
        turn: u64,
        /// Which step.
        step: u32,
    },
    /// Over a limit.
    #[error("{what} takes {size}; the limit is {max}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How large.
        size: usize,
        /// The limit, in the same unit.
        max: usize,
    },
}
