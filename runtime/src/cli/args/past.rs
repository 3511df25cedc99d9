//! The verbs that look back.

use clap::Args as ClapArgs;
use stoa_actors::id::AtomId;

/// Which part of a history.
///
/// A page ends with the position to go on from.
#[derive(ClapArgs, Debug)]
pub(crate) struct HistoryArgs {
    /// An atom's id, or a space's name or id [default: every space that you can read]
    pub(crate) of: Option<String>,
    /// Only what came after this position in the log
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    pub(crate) after: u64,
    /// Only what came before this position in the log
    #[arg(long, value_name = "POSITION")]
    pub(crate) before: Option<u64>,
    /// As it was then: a position in the log, a time like 2026-01-31T12:00:00Z, or '10m ago'
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// At most so many changes; those of one transaction stay together
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// The newest first
    #[arg(long)]
    pub(crate) newest: bool,
    /// Only what this session did: its name, or its id
    #[arg(long, value_name = "SESSION")]
    pub(crate) by: Option<String>,
    /// Only changes whose comment says this, in capitals or not
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
}

/// Which versions.
#[derive(ClapArgs, Debug)]
pub(crate) struct DiffArgs {
    /// The atom's id
    pub(crate) id: AtomId,
    /// The one version [default: the one before the other]
    pub(crate) from: Option<u64>,
    /// The other [default: the newest]
    pub(crate) to: Option<u64>,
}
