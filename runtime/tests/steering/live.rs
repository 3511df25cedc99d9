//! Looking on while a model is asked.

use crate::provider::{FakeProvider, chat, chat_begins, chat_ends, chat_piece};
use crate::{Gate, place, spawn, until, until_idle};
use serde_json::Value;

fn lines(out: &str) -> Vec<Value> {
    out.lines().filter_map(|it| serde_json::from_str(it).ok()).collect()
}

/// What is said live: its kind, and the text.
fn live(out: &str) -> Vec<(String, String)> {
    let lines = lines(out).into_iter().filter(|it| it.get("live").is_some());
    let text = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    lines.map(|it| (text(&it, "live"), text(&it, "text"))).collect()
}

fn said(out: &str) -> String {
    let texts = live(out).into_iter().filter(|it| it.0 == "text");
    texts.map(|it| it.1).collect()
}

#[test]
fn what_a_model_says_is_seen_before_it_has_said_all() {
    let (seen, more) = (Gate::default(), Gate::default());
    let (gate, then) = (seen.clone(), more.clone());
    let provider = FakeProvider::streams(move |_, _, client| {
        client.tell(&chat_begins());
        then.wait();
        client.tell(&chat_piece("The roses "));
        gate.wait();
        client.tell(&chat_piece("are red."));
        client.tell(&chat_ends());
    });
    let place = place(&provider, "");
    let _serve = place.serve();
    spawn(&place);
    until("the request", || provider.asked().len() == 1);
    let on = place.start(&["agent", "log", "gardener", "--live", "--json"], b"");
    on.wait_for("the request that is under way", |out| out.contains("\"live\":\"asked\""));
    more.open();
    on.wait_for("the first words", |out| said(out) == "The roses ");
    let before = place.json(&["agent", "log", "gardener"]);
    assert!(before.iter().all(|it| it["type"] != "turn.thought"), "it is in no log yet");
    seen.open();
    on.wait_for("its end", |out| out.contains("turn.ended"));
    on.wait_for("that it is kept", |out| out.contains("\"live\":\"kept\""));
    on.signal(rustix::process::Signal::INT);
    let out = on.end().out;
    assert_eq!(said(&out), "The roses are red.");
    let kinds: Vec<String> = live(&out).into_iter().map(|it| it.0).collect();
    assert_eq!(kinds.first().unwrap(), "asked");
    assert_eq!(kinds.iter().filter(|it| *it == "kept").count(), 1);
    let at = lines(&out).into_iter().find(|it| it.get("live").is_some()).unwrap();
    assert_eq!((&at["turn"], &at["step"]), (&1.into(), &1.into()));
    // None of it is stored but what became of it.
    let stored = place.json(&["agent", "log", "gardener"]);
    assert!(stored.iter().all(|it| it.get("live").is_none()), "{stored:?}");
}

#[test]
fn what_comes_to_nothing_is_withdrawn() {
    let looks = Gate::default();
    let gate = looks.clone();
    let provider = FakeProvider::streams(move |n, _, client| match n {
        0 => {
            gate.wait();
            client.tell(&(chat_begins() + &chat_piece("I was going to")));
        }
        _ => client.tell(&chat("All is well.", "stop")),
    });
    let place = place(&provider, "");
    let _serve = place.serve();
    spawn(&place);
    let on = place.start(&["agent", "log", "gardener", "--live", "--json"], b"");
    on.wait_for("the request", |out| out.contains("\"live\":\"asked\""));
    looks.open();
    on.wait_for("the end", |out| out.contains("turn.ended") && out.contains("\"live\":\"kept\""));
    on.signal(rustix::process::Signal::INT);
    let said: Vec<(String, String)> = live(&on.end().out);
    let withdrawn = said.iter().position(|it| it.0 == "withdrawn").unwrap();
    assert_eq!(said[withdrawn - 1], ("text".to_owned(), "I was going to".to_owned()), "{said:?}");
    assert!(!said[withdrawn].1.is_empty(), "{said:?}");
    assert_eq!(said[withdrawn + 1].0, "asked", "{said:?}");
    assert!(said[withdrawn + 2..].contains(&("text".into(), "All is well.".into())), "{said:?}");
}

#[test]
fn who_reads_too_late_is_told_what_is_not_shown() {
    let end = Gate::default();
    let gate = end.clone();
    let provider = FakeProvider::streams(move |_, _, client| {
        client.tell(&chat_begins());
        for n in 0..2_000 {
            client.tell(&chat_piece(&format!("{n} is a number that is said. ")));
        }
        client.tell(&chat_piece("THE LAST"));
        gate.wait();
        client.tell(&chat_ends());
    });
    let place = place(&provider, "");
    let _serve = place.serve();
    spawn(&place);
    // Somebody who looks on from the beginning sees the end come.
    let first = place.start(&["agent", "log", "gardener", "--live", "--json"], b"");
    first.wait_for("the last words", |out| said(out).ends_with("THE LAST"));
    let late = place.start(&["agent", "log", "gardener", "--live", "--json"], b"");
    late.wait_for("the last words", |out| said(out).ends_with("THE LAST"));
    end.open();
    late.wait_for("the end", |out| out.contains("\"live\":\"kept\""));
    late.signal(rustix::process::Signal::INT);
    let out = late.end().out;
    let missed: Vec<Value> = lines(&out).into_iter().filter(|it| it["live"] == "missed").collect();
    let whole: usize =
        (0..2_000).map(|n| format!("{n} is a number that is said. ").len()).sum::<usize>() + 8;
    let bytes: u64 = missed.iter().map(|it| it["bytes"].as_u64().unwrap()).sum();
    assert_eq!(bytes as usize + said(&out).len(), whole, "all is said, or counted");
    assert!(bytes > 0);
    until_idle(&place);
}

#[test]
fn nothing_that_a_model_says_is_obeyed_by_a_terminal() {
    let provider = FakeProvider::says(vec![chat("red \u{1b}[31m\u{7}\u{202e} it is", "stop")]);
    let place = place(&provider, "");
    let _serve = place.serve();
    let line = format!("{} --data data agent log gardener --live", env!("CARGO_BIN_EXE_stoa"));
    spawn(&place);
    until_idle(&place);
    // Under a terminal: script(1) is a program that nobody here wrote.
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(place.path(""));
    command.env("XDG_CONFIG_HOME", place.path("configuration"));
    let on = crate::harness::Started::new(&mut command, b"");
    on.wait_for("the log", |out| out.contains("ended"));
    place.json(&["agent", "say", "gardener", "Again."]);
    on.wait_for("what it says", |out| out.matches("it is").count() >= 3);
    on.signal(rustix::process::Signal::INT);
    on.signal(rustix::process::Signal::KILL);
    let out = on.end().out;
    assert!(!out.contains("\u{1b}[31m") && !out.contains('\u{7}'), "{out:?}");
    assert!(!out.contains('\u{202e}'), "{out:?}");
}
