//! What is piped into a verb is read, and nothing at all is refused; no verb waits for a pipe that
//! it does not need.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::harness::{Ended, Place};
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A pipe that nobody writes to and nobody closes while the verb runs.
fn with_open_stdin(place: &Place, args: &[&str]) -> Ended {
    let (reader, writer) = std::io::pipe().unwrap();
    let ended = with_stdin(place, args, Stdio::from(reader));
    drop(writer);
    ended
}

fn with_stdin(place: &Place, args: &[&str], stdin: Stdio) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoa"));
    command.args(["--data", "data"]).args(args).current_dir(place.path("."));
    command.env("NO_COLOR", "1").env_remove("RUST_BACKTRACE").stdin(stdin);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let waited = std::thread::spawn(move || {
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                child.kill().unwrap();
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        child.wait_with_output().unwrap()
    });
    let output = waited.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or(-1);
    Ended { code, out: text(output.stdout), err: text(output.stderr) }
}

fn setting() -> (Place, String) {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let id = place.json(&["put", "tasks", "first"])[0]["id"].as_str().unwrap().to_owned();
    (place, id)
}

#[test]
fn what_is_piped_in_is_the_content() {
    let (place, id) = setting();
    let put = |args: &[&str], text: &[u8]| {
        let ended = place.start(args, text).end();
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.lines().remove(0)
    };
    let text = "line one\nline two\n";
    assert_eq!(put(&["put", "tasks", "--json"], text.as_bytes())["content"], text);
    let tagged = put(&["put", "tasks", "--meta", "a=1", "--json"], text.as_bytes());
    assert_eq!((&tagged["content"], &tagged["metadata"]["a"]), (&text.into(), &1.into()));
    assert_eq!(put(&["put", "tasks", "-", "--json"], text.as_bytes())["content"], text);
    let json = put(&["put", "tasks", "--json-content", "-", "--json"], b"{\"a\": [1]}\n");
    assert_eq!(json["json"]["a"][0], 1);
    let bytes = put(&["put", "tasks", "--media-type", "image/x", "--json"], b"\xff\x00");
    assert_eq!(bytes["base64"], "/wA=");
    let changed = put(&["update", &id, "--if-version", "1", "--json"], b"second");
    assert_eq!((&changed["content"], &changed["version"]), (&"second".into(), &2.into()));
    let ran = put(&["exec", "--json"], b"print(6 * 7)");
    assert_eq!(ran["printed"], "42\n");
    let marked = put(&["exec", "--json"], "\u{feff}print(6 * 7)".as_bytes());
    assert_eq!(marked["printed"], "42\n");
    place.json(&["space", "create", "how"]);
    place.json(&["put", "how", "```python\npass\n```"]);
    let born = put(&["spawn", "--name", "amy", "--instructions", "how", "--json"], b"stand by\n");
    assert_eq!(born["task"], "stand by");
    assert_eq!(put(&["agent", "say", "amy", "--json"], b"hello\n")["content"], "hello");
    let about = put(&["space", "create", "b", "--description", "-", "--json"], b"for b\n");
    assert_eq!(about["description"], "for b");
    place.file("tides.txt", "The moon pulls the sea, and so the tides come and go.");
    let found = put(&["research", "--files", "tides.txt", "--json"], b"What pulls the sea?\n");
    assert_eq!(found["question"], "What pulls the sea?");
}

#[test]
fn nothing_at_all_is_refused_and_changes_nothing() {
    let (place, id) = setting();
    let rows: [&[&str]; 15] = [
        &["put", "tasks"],
        &["put", "tasks", "-"],
        &["put", "tasks", ""],
        &["put", "tasks", "--meta", "a=1"],
        &["put", "tasks", "-", "--meta", "a=1"],
        &["put", "tasks", "--media-type", "image/x"],
        &["put", "tasks", "--file", "empty"],
        &["put", "tasks", "--json-content", "-"],
        &["update", &id, "--if-version", "1"],
        &["update", &id, "-", "--if-version", "1"],
        &["exec", "--spaces", "tasks=read"],
        &["exec", "-", "--spaces", "tasks=read"],
        &["spawn", "--name", "amy"],
        &["agent", "say", "amy"],
        &["research", "--files", "empty"],
    ];
    place.file("empty", "");
    let head = || place.json(&["status"])[0]["head"].clone();
    let before = head();
    for args in rows {
        let blank: &[u8] = if args.contains(&"--media-type") { b"" } else { b" \n" };
        for stdin in [b"", blank] {
            let ended = place.start(args, stdin).end();
            let says = "is missing or empty: give it as an argument or on stdin\nhint: stoa ";
            let right = ended.code == 2 && ended.out.is_empty() && ended.err.contains(says);
            assert!(right, "{args:?}: {ended:?}");
        }
        let null = with_stdin(&place, args, Stdio::null());
        assert_eq!((null.code, &*null.out), (2, ""), "{args:?}: {null:?}");
        let unreadable = File::options().write(true).open("/dev/null").unwrap();
        let ended = with_stdin(&place, args, unreadable.into());
        assert_eq!(ended.code, 2, "{args:?}: {ended:?}");
    }
    assert_eq!(head(), before);
}

#[test]
fn what_is_meant_to_say_little_is_kept() {
    let (place, id) = setting();
    let mark = &place.json(&["put", "tasks", "", "--meta", "kind=mark"])[0];
    assert_eq!((&mark["content"], &mark["metadata"]["kind"]), (&"".into(), &"mark".into()));
    place.file("empty", "");
    let file = ["put", "tasks", "--file", "empty", "--media-type", "text/x-python"];
    assert_eq!(place.json(&file)[0]["base64"], "");
    assert_eq!(place.json(&["update", &id, "", "--force"])[0]["content"], "");
}

#[test]
fn no_verb_waits_for_a_pipe_that_it_does_not_need() {
    let (place, id) = setting();
    place.file("code.py", "print(1)");
    let rows: [&[&str]; 8] = [
        &["put", "tasks", "text"],
        &["put", "tasks", "--json-content", "1"],
        &["put", "tasks", "--file", "code.py"],
        &["update", &id, "text", "--force"],
        &["update", &id, "--meta", "a=1", "--force"],
        &["update", &id, "--annotation", "about", "--force"],
        &["exec", "code.py"],
        &["search", "tasks"],
    ];
    for args in rows {
        let ended = with_open_stdin(&place, args);
        assert_eq!((ended.code, &*ended.err), (0, ""), "{args:?}: {ended:?}");
    }
}

#[test]
fn an_update_says_that_it_leaves_what_is_piped_in() {
    let (place, id) = setting();
    place.file("text", "not asked for");
    let from = File::open(place.path("text")).unwrap();
    let args = ["update", &id, "--meta", "a=1", "--force", "--json"];
    let ended = with_stdin(&place, &args, from.into());
    let says = "note: the content stays as it is; with - it is what is piped in\n";
    assert_eq!((ended.code, &*ended.err), (0, says));
    assert_eq!(ended.lines()[0]["content"], "first");
}
