//! What a shell completes: verbs and flags by clap, and what there is in the data directory by asking
//! this binary itself, as the one who types would.

use super::screen::{Screen, unwritten};
use clap::Arg;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value as Json;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use stoa_actors::ending::shown;
use stoa_api::operation::{self, ArgForm};
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// The variable by which a shell asks.
const ASKED: &str = "STOA_COMPLETE";

/// Whether a shell has asked, and is answered; `whole` is all that can be typed.
pub(super) fn asked(whole: fn() -> clap::Command) -> bool {
    let here = std::env::current_dir().ok();
    let env = CompleteEnv::with_factory(whole).var(ASKED);
    // What a shell makes of a complaint, nobody can read.
    env.try_complete(std::env::args_os(), here.as_deref()).unwrap_or(true)
}

/// Prints what makes a shell ask.
pub(super) fn script(shell: &str) -> Result<(), Problem> {
    let unknown =
        || Problem::new(ProblemKind::Invalid, "no such shell").hint("stoa completions bash");
    let shells = Shells::builtins();
    let shell = shells.completer(shell).ok_or_else(unknown)?;
    let mut script = Vec::new();
    let made = shell.write_registration(ASKED, "stoa", "stoa", "stoa", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    made.and_then(|()| Screen::out().text(text.trim_start())).map_err(unwritten)
}

/// What there is to complete with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Spaces,
    Agents,
    Atoms,
    Sessions,
    /// Sessions, of which the one who acts is not known yet.
    Acting,
    /// Spaces, with a level behind each.
    Levels,
    /// Spaces and atoms.
    Either,
}

/// An argument that is completed with what there is, where it names something.
pub(super) fn completed(arg: Arg, of: &operation::Arg) -> Arg {
    let names = match (of.field, of.how) {
        ("spaces", ArgForm::Spaces) => Names::Levels,
        ("space" | "instructions" | "subscribe", ArgForm::Text | ArgForm::Texts) => Names::Spaces,
        ("agent", _) | ("by", ArgForm::Text) => Names::Agents,
        ("session" | "from", ArgForm::Text) => Names::Sessions,
        ("of", ArgForm::Text) if of.flag.is_some() => Names::Sessions,
        ("of", ArgForm::Text) => Names::Either,
        ("id" | "superseded_by", ArgForm::Text | ArgForm::Ids) => Names::Atoms,
        _ => return arg,
    };
    with(arg, names)
}

/// The argument that says who acts.
pub(super) fn with_sessions(arg: Arg) -> Arg {
    with(arg, Names::Acting)
}

fn with(arg: Arg, names: Names) -> Arg {
    arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
        let words: Vec<OsString> = std::env::args_os().collect();
        candidates(names, &typed.to_string_lossy(), &words)
    }))
}

fn candidates(names: Names, typed: &str, words: &[OsString]) -> Vec<CompletionCandidate> {
    let ask = |args: &[&str]| asked_for(words, names != Names::Acting, args);
    let named = |field: &str, of: &Json| of[field].as_str().map(str::to_owned);
    let about = |text: Option<String>| text.unwrap_or_default();
    let spaces = || {
        let of = |it: &Json| Some((named("name", it)?, about(named("description", it))));
        ask(&["space", "list"]).iter().filter_map(of).collect::<Vec<_>>()
    };
    let atoms = || {
        let of = |it: &Json| {
            let id = shown(it["refs"]["atom_id"].as_str()?).to_owned();
            Some((id, about(it["body"]["comment"].as_str().map(str::to_owned))))
        };
        let all = ask(&["history", "--newest", "--limit", "200"]);
        all.iter().filter_map(of).collect::<Vec<_>>()
    };
    let mut found = match names {
        Names::Spaces => spaces(),
        Names::Levels => spaces().into_iter().map(|(it, text)| (format!("{it}="), text)).collect(),
        Names::Agents => {
            let of = |it: &Json| Some((named("name", it)?, about(named("task", it))));
            ask(&["agent", "list"]).iter().filter_map(of).collect()
        }
        Names::Sessions | Names::Acting => {
            let of = |it: &Json| Some((named("name", it)?, about(named("kind", it))));
            ask(&["session", "list"]).iter().filter_map(of).collect()
        }
        Names::Atoms => atoms(),
        Names::Either => [spaces(), atoms()].concat(),
    };
    let is_id = matches!(names, Names::Atoms | Names::Either);
    let fits =
        |it: &str| it.starts_with(typed) || is_id && it.starts_with(&typed.to_ascii_uppercase());
    // A shell is handed words: what it would have to quote is left to whoever types it.
    found
        .retain(|(it, _)| fits(it) && quoted(it.trim_end_matches('=')) == it.trim_end_matches('='));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|(it, _)| seen.insert(it.clone()));
    let candidate = |(it, text): (String, String)| {
        let text = stoa_actors::printable::one_line(text.lines().next().unwrap_or_default());
        let text = Some(text.into_owned()).filter(|it| !it.is_empty());
        CompletionCandidate::new(it).help(text.map(Into::into))
    };
    found.into_iter().map(candidate).collect()
}

/// How long somebody who types waits at most.
const PATIENCE_MS: Duration = Duration::from_millis(2_000);

/// Bytes of answers that are looked through.
const LOOKED_BYTES: usize = 1 << 20;

/// What this binary answers, as JSON Lines; nothing where it does not in time.
fn asked_for(words: &[OsString], acts: bool, args: &[&str]) -> Vec<Json> {
    let Ok(binary) = std::env::current_exe() else { return Vec::new() };
    let mut command = Command::new(binary);
    command.args(everywhere(words, acts)).args(args).arg("--json").env_remove(ASKED);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return Vec::new() };
    let deadline = Instant::now() + PATIENCE_MS;
    let mut bytes = Vec::new();
    if let Some(out) = &mut child.stdout {
        let mut piece = [0; 8 << 10];
        while bytes.len() < LOOKED_BYTES && is_ready(out, deadline) {
            match out.read(&mut piece) {
                Ok(count @ 1..) => bytes.extend_from_slice(&piece[..count]),
                _ => break,
            }
        }
    }
    drop((child.kill(), child.wait()));
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter_map(|it| serde_json::from_str(it).ok()).collect()
}

fn is_ready(of: &std::process::ChildStdout, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    let left =
        Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
    poll(&mut [PollFd::new(of, PollFlags::IN)], Some(&left)).is_ok_and(|it| it > 0)
}

/// Where the data is and, where it is known, who acts, as it stands on the line that is completed.
fn everywhere(words: &[OsString], acts: bool) -> Vec<OsString> {
    let flags = if acts { &["--data", "--as"][..] } else { &["--data"] };
    let mut out = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if flags.contains(&&*text) {
            out.extend([Some(word), words.next()].into_iter().flatten().cloned());
        } else if text.split_once('=').is_some_and(|(flag, _)| flags.contains(&flag)) {
            out.push(word.clone());
        }
    }
    out
}
