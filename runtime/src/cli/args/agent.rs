//! The verbs of agents.

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;

/// An agent is named by its name, or by its id.
#[derive(Subcommand, Debug)]
pub(crate) enum AgentVerb {
    /// List the living agents under you, the oldest first
    List,
    /// The same as a tree: every agent behind its parent
    Tree,
    /// Show one agent
    Show {
        /// Its name, or its id
        agent: String,
    },
    /// What an agent thought, did and saw, the oldest first
    Log {
        /// Its name, or its id
        agent: String,
        /// Only what came after this position in the log
        #[arg(long, value_name = "POSITION", default_value_t = 0)]
        after: u64,
        /// At most so many lines
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        limit: usize,
        /// Wait for more
        #[arg(long)]
        follow: bool,
    },
    /// Say something to an agent; it is woken
    Say {
        /// Its name, or its id
        agent: String,
        /// What, or - for stdin [default: what is piped in]
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        text: Option<String>,
    },
    /// Stop an agent and end its leases; nothing wakes it until it is resumed
    Stop {
        /// Its name, or its id
        agent: String,
        /// Why; it is kept, and told to its parent
        #[arg(long, default_value = "stopped by hand")]
        reason: String,
    },
    /// Let a stopped, parked, quarantined or exhausted agent go on
    Resume {
        /// Its name, or its id
        agent: String,
        /// Hand it so much more to spend: thoughts=10,tokens=20000
        #[arg(long, value_name = "UNIT=N")]
        budget: Option<String>,
    },
    /// End an agent and all under it; what they wrote stays
    Wipe {
        /// Its name, or its id
        agent: String,
        /// Why; kept in the log
        #[arg(long, default_value = "wiped by hand")]
        reason: String,
    },
}
