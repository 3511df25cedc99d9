//! How things are named when they are typed: by the end of an id, several at once, in a file, by the
//! environment; and what programs are told when it goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::harness::{Place, Started};
use serde_json::{Value, json};
use std::process::Command;
use stoa_actors::limits::Limits;

fn place() -> Place {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    place
}

fn put(place: &Place, space: &str, text: &str) -> String {
    place.json(&["put", space, text])[0]["id"].as_str().unwrap().to_owned()
}

/// What a command with `--json` says that is wrong.
fn error(place: &Place, args: &[&str]) -> Value {
    let ended = place.stoa(&[args, &["--json"]].concat());
    assert_eq!(ended.out, "", "{args:?}");
    let error: Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!(error["error"]["exit_code"], ended.code);
    error["error"].clone()
}

#[test]
fn an_id_is_taken_by_its_end_wherever_one_is_taken() {
    let place = place();
    let (first, second) = (put(&place, "s", "first"), put(&place, "s", "second"));
    let (end, other) = (&first[18..], second[18..].to_lowercase());
    // What people are shown is what they can type.
    let shown = place.stoa(&["search", "s"]).out;
    assert!(shown.contains(end) && !shown.contains(&first), "{shown}");
    let read = place.json(&["get", end, &other]);
    assert_eq!((&read[0]["content"], &read[1]["content"]), (&json!("first"), &json!("second")));
    let see = format!("see={end}");
    assert_eq!(
        place.json(&["update", &other, "--ref", &see, "--force"])[0]["references"]["see"],
        json!([first])
    );
    assert_eq!(place.json(&["history", &other]).len(), 2);
    assert_eq!(place.json(&["diff", &other])[0]["id"], *second);
    let leased = place.json(&["lease", "acquire", "s", end]);
    assert_eq!((&leased[0]["of"], &leased[0]["resource"]), (&json!("atom"), &json!(first)));
    let token = leased[0]["token"].to_string();
    place.json(&["lease", "release", "s", end, "--token", &token]);
    let space = place.json(&["space", "show", "s"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(place.json(&["search", &space[18..]]).len(), 2);
    let session = place.json(&["grant", "s", "ada", "read"])[0]["session"].clone();
    let session = session.as_str().unwrap();
    let again = place.json(&["grant", "s", &session[18..], "write"]);
    assert_eq!(again[0], json!({"session": session, "name": "ada", "born": false}));
    assert_eq!(place.json(&["whoami", "--as", &session[18..]])[0]["spaces"], json!({"s": "write"}));
    let kept = place.json(&["subscription", "add", "s"])[0]["id"].as_str().unwrap().to_owned();
    assert!(place.json(&["subscription", "read", &kept[18..]]).is_empty());
    place.file("look.py", format!("space.get({end:?}).content"));
    let seen = place.json(&["exec", "look.py", "--spaces", "s=read"]);
    assert_eq!(seen[0]["value"], "'first'");
    place.json(&["deprecate", end, &other, "--force"]);
    assert_eq!(place.json(&["search", "s"]).len(), 0);
    // And back again, once.
    let back = place.json(&["deprecate", end, "--undo", "--force"]);
    assert!(back[0].get("deprecated").is_none(), "{back:?}");
    assert_eq!(place.json(&["search", "s"])[0]["id"], *first);
    assert_eq!(error(&place, &["deprecate", end, "--undo", "--force"])["kind"], "conflict");
    place.file("undo.py", format!("space.deprecate({other:?}, undo=True, force=True)"));
    place.json(&["exec", "undo.py", "--spaces", "s=write"]);
    assert_eq!(place.json(&["search", "s"]).len(), 2);
}

#[test]
fn an_end_is_looked_up_only_among_what_the_caller_can_read() {
    let place = place();
    place.json(&["space", "create", "own"]);
    let secret = put(&place, "s", "secret");
    place.json(&["grant", "own", "bob", "write"]);
    let not_there = error(&place, &["get", "ZZZZZZZZ", "--as", "bob"]);
    let hidden = error(&place, &["get", &secret[18..], "--as", "bob"]);
    let said = |it: &Value, end: &str| it["text"].as_str().unwrap().replace(end, "END");
    assert_eq!(said(&hidden, &secret[18..]), said(&not_there, "ZZZZZZZZ"));
    assert_eq!((&hidden["kind"], &hidden["exit_code"]), (&json!("unknown"), &json!(3)));
    assert_eq!(error(&place, &["get", "ABC"])["kind"], "invalid", "too short to be an end");
}

/// Two ids that end alike come from elsewhere: those that are made here do not.
#[test]
fn an_end_that_fits_two_is_told_with_both() {
    let place = place();
    for name in ["a", "b"] {
        place.json(&["space", "create", name]);
    }
    put(&place, "s", "twin");
    place.json(&["export", "s", "--to", "s.jsonl"]);
    let lines = std::fs::read_to_string(place.path("s.jsonl")).unwrap();
    let ids = ["01J00000000000000000ABCDEF", "01J11111111111111111ABCDEF"];
    let own = place.json(&["search", "s"])[0]["id"].as_str().unwrap().to_owned();
    for (space, id) in ["a", "b"].iter().zip(ids) {
        place.file("in.jsonl", lines.replace(&own, id));
        place.json(&["import", space, "in.jsonl"]);
    }
    let both = error(&place, &["get", "ABCDEF"]);
    assert_eq!(both["kind"], "conflict");
    let text = both["text"].as_str().unwrap();
    assert!(ids.iter().all(|it| text.contains(it)), "{text}");
    assert_eq!(place.json(&["get", "1ABCDEF"])[0]["id"], ids[1]);
    // Whoever can read one of them is told of that one.
    place.json(&["grant", "a", "bob", "read"]);
    assert_eq!(place.json(&["get", "ABCDEF", "--as", "bob"])[0]["id"], ids[0]);
    assert_eq!(place.json(&["audit"])[0]["breaches"], json!([]));
}

/// A directory of a build that listed no ends: the list is made when it is opened, and by `doctor`.
#[test]
fn the_list_of_ends_is_derived_anew() {
    let place = place();
    let id = put(&place, "s", "there");
    place.json(&["doctor"]);
    assert_eq!(place.json(&["get", &id[18..]])[0]["id"], *id);
    place.json(&["backup", "copy"]);
    place.json(&["restore", "copy", "--data", "new"]);
    assert_eq!(place.json(&["get", &id[18..], "--data", "new"])[0]["id"], *id);
}

#[test]
fn a_text_can_be_a_file_or_begin_with_its_mark() {
    let place = place();
    place.file("long.txt", "from a file\n");
    place.file("long.json", "[1, 2]");
    assert_eq!(place.json(&["put", "s", "@long.txt"])[0]["content"], "from a file\n");
    assert_eq!(place.json(&["put", "s", "@@ada, look"])[0]["content"], "@ada, look");
    let json = place.json(&["put", "s", "--json-content", "@long.json"]);
    assert_eq!(json[0]["json"], json!([1, 2]));
    let missing = error(&place, &["put", "s", "@nowhere"]);
    assert!(missing["text"].as_str().unwrap().contains("typed with @@"), "{missing}");
}

#[test]
fn several_changes_are_all_made_or_none() {
    let place = place();
    let changes = r#"{"put": "first", "as": "one", "metadata": {"status": "open"}}

{"put": {"n": 1}, "references": {"blocked_by": ["@one"]}}
{"update": "@one", "metadata": {"status": null, "seen": true}}
"#;
    let made = place.start(&["transaction", "s", "--json", "--key", "k"], changes.as_bytes()).end();
    let made = made.lines();
    assert_eq!(made.len(), 3, "{made:?}");
    assert_eq!(made[1]["references"]["blocked_by"], json!([made[0]["id"]]));
    assert_eq!(made[2]["metadata"], json!({"seen": true}));
    let again = place.start(&["transaction", "s", "--json", "--key", "k"], changes.as_bytes());
    assert_eq!(again.end().lines(), made, "it has the same key");
    // All or none; and the line that is damaged is named.
    place.file("bad.jsonl", "{\"put\": \"x\"}\n{\"update\": \"@nobody\"}\n");
    let refused = error(&place, &["transaction", "s", "bad.jsonl"]);
    assert!(refused["text"].as_str().unwrap().contains("change 2: no earlier line"), "{refused}");
    place.file("bad.jsonl", "{\"put\": \"x\"}\n{\"putt\": \"x\"}\n");
    let refused = error(&place, &["transaction", "s", "bad.jsonl"]);
    assert!(refused["text"].as_str().unwrap().contains("changes[1]"), "{refused}");
    assert_eq!(place.json(&["search", "s"]).len(), 2);
}

#[test]
fn the_environment_stands_for_what_is_not_typed() {
    let place = place();
    place.json(&["grant", "s", "bob", "read"]);
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoa"));
        command.args(args).current_dir(place.path("."));
        let started = Started::new(&mut command, b"");
        started.end()
    };
    let missing = run(&["whoami", "--json"]);
    assert_eq!(missing.code, 3, "{missing:?}");
    let mut command = Command::new("sh");
    let line = format!(
        "STOA_DATA={} STOA_AS=bob {} whoami --json",
        place.path("data").display(),
        env!("CARGO_BIN_EXE_stoa")
    );
    let own = Started::new(command.args(["-c", &line]), b"").end().lines();
    assert_eq!((&own[0]["name"], &own[0]["owner"]), (&json!("bob"), &json!(false)));
}

/// A character that JSON writes in six takes six times the room on its way.
#[test]
fn the_largest_content_goes_through_the_socket_however_it_is_written() {
    let place = place();
    let serve = place.serve();
    let text = vec![1; Limits::default().content_bytes_max];
    let put = place.start(&["put", "s", "-", "--json"], &text).end();
    assert_eq!(put.code, 0, "{}", put.err);
    let id = put.lines()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(place.json(&["get", &id])[0]["content"].as_str().unwrap().as_bytes(), text);
    drop(serve);
}

/// A word is not taken for the end of an id where names are taken as well.
#[test]
fn a_name_is_not_the_end_of_somebody_elses_id() {
    let place = place();
    let bob = place.json(&["grant", "s", "bob", "read"])[0]["session"].clone();
    let bob = bob.as_str().unwrap();
    let word = bob[20..].to_lowercase();
    let born = &place.json(&["grant", "s", &word, "write"])[0];
    assert_eq!(born["born"], true, "{word} is a new session, and not bob: {born}");
    assert_eq!(place.json(&["whoami", "--as", "bob"])[0]["spaces"], json!({"s": "read"}));
    let nobody = bob[19..].to_lowercase();
    assert_eq!(error(&place, &["whoami", "--as", &nobody])["exit_code"], 3);
    assert_eq!(error(&place, &["grant", "s", "Owner", "read"])["exit_code"], 2);
}

#[test]
fn a_name_that_is_shown_can_be_typed() {
    let place = place();
    place.json(&["put", "s", "mine"]);
    let own = place.json(&["history", "s", "--by", "owner"]);
    assert_eq!((own.len(), &own[0]["actor"]["name"]), (1, &json!("owner")), "what was put");
    place.json(&["space", "create", "how"]);
    place.json(&["put", "how", "```python\nspace.put('found')\n```"]);
    let spawn = "coordinator.spawn('look', instructions='how', spaces={'s': 'append'}, name='ann')";
    place.file("spawn.py", spawn);
    let serve = place.serve();
    let spaces = ["--spaces", "s=append:append,how=read:read"];
    place.json(&[&["exec", "spawn.py", "--session", "boss"], &spaces[..]].concat());
    let watch = place.start(&["watch", "s", "--cursor", "0"], b"");
    watch.wait_for("what it found", |out| out.matches("atom.put").count() == 2);
    let found = place.json(&["search", "s", "--newest"]).remove(0);
    assert_eq!(found["author_name"], "boss/ann", "{found}");
    assert_eq!(place.json(&["history", "s", "--by", "boss/ann"]).len(), 1);
    assert_eq!(error(&place, &["history", "s", "--by", "boss/bob"])["exit_code"], 3);
    drop((watch, serve));
}

#[test]
fn what_is_typed_by_its_end_is_told_by_its_name() {
    let place = place();
    let space = place.json(&["space", "show", "s"])[0]["id"].as_str().unwrap().to_owned();
    place.json(&["grant", &space[18..], "bob", "write"]);
    assert_eq!(place.json(&["space", "list", "--as", "bob"])[0]["name"], "s");
    // A lease is of the same thing by whatever end it is named, also in code.
    let id = put(&place, "s", "task");
    let end = &id[18..];
    let token = place.json(&["lease", "acquire", "s", end])[0]["token"].to_string();
    place.file("take.py", format!("space.acquire({end:?})"));
    let refused = place.stoa(&["exec", "take.py", "--spaces", "s=write"]);
    assert!(refused.code == 7 && refused.err.contains("Conflict"), "{refused:?}");
    place.json(&["update", end, "done", "--force", "--under", &format!("{end}={token}")]);
}

#[test]
fn several_at_once_have_no_key_and_no_version() {
    let place = place();
    let (one, two) = (put(&place, "s", "one"), put(&place, "s", "two"));
    for flag in ["--key", "--if-version"] {
        let refused = error(&place, &["erase", &one, &two, flag, "1", "--yes"]);
        assert!(refused["text"].as_str().unwrap().starts_with(flag), "{refused}");
    }
    assert_eq!(place.json(&["search", "s"]).len(), 2, "nothing is done of it");
}

/// A variable that is set and says nothing makes nobody the owner.
#[test]
fn an_environment_that_says_nothing_is_refused() {
    let place = place();
    for name in ["STOA_AS", "STOA_DATA"] {
        let line = format!("{name}= {} whoami", env!("CARGO_BIN_EXE_stoa"));
        let mut command = Command::new("sh");
        command.args(["-c", &line]).current_dir(place.path("."));
        let refused = Started::new(&mut command, b"").end();
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(&format!("hint: unset {name}")), "{refused:?}");
    }
}
