//! What follows goes on: where the process that had the directory open has died, this one asks the
//! next one from where it was, and prints nothing twice.

use serde_json::Value as Json;
use stoa_api::operation::AnyOperation;
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// How often in a row it is asked again without anything new.
pub(super) const ASKED_AGAIN_MOST: u32 = 5;

/// Up to where what happens was printed. Several changes can stand at one cursor.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What was printed up to here is whole.
    before: Option<u64>,
    last: Option<u64>,
    /// Changes that were printed at the last cursor.
    at_last: u64,
    /// Of those, how many come once more.
    again: u64,
}

impl Seen {
    /// Begins after a cursor.
    pub(super) fn begin(&mut self, after: u64) {
        self.before = Some(after);
    }

    /// Whether an answer was not printed yet; it is from now on.
    pub(super) fn is_new(&mut self, answer: &Json) -> bool {
        let Some(cursor) = answer["cursor"].as_u64() else { return true };
        if self.again > 0 && self.last == Some(cursor) {
            self.again -= 1;
            return false;
        }
        self.again = 0;
        match self.last == Some(cursor) {
            true => self.at_last += 1,
            false => {
                self.before = self.last.or(self.before);
                (self.last, self.at_last) = (Some(cursor), 1);
            }
        }
        true
    }

    /// After which cursor to ask once more; nothing where it does not matter.
    pub(super) fn go_on(&mut self) -> Option<u64> {
        self.again = self.at_last;
        match (self.last, self.before) {
            (Some(last), None) => Some(last.saturating_sub(1)),
            (_, before) => before,
        }
    }

    /// The last one that was printed.
    pub(super) fn cursor(&self) -> Option<u64> {
        self.last.or(self.before)
    }
}

/// The field that says where to begin, of a verb that follows what happens, and its flag.
pub(super) fn field(operation: &AnyOperation) -> Option<(&'static str, &'static str)> {
    match operation.name {
        "watch" | "lease watch" | "trace" => Some(("cursor", "--cursor")),
        "agent log" => Some(("after", "--after")),
        _ => None,
    }
}

/// Where a request begins that has not said so.
pub(super) fn begin(body: &mut Json, field: &str, after: u64) {
    if let Some(it) = body.as_object_mut() {
        it.insert(field.to_owned(), after.into());
        it.remove("tail");
    }
}

/// Whether it begins from now on, wherever that is.
pub(super) fn from_now_on(operation: &AnyOperation, body: &Json) -> bool {
    let said = ["cursor", "tail", "within"].iter().any(|it| !body[it].is_null());
    operation.name != "agent log" && !said
}

/// What to type to go on from there.
pub(super) fn hint(problem: Problem, flag: &str, cursor: Option<u64>) -> Problem {
    let (ProblemKind::Busy, Some(cursor)) = (problem.kind, cursor) else { return problem };
    problem.hint(typed_again(&[flag, "--tail"], &[flag, &cursor.to_string()]))
}

/// What this process was asked, without some of its flags and their values, and with others.
pub(super) fn typed_again(without: &[&str], with: &[&str]) -> String {
    let words = std::env::args_os().skip(1);
    let words: Vec<String> = words.map(|it| it.to_string_lossy().into_owned()).collect();
    again(&words, without, with)
}

fn again(words: &[String], without: &[&str], with: &[&str]) -> String {
    retyped(words, |flag, _| without.contains(&flag), with)
}

/// A command line with one flag in the place of those of its name whose value is at fault.
pub(super) fn with_instead(
    words: &[String],
    flag: &str,
    at_fault: impl Fn(&str) -> bool,
    with: &str,
) -> String {
    retyped(words, |word, value| word == flag && at_fault(value), &[with])
}

/// Words without the flags that go, each told with its value, and with others, typed as they are.
fn retyped(words: &[String], goes: impl Fn(&str, &str) -> bool, with: &[&str]) -> String {
    let mut out = vec!["stoa".to_owned()];
    let (mut words, mut end) = (words.iter().peekable(), None);
    while let Some(word) = words.next() {
        let next = words.peek().map_or("", |it| it.as_str());
        match word.split_once('=') {
            _ if end.is_some() => out.push(quoted(word)),
            _ if word == "--" => {
                end = Some(out.len());
                out.push(word.clone());
            }
            _ if word.starts_with("--") && goes(word, next) => drop(words.next()),
            Some((flag, value)) if flag.starts_with("--") && goes(flag, value) => {}
            _ => out.push(quoted(word)),
        }
    }
    let end = end.unwrap_or(out.len());
    out.splice(end..end, with.iter().map(|it| (*it).to_owned()));
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        /// The model: a log in which several changes stand at one cursor, read by somebody who is cut
        /// off again and again; what is printed is each change once, in order.
        #[test]
        fn nothing_is_printed_twice_or_left_out(
            counts in prop::collection::vec(1..4_u64, 1..12),
            cuts in prop::collection::vec(0..10_usize, 0..6),
            begins in any::<bool>(),
        ) {
            let log: Vec<(u64, u64)> = (1..).zip(&counts)
                .flat_map(|(cursor, count)| (0..*count).map(move |n| (cursor * 3, n)))
                .collect();
            let (mut seen, mut printed) = (Seen::default(), Vec::<(u64, u64)>::new());
            if begins {
                seen.begin(0);
            }
            let mut after = Some(0);
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let from = after.unwrap_or_default();
                let told = log.iter().filter(|it| it.0 > from).take(cut);
                printed.extend(told.filter(|it| seen.is_new(&json!({"cursor": it.0}))));
                after = seen.go_on();
            }
            prop_assert_eq!(printed, log);
        }
    }

    #[test]
    fn what_was_typed_is_typed_again() {
        let again = |it: &str, without: &[&str], with: &[&str]| {
            again(&it.split(' ').map(str::to_owned).collect::<Vec<_>>(), without, with)
        };
        let typed = "--data d watch tasks --cursor 3 --tail=2 --meta k=v";
        let typed = again(typed, &["--cursor", "--tail"], &["--cursor", "9"]);
        assert_eq!(typed, "stoa --data d watch tasks --meta 'k=v' --cursor 9");
        let typed = again("erase -- --cursor", &["--cursor"], &["--yes"]);
        assert_eq!(typed, "stoa erase --yes -- --cursor");
    }
}
