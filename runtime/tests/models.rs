//! Agents that think with a model of a provider, from the command line, whatever the provider does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "models/cost.rs"]
mod cost;
mod harness;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "harness/provider.rs"]
mod provider;

use harness::{Ended, Place};
use provider::{FakeProvider, answers, chat, messages, ollama, responses};
use rustix::process::Signal;
use serde_json::Value;

/// Sets a variable of the environment of whatever is started from now on; nothing removes it.
fn set(place: &mut Place, name: &str, value: &str) {
    place.variables.retain(|it| it.0 != name);
    if !value.is_empty() {
        place.variables.push((name.to_owned(), value.to_owned()));
    }
}

const KEY: &str = "sk-open-sesame-0123456789";

/// Writes an atom, and what it holds then.
const ACTS: &str = "I look.\n```python\nspace.put('a fern')\nprint(len(list(space.search())))\n```";

/// A place with a space, and a model `fast` of a provider that is asked there.
fn place(provider: &FakeProvider, dialect: &str, more: &str) -> Place {
    let mut place = Place::new();
    set(&mut place, "LAB_KEY", KEY);
    std::fs::create_dir(place.path("configuration")).unwrap();
    std::fs::create_dir(place.path("configuration/stoa")).unwrap();
    let url = &provider.url;
    let text = format!(
        "[models.fast]\nmodel = \"lab/any\"\n\n[providers.lab]\nurl = \"{url}\"\n\
         dialect = \"{dialect}\"\nkey_env = \"LAB_KEY\"\n{more}"
    );
    place.file("configuration/stoa/config.toml", text);
    place.json(&["space", "create", "garden"]);
    place
}

fn spawn(place: &Place) -> Ended {
    place.stoa(&[
        "spawn",
        "Plant it",
        "--name",
        "gardener",
        "--spaces",
        "garden=write",
        "--model",
        "fast",
    ])
}

/// What happened to the agent, by kinds.
fn kinds(place: &Place) -> Vec<String> {
    let log = place.json(&["agent", "log", "gardener"]);
    log.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect()
}

fn count(place: &Place, kind: &str) -> usize {
    kinds(place).iter().filter(|it| *it == kind).count()
}

fn agent(place: &Place) -> Value {
    place.json(&["agent", "show", "gardener"]).remove(0)
}

#[test]
fn an_agent_thinks_with_a_model_of_each_dialect() {
    type Says = fn(&str) -> String;
    let chat: Says = |text| chat(text, "stop");
    let all: [(&str, Says, &str, &str); 4] = [
        ("anthropic", messages, "POST /v1/messages ", "x-api-key: "),
        ("responses", responses, "POST /v1/responses ", "authorization: Bearer "),
        ("chat", chat, "POST /v1/chat/completions ", "authorization: Bearer "),
        ("ollama", ollama, "POST /api/chat ", "authorization: Bearer "),
    ];
    for (dialect, says, path, key) in all {
        let provider = FakeProvider::says(vec![says(ACTS), says("It is planted.")]);
        let place = place(&provider, dialect, "");
        let ended = spawn(&place);
        assert_eq!(ended.code, 0, "{dialect}: {ended:?}");
        let found = place.json(&["search", "garden"]);
        assert_eq!((found.len(), &found[0]["content"]), (1, &"a fern".into()), "{dialect}");
        let asked = provider.asked();
        assert_eq!(asked.len(), 2, "{dialect}: {asked:?}");
        assert!(asked[0].starts_with(path), "{dialect}: {}", asked[0]);
        assert!(asked[0].contains(&format!("{key}{KEY}")), "{dialect}: {}", asked[0]);
        assert!(asked[0].contains("Plant it") && asked[0].contains("space.put("), "{}", asked[0]);
        // What it said and saw is told again, behind what was told before.
        assert!(asked[1].contains("space.put('a fern')") && asked[1].contains("Observation"));
        let agent = agent(&place);
        assert_eq!((&agent["state"], &agent["spent"]["tokens"]), (&"idle".into(), &1_860.into()));
        // The key is in no file of the directory.
        let mut grep = std::process::Command::new("grep");
        let found = grep.args(["-rF", KEY, "data"]).current_dir(place.path(".")).output().unwrap();
        assert_eq!((found.status.code(), found.stdout.len()), (Some(1), 0), "{dialect}");
    }
}

