//! What the command line does by itself, without asking whoever has the directory open.

use super::confirm::YES;
use clap::{Arg, ArgAction, Command, value_parser};
use std::path::PathBuf;
use stoa_api::operations::entry;
use stoa_kernel::problem::{Kind, Problem};

/// What it is that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    Completions,
    Doctor,
    Import,
    Man,
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
];

pub(super) fn local(name: &str) -> Option<Local> {
    COMMANDS.iter().find(|it| it.0 == name).map(|it| it.2)
}

fn about(command: Command, short: &'static str, more: &str) -> Command {
    let command = command.about(short);
    if more.is_empty() { command } else { command.long_about(format!("{short}\n\n{more}")) }
}

fn doctor(command: Command) -> Command {
    let yes = switch(YES).requires("accept-loss");
    let yes = yes.help("Do not ask first; where there is no terminal nobody can be asked");
    about(command, "Rebuild everything that can be derived from the log", "").arg(yes).arg(
        Arg::new("accept-loss").long("accept-loss").value_name("HEAD").help(
            "After a loss, go on from this head, as the refusal names it, and remove what is \
             behind it",
        ),
    )
}

fn import(command: Command) -> Command {
    let more = "\
The file is looked through whole before anything is changed. What is taken in is your doing: you are \
the author, and who wrote it first is kept beside it and leaves with it again. What is there already \
is passed over, so that an import that was cut off is completed by another; a version that says \
something else than the one that is there is refused, but with --merge. What other programs have \
written is put, not imported: stoa put SPACE --file FILE, or each line as stoa put SPACE \
--json-content LINE.";
    about(command, "Take in what export has written", more)
        .arg(
            Arg::new("space")
                .required(true)
                .value_name("SPACE")
                .help("The space to take it into: its name, or its id"),
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The file [default: stdin]"),
        )
        .arg(switch("new-ids").help(
            "Give the atoms new ids, the same ones each time: for a second copy in one store",
        ))
        .arg(switch("merge").help(
            "Where the copies have gone on by themselves: keep what is here, and the other side \
             in atoms of its own, deprecated, whose metadata attic_of names the atom they lost to",
        ))
        .arg(
            Arg::new("comment")
                .long("comment")
                .value_name("TEXT")
                .help("What the import is for; those who follow the space are told"),
        )
}

fn restore(command: Command) -> Command {
    let more = "\
The backup is proved whole first. The directory, as --data names it, must be new or empty.";
    about(command, "Make a new data directory of a backup", more).arg(
        Arg::new("backup")
            .required(true)
            .value_name("BACKUP")
            .value_parser(value_parser!(PathBuf))
            .help("The file that backup has written"),
    )
}

fn trust(command: Command) -> Command {
    let more = "\
A directory can come from anybody. Until you trust it here, the sections of its config.toml are not \
used, and rights in its log on tools, secrets and models take no effect. Your own configuration \
(XDG_CONFIG_HOME/stoa, else ~/.config/stoa) keeps what you have trusted: the path, its owner and a \
hash of each section. A section that changes, and a directory that is moved, copied or cloned, must \
be trusted again.";
    about(
        command,
        "Trust the settings and grants that came with a directory, on this machine",
        more,
    )
    .arg(
        switch("show")
            .conflicts_with("remove")
            .help("Only print what would be trusted, and what is"),
    )
    .arg(switch("remove").help("Trust it no more"))
}

fn serve(command: Command) -> Command {
    let more = "\
SIGTERM or SIGINT stops it: from then on it takes nothing in, tells whoever is connected, and ends \
within 10 seconds. A second signal ends it at once. What was acknowledged stays.";
    about(command, "Keep the directory open for others until interrupted", more)
}

fn schema(command: Command) -> Command {
    let more = "\
`request` is what a verb is asked with over the socket, `answer` is one of the lines that it prints \
with --json.";
    about(command, "Print the JSON schemas of a verb: of its request, and of its answers", more)
        .arg(Arg::new("verb").required(true).num_args(1..).value_name("VERB").help("space create"))
}

fn completions(command: Command) -> Command {
    let more = "\
Verbs and flags are completed, and what there is in the data directory: the names of spaces, agents and \
sessions, and the ends of ids of atoms.

  bash  echo 'source <(stoa completions bash)' >> ~/.bashrc
  zsh   echo 'source <(stoa completions zsh)' >> ~/.zshrc
  fish  stoa completions fish > ~/.config/fish/completions/stoa.fish";
    let verbatim = |command: Command| {
        let short = "Print what makes a shell complete what you type";
        command.about(short).long_about(format!("{short}\n\n{more}"))
    };
    verbatim(command).arg(
        Arg::new("shell")
            .required(true)
            .value_name("SHELL")
            .value_parser(["bash", "zsh", "fish", "elvish", "powershell"])
            .help("Which shell"),
    )
}

fn man(command: Command) -> Command {
    let more = "One page for stoa and one for each verb: stoa-put.1, stoa-agent-log.1.";
    about(command, "Write the manual pages, or print that of stoa", more).arg(
        Arg::new("dir").value_name("DIR").value_parser(value_parser!(PathBuf)).help(
            "Into this directory, which is made if need be [default: that of stoa to stdout]",
        ),
    )
}

fn switch(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue)
}

/// Both schemas of a verb.
pub(super) fn schemas(verb: &str) -> Result<serde_json::Value, Problem> {
    let entry = entry(verb).ok_or_else(|| {
        let text =
            format!("there is no schema of {verb:?}: it is no verb that is asked and answered");
        Problem::new(Kind::Unknown, text).hint("stoa --help")
    })?;
    Ok(serde_json::json!({
        "verb": verb,
        "request": entry.request().to_value(),
        "answer": entry.answer().to_value(),
    }))
}
