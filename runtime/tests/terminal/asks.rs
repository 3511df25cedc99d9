//! What cannot be undone is asked about, and words say what will be lost.

use crate::harness::Place;
use crate::{PLAIN, Terminal, id};

fn answered(place: &Place, args: &[&str], answer: &str) -> (String, u32) {
    let mut terminal = Terminal::begin(place, 80, PLAIN, args);
    terminal.wait_for("that it asks", |it| it.contains("[y/N]"));
    terminal.types(answer);
    terminal.end()
}

#[test]
fn an_erase_says_what_is_lost_and_waits_for_a_yes() {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    let atom = id(&place, &["put", "s", "a secret\nin two lines"]);
    place.json(&["update", &atom, "a secret again", "--force"]);
    for no in ["n\n", "\n", "yess\n", "\u{4}"] {
        let (text, code) = answered(&place, &["erase", &atom], no);
        assert_eq!(code, 2, "{no:?}: {text}");
        assert!(text.contains("nothing was erased"), "{text}");
        assert!(text.contains("a secret again") && text.contains("2 versions"), "{text}");
    }
    assert_eq!(place.json(&["get", &atom])[0]["content"], "a secret again");
    let (text, code) = answered(&place, &["erase", &atom], "y\n");
    assert_eq!(code, 0, "{text}");
    assert_eq!(place.json(&["get", &atom])[0]["erased"], true);
    // Nobody is asked who has said so, and what is not there is not asked about.
    let other = id(&place, &["put", "s", "another"]);
    let (text, code) = Terminal::begin(&place, 80, PLAIN, &["erase", &other, "--yes"]).end();
    assert!(code == 0 && !text.contains("[y/N]"), "{text}");
    let none = "01J00000000000000000000000";
    let (text, code) = Terminal::begin(&place, 80, PLAIN, &["erase", none]).end();
    assert!(code == 3 && !text.contains("[y/N]"), "{text}");
}

#[test]
fn a_wipe_and_a_broken_lease_say_whom_they_hit() {
    let place = Place::new();
    for space in ["s", "how"] {
        place.json(&["space", "create", space]);
    }
    let code = "```python\nif task != 'below':\n    coordinator.spawn('below', name='b', instructions='how')\n```";
    place.json(&["put", "how", code]);
    place.json(&[
        "spawn",
        "lead",
        "--name",
        "amy",
        "--instructions",
        "how",
        "--spaces",
        "how=read:read",
    ]);
    let (text, code) = answered(&place, &["agent", "wipe", "amy"], "n\n");
    assert!(code == 2 && text.contains("amy and 1 agent under it  lead"), "{text}");
    place.json(&["grant", "s", "bob", "write"]);
    place.json(&["lease", "acquire", "s", "prod", "--intent", "roll out", "--as", "bob"]);
    let (text, code) = answered(&place, &["lease", "release", "s", "prod", "--break"], "no\n");
    assert!(code == 2 && text.contains("prod  held by bob  roll out"), "{text}");
    assert_eq!(place.json(&["lease", "list", "s"]).len(), 1);
    let (text, code) = answered(&place, &["lease", "release", "s", "prod", "--break"], "yes\n");
    assert_eq!(code, 0, "{text}");
    assert_eq!(place.json(&["lease", "list", "s"]).len(), 0);
}

/// Nobody can be asked where there is no terminal: see `bad_input/nothing_written.txt`, and this.
#[test]
fn what_is_typed_at_no_terminal_is_refused_before_anything_is_read() {
    let place = Place::new();
    let ended = place.start(&["erase", "01J00000000000000000000000"], b"y\n").end();
    // There is no directory even: it is not made for that.
    assert!(matches!(ended.code, 2 | 3) && !place.path("data").exists(), "{ended:?}");
}
