//! A word to an agent in its turn, and looking on while its model is asked: with a real provider's
//! protocol and real processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[path = "steering/live.rs"]
mod live;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "harness/provider.rs"]
mod provider;
#[path = "steering/subtree.rs"]
mod subtree;

use harness::{Place, Started};
use provider::{FakeProvider, chat};
use rustix::process::Signal;
use serde_json::Value;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Something that happens once.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let (open, told) = (self.0.0.lock().unwrap(), &self.0.1);
        let (open, _) = told.wait_timeout_while(open, LIMIT, |it| !*it).unwrap();
        assert!(*open, "it is never opened");
    }
}

const LIMIT: Duration = Duration::from_secs(30);

/// A place with a space `garden`, and a model `fast` of a provider that is asked there.
fn place(provider: &FakeProvider, model: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
    let url = &provider.url;
    let text = format!(
        "[models.fast]\nmodel = \"lab/any\"\n{model}\n\n[providers.lab]\nurl = \"{url}\"\n\
         dialect = \"chat\"\n"
    );
    place.file("configuration/stoa/config.toml", text);
    place.json(&["space", "create", "garden"]);
    place
}

fn spawn(place: &Place) {
    let spawn = ["spawn", "Plant it", "--name", "gardener", "--spaces", "garden=write"];
    place.json(&[&spawn[..], &["--model", "fast"]].concat());
}

fn until(what: &str, so: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !so() {
        assert!(Instant::now() < end, "it never comes to {what}");
        std::thread::yield_now();
    }
}

fn agent(place: &Place) -> Value {
    place.json(&["agent", "show", "gardener"]).remove(0)
}

fn until_idle(place: &Place) {
    until("rest", || agent(place)["state"] == "idle");
}

fn kinds(place: &Place) -> Vec<String> {
    let log = place.json(&["agent", "log", "gardener"]);
    log.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect()
}

/// What the messages of a request say, one after the other.
fn messages(request: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    body["messages"].as_array().unwrap().iter().map(Value::to_string).collect()
}

const WORD: &str = "Leave the roses alone.";

#[test]
fn a_word_is_seen_at_the_next_step_of_the_turn_and_once() {
    let gate = Gate::default();
    let held = gate.clone();
    let provider = FakeProvider::new(move |n, _| match n {
        0 => {
            held.wait();
            chat("I look.\n```python\nprint('a fern')\n```", "stop")
        }
        1 => chat("I look again.\n```python\nprint('a rose')\n```", "stop"),
        _ => chat("Done.", "stop"),
    });
    let place = place(&provider, "");
    let _serve = place.serve();
    spawn(&place);
    until("the first request", || provider.asked().len() == 1);
    let long = format!("{WORD}\nThe others are yours.");
    place.json(&["agent", "say", "gardener", &long, "--now"]);
    gate.open();
    until_idle(&place);
    let asked = provider.asked();
    assert_eq!(asked.len(), 3, "one turn of three requests");
    assert!(!asked[0].contains(WORD));
    for request in &asked[1..] {
        let messages = messages(request);
        let at = messages.iter().position(|it| it.contains(WORD)).unwrap();
        assert!(messages[at - 1].contains("a fern"), "behind what came of the step: {messages:?}");
        assert!(messages[at].contains("The others are yours."), "the whole of it: {messages:?}");
        let times: usize =
            messages.iter().map(|it| it.matches("say: Leave the roses").count()).sum();
        assert_eq!(times, 1, "{messages:?}");
    }
    let card = agent(&place);
    assert_eq!(card["turns"], 1, "it wakes nobody again: {card}");
    let kinds = kinds(&place);
    assert!(kinds.contains(&"turn.steered".to_owned()), "{kinds:?}");
    // What was sent is shown as it was.
    let shown = place.stoa(&["agent", "show", "gardener", "--turn", "1"]).out;
    assert!(shown.contains(WORD), "{shown}");
}

#[test]
fn a_word_without_a_flag_waits_for_the_next_turn() {
    let gate = Gate::default();
    let held = gate.clone();
    let provider = FakeProvider::new(move |n, _| match n {
        0 => {
            held.wait();
            chat("I look.\n```python\nprint('a fern')\n```", "stop")
        }
        _ => chat("Done.", "stop"),
    });
    let place = place(&provider, "");
    let _serve = place.serve();
    spawn(&place);
    until("the first request", || provider.asked().len() == 1);
    place.json(&["agent", "say", "gardener", WORD]);
    gate.open();
    until("the next turn", || provider.asked().len() == 3);
    until_idle(&place);
    let asked = provider.asked();
    assert!(!asked[1].contains(WORD) && asked[2].contains(WORD));
    assert_eq!(agent(&place)["turns"], 2);
}

/// The first request is never answered; the place, and its owner.
fn asked_for_ever(model: &str) -> (FakeProvider, Place, Started, Gate) {
    let gone = Gate::default();
    let went = gone.clone();
    let provider = FakeProvider::streams(move |n, _, client| match n {
        0 => {
            client.until_it_goes();
            went.open();
        }
        _ => client.tell(&chat("Done.", "stop")),
    });
    let place = place(&provider, model);
    let serve = place.serve();
    spawn(&place);
    until("the first request", || provider.asked().len() == 1);
    (provider, place, serve, gone)
}

