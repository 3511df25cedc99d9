//! What is to be typed next: a hint as a whole command line, with the values, the directory and the
//! identity that were typed now.

use clap::ArgMatches;
use std::ffi::OsStr;
use std::sync::OnceLock;
use stoa_api::operation::RequiredRight;
use stoa_api::operations::entry;
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// What was typed, as far as a hint repeats it.
#[derive(Default)]
struct Typed {
    /// The verb: `space create`.
    verb: String,
    /// All words behind `stoa`.
    words: Vec<String>,
    /// `--data` with its value, as it is typed again.
    data: String,
    /// `--as` with its value, as it is typed again.
    session: String,
    /// Who acts, if it was said by the flag or by the environment.
    acting: Option<String>,
    /// Values for the placeholders of hints.
    known: Vec<(&'static str, String)>,
}

static TYPED: OnceLock<Typed> = OnceLock::new();

/// The placeholders of hints, and the argument that holds the value.
const KNOWN: [(&str, &str); 15] = [
    ("SPACE", "space"),
    ("AGENT", "agent"),
    ("ID", "id"),
    ("RESOURCE", "resource"),
    ("LEVEL", "level"),
    ("TASK", "task"),
    ("NAME", "name"),
    ("NAME", "space"),
    ("SPACE", "instructions"),
    ("N", "if-version"),
    ("QUESTION", "question"),
    ("FILES", "files"),
    ("FILE", "file"),
    ("TARGET", "target"),
    ("BACKUP", "backup"),
];

/// Longer than any command that somebody types again from the screen.
const RETYPED_BYTES_MAX: usize = 400;

/// Keeps what was typed. `typed` is all of it, `below` what was typed for the verb.
pub(super) fn keep(typed: &ArgMatches, verb: &str, below: &ArgMatches, acting: Option<&str>) {
    let flag = |flag: &str, value: Option<&OsStr>| {
        value.map_or(String::new(), |it| format!(" --{flag} {}", quoted(&it.to_string_lossy())))
    };
    let raw = |of: &ArgMatches, name: &str| -> Option<String> {
        let mut all = of.try_get_raw(name).ok()??;
        let first = all.next()?.to_string_lossy().into_owned();
        (all.next().is_none() && !first.trim().is_empty()).then_some(first)
    };
    let known = KNOWN.iter().filter_map(|(word, name)| Some((*word, raw(below, name)?)));
    let session = typed.get_one::<String>("as").map(OsStr::new);
    let data = typed.get_one::<std::path::PathBuf>("data").map(|it| it.as_os_str());
    let kept = Typed {
        verb: verb.to_owned(),
        words: words(),
        data: flag("data", data),
        session: flag("as", session),
        acting: acting.map(str::to_owned),
        known: known.collect(),
    };
    // The first command line of a process counts; there is no second.
    drop(TYPED.set(kept));
}

/// Keeps what was typed where it is no command line: the directory and the identity in it.
pub(super) fn keep_unread() {
    let words = words();
    let value = |flag: &str| {
        let at = words.iter().position(|it| it == flag);
        let joined = words.iter().find_map(|it| it.strip_prefix(flag)?.strip_prefix('='));
        let value = at.and_then(|at| words.get(at + 1)).map(String::as_str).or(joined);
        value.map_or(String::new(), |it| format!(" {flag} {}", quoted(it)))
    };
    let (data, session) = (value("--data"), value("--as"));
    drop(TYPED.set(Typed { data, session, ..Typed::default() }));
}

fn words() -> Vec<String> {
    std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect()
}

/// The hint of a problem as it is to be typed here.
pub(super) fn hint(problem: &Problem) -> String {
    let hint = problem.hint.as_deref().unwrap_or("stoa --help");
    TYPED.get().map_or_else(|| hint.to_owned(), |typed| typed.hint(hint, problem))
}

/// A command as it is to be typed here.
pub(super) fn here(command: &str) -> String {
    TYPED.get().map_or_else(|| command.to_owned(), |typed| typed.carried(command, true))
}

/// A text with each `` `stoa … ` `` in it as it is to be typed here.
pub(super) fn in_text(text: &str) -> String {
    TYPED.get().map_or_else(|| text.to_owned(), |typed| typed.in_text(text))
}

impl Typed {
    fn hint(&self, hint: &str, problem: &Problem) -> String {
        // The identity that is not there cannot look what there is.
        let unknown = |it: &String| problem.text.starts_with(&format!("no session {it:?}"));
        let acts =
            !(problem.kind == ProblemKind::Unknown && self.acting.as_ref().is_some_and(unknown));
        if hint.starts_with("--") {
            return self.instead(hint, &problem.text);
        }
        let filled: Vec<String> = hint.split(' ').map(|word| self.filled(word)).collect();
        self.carried(&instead_of_unknown(filled.join(" ")), acts)
    }

