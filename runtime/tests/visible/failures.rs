//! A turn that failed is seen wherever an agent is, until it is made good.

use super::harness::Place;
use super::{recipe, shown, until};
use rustix::process::Signal;

/// Fails once and then finds nothing to do, as a worker does whose task another has taken: the first
/// turn leaves a mark in a space of its own.
const ONCE: &str = "if not spaces['marks'].search():\n    spaces['marks'].put('seen')\n    \
                    raise ValueError('no \\x1b[31mcolour\\x07 here')";

fn spawn_once(place: &Place) -> super::harness::Ended {
    recipe(place, "how", ONCE);
    place.json(&["space", "create", "marks"]);
    let words = ["spawn", "work", "--name", "w1", "--instructions", "how"];
    place.stoa(&[&words[..], &["--spaces", "marks=append"]].concat())
}

/// What a newcomer saw: `idle`, no reason, exit code 0, and nothing on any screen.
#[test]
fn a_failure_that_is_followed_by_a_turn_with_nothing_to_do_does_not_vanish() {
    let place = Place::new();
    let spawned = spawn_once(&place);
    assert_eq!(spawned.code, 7, "{spawned:?}");
    assert!(spawned.err.contains("error: agent w1 has failed: ValueError"), "{spawned:?}");
    assert!(spawned.err.contains("hint: stoa --data data agent log w1"), "{spawned:?}");
    assert!(spawned.out.contains("idle"), "as it is in the end: {spawned:?}");
    let card = shown(&place, "w1");
    let failed = &card["failed"];
    assert_eq!((&card["state"], &failed["in_a_row"]), (&"idle".into(), &1.into()), "{card}");
    assert_eq!((&failed["turn"], &failed["next_try"]), (&1.into(), &serde_json::Value::Null));
    assert!(failed["text"].as_str().unwrap().contains("ValueError"), "{card}");
    assert_eq!(failed["at"], failed["since"]);
    for verb in [&["agent", "list"][..], &["agent", "tree"], &["agent", "show", "w1"]] {
        let said = place.stoa(verb);
        assert!(said.out.contains("turn 1 failed "), "{verb:?}: {said:?}");
        assert!(said.out.contains("ValueError"), "{verb:?}: {said:?}");
    }
    let status = place.json(&["status"]).remove(0);
    assert_eq!(status["failing"][0]["name"], "w1", "{status}");
    assert!(place.stoa(&["status"]).out.contains("failing"), "for people as well");
}

#[test]
fn a_turn_that_does_something_makes_good_and_the_failure_stays_known() {
    let place = Place::new();
    spawn_once(&place);
    let instructions = place.json(&["search", "how"]).remove(0);
    let id = instructions["id"].as_str().unwrap().to_owned();
    let better = "```python\nspaces['marks'].put('done')\n```";
    place.json(&["update", &id, better, "--force"]);
    place.json(&["agent", "say", "w1", "again"]);
    let failed = shown(&place, "w1")["failed"].clone();
    assert_eq!(failed["in_a_row"], 0, "{failed}");
    assert!(place.stoa(&["agent", "list"]).out.contains("a later one went well"));
    assert_eq!(place.json(&["status"])[0]["failing"], serde_json::json!([]));
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]), "and its rows hold");
}

#[test]
fn who_resumes_several_where_nobody_serves_is_told_how_they_are_at_rest() {
    let place = Place::new();
    place.json(&["space", "create", "marks"]);
    let mark = place.json(&["put", "marks", "until they are resumed"]).remove(0);
    let fails = "if task == 'fail' and not spaces['marks'].search():\n    \
                 spaces['marks'].put('seen')\n    raise ValueError('no')";
    recipe(&place, "how", fails);
    for (task, name) in [("work", "amy"), ("fail", "bob")] {
        let words = ["spawn", task, "--name", name, "--instructions", "how"];
        place.json(&[&words[..], &["--spaces", "marks=append"]].concat());
    }
    place.json(&["agent", "stop", "amy", "bob"]);
    place.json(&["deprecate", mark["id"].as_str().unwrap(), "--force"]);
    let resumed = place.stoa(&["agent", "resume", "amy", "bob", "--json"]);
    assert_eq!(resumed.code, 7, "{resumed:?}");
    let lines = resumed.lines();
    let of = |it: &serde_json::Value| {
        let turns = it["turns"].as_u64().unwrap();
        let why = it["failed"]["text"].as_str().and_then(|it| it.lines().last());
        (it["name"].clone(), it["state"].clone(), turns, why.map(str::to_owned))
    };
    let [amy, bob] = &lines[..] else { panic!("{resumed:?}") };
    assert_eq!(of(amy), ("amy".into(), "idle".into(), 2, None));
    assert_eq!(of(bob), ("bob".into(), "idle".into(), 3, Some("ValueError: no".to_owned())));
    assert!(resumed.err.contains("agent bob has failed: ValueError: no"), "{resumed:?}");
}

