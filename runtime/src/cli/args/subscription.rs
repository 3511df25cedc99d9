//! The verbs of subscriptions.

use clap::{Args as ClapArgs, Subcommand};
use stoa_actors::id::SubscriptionId;

/// A subscription is a cursor in a space that is kept for you, with what is of interest to you. It
/// is read when you like, and goes on where you have acknowledged, whatever crashed meanwhile. Those
/// of an agent wake it; they are named by their space.
#[derive(Subcommand, Debug)]
pub(crate) enum SubscriptionVerb {
    /// Keep a cursor in a space
    Add {
        /// The space's name, or its id
        space: String,
        /// For this agent: what is of interest wakes it
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
        #[command(flatten)]
        filter: FilterArgs,
        /// Begin after this cursor [default: from now on]
        #[arg(long, value_name = "POSITION")]
        cursor: Option<u64>,
        /// Tell after so long without anything new, ten times that at the latest: 30s
        #[arg(long, value_name = "TIME")]
        debounce: Option<String>,
        /// It ends after so long: 90s, 10m, 2h, 7d [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List your subscriptions, or those of an agent
    List {
        /// Only in this space
        #[arg(long, value_name = "SPACE")]
        space: Option<String>,
        /// Those of this agent
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
        /// Everybody's, in the spaces where you may grant rights
        #[arg(long, conflicts_with = "agent")]
        all: bool,
    },
    /// Change a subscription: what is not named stays
    Edit {
        /// Its id; with an agent, the space that it follows
        name: String,
        /// Of this agent
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
        #[command(flatten)]
        filter: FilterArgs,
        /// Everything is of interest
        #[arg(long, conflicts_with_all = ["types", "meta", "references"])]
        everything: bool,
        /// Go on after this cursor, back or forth
        #[arg(long, value_name = "POSITION", conflicts_with = "agent")]
        cursor: Option<u64>,
        /// Tell after so long without anything new; 0s is at once
        #[arg(long, value_name = "TIME")]
        debounce: Option<String>,
        /// It ends after so long from now on
        #[arg(long, value_name = "TIME", conflicts_with = "forever")]
        expires: Option<String>,
        /// It never ends
        #[arg(long)]
        forever: bool,
    },
    /// End a subscription: yours, or anybody's in a space where you may grant rights
    ///
    /// A subscription ends by itself with the right that it rests on.
    Remove {
        /// Its id; with an agent, the space that it follows
        name: String,
        /// Of this agent
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// What others did since the cursor
    ///
    /// It ends with the cursor to acknowledge. Where there is more than --lag-max, one line stands
    /// for exactly all of it: how much, from where to where, and its first comments.
    Read {
        /// Its id
        id: SubscriptionId,
        /// At most so many changes; those of one transaction stay together
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// More than so many are told as one line
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        lag_max: usize,
        /// Acknowledge what is printed, once it is
        #[arg(long)]
        ack: bool,
        /// Wait for more
        #[arg(long, conflicts_with = "ack")]
        follow: bool,
    },
    /// Go on after a cursor from now on
    Ack {
        /// Its id
        id: SubscriptionId,
        /// Everything up to here is seen
        cursor: u64,
    },
}

/// What is of interest.
#[derive(ClapArgs, Debug)]
pub(crate) struct FilterArgs {
    /// Only this type: atom.put, atom.updated, atom.deprecated, ...
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Only atoms whose metadata says so, as in a search: status=open, 'priority>=3'
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) meta: Vec<String>,
    /// Only atoms that refer to this one, or to any by this relation
    #[arg(long = "ref", value_name = "RELATION[=ID]")]
    pub(crate) references: Vec<String>,
}
