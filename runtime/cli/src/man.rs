//! Manual pages, made of the command line.

use super::command::whole;
use super::screen::{self, Screen, unwritten};
use std::io;
use std::path::Path;
use stoa_kernel::problem::{Problem, ProblemKind};

/// Writes a page for each verb, or prints that of stoa.
pub(super) fn pages(dir: Option<&Path>) -> Result<(), Problem> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        let mut command = whole().disable_help_subcommand(true);
        command.build();
        let made = clap_mangen::Man::new(command).render(&mut page);
        let text = String::from_utf8_lossy(&page).into_owned();
        return made
            .and_then(|()| Screen::out().text(&text))
            .or_else(|it| if it.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(it) })
            .map_err(unwritten);
    };
    let unmade = |error: io::Error| {
        let text = format!("cannot write the pages into {}: {error}", dir.display());
        Problem::new(ProblemKind::Store, text).hint("stoa man WRITABLE_DIR")
    };
    std::fs::create_dir_all(dir).map_err(unmade)?;
    clap_mangen::generate_to(whole(), dir).map_err(unmade)?;
    let text = format!("wrote the manual pages into {0}; see: man -l {0}/stoa.1", dir.display());
    screen::done(text).map_err(unwritten)
}
