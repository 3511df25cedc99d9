//! The `stoa` command.

use std::process::ExitCode;

/// Many threads, many small pieces, and a process that lives for weeks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stoa::worker_main_if_asked();
    stoa_cli::main()
}
