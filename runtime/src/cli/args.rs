//! What can be typed.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand};
use std::path::PathBuf;
use stoa_actors::id::AtomId;
use stoa_actors::rights::Level;

/// Agents and spaces over one durable log.
///
/// A space is a shared, searchable store of atoms; who may do what in it is a right that can be
/// handed on and revoked. Everything that is acknowledged survives a crash at any instant.
///
/// Exit codes: 0 done, 1 the store refuses or failed, 2 malformed or over a limit, 3 not there or
/// not for you to see, 4 you lack the right, 5 somebody was first, 6 try again, 7 the code failed.
#[derive(Parser, Debug)]
#[command(name = "stoa", version, max_term_width = 100)]
pub(crate) struct Args {
    /// The data directory [default: the nearest .stoa upward, else ./.stoa]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Answer in JSON Lines
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Act as this session, with its rights and names
    #[arg(
        long = "as",
        global = true,
        value_name = "SESSION",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) acting_as: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Make spaces and look at them
    #[command(subcommand)]
    Space(SpaceVerb),
    /// Give a session a right on a space; a new name makes a session
    Grant {
        space: String,
        session: String,
        /// read, append, write or grant: each includes those before it
        level: Level,
        /// It may pass on up to this level
        #[arg(long, value_name = "LEVEL")]
        delegate: Option<Level>,
        /// The right ends after so long: 90s, 10m, 2h, 7d
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Take a session's rights on a space, with all that rests on them
    Revoke {
        space: String,
        session: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Add an atom
    Put {
        space: String,
        #[command(flatten)]
        body: BodyArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Read an atom
    Get {
        id: AtomId,
        /// An older version
        #[arg(long)]
        version: Option<u64>,
    },
    /// Change an atom: what is not named stays
    Update {
        id: AtomId,
        #[command(flatten)]
        body: BodyArgs,
        #[command(flatten)]
        base: BaseArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Take an atom out of search; it stays readable by id
    Deprecate {
        id: AtomId,
        /// What to read instead
        #[arg(long, value_name = "ID")]
        superseded_by: Option<AtomId>,
        #[command(flatten)]
        base: BaseArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// What happened in a space, or to an atom, the oldest first
    History {
        /// A space's name, or an atom's id
        of: String,
        /// After this cursor
        #[arg(long, value_name = "POSITION", default_value_t = 0)]
        after: u64,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Follow a space: one JSON line for each change, with its cursor
    Watch {
        space: String,
        /// From this cursor on, exactly [default: from now on]
        #[arg(long, value_name = "POSITION")]
        cursor: Option<u64>,
        /// End when there is nothing new
        #[arg(long)]
        no_follow: bool,
        /// Only this type: atom.put, atom.updated, atom.deprecated, ...
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        /// Only atoms whose metadata says so
        #[arg(long, value_name = "KEY=VALUE")]
        meta: Vec<String>,
    },
    /// Run one Python action with exactly these rights
    Exec {
        /// The file, or - for stdin
        file: PathBuf,
        /// What it may do: name=level,...; the first is `space`
        #[arg(long, value_name = "NAME=LEVEL", value_delimiter = ',')]
        spaces: Vec<String>,
        /// Keep its variables, rights and memory under this name
        #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
        session: Option<String>,
    },
    /// Walk the whole log and prove that nothing is missing or amiss
    Audit,
    /// Derive everything that is derived anew; with --accept-loss, go on after a loss
    Doctor {
        /// Go on from this head, as the refusal names it; what is behind it is removed
        #[arg(long, value_name = "HEAD")]
        accept_loss: Option<String>,
    },
    /// How the data directory is
    Status,
    /// Keep the directory open for others until interrupted
    Serve,
}

#[derive(Subcommand, Debug)]
pub(crate) enum SpaceVerb {
    /// Make a space, private to you
    Create {
        name: String,
        /// What it is for and how to use it
        #[arg(long, default_value = "")]
        description: String,
    },
    /// The spaces you hold something on
    List,
    /// One space
    Show { name: String },
}

/// What an atom says.
#[derive(ClapArgs, Debug)]
pub(crate) struct BodyArgs {
    /// The content as text, or - for stdin
    pub(crate) text: Option<String>,
    /// The content from a file
    #[arg(long, value_name = "PATH", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
    /// The content as JSON
    #[arg(
        long,
        value_name = "JSON",
        allow_hyphen_values = true,
        conflicts_with_all = ["text", "file", "media_type"]
    )]
    pub(crate) json_content: Option<String>,
    /// Keep the content as bytes of this type
    #[arg(long, value_name = "TYPE")]
    pub(crate) media_type: Option<String>,
    /// What it is about, for search
    #[arg(long)]
    pub(crate) annotation: Option<String>,
    /// Metadata; the value is JSON where it reads as such, else text; null removes a key
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) meta: Vec<String>,
    /// A reference to another atom
    #[arg(long = "ref", value_name = "RELATION=ID")]
    pub(crate) references: Vec<String>,
}

/// What goes with every change.
#[derive(ClapArgs, Debug)]
pub(crate) struct WhyArgs {
    /// What the change is for: what those who follow are told
    #[arg(long)]
    pub(crate) comment: Option<String>,
    /// Makes repeating the command harmless: the same key and text again change nothing
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) key: Option<String>,
}

/// Which version a change is based on.
#[derive(ClapArgs, Debug)]
pub(crate) struct BaseArgs {
    /// The version you have read; another one is a conflict
    #[arg(long, value_name = "N", conflicts_with = "force")]
    pub(crate) if_version: Option<u64>,
    /// Whatever it is at
    #[arg(long)]
    pub(crate) force: bool,
}
