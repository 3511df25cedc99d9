//! A session without a name leaves nothing behind, however its action ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;

use harness::Place;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Says that it has begun, and goes on for longer than anybody waits here.
const LONG: &str = "
space.put('begun')
for n in range(10 ** 9): pass
";

fn begins(place: &Place) -> harness::Started {
    let before = place.json(&["search", "board"]).len();
    let exec = place.start(&["exec", "long.py", "--spaces", "board=append"], b"");
    let begun = Instant::now();
    while place.json(&["search", "board"]).len() == before {
        assert!(begun.elapsed() < Duration::from_secs(60), "the code never begins");
    }
    exec
}

fn sessions(place: &Place) -> u64 {
    place.json(&["status"])[0]["sessions"].as_u64().unwrap()
}

fn until_alone(place: &Place) {
    let begun = Instant::now();
    while sessions(place) > 1 {
        assert!(begun.elapsed() < Duration::from_secs(60), "a session whose action is over stays");
    }
}

#[test]
fn it_ends_with_its_action() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    place.file("put.py", "space.put('one')");
    place.file("fail.py", "space.put('two')\n1 / 0");
    for (file, code) in [("put.py", 0), ("fail.py", 7)] {
        assert_eq!(place.stoa(&["exec", file, "--spaces", "board=append"]).code, code);
        assert_eq!(sessions(&place), 1, "{file}");
    }
    assert_eq!(place.json(&["search", "board"]).len(), 2);
}

#[test]
fn it_ends_when_whoever_waits_for_it_goes() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    place.file("long.py", LONG);
    let owner = place.serve();
    for signal in [Signal::KILL, Signal::INT] {
        let exec = begins(&place);
        assert_eq!(sessions(&place), 2);
        exec.signal(signal);
        exec.end();
        until_alone(&place);
    }
    owner.signal(Signal::TERM);
    assert_eq!(owner.end().code, 0);
}

#[test]
fn it_has_ended_after_the_process_that_ran_it_was_killed() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    place.file("long.py", LONG);
    let owner = place.serve();
    let execs = [begins(&place), begins(&place)];
    assert_eq!(sessions(&place), 3);
    owner.signal(Signal::KILL);
    owner.end();
    for exec in execs {
        assert_ne!(exec.end().code, 0);
    }
    assert_eq!(sessions(&place), 1);
    assert_eq!(place.stoa(&["audit"]).code, 0);
}