#[test]
fn a_provider_that_asks_to_wait_is_waited_for_and_nobody_is_quarantined() {
    let later =
        answers(429, &[("retry-after-ms", "20")], r#"{"error":{"type":"rate_limit_error"}}"#);
    let busy =
        answers(529, &[("retry-after-ms", "20")], r#"{"error":{"type":"overloaded_error"}}"#);
    let all = vec![later.clone(), busy.clone(), later, busy, chat("Done.", "stop")];
    let provider = FakeProvider::says(all);
    let place = place(&provider, "chat", "");
    let ended = spawn(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!((count(&place, "model.deferred"), count(&place, "model.answered")), (4, 1));
    assert_eq!((count(&place, "turn.failed"), count(&place, "turn.ended")), (0, 1));
    assert_eq!(agent(&place)["spent"]["thoughts"], 1, "nothing was thought before");
}

#[test]
fn who_waits_is_seen_to_and_waits_on_after_a_crash() {
    let later = answers(429, &[("retry-after", "600")], r#"{"error":{"type":"rate_limit_error"}}"#);
    let provider = FakeProvider::says(vec![later]);
    let place = place(&provider, "chat", "");
    let serve = place.serve();
    let spawned = spawn(&place);
    assert_eq!(spawned.code, 0, "{spawned:?}");
    let deferred = |place: &Place| {
        let agent = agent(place);
        agent["state"] == "deferred"
    };
    // The first request is on its way.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !deferred(&place) {
        assert!(std::time::Instant::now() < until, "{}", agent(&place));
    }
    serve.wait_for("that somebody is told", |out| out.contains("model.deferred"));
    let card = agent(&place);
    assert!(card["deferred_until"].is_string(), "{card}");
    assert!(card["why"].as_str().unwrap().contains("limits the rate (429)"), "{card}");
    let listed = place.stoa(&["agent", "list"]).out;
    assert!(listed.contains("deferred"), "{listed}");
    serve.signal(Signal::KILL);
    drop(serve.end());
    assert_eq!(agent(&place)["state"], "suspended");
    let serve = place.serve();
    assert_eq!(agent(&place)["deferred_until"], card["deferred_until"]);
    let stopped = place.stoa(&["agent", "stop", "gardener"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    assert_eq!(agent(&place)["state"], "stopped");
    assert_eq!(provider.asked().len(), 1, "it was not asked before its time");
    drop(serve);
}

#[test]
fn what_passes_is_tried_again_and_a_turn_fails_in_the_end() {
    let failed = answers(500, &[("retry-after-ms", "1")], r#"{"error":{"type":"api_error"}}"#);
    let cut = answers(200, &[("content-type", "text/event-stream")], "data: {\"choices\":[]}\n\n");
    let mut all = vec![failed.clone(), cut, failed.clone(), failed];
    all.push(chat("Done.", "stop"));
    let provider = FakeProvider::says(all);
    let place = place(&provider, "chat", "");
    let ended = spawn(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!((count(&place, "model.deferred"), count(&place, "turn.failed")), (3, 1));
    assert_eq!(agent(&place)["spent"]["thoughts"], 5, "each that was sent counts");
}

#[test]
fn what_time_does_not_help_fails_the_turn_and_is_told() {
    for (status, body, says) in [
        (
            401,
            r#"{"error":{"message":"no key sk-open-sesame-0123456789"}}"#,
            "the key is not accepted (401): no key …",
        ),
        (402, "{}", "spending limit is reached (402)"),
        (
            429,
            r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#,
            "limit is reached (429): pay",
        ),
        (403, "{}", "the key may not do this (403)"),
        (
            404,
            r#"{"error":{"message":"no such model"}}"#,
            "no such model or address (404): no such model",
        ),
        (413, "{}", "longer than the model takes (413)"),
        (400, r#"{"error":{"message":"bad"}}"#, "refuses the request (400): bad"),
    ] {
        let provider = FakeProvider::says(vec![answers(status, &[], body)]);
        let place = place(&provider, "chat", "");
        let serve = place.serve();
        spawn(&place);
        serve.wait_for("that it fails", |out| out.contains("turn.failed"));
        let shown = place.stoa(&["agent", "list"]).out;
        assert!(shown.contains(says), "{status}: {shown}");
        assert!(!shown.contains(KEY), "{shown}");
        assert_eq!(count(&place, "model.deferred"), 0, "{status}");
    }
}

#[test]
fn a_reply_that_cannot_be_used_is_shown_to_the_model_and_nothing_of_it_is_run() {
    let provider = FakeProvider::says(vec![chat(ACTS, "length"), chat("Sorry.", "stop")]);
    let place = place(&provider, "chat", "");
    let ended = spawn(&place);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(place.json(&["search", "garden"]).len(), 0, "it was cut off");
    assert!(provider.asked()[1].contains("cut off at its limit of 8192 tokens"));
    assert_eq!((count(&place, "turn.observed"), count(&place, "turn.ended")), (1, 1));
}

#[test]
fn a_key_that_whoever_runs_the_agents_lacks_is_named() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let mut place = place(&provider, "chat", "");
    set(&mut place, "LAB_KEY", "");
    let alone = spawn(&place);
    assert_eq!(alone.code, 2, "{alone:?}");
    assert!(alone.err.contains("error: model fast: LAB_KEY is not set\n"), "{}", alone.err);
    assert!(alone.err.contains("hint: export LAB_KEY=KEY"), "{}", alone.err);
    let serve = place.serve();
    let pid = serve.pid();
    let without = spawn(&place);
    let says = format!("LAB_KEY is not set in process {pid}, which runs the agents\n");
    assert!(without.err.contains(&says), "{}", without.err);
    let hint = format!("hint: kill {pid} && LAB_KEY=KEY stoa serve");
    assert!(without.err.contains(&hint), "{}", without.err);
    set(&mut place, "LAB_KEY", KEY);
    let with = spawn(&place);
    assert_eq!(with.code, 2, "{with:?}");
    assert!(with.err.contains("; it is set here\n"), "{}", with.err);
    assert!(with.err.contains(&format!("hint: kill {pid} && stoa serve")), "{}", with.err);
    assert_eq!(provider.asked().len(), 0);
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_its_place() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    for (more, says) in [
        (
            "acept_unfinished = true\n",
            "[providers.lab]: there is no key acept_unfinished; did you mean accept_unfinished?",
        ),
        ("[providers.lab.prices.any]\ninput = -1\noutput = 1\n", "input is not a number from 0"),
        (
            "[embedder]\nurl = \"x\"\n",
            "[embedder] is no section here; there are: [models], [providers]",
        ),
        ("[modles.x]\n", "[modles] is no section here"),
    ] {
        let mut place = Place::new();
        set(&mut place, "LAB_KEY", KEY);
        std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
        let url = &provider.url;
        let text = format!("[providers.lab]\nurl = \"{url}\"\ndialect = \"chat\"\n{more}");
        place.file("configuration/stoa/config.toml", text);
        let ended = place.stoa(&["model", "list"]);
        assert!(ended.code == 2 && ended.err.contains(says), "{more}: {ended:?}");
        assert!(ended.err.contains("hint: $EDITOR "), "{ended:?}");
    }
}

#[test]
fn a_key_goes_to_no_other_machine_in_plain() {
    let mut place = Place::new();
    set(&mut place, "LAB_KEY", KEY);
    std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
    let text = "[providers.lab]\nurl = \"http://example.org\"\ndialect = \"chat\"\nkey_env = \"LAB_KEY\"\n";
    place.file("configuration/stoa/config.toml", text);
    let ended = place.stoa(&["model", "test", "lab/any"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("a key goes to another machine by https alone"), "{}", ended.err);
}

#[test]
fn what_a_directory_says_of_models_counts_once_it_is_trusted() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let mut place = Place::new();
    set(&mut place, "LAB_KEY", KEY);
    place.json(&["space", "create", "garden"]);
    let url = &provider.url;
    let text = format!(
        "[providers.anthropic]\nurl = \"{url}\"\ndialect = \"chat\"\nkey_env = \"LAB_KEY\"\n"
    );
    place.file("data/config.toml", text);
    let listed = place.stoa(&["model", "list"]);
    assert!(listed.out.contains("https://api.anthropic.com"), "{listed:?}");
    assert!(listed.err.contains("[providers] of data/config.toml is not used"), "{listed:?}");
    assert_eq!(place.stoa(&["trust"]).code, 0);
    let tested = place.stoa(&["model", "test", "anthropic/any"]);
    assert_eq!(tested.code, 0, "{tested:?}");
    assert!(tested.out.contains("anthropic/any answers: Done."), "{tested:?}");
    assert!(provider.asked()[0].contains(KEY));
}

#[test]
fn a_model_that_does_not_exist_is_told_with_the_nearest() {
    let none = answers(404, &[], r#"{"error":{"message":"no such model"}}"#);
    let list = answers(200, &[], r#"{"data":[{"id":"gpt-tiny"},{"id":"other"}]}"#);
    let provider = FakeProvider::new(move |_, request| match request.starts_with("GET ") {
        true => list.clone(),
        false => none.clone(),
    });
    let place = place(&provider, "chat", "");
    let ended = place.stoa(&["model", "test", "lab/gpt-tinny"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("there is lab/gpt-tiny"), "{}", ended.err);
    assert!(ended.err.contains("hint: stoa --data data model test lab/gpt-tiny"), "{}", ended.err);
    let listed = place.json(&["model", "list", "lab"]);
    assert_eq!(listed[1]["model"], "lab/other");
}
