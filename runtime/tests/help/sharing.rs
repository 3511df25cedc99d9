//! Who may share what, what things are called, and what a space says of itself.

use super::harness::Place;
use serde_json::json;

fn place() -> Place {
    let place = Place::new();
    place.json(&["space", "create", "s", "--description", "what it is for"]);
    place
}

#[test]
fn the_level_grant_is_enough_to_share() {
    let place = place();
    let id = |args: &[&str]| place.json(args)[0]["session"].as_str().unwrap().to_owned();
    id(&["grant", "s", "ada", "grant"]);
    id(&["grant", "s", "wim", "write"]);
    place.json(&["space", "create", "other"]);
    let carol = id(&["grant", "other", "carol", "read"]);
    // A new session, an existing one by its id, and one that the sharer has a name for.
    let born = place.json(&["--as", "ada", "grant", "s", "bob", "read"]);
    assert_eq!(born[0]["born"], true);
    let shared = place.json(&["--as", "ada", "grant", "s", &carol, "append"]);
    assert_eq!(shared[0], json!({"session": carol, "born": false}));
    assert_eq!(place.json(&["--as", "carol", "put", "s", "mine"])[0]["content"], "mine");
    let more = place.json(&["--as", "ada", "grant", "s", "bob", "write"]);
    assert_eq!(more[0]["born"], false);
    assert_eq!(place.json(&["--as", "ada", "revoke", "s", &carol])[0]["revoked"], 1);
    assert_eq!(place.stoa(&["--as", "carol", "put", "s", "mine"]).code, 3);
    // Not by a lower level, nor more than one has to pass on.
    let lower = place.stoa(&["--as", "wim", "grant", "s", &carol, "read"]);
    assert!(
        lower.code == 4 && lower.err.contains("sharing a space needs the level grant"),
        "{lower:?}"
    );
    let passed = ["--as", "ada", "grant", "s", "bob", "read", "--delegate", "read"];
    let passed = place.stoa(&passed);
    assert!(passed.code == 4 && passed.err.contains("--delegate"), "{passed:?}");
    let none = place.stoa(&["--as", "ada", "grant", "s", "01J00000000000000000000000", "read"]);
    assert!(none.code == 3 && none.err.contains("no living session"), "{none:?}");
    let code = format!("coordinator.grant('{carol}', 'space', 'read')");
    place.file("share.py", code.replace("'space'", "'s'"));
    let refused = place.stoa(&["exec", "share.py", "--spaces", "s=write"]);
    assert_eq!(refused.code, 7, "{refused:?}");
    let done = place.stoa(&["exec", "share.py", "--spaces", "s=grant", "--session", "boss"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(place.json(&["--as", "carol", "search", "s"]).len(), 1);
}

#[test]
fn the_name_of_a_wiped_agent_is_free_again() {
    let place = place();
    place.json(&["space", "create", "how"]);
    place.json(&["put", "how", "```python\nspace.put(task)\n```"]);
    let spawn = |task: &str| {
        let args =
            ["spawn", task, "--name", "amy", "--instructions", "how", "--spaces", "s=append"];
        place.json(&args)[0]["id"].as_str().unwrap().to_owned()
    };
    let first = spawn("the first");
    let taken = place.stoa(&["spawn", "x", "--name", "amy", "--instructions", "how"]);
    assert_eq!(taken.code, 5, "{taken:?}");
    place.json(&["agent", "wipe", "amy", "--yes"]);
    assert!(place.stoa(&["agent", "say", "amy", "hello"]).err.contains("the agent is wiped"));
    let second = spawn("the second");
    assert_ne!(first, second);
    assert_eq!(place.json(&["agent", "show", "amy"])[0]["id"], second.as_str());
    // Who it was is told by its id, for good.
    for (id, task) in [(&first, "the first"), (&second, "the second")] {
        let by = place.json(&["history", "s", "--by", id]);
        assert_eq!(by.len(), 1, "{by:?}");
        let atom = by[0]["refs"]["atom_id"].as_str().unwrap();
        let atom = &place.json(&["get", atom])[0];
        assert_eq!((&atom["content"], &atom["author"]), (&json!(task), &json!(id)));
    }
    place.json(&["agent", "wipe", "amy", "--yes"]);
    assert_eq!(place.json(&["grant", "s", "amy", "read"])[0]["born"], true);
    assert_eq!(place.json(&["audit"])[0]["breaches"], json!([]));
}

#[test]
fn an_action_is_given_what_it_may_hand_on() {
    let place = place();
    place.file("code.py", "print(space.level)");
    let exec =
        |spaces: &str| place.stoa(&["exec", "code.py", "--spaces", spaces, "--session", "helper"]);
    assert_eq!(exec("s=append:append").out, "append\n");
    let kid = ["--as", "helper", "grant", "s", "kid", "append"];
    assert_eq!(place.json(&kid)[0]["born"], true);
    assert_eq!(exec("s=append").code, 0);
    let refused = place.stoa(&["--as", "helper", "grant", "s", "another", "append"]);
    assert_eq!(refused.code, 4, "it may hand on nothing any more: {refused:?}");
    assert_eq!(place.stoa(&["--as", "kid", "put", "s", "x"]).code, 3, "with what rested on it");
    assert_eq!(exec("s=append:all").code, 2);
}

#[test]
fn a_description_is_read_and_changed() {
    let place = place();
    let about = || place.json(&["space", "show", "s"])[0]["description"].clone();
    assert_eq!(place.json(&["space", "describe", "s", "said anew"])[0]["description"], "said anew");
    assert_eq!(place.start(&["space", "describe", "s"], b"from a pipe\n").end().code, 0);
    assert_eq!(about(), "from a pipe");
    place.file("read.py", "print(space.description)\nspace.describe('by code')\nspace.description");
    let read = place.json(&["exec", "read.py", "--spaces", "s=write"]);
    assert_eq!(
        (&read[0]["printed"], &read[0]["value"]),
        (&json!("from a pipe\n"), &json!("'by code'"))
    );
    assert_eq!(about(), "by code");
    let empty = place.stoa(&["space", "describe", "s"]);
    assert!(
        empty.code == 2 && empty.err.contains("the description is missing or empty"),
        "{empty:?}"
    );
    place.json(&["grant", "s", "eve", "read"]);
    assert_eq!(place.stoa(&["--as", "eve", "space", "describe", "s", "x"]).code, 4);
    let long = place.stoa(&["space", "describe", "s", &"x".repeat(65_537)]);
    assert_eq!(long.code, 2, "{}", long.err);
    assert_eq!(about(), "by code");
}

#[test]
fn a_lease_has_one_name_and_may_last_for_weeks() {
    let place = place();
    let got = place.json(&["lease", "acquire", "s", "./src//app/", "--lease", "30d"]);
    assert_eq!(got[0]["resource"], "src/app");
    for same in ["src/app", "src/app/", "./src/app", "src/x/../app"] {
        assert_eq!(place.stoa(&["lease", "acquire", "s", same]).code, 5, "{same}");
    }
    let token = got[0]["token"].to_string();
    let under = format!("src//app={token}");
    let id = place.json(&["put", "s", "x"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(place.stoa(&["update", &id, "y", "--force", "--under", &under]).code, 0);
    let renew = ["lease", "renew", "s", "src/app/", "--token", &token, "--lease", "20d"];
    assert_eq!(place.json(&renew)[0]["token"].to_string(), token);
    place.json(&["lease", "release", "s", "./src/app", "--token", &token]);
    assert_eq!(place.stoa(&["lease", "acquire", "s", "x", "--lease", "31d"]).code, 2);
}
