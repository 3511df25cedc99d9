//! What an agent is told about an exception it did not catch.

use super::item::{CONFLICT, CONFLICT_NAME};
use super::preamble::PLAYED;
use crate::limits::ActionLimits;
use monty_types::{ExcType, MontyException};
use stoa_actors::code::{ActionEnd, Item};

/// A global that is a mapping, by its name, and its keys: `spaces`.
pub(super) type Keyed = (String, Vec<String>);

/// The mappings among the globals.
pub(super) fn keyed(globals: &[(String, Item)]) -> Vec<Keyed> {
    let keys = |pairs: &Vec<(String, Item)>| pairs.iter().map(|(key, _)| key.clone()).collect();
    let keyed = |(name, item): &(String, Item)| match item {
        Item::Map(pairs) => Some((name.clone(), keys(pairs))),
        _ => None,
    };
    globals.iter().filter_map(keyed).collect()
}

/// Whether the interpreter stopped the code: its heap is then not to be trusted.
pub(super) fn is_stop(error: &MontyException) -> bool {
    let begins = |text| error.message().is_some_and(|message| message.starts_with(text));
    match error.exc_type() {
        ExcType::TimeoutError => begins("time limit exceeded"),
        ExcType::MemoryError => begins("memory limit exceeded"),
        _ => false,
    }
}

/// Whether the code was not even compiled: nothing has run.
pub(super) fn is_unread(error: &MontyException) -> bool {
    error.exc_type() == ExcType::SyntaxError
        && error.traceback().iter().all(|frame| frame.hide_frame_name)
}

/// The failure as the agent reads it: the traceback as CPython prints it, and in its last line
/// what to do.
pub(super) fn failed(error: &MontyException, keyed: &[Keyed], limits: &ActionLimits) -> ActionEnd {
    let class = if error.exc_type() == CONFLICT {
        CONFLICT_NAME.to_owned()
    } else {
        error.exc_type().to_string()
    };
    let text = error.to_string();
    let frames = text.strip_suffix(&error.summary()).unwrap_or_default();
    let message = message(error, keyed, limits);
    let last = if message.is_empty() { class.clone() } else { format!("{class}: {message}") };
    let traceback = cut_middle(format!("{frames}{last}"), limits.traceback_bytes_max);
    ActionEnd::Failed { class, traceback }
}

fn message(error: &MontyException, keyed: &[Keyed], limits: &ActionLimits) -> String {
    let said = error.message().unwrap_or_default();
    match error.exc_type() {
        // The interpreter's own text has measured figures in it; a re-run would differ.
        ExcType::TimeoutError if is_stop(error) => format!(
            "the code computed for more than compute_ms_max = {} ms; do less in one action",
            limits.compute_ms_max
        ),
        ExcType::MemoryError if is_stop(error) => format!(
            "the code needed more than memory_bytes_max = {} bytes; keep less at once",
            limits.memory_bytes_max
        ),
        // Where the interpreter calls back from its own loops it cannot wait for the host.
        ExcType::NotImplementedError
            if said.ends_with("not yet supported in this context") || said.contains("suspend") =>
        {
            format!("{said}; call the host first, in a list comprehension, and use its answers")
        }
        ExcType::TypeError if said.ends_with("can't be awaited") => {
            format!("{said}; leave `await` out, calls of the host return their answer")
        }
        ExcType::KeyError => match missed(error, keyed) {
            Some((name, keys)) if keys.is_empty() => format!("{said} ({name} is empty)"),
            Some((name, keys)) => format!("{said} ({name} has {})", keys.join(", ")),
            None => said.to_owned(),
        },
        ExcType::ModuleNotFoundError => {
            match PLAYED.iter().find(|it| said.ends_with(&format!("'{it}'"))) {
                Some(module) => {
                    format!("{module} is already there; leave the import out, call {module}.…()")
                }
                None => said.to_owned(),
            }
        }
        _ => said.to_owned(),
    }
}

/// The mapping whose key the failing line asked for.
fn missed<'a>(error: &MontyException, keyed: &'a [Keyed]) -> Option<&'a Keyed> {
    let line = error.traceback().last()?.preview_line.as_deref()?;
    keyed.iter().find(|(name, _)| line.contains(&format!("{name}[")))
}

/// The text without its middle if it is too long: both ends of a traceback matter.
fn cut_middle(text: String, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text;
    }
    let head = text.floor_char_boundary(bytes_max / 4);
    let tail = text.ceil_char_boundary(text.len() - (bytes_max - bytes_max / 4));
    format!("{}\n  … {} bytes left out …\n{}", &text[..head], tail - head, &text[tail..])
}

/// The text without its end if it is too long, and a last line saying so.
pub(super) fn cut_end(text: &mut String, bytes_max: usize, limit: &str) {
    if text.len() > bytes_max {
        let all = text.len();
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push_str(&format!("\n[cut: {bytes_max} of {all} bytes, {limit}]\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_traceback_keeps_both_ends() {
        let text = format!("head{}tail", "ä".repeat(5_000));
        let cut = cut_middle(text, 1_000);
        assert!(cut.starts_with("head") && cut.ends_with("tail"), "{cut}");
        assert!(cut.len() < 1_100 && cut.contains("left out"), "{}", cut.len());
    }

    #[test]
    fn a_conflict_bears_its_own_name() {
        let error = MontyException::new(CONFLICT, Some("atom changed".to_owned()));
        let ActionEnd::Failed { class, traceback } = failed(&error, &[], &ActionLimits::default())
        else {
            panic!("it failed")
        };
        assert_eq!((class.as_str(), traceback.as_str()), ("Conflict", "Conflict: atom changed"));
    }
}