#[test]
fn who_is_interrupted_is_asked_anew_at_once_and_the_request_is_cancelled() {
    let (provider, place, _serve, gone) = asked_for_ever("");
    place.json(&["agent", "say", "gardener", WORD, "--interrupt"]);
    gone.wait();
    until_idle(&place);
    let asked = provider.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].contains(WORD));
    let kinds = kinds(&place);
    assert!(kinds.contains(&"turn.interrupted".to_owned()), "{kinds:?}");
    assert_eq!(agent(&place)["turns"], 1);
    // Nobody knows what it took.
    let cost = place.json(&["cost"]).remove(0);
    assert_eq!((&cost["calls"], &cost["unknown"]), (&2.into(), &1.into()), "{cost}");
}

#[test]
fn code_that_is_interrupted_ends_and_what_it_wrote_stays() {
    let begins = "space.put('a fern')\nfor n in range(10 ** 9): pass";
    for style in ["", "code = \"tool\""] {
        let tool = !style.is_empty();
        let provider = FakeProvider::new(move |n, _| match (n, tool) {
            (0, false) => chat(&format!("I plant.\n```python\n{begins}\n```"), "stop"),
            (0, true) => calls(begins),
            (1, false) => chat("I look.\n```python\nprint(len(list(space.search())))\n```", "stop"),
            (1, true) => calls("print(len(list(space.search())))"),
            _ => chat("Done.", "stop"),
        });
        let place = place(&provider, style);
        let _serve = place.serve();
        spawn(&place);
        until("the atom", || !place.json(&["search", "garden"]).is_empty());
        place.json(&["agent", "say", "gardener", WORD, "--interrupt"]);
        until_idle(&place);
        let asked = provider.asked();
        assert_eq!(asked.len(), 3, "{:?}", kinds(&place));
        let told = messages(&asked[1]);
        let cut = told.iter().position(|it| it.contains("Interrupted before it was done")).unwrap();
        let from = told[cut..].concat();
        let word = from.find(WORD).unwrap();
        assert!(from.find("look whether it has happened").unwrap() < word, "behind it: {from}");
        if tool {
            // What is called is answered, or the provider refuses the whole.
            for message in asked.iter().flat_map(|it| messages(it)) {
                let message: Value = serde_json::from_str(&message).unwrap();
                let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
                for call in calls {
                    let id = call["id"].to_string();
                    let answered =
                        told.iter().any(|it| it.contains("\"tool\"") && it.contains(&id));
                    let later = messages(&asked[2]).iter().any(|it| it.contains(&id));
                    assert!(answered || later, "{message}");
                }
            }
        }
        let last = messages(&asked[2]);
        assert!(last.iter().any(|it| it.contains("1\\n")), "once: {last:?}");
        assert_eq!(place.json(&["search", "garden"]).len(), 1);
        assert_eq!(agent(&place)["turns"], 1);
    }
}

/// A call of the tool `python`, in chat completions.
fn calls(code: &str) -> String {
    let arguments = serde_json::json!({"code": code}).to_string();
    let call = serde_json::json!({"index": 0, "id": format!("c{}", code.len()), "type": "function",
        "function": {"name": "python", "arguments": arguments}});
    let delta = serde_json::json!({"id": "r1", "model": "m-1", "choices": [
        {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null},
    ]});
    let end =
        serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
    let usage = serde_json::json!({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 30}});
    let body = format!("data: {delta}\n\ndata: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
    provider::answers(200, &[("content-type", "text/event-stream")], &body)
}

#[test]
fn a_word_that_was_acknowledged_is_seen_after_a_crash() {
    for flag in ["--now", "--interrupt"] {
        let (provider, place, serve, _) = asked_for_ever("");
        place.json(&["agent", "say", "gardener", WORD, flag]);
        serve.signal(Signal::KILL);
        drop(serve.end());
        let _serve = place.serve();
        until_idle(&place);
        let asked = provider.asked();
        assert!(asked.last().unwrap().contains(WORD), "{flag}");
        let card = agent(&place);
        assert_eq!(card["turns"], 1, "{flag}: {card}");
    }
}

#[test]
fn one_that_is_idle_sees_it_at_once_and_one_that_is_stopped_when_it_goes_on() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let place = place(&provider, "");
    let _serve = place.serve();
    spawn(&place);
    until_idle(&place);
    place.json(&["agent", "say", "gardener", WORD, "--interrupt"]);
    until("a turn", || provider.asked().len() == 2);
    until_idle(&place);
    place.json(&["agent", "stop", "gardener"]);
    let said = place.stoa(&["agent", "say", "gardener", "And the tulips.", "--now"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("stopped"), "it is told that nobody hears it now: {said:?}");
    assert_eq!(provider.asked().len(), 2);
    place.json(&["agent", "resume", "gardener"]);
    until("a turn", || provider.asked().len() == 3);
    assert!(provider.asked()[2].contains("And the tulips."));
}

#[test]
fn both_flags_are_refused_and_so_is_an_agent_that_is_not_there() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let place = place(&provider, "");
    let both = place.stoa(&["agent", "say", "gardener", "x", "--now", "--interrupt"]);
    assert_eq!(both.code, 2, "{both:?}");
    let nobody = place.stoa(&["agent", "say", "nobody", "x", "--now"]);
    assert!(nobody.code != 0 && nobody.err.contains("no agent \"nobody\""), "{nobody:?}");
    let empty = place.stoa(&["spawn", "wait", "--name", "gardener", "--model", "fast"]);
    assert_eq!(empty.code, 0, "{empty:?}");
    let empty = place.stoa(&["agent", "say", "gardener", " ", "--interrupt"]);
    assert!(empty.code != 0 && empty.err.contains("the text is empty"), "{empty:?}");
}
