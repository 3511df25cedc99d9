//! The tour of the README: each command is typed on a terminal in an empty directory, and what is
//! seen is what stands there. Ids, times and paths differ from run to run.

#![expect(clippy::disallowed_methods, reason = "a shell looks for programs where it always does")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;

use harness::{Place, SURROUNDINGS};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const README: &str = include_str!("../../README.md");

/// Longer than the tour takes on a machine that is busy with something else.
const LIMIT: Duration = Duration::from_secs(300);

/// The fenced block: commands, and what is seen of them.
fn tour() -> &'static str {
    let (_, rest) = README.split_once("````console\n").unwrap();
    rest.split_once("````").unwrap().0
}

/// A script that types every command of the tour, each with a prompt in front.
fn script() -> String {
    let commands = tour().lines().filter_map(|it| it.strip_prefix("$ "));
    let line = |it: &str| format!("printf '%s\\n' '$ {}'\n{it}\n", it.replace('\'', "'\\''"));
    commands.map(line).collect()
}

/// What is seen of the script on a terminal. The last command runs until it is interrupted.
fn seen(place: &Place) -> String {
    let size = PtySize { rows: 50, cols: 100, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new("bash");
    command.arg(place.file("tour.sh", script()));
    std::fs::create_dir(place.path("work")).unwrap();
    command.cwd(place.path("work"));
    SURROUNDINGS.iter().chain(&["RUST_LOG"]).for_each(|it| command.env_remove(it));
    let programs = Path::new(env!("CARGO_BIN_EXE_stoa")).parent().unwrap().display().to_string();
    command.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()));
    command.env("XDG_CONFIG_HOME", place.path("configuration"));
    command.env("NO_COLOR", "1");
    command.env("TERM", "xterm-256color");
    command.env("TZ", "UTC");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut input = pair.master.take_writer().unwrap();
    let (to, pieces) = channel();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut piece) {
            if to.send(piece[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let (mut seen, mut interrupted) = (Vec::new(), false);
    let deadline = Instant::now() + LIMIT;
    loop {
        match pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(piece) => seen.extend(piece),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill().unwrap();
                panic!("it does not end: {}", String::from_utf8_lossy(&seen));
            }
        }
        let text = String::from_utf8_lossy(&seen);
        if !interrupted && text.contains("interrupt to stop") {
            interrupted = true;
            input.write_all(b"\x03").unwrap();
        }
    }
    child.wait().unwrap();
    String::from_utf8(seen).unwrap().replace("\r\n", "\n").replace("^C", "")
}

/// A line without what differs from run to run.
fn same(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let bare = word.trim_matches(|it: char| !it.is_ascii_alphanumeric());
        let next = |behind: usize| words.get(at + behind).copied().unwrap_or_default();
        let number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        let (text, passed) = match *word {
            "now" => ("TIME".to_owned(), 1),
            // Where what an agent does stands: others write meanwhile.
            _ if at == 0 && number(word) && [next(1), next(2)] == ["now", "guard"] => {
                ("AT".to_owned(), 1)
            }
            _ if number(word) && next(2) == "ago" => ("TIME".to_owned(), 3),
            "in" if number(next(1)) => ("in TIME".to_owned(), 3),
            "serving" => ("serving DIR".to_owned(), 2),
            _ if is_id(bare) => (word.replace(bare, "ID"), 1),
            _ => ((*word).to_owned(), 1),
        };
        out.push(text);
        at += passed;
    }
    out.join(" ")
}

/// A whole id, or the end of one that people are shown.
fn is_id(word: &str) -> bool {
    let letters = |it: u8| it.is_ascii_digit() || it.is_ascii_uppercase();
    [8, 26].contains(&word.len()) && word.bytes().all(letters)
}

fn all_the_same(text: &str) -> Vec<String> {
    text.lines().map(same).filter(|it| !it.is_empty()).collect()
}

#[test]
fn the_tour_prints_what_it_says() {
    let seen = seen(&Place::new());
    assert_eq!(all_the_same(&seen), all_the_same(tour()), "what is seen:\n{seen}");
}

#[test]
fn what_the_readme_links_to_is_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let links = README.split("](").skip(1).filter_map(|it| it.split(')').next());
    for link in links.filter(|it| !it.starts_with("http") && !it.starts_with('#')) {
        assert!(top.join(link).exists(), "{link}");
    }
}
