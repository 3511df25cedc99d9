//! What can be typed.

mod agent;
mod copy;
mod lease;
mod past;
mod search;
mod subscription;

pub(crate) use agent::AgentVerb;
pub(crate) use copy::CopyVerb;
pub(crate) use lease::{ClaimArgs, LeaseVerb};
pub(crate) use past::{DiffArgs, HistoryArgs};
pub(crate) use search::SearchArgs;
pub(crate) use subscription::{FilterArgs, SubscriptionVerb};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand};
use std::path::PathBuf;
use stoa_actors::id::AtomId;
use stoa_actors::rights::Level;

const EVERYWHERE: &str = "With every command";

const AFTERWARDS: &str = "\
Begin with:
  stoa space create tasks --description 'What is to be done'
  stoa put tasks 'Water the plants' --meta status=pending
  stoa search tasks 'green things' --meta status=pending

Exit codes:
  0  done
  1  the store refuses, or has failed
  2  malformed, or over a limit
  3  not there, or not for you to see
  4  you lack the right
  5  somebody was first: read again
  6  try again in a moment
  7  the Python code failed";

/// Agents and spaces over one durable log.
///
/// A space is a shared, searchable store of atoms; who may do what in it is a right that can be
/// handed on and revoked. Everything that is acknowledged survives a crash at any instant.
///
/// The first process to open a data directory serves it to all others until it is done, so any
/// number of them can run at once, with or without `stoa serve`.
#[derive(Parser, Debug)]
#[command(name = "stoa", version, max_term_width = 100, after_long_help = AFTERWARDS)]
pub(crate) struct Args {
    /// The data directory [default: the nearest .stoa upward, else ./.stoa]
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub(crate) data: Option<PathBuf>,
    /// Print JSON Lines: one object for each answer
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// Act as this session, with its rights and its names for things
    #[arg(
        long = "as",
        global = true,
        value_name = "SESSION",
        help_heading = EVERYWHERE,
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
    /// Give a session a right on a space; it takes the level grant there
    Grant {
        /// The space's name, or its id
        space: String,
        /// Who gets the right: a session's name, or its id; a name that is not taken makes a new
        /// session
        session: String,
        /// read, append, write or grant: each includes those before it
        level: Level,
        /// It may itself pass on rights up to this level [default: none]
        #[arg(long, value_name = "LEVEL")]
        delegate: Option<Level>,
        /// The right ends after so long: 90s, 10m, 2h, 7d [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// Why; kept in the log
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Take a session's rights on a space, with all that it has passed on of them
    Revoke {
        /// The space's name, or its id
        space: String,
        /// Whose: a session's name, or its id
        session: String,
        /// Why; kept in the log
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Add an atom
    Put {
        /// The space's name, or its id
        space: String,
        #[command(flatten)]
        body: BodyArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Read an atom
    Get {
        /// The atom's id
        id: AtomId,
        /// This version of it [default: the newest]
        #[arg(long, value_name = "N", conflicts_with = "as_of")]
        version: Option<u64>,
        /// As it was then: a position in the log, a time like 2026-01-31T12:00:00Z, or '10m ago'
        #[arg(long, value_name = "MOMENT")]
        as_of: Option<String>,
    },
    /// Change an atom: what is not named stays
    Update {
        /// The atom's id
        id: AtomId,
        #[command(flatten)]
        body: BodyArgs,
        /// Refer no more to this atom, or to none by this relation
        #[arg(long, value_name = "RELATION[=ID]")]
        unref: Vec<String>,
        /// Only if its metadata says so: status=pending, 'tries<3'; null for a key it must not have
        #[arg(long, value_name = "KEY=VALUE")]
        expect: Vec<String>,
        /// Only while this lease of yours holds: its resource and token
        #[arg(long, value_name = "RESOURCE=TOKEN")]
        under: Vec<String>,
        #[command(flatten)]
        base: BaseArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Take an atom out of search; it stays readable by id
    Deprecate {
        /// The atom's id
        id: AtomId,
        /// The atom to read instead
        #[arg(long, value_name = "ID")]
        superseded_by: Option<AtomId>,
        #[command(flatten)]
        base: BaseArgs,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Empty an atom for good: no version of it says anything any more
    ///
    /// By who has put it and may write there, or may grant rights there. That it was there stays in
    /// the history, with its comments, authors, times and references. Files hold the bytes until
    /// the process that has the directory open stops in order, which then takes as long as to
    /// write the whole log anew; backups and exports made before keep them, and so do notes of
    /// agents that have read it.
    Erase {
        /// The atom's id
        id: AtomId,
        /// Only if it is at this version [default: whatever it is at]
        #[arg(long, value_name = "N")]
        if_version: Option<u64>,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Find atoms by meaning, metadata and the state of what they refer to
    Search(SearchArgs),
    /// Find an atom, change it and have it to yourself for a while, in one step
    ///
    /// Of any number who ask at once each gets another atom, and nobody the same. When the lease
    /// runs out what was set is put back, unless you have changed it since, and somebody else can
    /// claim it. Without anything to claim the exit code is 3.
    Claim(ClaimArgs),
    /// Have something to yourself for a while
    #[command(subcommand)]
    Lease(LeaseVerb),
    /// Keep cursors in spaces, for yourself or for agents
    #[command(subcommand)]
    Subscription(SubscriptionVerb),
    /// What happened in a space, to an atom, or anywhere
    History(HistoryArgs),
    /// What two versions of an atom differ in
    Diff(DiffArgs),
    /// Follow a space, or everything: one JSON line for each change, with its cursor
    ///
    /// Without a space it is all that you may see: the changes of spaces you can read, and what
    /// agents under you think, do and see.
    Watch {
        /// The space's name, or its id [default: everything]
        space: Option<String>,
        /// Begin after this cursor, and leave nothing out [default: from now on]
        #[arg(long, value_name = "POSITION")]
        cursor: Option<u64>,
        /// End when there is nothing new, instead of waiting for it
        #[arg(long)]
        no_follow: bool,
        /// Only this type: atom.put, atom.updated, atom.deprecated, ...
        #[arg(long = "type", value_name = "TYPE", requires = "space")]
        types: Vec<String>,
        /// Only atoms whose metadata says so, as in a search: status=failed, 'priority>=3'
        #[arg(long, value_name = "KEY=VALUE", requires = "space")]
        meta: Vec<String>,
    },
    /// Answer a question from documents, each sentence with the line it stands on
    ///
    /// The files become passages in a space; a coordinator splits the question into tasks and
    /// brings up researchers, who may read the sources and add findings and nothing else; a
    /// synthesiser makes one answer of what they found. Asked again after an interruption it goes
    /// on; asked again over the same files it tells the same answer. When the documents do not
    /// hold an answer it says so, and shows what comes nearest.
    Research {
        /// In words, or - for stdin [default: what is piped in]
        question: Option<String>,
        /// Files and folders: Markdown, text, reStructuredText, HTML, man pages, source code
        #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
        files: Vec<PathBuf>,
        /// How many researchers
        #[arg(long, value_name = "N", default_value_t = 3)]
        agents: usize,
        /// Who thinks for the agents; `recipe` needs no network
        #[arg(long, value_name = "NAME", default_value = "recipe")]
        model: String,
        /// Begin anew, also where there is an answer
        #[arg(long)]
        fresh: bool,
    },
    /// Bring up an agent, with exactly what is given here
    ///
    /// Its first turn begins at once. It is told how to behave by the atoms of its instruction
    /// space, thinks by its model and acts by Python; it is woken by what happens in the spaces it
    /// is subscribed to and in the one it shares with you. The model `recipe` needs no network: it
    /// answers every wake with the ```python of the instructions. Where no other process serves the
    /// directory, this one stays until every agent is at rest; interrupt it, and they go on with
    /// the next `stoa spawn` or `stoa serve`.
    Spawn {
        /// What it is to do, or - for stdin [default: what is piped in]
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        task: Option<String>,
        /// What you call it
        #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
        name: Option<String>,
        /// The space that says how to behave; the agent can read it
        #[arg(long, value_name = "SPACE")]
        instructions: Option<String>,
        /// What it may do, and where, and what of it it may hand on: tasks=write:append,notes=read
        #[arg(long, value_name = "NAME=LEVEL[:LEVEL]", value_delimiter = ',')]
        spaces: Vec<String>,
        /// What it may call
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        tools: Vec<String>,
        /// What tools may use for it
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        secrets: Vec<String>,
        /// Who thinks for it [default: recipe]
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// The spaces whose changes wake it
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        subscribe: Vec<String>,
        /// What it and those it brings up may spend: thoughts=20,tokens=50000 [default: no bound]
        #[arg(long, value_name = "UNIT=N")]
        budget: Option<String>,
    },
    /// Look at agents, speak to them, stop and end them
    #[command(subcommand)]
    Agent(AgentVerb),
    /// Run one Python action with exactly these rights
    ///
    /// The code has `space` (the first one given) and `spaces["name"]`, each with search, get, read,
    /// put, update, deprecate, erase, claim, transaction, acquire, renew, release, leases,
    /// references, history, diff, subscribe, subscriptions, edit_subscription, unsubscribe, pull,
    /// ack, describe, and its name, id, level and description; and no files, network or processes.
    /// `coordinator` has spawn, agents, space, create_space, grant, request_access, fund and stop:
    /// `coordinator.space("name")` opens any space that the session may use, also where there are too
    /// many for `spaces`.
    /// A content that does not fit into one answer is cut: `atom.cut` says so, `atom.size` is its
    /// whole length, and `space.read(atom, start=0, end=None)` reads a part. What it prints and the
    /// value of its last expression go to stdout. An update needs no version: it expects the one that the code has
    /// read, and raises Conflict when there is a newer one.
    Exec {
        /// The code: a file, or - for stdin [default: what is piped in]
        file: Option<PathBuf>,
        /// What it may do, and where, and what of it it may hand on to those it spawns:
        /// tasks=write:append,notes=read [default: what the session holds]
        #[arg(long, value_name = "NAME=LEVEL[:LEVEL]", value_delimiter = ',')]
        spaces: Vec<String>,
        /// Keep its variables and rights, and which versions it has read, under this name
        #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
        session: Option<String>,
    },
    /// Walk the whole log and prove that nothing is missing or amiss
    Audit,
    /// Rebuild everything that can be derived from the log
    Doctor {
        /// After a loss, go on from this head, as the refusal names it, and remove what is behind
        /// it
        #[arg(long, value_name = "HEAD")]
        accept_loss: Option<String>,
    },
    #[command(flatten)]
    Copy(CopyVerb),
    /// Trust the settings and grants that came with a directory, on this machine
    ///
    /// A directory can come from anybody. Until you trust it here, the sections of its config.toml
    /// are not used, and rights in its log on tools, secrets and models take no effect. Your own
    /// configuration (XDG_CONFIG_HOME/stoa, else ~/.config/stoa) keeps what you have trusted: the
    /// path, its owner and a hash of each section. A section that changes, and a directory that is
    /// moved, copied or cloned, must be trusted again.
    Trust {
        /// Only print what would be trusted, and what is
        #[arg(long, conflicts_with = "remove")]
        show: bool,
        /// Trust it no more
        #[arg(long)]
        remove: bool,
    },
    /// Which process has the directory open, and how it is
    Status,
    /// Keep the directory open for others until interrupted
    ///
    /// SIGTERM or SIGINT stops it: from then on it takes nothing in, tells whoever is connected, and
    /// ends within 10 seconds. A second signal ends it at once. What was acknowledged stays.
    Serve,
}

#[derive(Subcommand, Debug)]
pub(crate) enum SpaceVerb {
    /// Make a space, private to you
    Create {
        /// What you call it
        name: String,
        /// What it is for and how to use it, for those who come to it; - for stdin
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
    },
    /// Say anew what a space is for and how to use it
    Describe {
        /// Its name, or its id
        name: String,
        /// In words, or - for stdin [default: what is piped in]
        description: Option<String>,
    },
    /// List the spaces you hold a right on
    List,
    /// Show one space
    Show {
        /// Its name, or its id
        name: String,
    },
}

/// What an atom says.
#[derive(ClapArgs, Debug)]
pub(crate) struct BodyArgs {
    /// The content as text, or - for stdin [default: what is piped in, where nothing else says it]
    pub(crate) text: Option<String>,
    /// The content from a file
    #[arg(long, value_name = "PATH", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
    /// The content as JSON, or - for stdin
    #[arg(
        long,
        value_name = "JSON",
        allow_hyphen_values = true,
        conflicts_with_all = ["text", "file", "media_type"]
    )]
    pub(crate) json_content: Option<String>,
    /// Keep the content as bytes of this type: image/png
    #[arg(long, value_name = "TYPE")]
    pub(crate) media_type: Option<String>,
    /// What it is about, in words, for search
    #[arg(long, value_name = "TEXT")]
    pub(crate) annotation: Option<String>,
    /// Metadata: KEY=VALUE is text, but for true, false, null, which removes the key, and numbers
    /// told as they are typed; KEY:=JSON is any value: 'sha:="42"', 'tags:=["a", "b"]'
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) meta: Vec<String>,
    /// A reference to another atom: blocked_by=ID; an update sets all of a relation anew
    #[arg(long = "ref", value_name = "RELATION=ID")]
    pub(crate) references: Vec<String>,
}

/// What goes with every change.
#[derive(ClapArgs, Debug)]
pub(crate) struct WhyArgs {
    /// What the change is for; those who follow the space are told
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// Makes repeating the command harmless: with the same key it takes effect once
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) key: Option<String>,
}

/// Which version a change is based on.
#[derive(ClapArgs, Debug)]
pub(crate) struct BaseArgs {
    /// The version you have read; another one is a conflict
    #[arg(long, value_name = "N", conflicts_with = "force")]
    pub(crate) if_version: Option<u64>,
    /// Whatever version it is at
    #[arg(long)]
    pub(crate) force: bool,
}
