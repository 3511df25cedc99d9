//! What is piped into a verb: the one place that reads stdin.
//!
//! A text that is given as an argument is the text, and stdin is left alone, so that a verb never
//! waits for a pipe that nobody closes. `-` asks for stdin. Where a verb cannot do without a text
//! and none is given, stdin is read unless it is a terminal. Nothing at all is refused.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use stoa_actors::limits::Limits;
use stoa_api::operation::Needed;
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// The text as typed, `-` for stdin, `@FILE` for a file, or what is piped in where nothing is typed.
/// Without the line end that `echo` writes behind it.
pub(super) fn text(needed: &Needed, typed: Option<String>) -> Result<String, Problem> {
    let asked = typed.is_some();
    let bytes = match typed.filter(|it| it != "-") {
        Some(typed) => match named(&typed) {
            Ok(text) => return Ok(text.to_owned()),
            Err(path) => named_file(&path, needed.hint)?,
        },
        None => bytes(needed, asked)?,
    };
    let text = utf8(bytes, needed.hint)?;
    let bare = text.strip_suffix('\n').unwrap_or(&text);
    let bare = bare.strip_suffix('\r').unwrap_or(bare);
    if bare.trim().is_empty() { Err(lacking(needed)) } else { Ok(bare.to_owned()) }
}

/// A text as it is typed, or the file that it names: `@FILE`. `@@` begins a text with `@`.
pub(super) fn named(typed: &str) -> Result<&str, PathBuf> {
    match typed.strip_prefix('@') {
        Some(text) if text.starts_with('@') || text.is_empty() => {
            Ok(if text.is_empty() { typed } else { text })
        }
        Some(path) => Err(PathBuf::from(path)),
        None => Ok(typed),
    }
}

/// All of a file that a text names; a text may begin with @ by itself.
pub(super) fn named_file(path: &Path, hint: &str) -> Result<Vec<u8>, Problem> {
    file(path, hint).map_err(|problem| {
        let text = format!("{problem}; a text that begins with @ is typed with @@");
        Problem { text, ..problem }
    })
}

/// All of a file.
pub(super) fn file(path: &Path, hint: &str) -> Result<Vec<u8>, Problem> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| {
        Problem::new(ProblemKind::Invalid, format!("cannot read {name}: {error}")).hint(hint)
    })?;
    read(file, &name)
}

/// All of stdin. `asked`: also from a terminal.
pub(super) fn bytes(needed: &Needed, asked: bool) -> Result<Vec<u8>, Problem> {
    let stdin = io::stdin().lock();
    if stdin.is_terminal() && !asked {
        return Err(lacking(needed));
    }
    let bytes = read(stdin, "stdin")?;
    if bytes.is_empty() { Err(lacking(needed)) } else { Ok(bytes) }
}

pub(super) fn lacking(needed: &Needed) -> Problem {
    let text = format!("{} is missing or empty: give it as an argument or on stdin", needed.what);
    Problem::new(ProblemKind::Invalid, text).hint(needed.hint)
}

/// Everything, within what an atom may hold.
pub(super) fn read(from: impl Read, name: &str) -> Result<Vec<u8>, Problem> {
    let max = Limits::default().content_bytes_max;
    let mut bytes = Vec::new();
    from.take(max as u64 + 1).read_to_end(&mut bytes).map_err(|error| {
        Problem::new(ProblemKind::Invalid, format!("cannot read {name}: {error}"))
            .hint("stoa put SPACE --file PATH")
    })?;
    if bytes.len() > max {
        let text = format!("{name} is larger than an atom may be ({max} bytes)");
        let file = if name == "stdin" { "FILE".to_owned() } else { quoted(name) };
        return Err(
            Problem::new(ProblemKind::Invalid, text).hint(format!("split -b 8M {file} part."))
        );
    }
    Ok(bytes)
}

/// Bytes as text.
pub(super) fn utf8(bytes: Vec<u8>, hint: &str) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = format!("the content is not UTF-8 text (byte {at})");
        Problem::new(ProblemKind::Invalid, text).hint(hint)
    })
}

/// Whether something has been piped in already. It waits for nothing.
pub(super) fn has_something() -> bool {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return false;
    }
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    let ready = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    ready.is_ok_and(|it| it > 0) && rustix::io::ioctl_fionread(&stdin).is_ok_and(|it| it > 0)
}
