//! Whoever writes knows whom it wakes, and whether anybody runs those; and everybody knows which
//! process has the directory.

use super::harness::Place;
use super::{recipe, shown, until};
use rustix::process::Signal;
use serde_json::json;

const NOBODY: &str = "nobody runs your agents: `stoa --data data serve`";

/// An agent that follows `tasks`, and does nothing.
fn follower(place: &Place, name: &str) {
    let words = ["spawn", "watch", "--name", name, "--instructions", "how"];
    let rights = ["--spaces", "tasks=append", "--subscribe", "tasks"];
    let spawned = place.stoa(&[&words[..], &rights[..]].concat());
    assert_eq!(spawned.code, 0, "{spawned:?}");
}

fn setting() -> Place {
    let place = Place::new();
    recipe(&place, "how", "pass");
    place.json(&["space", "create", "tasks"]);
    place
}

#[test]
fn where_nobody_runs_the_agents_every_verb_says_so() {
    let place = setting();
    let quiet = place.stoa(&["put", "tasks", "before there is anybody"]);
    assert_eq!(quiet.err, "", "there is nobody to wake");
    follower(&place, "amy");
    let spawned = place.stoa(&["spawn", "x", "--name", "bob", "--instructions", "how"]);
    assert!(spawned.err.contains(NOBODY), "{spawned:?}");
    for verb in [
        &["agent", "list"][..],
        &["agent", "tree"],
        &["agent", "show", "amy"],
        &["put", "tasks", "x"],
        &["agent", "say", "bob", "hello"],
    ] {
        let said = place.stoa(verb);
        assert!(said.code == 0 && said.err.contains(NOBODY), "{verb:?}: {said:?}");
    }
    let status = place.stoa(&["status"]);
    assert!(status.out.contains("nobody runs your agents"), "{status:?}");
    let status = place.json(&["status"]).remove(0);
    assert_eq!((&status["pid"], &status["agents_run"]), (&json!(null), &json!(false)));
    assert!(place.stoa(&["status"]).out.contains("this command opened it"));
    let put = place.json(&["put", "tasks", "x"]).remove(0);
    assert_eq!(put["woken"], json!({"agents": 1, "names": ["amy"], "run": false}), "{put}");

    let serve = place.serve();
    for verb in [&["agent", "list"][..], &["put", "tasks", "x"], &["status"]] {
        let said = place.stoa(verb);
        assert!(!said.err.contains("nobody") && !said.out.contains("nobody"), "{said:?}");
    }
    let status = place.json(&["status"]).remove(0);
    assert_eq!((&status["pid"], &status["agents_run"]), (&json!(serve.pid()), &json!(true)));
    assert!(place.stoa(&["status"]).out.contains(&format!("{} has it open", serve.pid())));
    serve.signal(Signal::TERM);
    serve.end();
}

#[test]
fn a_write_says_whom_it_wakes() {
    let place = setting();
    let serve = place.serve();
    follower(&place, "amy");
    follower(&place, "bob");
    let put = place.json(&["put", "tasks", "x", "--meta", "status=open"]).remove(0);
    let both = json!({"agents": 2, "names": ["amy", "bob"], "run": true});
    assert_eq!(put["woken"], both);
    let id = put["id"].as_str().unwrap();
    let said = place.stoa(&["update", id, "y", "--force"]);
    assert!(said.err.contains("note: wakes 2 agents: amy, bob"), "{said:?}");
    place.file("put.py", "space.put('from code')");
    let exec = place.json(&["exec", "put.py", "--spaces", "tasks=append"]).remove(0);
    assert_eq!(exec["woken"], both, "{exec}");
    place.file("more.jsonl", "{\"put\": \"1\"}\n{\"put\": \"2\"}\n");
    let written = place.json(&["transaction", "tasks", "more.jsonl"]);
    assert_eq!((written[0].get("woken"), &written[1]["woken"]), (None, &both), "once");
    // Of what does not fit its filter nobody hears; who is stopped is told, with what lets it go on.
    let (space, filter) = ("tasks", ["--type", "atom.deprecated"]);
    place.json(&[&["subscription", "edit", space, "--agent", "amy"][..], &filter].concat());
    place.json(&["agent", "stop", "bob"]);
    let put = place.json(&["put", "tasks", "z"]).remove(0);
    let woken = &put["woken"];
    assert_eq!(
        (&woken["agents"], woken["held"].as_array().unwrap().len()),
        (&json!(0), 1),
        "{put}"
    );
    assert_eq!(
        (&woken["held"][0]["name"], &woken["held"][0]["state"]),
        (&json!("bob"), &json!("stopped"))
    );
    let said = place.stoa(&["put", "tasks", "z"]);
    let how = "note: bob follows it and is stopped, so it is not woken: \
               `stoa --data data agent resume bob`";
    assert!(said.err.contains(how) && !said.err.contains("wakes"), "{said:?}");
    let listed = place.stoa(&["agent", "list"]);
    let how = "goes on with `stoa --data data agent resume bob`";
    assert!(listed.out.contains(how), "{listed:?}");
    let gone = place.json(&["deprecate", id, "--force"]).remove(0);
    assert_eq!(gone["woken"]["names"], json!(["amy"]), "{gone}");
    assert_eq!(gone["woken"]["held"][0]["name"], "bob", "{gone}");
    // Who may not know of them is told of none.
    place.json(&["grant", "tasks", "eve", "write"]);
    place.json(&["agent", "resume", "bob"]);
    let put = place.json(&["put", "tasks", "w", "--as", "eve"]).remove(0);
    assert_eq!(put.get("woken"), None, "{put}");
    place.json(&["grant", "tasks", "eve", "grant"]);
    let put = place.json(&["put", "tasks", "w", "--as", "eve"]).remove(0);
    assert_eq!(put["woken"], json!({"agents": 1, "names": [], "run": true}), "by no name of hers");
    serve.signal(Signal::TERM);
    serve.end();
}

/// The server is dead, and `agent list` showed `running` in green.
#[test]
fn running_is_only_what_something_runs() {
    let place = setting();
    recipe(&place, "long", "while True:\n    pass");
    let serve = place.serve();
    place.json(&["spawn", "compute", "--name", "busy", "--instructions", "long"]);
    until("that it runs", || shown(&place, "busy")["state"] == "running");
    assert_eq!(place.json(&["status"])[0]["agents"], json!({"running": 1}));
    serve.signal(Signal::KILL);
    serve.end();
    assert_eq!(shown(&place, "busy")["state"], "suspended");
    assert_eq!(place.json(&["status"])[0]["agents"], json!({"suspended": 1}));
    let sessions = place.json(&["session", "list"]);
    let busy = sessions.iter().find(|it| it["name"] == "busy").unwrap();
    assert_eq!((&busy["kind"], &busy["state"]), (&json!("agent"), &json!("suspended")));
    let list = place.stoa(&["agent", "list"]);
    assert!(list.out.contains("suspended") && list.err.contains(NOBODY), "{list:?}");
    // Another verb that holds the directory runs nobody either.
    let watch = place.start(&["watch"], b"");
    let holds = || std::fs::read_to_string(place.path("data/lock")).unwrap_or_default();
    until("that it is open", || holds().trim() == watch.pid().to_string());
    until("that it answers", || place.json(&["status"])[0]["pid"] == watch.pid());
    assert_eq!(shown(&place, "busy")["state"], "suspended");
    let status = place.json(&["status"]).remove(0);
    assert_eq!(status["agents_run"], json!(false), "{status}");
    watch.signal(Signal::TERM);
    watch.end();
}