    /// A word of a hint, with its value in the place of a placeholder.
    fn filled(&self, word: &str) -> String {
        let acting = ("SESSION", self.acting.clone());
        let known = self.known.iter().map(|(word, value)| (*word, Some(value.clone())));
        let value = known.chain([acting]).find(|it| it.0 == word).and_then(|it| it.1);
        value.map_or_else(|| word.to_owned(), |it| quoted(&it))
    }

    /// With the directory and the identity behind `stoa`.
    fn carried(&self, command: &str, acts: bool) -> String {
        let Some(rest) = command.strip_prefix("stoa ") else { return command.to_owned() };
        if rest == "--version" {
            return command.to_owned();
        }
        let says = |flag: &str| rest.split(' ').any(|it| it == flag);
        let data = if says("--data") { "" } else { &self.data };
        let session = match acts && !says("--as") && !is_of_the_owner(rest) {
            true => &*self.session,
            false => "",
        };
        format!("stoa{data}{session} {rest}")
    }

    fn in_text(&self, text: &str) -> String {
        let mut pieces = text.split("`stoa ");
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let carried = self.carried(&format!("stoa {piece}"), true);
            out = format!("{out}`{carried}");
        }
        out
    }

    /// What was typed, with another flag: in the place of those of its name whose value is at fault,
    /// or of all of its name. Where that cannot be typed it is the help of the verb.
    fn instead(&self, flag: &str, why: &str) -> String {
        let help = || self.carried(&format!("stoa {} --help", self.verb), true);
        let name = flag.split(' ').next().unwrap_or_default();
        if name == "--help" {
            return help();
        }
        // A condition on what an update expects is told like one of a search.
        let expects = self.verb == "update" && flag.starts_with("--meta '") && {
            let mut words = self.words.iter().skip_while(|it| *it != "--expect");
            words.next().is_some() && !why.contains("--meta")
        };
        let flag = if expects { flag.replacen("--meta", "--expect", 1) } else { flag.to_owned() };
        let name = if expects { "--expect" } else { name };
        let faulty = |value: &str| {
            let names = [value, key_of(value), value.trim_start_matches('-')];
            names.iter().any(|it| why.contains(&format!("{it:?}")))
        };
        let at_fault = self.values(name).find(|it| faulty(it));
        let any = at_fault.is_some();
        let flag = at_fault.map_or(flag.clone(), |value| renamed(&flag, value));
        let at_fault = |value: &str| !any || faulty(value);
        let retyped = super::resume::with_instead(&self.words, name, at_fault, &flag);
        match retyped.len() > RETYPED_BYTES_MAX || retyped.contains(char::is_control) {
            true => help(),
            false => retyped,
        }
    }

    /// What was typed for a flag, each time.
    fn values<'a>(&'a self, flag: &'a str) -> impl Iterator<Item = &'a str> {
        let next = self.words.iter().skip(1).map(String::as_str).chain([""]);
        self.words.iter().zip(next).filter_map(move |(word, next)| match word.split_once('=') {
            _ if word == flag => Some(next),
            Some((it, value)) if it == flag => Some(value),
            _ => None,
        })
    }
}

/// What a condition or an order begins with: the key, or the relation.
fn key_of(condition: &str) -> &str {
    let end = condition.find(['=', '!', '<', '>', ':']).unwrap_or(condition.len());
    &condition[..end]
}

/// A flag whose value is a condition to fill in, with what was typed behind the key of the one in its
/// place.
fn renamed(flag: &str, typed: &str) -> String {
    if flag.starts_with("--order ") && typed.starts_with('-') {
        return flag.replacen(' ', " -", 1);
    }
    let parts = flag.split_once(' ').filter(|(_, value)| value.contains("=VALUE"));
    let Some((name, value)) = parts else { return flag.to_owned() };
    let key = key_of(value.trim_matches('\''));
    match typed.strip_prefix(key_of(typed)) {
        Some(rest) if !rest.is_empty() && key != key_of(typed) => {
            format!("{name} {}", quoted(&format!("{key}{rest}")))
        }
        _ => flag.to_owned(),
    }
}

