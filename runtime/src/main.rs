//! The `stoa` command.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    stoa_runtime::worker_main_if_asked();
    cli::main()
}
