//! The two samples of "Spaces are the environment" (seed 000), word for word: `samples/*.py`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

use harness::Place;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CLAIM: &str = include_str!("samples/claim.py");
const FAN_OUT: &str = include_str!("samples/fan_out.py");

/// Puts an atom; its id.
fn put(place: &Place, args: &[&str]) -> String {
    let put = place.json(&[&["put"], args].concat()).remove(0);
    put["id"].as_str().unwrap().to_owned()
}

/// A status, an owner if there is one, and the version.
type State = (String, Option<String>, u64);

fn state(place: &Place, id: &str) -> State {
    let atom = &place.json(&["get", id])[0];
    let text = |key: &str| atom["metadata"][key].as_str().map(str::to_owned);
    (text("status").unwrap(), text("owner"), atom["version"].as_u64().unwrap())
}

#[test]
fn the_claim_takes_the_first_task_that_nothing_blocks() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let serve = place.serve();
    let task = |name: &str, status: &str, blockers: &[&String]| {
        let status = format!("status={status}");
        let blockers: Vec<String> = blockers.iter().map(|it| format!("blocked_by={it}")).collect();
        let mut args = vec!["tasks", name, "--meta", &status];
        blockers.iter().for_each(|it| args.extend(["--ref", it]));
        put(&place, &args)
    };
    let done = task("survey", "completed", &[]);
    let running = task("draft", "in_progress", &[]);
    let one = task("blocked", "pending", &[&running]);
    let half = task("blocked by one of two", "pending", &[&done, &running]);
    let chained = task("blocked by what is itself blocked", "pending", &[&half]);
    let first = task("its blocker is completed", "pending", &[&done]);
    let second = task("never blocked", "pending", &[]);
    let everything = [&done, &running, &one, &half, &chained, &first, &second];
    let states = || -> BTreeMap<String, State> {
        everything.iter().map(|it| ((*it).clone(), state(&place, it))).collect()
    };
    place.file("claim.py", CLAIM);
    let mut expected = states();
    for claimed in [Some(&first), Some(&second), None] {
        let ended = place.stoa(&["exec", "claim.py", "--spaces", "tasks=write"]);
        assert_eq!((ended.code, &*ended.err, &*ended.out), (0, "", ""));
        if let Some(claimed) = claimed {
            expected.insert(claimed.clone(), ("in_progress".into(), Some("me".into()), 2));
        }
        assert_eq!(states(), expected, "after the turn of {claimed:?}");
    }
    // A blocker is completed: what it blocked is next.
    place.json(&["update", &running, "--meta", "status=completed", "--force"]);
    place.json(&["exec", "claim.py", "--spaces", "tasks=write"]);
    assert_eq!(state(&place, &one), ("in_progress".into(), Some("me".into()), 2));
    assert_eq!(state(&place, &half), ("pending".into(), None, 1));
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
    serve.signal(Signal::TERM);
    assert_eq!(serve.end().code, 0);
}

/// At the command line there are no web tools, so nobody can hand them on. With them the sample runs
/// to its end: `agents.rs`.
#[test]
fn the_fan_out_cannot_hand_on_tools_that_nobody_has() {
    let place = Place::new();
    place.json(&["space", "create", "findings"]);
    place.json(&["space", "create", "research-guidelines"]);
    put(&place, &["findings", "Bread rises when yeast ferments", "--annotation", "baking notes"]);
    let analysis = put(
        &place,
        &["findings", "tides|winds|currents", "--annotation", "initial landscape analysis"],
    );
    put(&place, &["findings", "Invoices are due in May", "--annotation", "accounting"]);
    place.file(
        "begin.py",
        "def extract_segments(text):\n    print('from', text)\n    return text.split('|')",
    );
    place.file("fan_out.py", FAN_OUT);
    place.file("look.py", "print(segment)\n[findings[0].id, segments]");
    let exec = |file: &str| {
        let spaces = "findings=append,research-guidelines=read";
        place.stoa(&["exec", file, "--session", "lead", "--spaces", spaces, "--json"])
    };
    let begun = exec("begin.py");
    assert_eq!((begun.code, &*begun.err), (0, ""));
    let ended = exec("fan_out.py");
    assert_eq!(
        (ended.code, &ended.lines()[0]["printed"]),
        (7, &json!("from tides|winds|currents\n"))
    );
    let error: &Value = &ended.lines()[0]["error"];
    assert_eq!(error["class"], "PermissionError");
    let traceback = error["traceback"].as_str().unwrap();
    assert!(traceback.contains("is more than you may delegate (nothing of it)"), "{traceback}");
    let looked = exec("look.py");
    let value = format!("['{analysis}', ['tides', 'winds', 'currents']]");
    let lines = looked.lines();
    assert_eq!((&lines[0]["printed"], &lines[0]["value"]), (&json!("tides\n"), &json!(value)));
    let history = place.json(&["history", "findings"]);
    let is_right = |it: &&Value| it["type"].as_str().is_some_and(|it| it.starts_with("right."));
    assert_eq!(history.iter().filter(|it| !is_right(it)).count(), 3, "it changed nothing");
    assert_eq!(place.json(&["agent", "list"]), Vec::<Value>::new(), "and spawned nobody");
    // A session that ends with its action has nobody to leave children to.
    let nameless = place.stoa(&["exec", "fan_out.py", "--spaces", "findings=append"]);
    assert_eq!(nameless.code, 7);
}
