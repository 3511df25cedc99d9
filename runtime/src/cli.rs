//! The command line: every verb is one message to whoever has the directory open.
//!
//! Data goes to stdout, everything else to stderr; `--json` makes it JSON Lines. Only this module
//! prints, reads the terminal or ends the process.

mod args;
mod json;
mod pairs;
mod print;
mod run;

use clap::Parser;
use clap::error::ErrorKind;
use std::io::Write;
use std::process::ExitCode;
use stoa_runtime::problem::{Kind, Problem};

pub(crate) fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run::run(args)),
        Err(error) => Err(Problem::new(Kind::Store, format!("no threads: {error}"))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&problem);
            ExitCode::from(problem.kind.exit_code())
        }
    }
}

/// Errors of the command line itself end with something to type as well.
fn usage(error: &clap::Error) -> ExitCode {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    drop(error.print());
    if asked {
        return ExitCode::SUCCESS;
    }
    drop(writeln!(anstream::stderr(), "hint: stoa --help"));
    ExitCode::from(Kind::Invalid.exit_code())
}

fn complain(problem: &Problem) {
    let mut to = anstream::stderr().lock();
    let red = anstyle::AnsiColor::Red.on_default().bold();
    drop(writeln!(to, "{red}error:{red:#} {problem}"));
    if let Some(hint) = &problem.hint {
        let bold = anstyle::Style::new().bold();
        drop(writeln!(to, "{bold}hint:{bold:#} {hint}"));
    }
}
