//! What the command line does by itself, without asking whoever has the directory open.

use super::confirm::YES;
use clap::{Arg, ArgAction, Command, value_parser};
use std::path::PathBuf;
use stoa_api::operations::{TABLE, entry};
use stoa_kernel::problem::{Problem, ProblemKind};

/// What it is that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    Completions,
    Doctor,
    Import,
    Man,
    ModelList,
    ModelTest,
    Restore,
    Schema,
    Serve,
    Trust,
}

type Make = fn(Command) -> Command;

/// Each with its name and what is typed for it.
pub(super) static COMMANDS: &[(&str, Make, Local)] = &[
    ("doctor", doctor, Local::Doctor),
    ("import", import, Local::Import),
    ("restore", restore, Local::Restore),
    ("trust", trust, Local::Trust),
    ("serve", serve, Local::Serve),
    ("schema", schema, Local::Schema),
    ("completions", completions, Local::Completions),
    ("man", man, Local::Man),
    ("model list", model_list, Local::ModelList),
    ("model test", model_test, Local::ModelTest),
];

pub(super) fn local(name: &str) -> Option<Local> {
    COMMANDS.iter().find(|it| it.0 == name).map(|it| it.2)
}

fn about(command: Command, short: &'static str, more: &str) -> Command {
    let command = command.about(short);
    if more.is_empty() { command } else { command.long_about(format!("{short}\n\n{more}")) }
}

const REPAIRS: &str = "\
No other process may use the directory meanwhile. The log itself is only changed by --accept-loss.";

fn doctor(command: Command) -> Command {
    let yes = switch(YES).requires("accept-loss");
    let yes = yes.help("Do not ask for confirmation; needed where there is no terminal");
    about(command, "Repair: rebuild everything that is derived from the log", REPAIRS).arg(yes).arg(
        Arg::new("accept-loss").long("accept-loss").value_name("HEAD").help(
            "After damage, continue from this head, which the error names, and remove all \
             entries after it",
        ),
    )
}

fn import(command: Command) -> Command {
    let more = "\
The whole file is checked before anything is changed. You are recorded as the author; the original \
author is kept beside it. Versions that exist already are skipped, so an import that was interrupted \
can be repeated. A version that differs from the existing one is refused, unless you give --merge. To \
add files of other programs, use stoa put.";
    about(command, "Import a file that export has written", more)
        .arg(
            Arg::new("space")
                .required(true)
                .value_name("SPACE")
                .help("The space to import into: its name or id; it must exist"),
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The file [default: stdin]"),
        )
        .arg(switch("new-ids").help(
            "Give the atoms new ids, the same ones each time: for a second copy in one directory",
        ))
        .arg(switch("merge").help(
            "If the copies have diverged: keep what is here, and keep the other side in deprecated \
             atoms, whose metadata attic_of names the atom they lost to",
        ))
        .arg(
            Arg::new("comment")
                .long("comment")
                .value_name("TEXT")
                .help("Why it is imported; shown in the history and to followers of the space"),
        )
}

fn restore(command: Command) -> Command {
    let more = "\
The backup is verified first. The directory that --data names must be new or empty.";
    about(command, "Restore a backup into a new data directory", more).arg(
        Arg::new("backup")
            .required(true)
            .value_name("BACKUP")
            .value_parser(value_parser!(PathBuf))
            .help("The backup file"),
    )
}

fn trust(command: Command) -> Command {
    let more = "\
A directory can come from somebody else. Until you trust it on this machine, its config.toml is not \
used, and permissions in its log on tools, secrets and models have no effect. Your own configuration \
(XDG_CONFIG_HOME/stoa, else ~/.config/stoa) records what you have trusted: the path, its owner and a \
hash of each section. If a section changes, or the directory is moved, copied or cloned, trust it \
again.";
    about(
        command,
        "Trust the settings and permissions that came with a directory, on this machine",
        more,
    )
    .arg(
        switch("show")
            .conflicts_with("remove")
            .help("Only print what would be trusted, and what is trusted"),
    )
    .arg(switch("remove").help("Withdraw the trust"))
}

fn serve(command: Command) -> Command {
    let more = "\
It keeps the directory open for other commands and prints when an agent fails. SIGTERM or SIGINT \
shuts it down gracefully within 10 seconds. A second signal ends it at once. Nothing that was \
acknowledged is lost.";
    about(command, "Serve the directory and run its agents until interrupted", more)
}

fn schema(command: Command) -> Command {
    let more = "\
`request` is the request over the socket. `answer` is one line that the verb prints with --json.";
    about(command, "Print the JSON schemas of a verb: its request and its answers", more).arg(
        Arg::new("verb")
            .num_args(1..)
            .value_name("VERB")
            .help("The verb: put, or space create [default: list the verbs that have one]"),
    )
}

fn completions(command: Command) -> Command {
    let more = "\
It completes verbs, flags, the names of spaces, agents and sessions, and the ids of atoms.

  bash  echo 'source <(stoa completions bash)' >> ~/.bashrc
  zsh   echo 'source <(stoa completions zsh)' >> ~/.zshrc
  fish  stoa completions fish > ~/.config/fish/completions/stoa.fish";
    let verbatim = |command: Command| {
        let short = "Print the completion script of a shell";
        command.about(short).long_about(format!("{short}\n\n{more}"))
    };
    verbatim(command).arg(
        Arg::new("shell")
            .required(true)
            .value_name("SHELL")
            .value_parser(["bash", "zsh", "fish", "elvish", "powershell"])
            .help("The shell"),
    )
}

fn man(command: Command) -> Command {
    let more = "One page for stoa and one for each verb: stoa-put.1, stoa-agent-log.1.";
    about(command, "Write the manual pages, or print the page of stoa", more)
        .arg(Arg::new("dir").value_name("DIR").value_parser(value_parser!(PathBuf)).help(
        "The directory for the pages; it is created if needed [default: print stoa.1 to stdout]",
    ))
}

fn model_list(command: Command) -> Command {
    let more = "\
A model is PROVIDER/NAME, or the NAME of a [models.NAME] in config.toml: in the data directory, or in \
your own configuration (XDG_CONFIG_HOME/stoa, else ~/.config/stoa). anthropic/NAME, openai/NAME and \
ollama/NAME need no configuration. Keys are read from the environment of the process that runs the \
agents.";
    about(command, "List the models and providers that are configured", more).arg(
        Arg::new("provider")
            .value_name("PROVIDER")
            .help("Ask this provider which models it has [default: list what is configured]"),
    )
}

fn model_test(command: Command) -> Command {
    let more = "\
It is a real call, and may cost something. It shows how long the first word and the whole answer took, \
and the tokens.";
    about(command, "Ask a model to answer with one word", more).arg(
        Arg::new("model")
            .required(true)
            .value_name("MODEL")
            .help("The model: PROVIDER/NAME, or the name of a configured one"),
    )
}

fn switch(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue)
}

/// Both schemas of a verb; without one the verbs that have them.
pub(super) fn schemas(verb: &str) -> Result<serde_json::Value, Problem> {
    if verb.is_empty() {
        let verbs = TABLE.iter().filter(|it| it.typed).map(|it| it.name);
        return Ok(serde_json::json!({"verbs": verbs.collect::<Vec<_>>()}));
    }
    let entry = entry(verb).ok_or_else(|| {
        let text = format!("there is no schema of {verb:?}: it is not a verb with an answer");
        Problem::new(ProblemKind::Unknown, text).hint("stoa schema")
    })?;
    Ok(serde_json::json!({
        "verb": verb,
        "request": entry.request().to_value(),
        "answer": entry.answer().to_value(),
    }))
}
