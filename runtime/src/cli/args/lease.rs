//! The verbs of claims and leases.

use super::WhyArgs;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Subcommand};

/// What is claimed, and how.
#[derive(ClapArgs, Debug)]
pub(crate) struct ClaimArgs {
    /// The space's name, or its id
    pub(crate) space: String,
    /// The nearest in meaning and words first [default: the oldest]
    pub(crate) query: Option<String>,
    /// Only an atom whose metadata says so: status=pending, 'priority>=3'
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) meta: Vec<String>,
    /// Only an atom whose references fit, as in a search: blocked_by:status=completed
    #[arg(long = "ref", value_name = "RELATION:KEY=VALUE")]
    pub(crate) references: Vec<String>,
    /// What it says from then on: status=in_progress, typed as with put; null removes the key
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// How long it is yours: 90s, 10m, 2h, 7d; at most 30d
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) lease: String,
    /// What for; others see it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) intent: String,
    #[command(flatten)]
    pub(crate) why: WhyArgs,
}

/// A lease is of an atom, by its id, or of anything else that you give a name to: a path, an
/// environment. A name is read as a path: ./src/app, src//app and src/app/ are src/app.
#[derive(Subcommand, Debug)]
pub(crate) enum LeaseVerb {
    /// Get a lease; refused while somebody has one
    Acquire {
        /// The space's name, or its id
        space: String,
        /// An atom's id, or a name: deploy/production
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        resource: String,
        /// How long: 90s, 10m, 2h, 7d; at most 30d
        #[arg(long, value_name = "TIME", default_value = "10m")]
        lease: String,
        /// What for; others see it
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        intent: String,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Let a lease of yours last longer, counted from now; refused once it is over
    Renew {
        /// The space's name, or its id
        space: String,
        /// An atom's id, or a name
        resource: String,
        /// The token that you got with it
        #[arg(long, value_name = "N")]
        token: u64,
        /// How long from now on: 90s, 10m, 2h, 7d; at most 30d
        #[arg(long, value_name = "TIME", default_value = "10m")]
        lease: String,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Give a lease back
    Release {
        /// The space's name, or its id
        space: String,
        /// An atom's id, or a name
        resource: String,
        /// The token that you got with it
        #[arg(long, value_name = "N", required_unless_present = "break_it")]
        token: Option<u64>,
        /// Take it from whoever has it; that takes the level grant
        #[arg(long = "break", conflicts_with = "token")]
        break_it: bool,
        /// Put back what the claim has set, unless it has been changed since
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// List the leases of a space that hold
    List {
        /// The space's name, or its id
        space: String,
    },
    /// Follow the leases of a space: one JSON line when one is got, renewed or over
    Watch {
        /// The space's name, or its id
        space: String,
        /// Begin after this cursor [default: from now on]
        #[arg(long, value_name = "POSITION")]
        cursor: Option<u64>,
        /// End when there is nothing new, instead of waiting for it
        #[arg(long)]
        no_follow: bool,
    },
}
