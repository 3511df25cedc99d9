//! What is typed about how answers look, and what the terminal says about itself.

use clap::ArgMatches;
use std::ffi::OsStr;
use std::sync::OnceLock;

/// How answers look, once it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Nothing is cut to the terminal.
    pub(super) whole: bool,
    /// Only what was asked for.
    pub(super) quiet: bool,
}

static LOOK: OnceLock<Look> = OnceLock::new();

/// What is typed; nothing of it before the command line is read.
pub(super) fn look() -> Look {
    LOOK.get().copied().unwrap_or_default()
}

/// Remembers what is typed.
pub(super) fn set(typed: &ArgMatches) {
    let look = Look { whole: typed.get_flag("no-trunc"), quiet: typed.get_flag("quiet") };
    LOOK.get_or_init(|| look);
}

/// Whether there are colours, as it is typed: also where the command line cannot be read, or is
/// help.
pub(super) fn colour_typed() -> Option<String> {
    let words: Vec<_> = std::env::args_os().skip(1).take_while(|it| it != "--").collect();
    let mut typed = words.iter().enumerate().filter_map(|(number, word)| {
        let word = word.to_str()?;
        match word.strip_prefix("--color") {
            Some("") => words.get(number + 1)?.to_str().map(str::to_owned),
            Some(value) => value.strip_prefix('=').map(str::to_owned),
            None => None,
        }
    });
    typed.next_back()
}

/// Cells of a terminal that says nothing sensible about itself.
const CELLS_DEFAULT: usize = 80;
/// What is narrower is drawn as if it had so many.
const CELLS_LEAST: usize = 20;
/// What is wider is drawn as if it had no more.
const CELLS_MOST: usize = 1_000;

/// How wide a terminal is: as `COLUMNS` says, else as it says itself.
#[expect(
    clippy::disallowed_methods,
    reason = "the terminal's own, and only how it looks rests on it"
)]
pub(super) fn cells(own: Option<u16>) -> usize {
    width(std::env::var_os("COLUMNS").as_deref(), own)
}

fn width(columns: Option<&OsStr>, own: Option<u16>) -> usize {
    let typed = columns.and_then(OsStr::to_str).and_then(|it| it.trim().parse::<usize>().ok());
    let sensible = |it: &usize| *it > 0;
    let own = own.map(usize::from).filter(sensible);
    let cells = typed.filter(|it| (1..=CELLS_MOST).contains(it)).or(own).unwrap_or(CELLS_DEFAULT);
    cells.clamp(CELLS_LEAST, CELLS_MOST)
}

/// Whether the terminal can write over a line.
#[expect(
    clippy::disallowed_methods,
    reason = "the terminal's own, and only how it looks rests on it"
)]
pub(super) fn writes_over() -> bool {
    std::env::var_os("TERM").is_none_or(|it| it != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_that_makes_no_sense_is_not_used() {
        let of = |columns: &str, own| width(Some(OsStr::new(columns)), own);
        assert_eq!(of("100", Some(80)), 100);
        for absurd in ["0", "", "x", "-1", "99999999999999999999", "1001"] {
            assert_eq!(of(absurd, Some(120)), 120, "{absurd}");
            assert_eq!(of(absurd, Some(0)), 80, "{absurd}");
            assert_eq!(of(absurd, None), 80, "{absurd}");
        }
        assert_eq!(of("3", None), 20);
        assert_eq!(width(None, Some(7)), 20);
        assert_eq!(width(None, Some(u16::MAX)), 1_000);
    }
}
