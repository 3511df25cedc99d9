//! The command line: every verb is one message to whoever has the directory open.
//!
//! Data goes to stdout, everything else to stderr; `--json` makes it JSON Lines. Only this module
//! prints, reads the terminal or ends the process.

mod again;
mod ask;
mod asking;
mod carry;
mod cassette;
mod command;
mod complete;
mod conditions;
mod confirm;
mod content;
mod copies;
mod diagnostics;
mod doctor;
mod examples;
mod incidents;
mod limits;
mod local;
mod look;
mod man;
mod models;
mod owner;
mod progress;
mod resume;
mod run;
mod screen;
mod settings;
mod show;
mod signals;
mod spawned;
mod stdin;
mod table;
#[cfg(feature = "otel")]
mod traces;
#[cfg(not(feature = "otel"))]
#[path = "no_traces.rs"]
mod traces;
mod trust;
mod typed;
mod value;
mod version;
mod width;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use screen::Lines;
use std::process::ExitCode;
use stoa_actors::nearest::nearest;
use stoa_actors::printable::one_line;
use stoa_kernel::failure::StoreError;
use stoa_kernel::problem::{Problem, ProblemKind};

/// Runs what was typed; the status says how it ended, by kind of error.
pub fn main() -> ExitCode {
    // Whatever this process makes is its user's alone, also what the engine makes.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    screen::set_colours(look::colour_typed().as_deref());
    if complete::asked(command::whole) {
        return ExitCode::SUCCESS;
    }
    let typed = match typed() {
        Ok(typed) => typed,
        Err(error) => return usage(&meant_of_the_verb(error)),
    };
    look::set(&typed);
    let json = typed.get_flag("json");
    end_without_threads(json);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run::run(&typed));
            // What hangs in the engine must not hold up the end of the process.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(StoreError::NoThreads(error.to_string()).into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let problem = models::of_key(problem);
            complain(&problem, json);
            ExitCode::from(problem.kind.exit_code())
        }
    }
}

/// What was typed. What was meant where it is wrong is told from all that can be.
fn typed() -> Result<clap::ArgMatches, clap::Error> {
    let told = |it: ErrorKind| matches!(it, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    match command::command().try_get_matches() {
        Err(error) if !told(error.kind()) => command::whole().try_get_matches(),
        typed => typed,
    }
}

/// The async runtime panics where it gets no thread, and waits for ever for those it has. Nothing
/// that was acknowledged depends on what is still to be done then, so the process ends at once.
fn end_without_threads(json: bool) {
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        let Some((_, why)) = said.split_once("OS can't spawn worker thread: ") else {
            return otherwise(panic);
        };
        let problem = Problem::from(StoreError::NoThreads(why.to_owned()));
        complain(&problem, json);
        end_now(problem.kind.exit_code());
    }));
}

#[expect(clippy::disallowed_methods, reason = "this is part of main, and unwinding would wait")]
fn end_now(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Errors of the command line itself end with something to type as well.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let text = quoting(error);
    let text = text.split("\n\nFor more information").next().unwrap_or_default().trim_end();
    screen::error(text.strip_prefix("error: ").unwrap_or(text), Lines::Many);
    again::keep_unread();
    screen::hint(&again::here(&format!("stoa{} --help", verbs())));
    ExitCode::from(ProblemKind::Invalid.exit_code())
}

/// What is wrong, with each word that was typed on one line.
fn quoting(error: &clap::Error) -> String {
    let mut text = error.render().to_string();
    for (_, typed) in error.context() {
        if let ContextValue::String(typed) = typed {
            let shown = screen::unstyled(typed);
            text = text.replace(&shown, &one_line(typed));
        }
    }
    text
}

/// The error with a flag of the verb itself as what was meant, if one is near: those of every verb
/// are less likely.
fn meant_of_the_verb(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let said = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(said)) => said.trim_start_matches('-').to_owned(),
        _ => return error,
    };
    let verb = verb().1;
    let own = verb.get_arguments().filter(|it| !it.is_global_set());
    let own: Vec<&str> = own.filter_map(clap::Arg::get_long).collect();
    if let Some(flag) = nearest(&said, own) {
        let meant = ContextValue::String(format!("--{flag}"));
        error.insert(ContextKind::SuggestedArg, meant);
    }
    error
}

/// The verbs of a command line, each with a space in front.
fn verbs() -> String {
    verb().0
}

/// The same, and the last of them.
fn verb() -> (String, clap::Command) {
    let (mut command, mut verbs) = (command::command(), String::new());
    for word in std::env::args_os().skip(1) {
        let Some(verb) = command.find_subcommand(&word).cloned() else { continue };
        verbs = format!("{verbs} {}", verb.get_name());
        command = verb;
    }
    (verbs, command)
}

/// Says why it failed: for people, or as one line of JSON on standard error.
fn complain(problem: &Problem, json: bool) {
    let hint = again::hint(problem);
    if json {
        let error = serde_json::json!({"error": {
            "kind": problem.kind.name(),
            "exit_code": problem.kind.exit_code(),
            "text": problem.text,
            "hint": hint,
        }});
        return drop(screen::Screen::aside().json(&error));
    }
    let lines = if problem.kind == ProblemKind::Action { Lines::Many } else { Lines::One };
    screen::error(&problem.text, lines);
    screen::hint(&hint);
}

/// Whether words are a command line of `stoa`, without the name of the program.
///
/// Errors: what is wrong with them, as it is said to whoever types them.
pub fn parse(words: &[String]) -> Result<(), String> {
    let all = ["stoa".to_owned()].into_iter().chain(words.iter().cloned());
    match command::whole().try_get_matches_from(all) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}