/// A command that names what there is, where a placeholder has no value.
fn instead_of_unknown(hint: String) -> String {
    let has = |word: &str| hint.split(' ').any(|it| it == word);
    let begins = |with: &str| hint.starts_with(with);
    if begins("stoa update ") && has("N") {
        // It shows the version.
        return hint.split(' ').nth(2).map_or(hint.clone(), |id| format!("stoa get {id}"));
    }
    let instead = match () {
        // It is of another directory.
        () if has("--data") => return hint,
        () if has("SPACE") && begins("stoa search") => "stoa history --newest",
        () if has("SPACE") && begins("stoa space describe") => return hint,
        () if has("SPACE") && !begins("stoa spawn") => "stoa space list",
        () if has("SESSION") => "stoa session list",
        () if has("AGENT") => "stoa agent list",
        () if has("ID") => "stoa history --newest",
        () => return hint,
    };
    instead.to_owned()
}

/// Whether a command is for the owner of the directory: it is refused to others, or asks nobody, or
/// gives what the identity that was typed lacks.
fn is_of_the_owner(rest: &str) -> bool {
    // It may stand in the midst of a text, and flags of every verb may stand in front.
    let mut words = rest.split([' ', '`']);
    let mut verb = words.next().unwrap_or_default();
    while ["--data", "--as"].contains(&verb) {
        verb = words.nth(1).unwrap_or_default();
    }
    let local = ["serve", "trust", "doctor", "restore", "schema", "completions", "man", "--help"];
    let owners = entry(verb).is_some_and(|it| matches!(it.right, RequiredRight::Owner(..)));
    owners || verb == "grant" && !rest.ends_with("--help") || local.contains(&verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(verb: &str, words: &str, known: &[(&'static str, &str)]) -> Typed {
        Typed {
            verb: verb.to_owned(),
            words: words.split(' ').map(str::to_owned).collect(),
            data: " --data 'a b'".to_owned(),
            session: " --as bob".to_owned(),
            acting: Some("bob".to_owned()),
            known: known.iter().map(|(word, value)| (*word, (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn what_is_to_be_typed_is_of_this_directory_and_this_identity() {
        let typed = typed("put", "put tasks x", &[]);
        let text = "nobody runs them: `stoa serve`; look with `stoa agent list`, or go";
        let here = "nobody runs them: `stoa --data 'a b' serve`; look with \
                    `stoa --data 'a b' --as bob agent list`, or go";
        assert_eq!(typed.in_text(text), here);
        assert_eq!(Typed::default().in_text(text), text);
    }

    #[test]
    fn a_hint_is_filled_with_what_was_typed() {
        let of = |typed: &Typed, hint: &str, text: &str| {
            typed.hint(hint, &Problem::new(ProblemKind::Unknown, text).hint(hint))
        };
        let put = typed("put", "put tasks x --meta a --meta b=1", &[("SPACE", "my tasks")]);
        let is = |hint: &str, here: &str| assert_eq!(of(&put, hint, "--meta \"a\" is wrong"), here);
        is("stoa search SPACE", "stoa --data 'a b' --as bob search 'my tasks'");
        is("stoa grant SPACE SESSION write", "stoa --data 'a b' grant 'my tasks' bob write");
        is("stoa agent show AGENT", "stoa --data 'a b' --as bob agent list");
        is("stoa --data NEW_DIR restore BACKUP", "stoa --data NEW_DIR restore BACKUP");
        is("--meta 'a=VALUE'", "stoa put tasks x --meta 'b=1' --meta 'a=VALUE'");
        let meant = of(&put, "--meta 'c=VALUE'", "no atom here has the key \"b\"");
        assert_eq!(meant, "stoa put tasks x --meta a --meta 'c=1'");
        is("--help", "stoa --data 'a b' --as bob put --help");
        is("kill 7", "kill 7");
        let gone = of(&put, "stoa session list", "no session \"bob\" of yours");
        assert_eq!(gone, "stoa --data 'a b' session list");
    }
}
