//! Every example that a help shows is run: those of a verb each in a directory of its own, where the
//! things are that it names; those of `stoa --help` one after the other where nothing is.

#![expect(clippy::disallowed_methods, reason = "a shell looks for programs where it always does")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "harness/provider.rs"]
mod provider;

use harness::{Ended, Place, Started};
use provider::{FakeProvider, answers, ollama};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two tasks whose ids the examples name.
const TASKS: &str = include_str!("samples/tasks.jsonl");

/// A command in a directory, as a shell reads it, with `stoa` on the path.
fn shell(dir: &Path, line: &str) -> Started {
    let programs = Path::new(env!("CARGO_BIN_EXE_stoa")).parent().unwrap().display().to_string();
    let mut command = Command::new("bash");
    command.args(["-c", line]).current_dir(dir);
    command.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()));
    command.env("XDG_CONFIG_HOME", dir.join("configuration")).env_remove("RUST_LOG");
    Started::new(&mut command, b"")
}

fn run(dir: &Path, line: &str) -> Ended {
    if line.starts_with("stoa model test ollama/") {
        let ollama = FakeProvider::says(vec![ollama("ready")]);
        return shell(dir, &format!("OLLAMA_HOST={} {line}", ollama.url)).end();
    }
    if let Some(line) = line.strip_suffix(" --to http://localhost:4318 --cursor-file sent") {
        let collector = FakeProvider::says(vec![answers(200, &[], "")]);
        let line = format!("exec {line} --json --to {} --cursor-file sent", collector.url);
        return interrupted(shell(dir, &line));
    }
    match line {
        // These go on until they are interrupted; `--json` says when one of them is open.
        "stoa serve" => interrupted(shell(dir, "exec stoa serve --json")),
        "stoa watch tasks --cursor 0" => interrupted(shell(dir, &format!("exec {line}"))),
        _ => shell(dir, line).end(),
    }
}

fn interrupted(started: Started) -> Ended {
    started.wait_for("that it says something", |out| !out.is_empty());
    started.signal(Signal::INT);
    started.end()
}

/// A directory with all that the examples name.
fn prepared(place: &Place) -> PathBuf {
    let dir = place.path("prepared");
    std::fs::create_dir(&dir).unwrap();
    let file = |name: &str, content: &[u8]| std::fs::write(dir.join(name), content).unwrap();
    file("tasks.jsonl", TASKS.as_bytes());
    file("how.md", b"```python\nprint(len(wakes))\n```\n");
    file("work.py", b"print(space.search())\n");
    file("changes.jsonl", br#"{"put": "Buy a ladder", "metadata": {"status": "open"}}"#);
    file("notes.md", b"A lease lasts ten minutes. Then it expires.\n");
    file("photo.png", b"\x89PNG");
    for line in [
        "stoa space create tasks --declare priority:number,status:text \
         --declare blocked_by:relation:acyclic",
        "stoa space create notes",
        "stoa import tasks tasks.jsonl",
        "stoa lease acquire tasks deploy/production",
        "stoa subscription add tasks",
        "stoa put tasks 'Wash the brush' --meta status=open",
        "stoa grant tasks reviewer read",
        "stoa space create how",
        "stoa put how @how.md",
        "stoa spawn 'keep watch' --name guard --instructions how --subscribe tasks \
         --spaces notes=read",
        "stoa spawn 'sleep' --name sleeper --instructions how --budget thoughts=9",
        "stoa agent stop sleeper",
        "stoa backup old.backup",
    ] {
        let ended = run(&dir, line);
        assert_eq!(ended.code, 0, "{line}: {ended:?}");
    }
    dir
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &to);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The verbs below a command that a help lists.
fn verbs(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|it| *it != "Commands:").skip(1);
    let listed = listed.take_while(|it| !it.is_empty());
    let names = listed.filter_map(|it| it.split_whitespace().next());
    names.filter(|it| *it != "help").map(str::to_owned).collect()
}

/// Examples are indented; a line of prose may begin with `stoa` as well.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().filter(|it| it.starts_with("  stoa "));
    lines.map(|it| it.trim().to_owned()).collect()
}

/// Each verb with the examples of its help.
fn all(place: &Place, command: &[String], out: &mut Vec<(String, Vec<String>)>) {
    let help = place.stoa(&[command, &["--help".to_owned()]].concat()).out;
    let below = verbs(&help);
    if below.is_empty() {
        assert!(help.contains("Exit codes:"), "{command:?}: {help}");
        out.push((command.join(" "), examples(&help)));
    }
    for verb in below {
        all(place, &[command, &[verb]].concat(), out);
    }
}

#[test]
fn every_example_in_the_help_of_a_verb_runs() {
    let place = Place::new();
    let prepared = prepared(&place);
    let mut verbs = Vec::new();
    all(&place, &[], &mut verbs);
    assert!(verbs.len() > 50, "{verbs:?}");
    let (mut wrong, mut count) = (String::new(), 0);
    for (verb, examples) in &verbs {
        let own = |it: &String| it.contains(&format!("{verb} ")) || it.ends_with(verb.as_str());
        if !examples.iter().any(own) {
            wrong += &format!("{verb} has no example\n");
        }
        for line in examples {
            count += 1;
            let around = place.path(&count.to_string());
            std::fs::create_dir(&around).unwrap();
            let dir = around.join("work");
            copy(&prepared, &dir);
            let ended = run(&dir, line);
            if ended.code != 0 {
                wrong += &format!("{line}: {}: {}\n", ended.code, ended.err);
            }
            std::fs::remove_dir_all(around).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_examples_for_a_newcomer_run_one_after_the_other() {
    let place = Place::new();
    let help = place.stoa(&["--help"]).out;
    let examples = examples(&help);
    assert!(examples.len() > 2, "{help}");
    for line in examples {
        let ended = run(&place.path("."), &line);
        assert_eq!(ended.code, 0, "{line}: {ended:?}");
    }
}
