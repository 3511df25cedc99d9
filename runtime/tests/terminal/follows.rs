//! Following: for people and for programs, to its end and past that of whoever has the directory open.

use crate::harness::Place;
use crate::{PLAIN, Terminal, cells, seen};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn setting() -> Place {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    for n in 0..5 {
        place.json(&["put", "s", &format!("text {n}"), "--comment", &format!("change {n}")]);
    }
    place
}

#[test]
fn a_watch_is_one_line_an_entry_and_ends_when_it_is_interrupted() {
    let place = setting();
    for serve in [false, true] {
        let server = serve.then(|| place.serve());
        let args = ["watch", "s", "--tail", "2"];
        let mut watch = Terminal::begin(&place, 60, PLAIN, &args);
        watch.wait_for("what there was", |it| it.contains("change 4"));
        // In words of its own: what the round before has put is shown as well.
        let live = if serve { "live two" } else { "live one" };
        place.json(&["put", "s", "live", "--comment", live]);
        watch.wait_for("what is new", |it| it.contains(live));
        watch.types("\u{3}");
        let (text, code) = watch.end();
        let text = text.replace("^C", "");
        assert_eq!(code, 0, "{text}");
        let lines: Vec<&str> = text.lines().filter(|it| !it.is_empty()).collect();
        assert!(lines.iter().all(|it| cells(it) <= 60 && it.contains("owner")), "{text}");
        let first = if serve { "change 4" } else { "change 3" };
        assert!(lines[0].contains(first), "{text}");
        assert_eq!(lines.len(), 3, "{text}");
        // A line that stays says when by the clock.
        assert!(lines[0].matches(':').count() >= 2, "{text}");
        drop(server);
    }
}

#[test]
fn a_watch_ends_when_nobody_reads_it_though_nothing_happens() {
    let place = setting();
    let _serve = place.serve();
    let line = format!("{} --data data watch s --cursor 0 | head -2", env!("CARGO_BIN_EXE_stoa"));
    let begun = Instant::now();
    let mut child = Command::new("bash")
        .args(["-o", "pipefail", "-c", &line])
        .current_dir(place.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("it goes on though nobody reads it");
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(String::from_utf8(ended.stdout).unwrap().lines().count(), 2);
}

fn cursors(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|it| it["cursor"].as_u64().unwrap()).collect()
}

#[test]
fn a_watch_goes_on_where_the_one_who_served_it_has_died() {
    let place = setting();
    let serve = place.serve();
    let all = place.start(&["watch", "s", "--cursor", "0"], b"");
    all.wait_for("what there was", |it| it.contains("change 4"));
    let new = place.start(&["watch", "s"], b"");
    place.json(&["put", "s", "x", "--comment", "before it dies"]);
    all.wait_for("what is new", |it| it.contains("before it dies"));
    new.wait_for("it, if it had begun, or nothing yet", |_| true);
    for n in 0..2 {
        serve.signal(Signal::KILL);
        place.json(&["put", "s", "y", "--comment", &format!("after it died {n}")]);
        all.wait_for("what came later", |it| it.contains(&format!("after it died {n}")));
    }
    new.wait_for("the same", |it| it.contains("after it died 1"));
    all.signal(Signal::INT);
    new.signal(Signal::INT);
    for (watch, whole) in [(all, true), (new, false)] {
        let ended = watch.end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let found = cursors(&ended.lines());
        let once: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(once.len(), found.len(), "each once: {found:?}");
        assert!(found.is_sorted(), "{found:?}");
        if whole {
            assert_eq!(found, cursors(&place.json(&["history", "s"])), "{}", ended.err);
        }
        assert!(ended.err.contains("note: the process that had the directory open"), "{ended:?}");
    }
}

#[test]
fn a_watch_that_is_told_to_stop_says_how_to_go_on() {
    let place = setting();
    let serve = place.serve();
    let watch = place.start(&["watch", "s", "--tail", "1"], b"");
    watch.wait_for("the last change", |it| it.contains("change 4"));
    serve.signal(Signal::TERM);
    let ended = watch.end();
    let cursor = ended.lines()[0]["cursor"].clone();
    let hint = format!("hint: stoa --data data watch s --cursor {cursor}\n");
    assert!(ended.code == 6 && ended.err.ends_with(&hint), "{ended:?}");
}

