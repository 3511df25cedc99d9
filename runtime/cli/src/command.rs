//! What can be typed: made of the table of operations, and of what the command line does by itself.
//! What an argument is for is said on the field of the request that it fills.

use super::complete::{completed, with_sessions};
use super::confirm::{YES, asks};
use super::{cassette, examples, local, version};
use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, Command, value_parser};
use serde_json::Value as Json;
use std::path::PathBuf;
use stoa_api::operation::{self, AnyOperation, ArgForm};
use stoa_api::operations::{TABLE, methods};
use stoa_kernel::session::On;

const EVERYWHERE: &str = "Global options";

const ABOUT: &str = "Run many agents over one durable log";

const LONG_ABOUT: &str = "\
Run many agents over one durable log.

A space is a shared, searchable store. An atom is one versioned record in it. A session is an identity. \
A right is a permission of a session on a space; it can be delegated and revoked. Everything that was \
acknowledged survives a crash at any moment.

Any number of processes can use a data directory at once: the first one serves the others until it \
exits. Agents run only while a process runs them: stoa serve, or stoa spawn until they are at rest.";

const AFTERWARDS: &str = "\
Begin with:
  stoa space create tasks --description 'What is to be done'
  stoa put tasks 'Water the plants' --meta status=pending
  stoa search tasks 'green things' --meta status=pending

A text can be @FILE, or - for stdin; @@ begins a text with @. The environment variables STOA_DATA and
STOA_AS replace --data and --as.

On a terminal, tables fit the width and times are local. On a pipe, columns have a tab between them,
times are RFC 3339, and nothing is cut. On a pipe, history, watch, lease watch, subscription read and
agent log print JSON Lines. An export is always JSON Lines. --json makes every answer JSON Lines.

Exit codes:
  0  done
  1  the store refuses, or has failed
  2  invalid arguments, or over a limit
  3  not found, or not visible to you
  4  permission denied
  5  conflict: read again and retry
  6  busy: retry in a moment
  7  the Python code failed, or the agent that was waited for";

/// Verbs that others stand below, and what they are about.
const GROUPS: [(&str, &str, &str); 6] = [
    ("space", "Create, describe and list spaces (shared stores of records)", ""),
    (
        "lease",
        "Acquire, renew and release leases (locks that expire)",
        "A lease is held on an atom, by its id, or on any name: a path, an environment. A name is \
         read as a path: ./src/app, src//app and src/app/ are src/app.",
    ),
    (
        "subscription",
        "Manage subscriptions: stored cursors in spaces",
        "A subscription is a stored cursor in a space, with a filter. Read it at any time; it \
         continues after what you have acknowledged, also after a crash. The subscriptions of an \
         agent wake it; they are named by their space.",
    ),
    ("session", "List sessions (identities)", ""),
    ("model", "List language models, and try one", ""),
    (
        "agent",
        "List agents, send them messages, stop, resume and end them",
        "Name an agent by its name or its id.",
    ),
];

/// The command line, as far as the words that are typed ask for it: the verbs that they name.
pub(super) fn command() -> Command {
    let words = std::env::args_os().map(|it| it.to_string_lossy().into_owned());
    of_words(&Words::Typed(words.collect()))
}

/// All of the command line.
pub(super) fn whole() -> Command {
    of_words(&Words::All)
}

/// Whose arguments are looked up: that takes a moment for each verb.
enum Words {
    Typed(Vec<String>),
    All,
}

impl Words {
    fn name(&self, verb: &str) -> bool {
        match self {
            Words::All => true,
            Words::Typed(words) => verb.split(' ').all(|it| words.iter().any(|word| word == it)),
        }
    }

    /// Whether verbs may be listed, each with what it is for: all are there then.
    fn list(&self) -> bool {
        match self {
            Words::All => true,
            Words::Typed(words) => {
                let any = |of: &[&str]| words.iter().any(|it| of.contains(&it.as_str()));
                any(&["--help", "-h", "help"])
                    || !any(&["--version", "-V"])
                        && !TABLE.iter().any(|it| self.name(it.name))
                        && !local::COMMANDS.iter().any(|it| self.name(it.0))
            }
        }
    }
}

