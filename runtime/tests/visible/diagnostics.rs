//! What the library says of itself reaches standard error: as much as is asked for, and no garbage
//! in a filter stops anybody.

use super::harness::{Ended, Place, Started};
use std::process::Command;

/// With something in `RUST_LOG`.
fn with_rust_log(place: &Place, value: &str, args: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoa"));
    command.args(["--data", "data"]).args(args).env("RUST_LOG", value);
    Started::new(command.current_dir(place.path(".")), b"").end()
}

fn setting() -> Place {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    place
}

/// A word that is told of at the level of information.
const OPEN: &str = "the directory is open";
/// And one of those who look for a fault.
const ASKED: &str = "asked operation=space list";

#[test]
fn the_default_shows_warnings_and_nothing_else() {
    let place = setting();
    let ended = place.stoa(&["put", "s", "x"]);
    assert_eq!((ended.code, &*ended.err), (0, ""), "nothing is wrong");
    let quiet = place.stoa(&["--log", "off", "space", "list"]);
    assert_eq!((quiet.code, &*quiet.err), (0, ""));
}

#[test]
fn each_way_to_ask_for_more_shows_more() {
    let place = setting();
    let list = ["space", "list"];
    let shows = |ended: &Ended| (ended.err.contains(OPEN), ended.err.contains(ASKED));
    for (more, shown) in [
        (&["-v"][..], (true, true)),
        (&["-vv"], (true, true)),
        (&["--log", "debug"], (true, true)),
        (&["--log", "INFO"], (true, false)),
        (&["--log", "stoa_api::door=debug"], (false, true)),
        (&["--log", "warn"], (false, false)),
    ] {
        let ended = place.stoa(&[&list[..], more].concat());
        assert_eq!((ended.code, shows(&ended)), (0, shown), "{more:?}: {ended:?}");
    }
    for (value, shown) in
        [("debug", (true, true)), ("stoa=info", (true, false)), ("info,stoa=off", (false, false))]
    {
        let ended = with_rust_log(&place, value, &list);
        assert_eq!((ended.code, shows(&ended)), (0, shown), "{value}: {ended:?}");
    }
    // What is typed counts more than what is inherited.
    let off = with_rust_log(&place, "trace", &["space", "list", "--log", "off"]);
    assert_eq!(off.err, "");
    let both = place.stoa(&["space", "list", "-v", "--log", "warn"]);
    assert_eq!(both.code, 2, "{both:?}");
    let json = place.stoa(&["space", "list", "-v", "--json"]);
    let lines = json.err.lines().map(|it| serde_json::from_str::<serde_json::Value>(it).unwrap());
    let logs: Vec<_> = lines.filter(|it| it["log"]["text"] == OPEN).collect();
    assert_eq!(logs[0]["log"]["level"], "info", "{json:?}");
    assert!(logs[0]["log"]["fields"]["head"].is_string(), "{json:?}");
}

/// What is in the environment, in a path or in a name is seen and not obeyed.
#[test]
fn a_diagnostic_is_escaped() {
    let place = Place::new();
    let data = "da\u{1b}[31mta\u{202e}\u{7}";
    let words = ["--data", data, "space", "create", "s", "-v"];
    let ended = place.stoa(&words);
    let obeyed = |it: char| it != '\n' && !stoa_actors::printable::is_printable(it);
    assert_eq!((ended.code, ended.err.find(obeyed)), (0, None), "{ended:?}");
    assert!(ended.err.contains(OPEN), "{ended:?}");
}

#[test]
fn garbage_in_a_filter_is_told_and_stops_nobody_who_has_not_typed_it() {
    let place = setting();
    for garbage in ["debgu=loud", "a=b=c", "\u{1b}[31m=x", "[{}]=5,=="] {
        let ended = with_rust_log(&place, garbage, &["space", "list"]);
        assert_eq!(ended.code, 0, "{garbage:?}: {ended:?}");
        assert!(!ended.err.contains('\u{1b}'), "{ended:?}");
    }
    let told = with_rust_log(&place, "stoa=loud", &["space", "list"]);
    assert!(told.err.contains("note: RUST_LOG is passed over"), "{told:?}");
    assert_eq!(with_rust_log(&place, "", &["space", "list"]).err, "");
    let typed = place.stoa(&["--log", "debu", "space", "list"]);
    assert_eq!(typed.code, 2, "{typed:?}");
    assert!(typed.err.contains("did you mean debug?") && typed.err.contains("hint: "), "{typed:?}");
}