#[test]
fn the_last_of_what_happened_is_what_people_are_shown() {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    let changes: String = (0..150).map(|n| format!("{{\"put\": \"text {n}\"}}\n")).collect();
    for n in 0..2 {
        place.file("changes", &changes);
        let comment = format!("batch {n}");
        place.json(&["transaction", "s", "changes", "--comment", &comment]);
    }
    place.json(&["put", "s", "last", "--comment", "the very last"]);
    let shown = seen(&place, 100, PLAIN, &["history", "s"]);
    assert!(shown.trim_end().lines().any(|it| it.ends_with("the very last")), "{shown}");
    assert!(!shown.contains("batch 0"), "the last of them: {shown}");
    assert!(shown.contains("there is more before that: add --before"), "{shown}");
    for tail in ["1", "2", "100", "1000"] {
        let tailed = place.json(&["history", "s", "--tail", tail]);
        let all = place.json(&["history", "s", "--limit", "1000"]);
        assert!(all.ends_with(&tailed), "{tail}");
        assert!(tailed.len() >= tail.parse::<usize>().unwrap().min(all.len()), "{tail}");
    }
    assert_eq!(place.json(&["history", "s", "--tail", "0"]).len(), 0);
    let both = place.stoa(&["history", "s", "--tail", "3", "--newest"]);
    assert_eq!(both.code, 2, "{both:?}");
}

/// An agent that was woken a few times.
fn busy() -> Place {
    let place = Place::new();
    for space in ["s", "how"] {
        place.json(&["space", "create", space]);
    }
    let code = "```python\natom = space.put('one\\ntwo')\nprint('line 1')\nprint('line 2')\n```";
    place.json(&["put", "how", code]);
    let spawn =
        ["spawn", "go on", "--name", "amy", "--instructions", "how", "--spaces", "s=append"];
    place.json(&spawn);
    place.json(&["agent", "say", "amy", "again"]);
    place
}

#[test]
fn a_log_names_the_call_and_what_came_of_it_and_folds_the_code() {
    let place = busy();
    let log = seen(&place, 120, PLAIN, &["agent", "log", "amy"]);
    let calls: Vec<&str> = log.lines().filter(|it| it.contains("turn.called")).collect();
    assert!(!calls.is_empty() && calls.iter().all(|it| it.contains("s.put → ")), "{log}");
    assert!(calls.iter().all(|it| it.ends_with(" v1")), "{log}");
    assert!(log.contains("3 lines of code") && !log.contains("print("), "{log}");
    assert!(log.contains("line 1 (+1 line)") && log.lines().all(|it| cells(it) <= 120), "{log}");
    let whole = seen(&place, 120, PLAIN, &["agent", "log", "amy", "--code"]);
    assert!(
        whole.contains("\n    print('line 2')\n") && whole.contains("\n    line 2\n"),
        "{whole}"
    );
    let json = place.json(&["agent", "log", "amy"]);
    let thought = json.iter().find(|it| it["type"] == "turn.thought").unwrap();
    let code = thought["body"]["code"].as_str().unwrap();
    assert!(thought["body"]["text"].as_str().unwrap().contains(code.trim()), "{thought}");
}

#[test]
fn the_last_lines_of_a_log_are_followed() {
    let place = busy();
    let all = place.json(&["agent", "log", "amy"]);
    for tail in [1, 2, 3, all.len(), 500] {
        let tailed = place.json(&["agent", "log", "amy", "--tail", &tail.to_string()]);
        assert_eq!(tailed, all[all.len().saturating_sub(tail)..], "{tail}");
    }
    assert_eq!(place.json(&["agent", "log", "amy", "--limit", "2"]), all[..2]);
    assert_eq!(place.json(&["agent", "log", "amy", "--tail", "0"]).len(), 0);
    let serve = place.serve();
    for how in ["--limit", "--tail"] {
        let all = place.json(&["agent", "log", "amy"]);
        let follow = place.start(&["agent", "log", "amy", "--follow", how, "2"], b"");
        follow.wait_for("the last two", |it| it.lines().count() >= 2);
        place.json(&["agent", "say", "amy", "and again"]);
        follow.wait_for("what is new", |it| it.matches("turn.ended").count() >= 2);
        follow.signal(Signal::INT);
        let ended = follow.end();
        let lines = ended.lines();
        assert_eq!((ended.code, &lines[..2]), (0, &all[all.len() - 2..]), "{how}");
        assert!(lines.len() > 4, "{how}: {lines:#?}");
    }
    drop(serve);
}