fn of_words(words: &Words) -> Command {
    let mut command = Command::new("stoa")
        .version(version::SHORT)
        .long_version(version::LONG)
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_long_help(AFTERWARDS)
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("data")
                .long("data")
                .global(true)
                .value_name("DIR")
                .help_heading(EVERYWHERE)
                .value_parser(value_parser!(PathBuf))
                .help("The data directory [default: STOA_DATA, else the nearest .stoa here or above, else ./.stoa]"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .global(true)
                .action(ArgAction::SetTrue)
                .help_heading(EVERYWHERE)
                .help("Print JSON Lines: one object per answer"),
        )
        .arg(with_sessions(
            Arg::new("as")
                .long("as")
                .global(true)
                .value_name("SESSION")
                .help_heading(EVERYWHERE)
                .value_parser(NonEmptyStringValueParser::new())
                .help("Act as this session (identity), with its permissions [default: STOA_AS, else the owner]"),
        ))
        .args(looks())
        .arg(
            Arg::new("log")
                .long("log")
                .global(true)
                .value_name("LEVEL|FILTER")
                .help_heading(EVERYWHERE)
                .help(
                    "Show diagnostics: debug, or TARGET=LEVEL,... [default: RUST_LOG, else warn]",
                ),
        )
        .arg(
            Arg::new("verbose")
                .short('v')
                .global(true)
                .action(ArgAction::Count)
                .conflicts_with("log")
                .help_heading(EVERYWHERE)
                .help("Show more diagnostics; -vv shows all"),
        );
    let mut grouped: Vec<Command> = Vec::new();
    // All that is given to every verb is copied into each that is there.
    let there = |name: &str| words.name(name) || words.list();
    for entry in TABLE.iter().filter(|it| it.typed && there(it.name)) {
        match entry.name.split_once(' ') {
            None => command = command.subcommand(verb(entry, entry.name, words)),
            Some((group, name)) => {
                let at = grouped.iter().position(|it| it.get_name() == group);
                let above = match at {
                    Some(at) => grouped.remove(at),
                    None => self::group(group),
                };
                grouped.push(above.subcommand(verb(entry, name, words)));
            }
        }
    }
    let mut alone = Vec::new();
    for (name, make, _) in local::COMMANDS.iter().filter(|it| there(it.0)) {
        let of = |name: &'static str, whole| {
            let command = Command::new(name).after_long_help(examples::after(whole));
            make(command).args(cassette::args_of(whole))
        };
        match name.split_once(' ') {
            None => alone.push(of(name, name)),
            Some((group, below)) => {
                let at = grouped.iter().position(|it| it.get_name() == group);
                let above = at.map(|at| grouped.remove(at));
                let above = above.unwrap_or_else(|| self::group(group));
                grouped.push(above.subcommand(of(below, name)));
            }
        }
    }
    command = command.subcommands(grouped).subcommands(alone);
    for name in ORDER {
        let place = ORDER.iter().position(|it| *it == name).unwrap_or_default();
        if command.find_subcommand(name).is_some() {
            command = command.mut_subcommand(name, |it| it.display_order(place));
        }
    }
    command
}

/// In which order a help lists the verbs.
const ORDER: [&str; 40] = [
    "space",
    "grant",
    "revoke",
    "access",
    "whoami",
    "session",
    "put",
    "get",
    "update",
    "deprecate",
    "erase",
    "transaction",
    "search",
    "claim",
    "waits",
    "lease",
    "subscription",
    "history",
    "diff",
    "why",
    "watch",
    "research",
    "spawn",
    "agent",
    "trace",
    "cost",
    "model",
    "exec",
    "audit",
    "doctor",
    "export",
    "import",
    "backup",
    "restore",
    "trust",
    "status",
    "serve",
    "schema",
    "completions",
    "man",
];

/// What says something also where it says nothing.
const MAY_BE_EMPTY: [&str; 6] = ["space", "annotation", "comment", "reason", "intent", "query"];

fn group(name: &str) -> Command {
    let (name, about, more) = GROUPS.into_iter().find(|it| it.0 == name).unwrap_or_default();
    let command = Command::new(name).about(about).subcommand_required(true);
    let command = command.arg_required_else_help(true);
    match more {
        "" => command,
        more => command.long_about(format!("{about}\n\n{more}")),
    }
}

/// What is typed about how answers look.
fn looks() -> [Arg; 3] {
    let of = |name: &'static str| Arg::new(name).long(name).global(true).help_heading(EVERYWHERE);
    [
        of("quiet")
            .short('q')
            .action(ArgAction::SetTrue)
            .help("Print only the result, mostly ids: no notes, no progress"),
        of("no-trunc").action(ArgAction::SetTrue).help("Cut nothing to fit the terminal"),
        of("color")
            .value_name("WHEN")
            .value_parser(["auto", "always", "never"])
            .help("Colours: auto, always or never [default: auto]")
            .hide_possible_values(true),
    ]
}

