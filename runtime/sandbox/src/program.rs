//! Which program a worker runs: this one.

use std::io;
use std::path::PathBuf;

/// The argument that makes a binary a worker. Not for people.
pub(super) const ARGUMENT: &str = "__stoa_python_worker";

/// The program of this process. An upgrade may have put another file under its name, or none: on
/// Linux the system keeps the file that runs within reach, and the worker must be of the same build.
pub(super) fn own_program() -> io::Result<PathBuf> {
    if cfg!(not(feature = "python")) {
        return Err(io::Error::other(
            "this build has no Python; build it with the feature `python`",
        ));
    }
    let running = PathBuf::from("/proc/self/exe");
    match cfg!(target_os = "linux") && running.symlink_metadata().is_ok() {
        true => Ok(running),
        false => std::env::current_exe(),
    }
}

#[cfg(all(test, feature = "python", target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_file_that_runs() {
        let found = std::fs::canonicalize(own_program().unwrap()).unwrap();
        assert_eq!(found, std::env::current_exe().unwrap().canonicalize().unwrap());
    }
}