#[test]
fn an_agent_that_fails_for_good_says_so_where_it_runs() {
    let place = Place::new();
    recipe(&place, "how", "raise ValueError('\\x1b]0;owned\\x07 \\u202eboo')");
    let serve = super::serve(&place);
    let spawn = ["spawn", "work", "--name", "bad", "--instructions", "how"];
    assert_eq!(place.stoa(&spawn).code, 0, "it is another process that runs it");
    until("that it fails", || shown(&place, "bad")["failed"]["in_a_row"] == 1);
    let card = shown(&place, "bad");
    assert_eq!(card["state"], "waiting", "{card}");
    let failed = &card["failed"];
    assert!(failed["next_try"].as_str() > failed["at"].as_str(), "{card}");
    let list = place.stoa(&["agent", "list"]);
    assert!(list.out.contains("next try "), "{list:?}");
    assert_eq!(place.json(&["status"])[0]["failing"][0]["state"], "waiting");
    // Stopped and resumed it begins anew.
    place.json(&["agent", "stop", "bad"]);
    place.json(&["agent", "resume", "bad"]);
    until("that it fails again", || shown(&place, "bad")["failed"]["turn"] == 2);
    assert_eq!(shown(&place, "bad")["failed"]["in_a_row"], 1);
    serve.signal(Signal::TERM);
    let said = serve.end();
    let lines: Vec<&str> = said.err.lines().filter(|it| it.contains("bad")).collect();
    assert!(lines.iter().any(|it| it.contains("turn failed: ValueError")), "{said:?}");
    assert!(lines.iter().any(|it| it.contains("next try ")), "{said:?}");
    assert!(lines.iter().any(|it| it.contains("resumed")), "{said:?}");
    let obeyed = |it: char| it != '\n' && !stoa_actors::printable::is_printable(it);
    assert_eq!(said.err.find(obeyed), None, "{said:?}");
}

#[test]
fn a_server_for_programs_prints_what_fails_as_lines() {
    let place = Place::new();
    recipe(&place, "how", "raise ValueError('boo')");
    let serve = place.serve();
    place.json(&["spawn", "work", "--name", "bad", "--instructions", "how"]);
    serve.wait_for("a line about it", |out| out.contains("turn.failed"));
    serve.signal(Signal::TERM);
    let said = serve.end();
    let line = said.lines().into_iter().find(|it| it["type"] == "turn.failed").unwrap();
    assert_eq!(line["actor"]["name"], "bad", "{line}");
    assert!(line["body"]["text"].as_str().unwrap().contains("ValueError: boo"), "{line}");
    assert!(line["body"]["next_try"].is_string(), "{line}");
}

/// The process dies between the failure and the next try.
#[test]
fn a_failure_outlives_the_process_that_saw_it() {
    let place = Place::new();
    recipe(&place, "how", "raise ValueError('boo')");
    let serve = place.serve();
    place.json(&["spawn", "work", "--name", "bad", "--instructions", "how"]);
    serve.wait_for("a line about it", |out| out.contains("turn.failed"));
    serve.signal(Signal::KILL);
    serve.end();
    let card = shown(&place, "bad");
    let failures = card["failed"]["in_a_row"].as_u64().unwrap();
    assert!(failures >= 1, "{card}");
    assert_eq!(card["state"], "waiting", "nobody runs it, and it is to be tried again: {card}");
    let again = place.serve();
    until("the next try", || shown(&place, "bad")["failed"]["in_a_row"].as_u64() > Some(failures));
    again.signal(Signal::TERM);
    again.end();
}