fn verb(entry: &'static AnyOperation, name: &'static str, words: &Words) -> Command {
    let command = Command::new(name);
    let command = if words.list() { command.about(entry.about()) } else { command };
    // Its arguments are looked up only where it may be the one that is meant.
    if !words.name(entry.name) {
        return command;
    }
    let command = command.after_long_help(examples::after(entry.name));
    let schema = entry.request();
    let text = said(schema.get("description")).unwrap_or_default();
    let (about, whole) = paragraphs(&filled(&text));
    let command = command.about(about.clone());
    let command = match whole == about {
        true => command,
        false => command.long_about(whole),
    };
    let args = entry.args.iter().copied().flatten();
    let command =
        command.args(args.enumerate().map(|(place, it)| arg(it, place, schema.as_value())));
    let command = command.args(cassette::args_of(entry.name));
    match asks(entry.name) {
        true => command.arg(
            Arg::new(YES)
                .long(YES)
                .action(ArgAction::SetTrue)
                .display_order(YES_ORDER)
                .help("Do not ask for confirmation; needed where there is no terminal"),
        ),
        false => command,
    }
}

/// Behind everything else that can be typed.
const YES_ORDER: usize = 100;

fn arg(of: &operation::Arg, place: usize, schema: &Json) -> Arg {
    let field = &schema["properties"][of.field];
    let required = schema["required"].as_array();
    let required = required.is_some_and(|all| all.iter().any(|it| it == of.field));
    let text = of.about.map(str::to_owned).or_else(|| said(field.get("description")));
    let (mut short, mut long) = paragraphs(&text.unwrap_or_default());
    if let Some(default) = default(field)
        && of.about.is_none()
    {
        let shown = format!(" [default: {default}]");
        long = if long == short {
            format!("{long}{shown}")
        } else {
            format!("{long}\n\n{}", shown.trim_start())
        };
        short += &shown;
    }
    let mut arg = Arg::new(of.name()).display_order(place).help(short.clone());
    if long != short {
        arg = arg.long_help(long);
    }
    arg = match of.flag {
        Some(flag) => arg.long(flag),
        None => arg.value_name(of.field.to_uppercase()),
    };
    if !of.shape.is_empty() {
        arg = arg.value_name(of.shape);
    }
    arg = match of.how {
        ArgForm::Switch | ArgForm::Local => arg.action(ArgAction::SetTrue),
        ArgForm::Number => arg.value_parser(value_parser!(u64)),
        ArgForm::Path | ArgForm::LocalPath | ArgForm::ContentFile | ArgForm::Code => {
            arg.value_parser(value_parser!(PathBuf))
        }
        ArgForm::Documents => {
            arg.value_parser(value_parser!(PathBuf)).num_args(1..).action(ArgAction::Append)
        }
        ArgForm::Ids => arg.num_args(1..).action(ArgAction::Append),
        ArgForm::Spaces => arg.action(ArgAction::Append).value_delimiter(','),
        // A key to order by may have a - in front.
        ArgForm::Texts => {
            arg.action(ArgAction::Append).value_delimiter(',').allow_hyphen_values(true)
        }
        ArgForm::EachText
        | ArgForm::Pairs
        | ArgForm::Wanted
        | ArgForm::Conditions
        | ArgForm::References
        | ArgForm::Relations => arg.action(ArgAction::Append),
        ArgForm::ContentJson | ArgForm::Also(_) => arg.allow_hyphen_values(true),
        ArgForm::Text if !MAY_BE_EMPTY.contains(&of.name()) => {
            arg.value_parser(NonEmptyStringValueParser::new())
        }
        _ => arg,
    };
    let piped = matches!(
        of.how,
        ArgForm::Long(_) | ArgForm::Code | ArgForm::ContentText(_) | ArgForm::JsonLines(_)
    );
    arg = match of.unless {
        Some(other) if !piped => arg.required_unless_present(other),
        _ => arg.required(required && !piped),
    };
    arg = completed(arg, of);
    if let Some(other) = of.requires {
        arg = arg.requires(other);
    }
    arg.conflicts_with_all(of.conflicts)
}

fn said(of: Option<&Json>) -> Option<String> {
    of.and_then(Json::as_str).map(str::to_owned)
}

/// What stands for a field that is not typed, where that says something.
fn default(field: &Json) -> Option<String> {
    match field.get("default")? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) if number.as_u64() != Some(0) => Some(number.to_string()),
        _ => None,
    }
}

/// The first paragraph, and all of them, without the line ends within.
fn paragraphs(text: &str) -> (String, String) {
    let joined: Vec<String> =
        text.split("\n\n").map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    (joined.first().cloned().unwrap_or_default(), joined.join("\n\n"))
}

/// With the names of what code can call.
fn filled(text: &str) -> String {
    let names = |on: On| {
        methods().filter(|it| it.on == on).map(|it| it.name).collect::<Vec<_>>().join(", ")
    };
    text.replace("{methods}", &names(On::Space)).replace("{coordinator}", &names(On::Coordinator))
}
