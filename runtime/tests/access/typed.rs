//! The same as people and scripts ask for it.

use super::harness::Place;
use rustix::process::Signal;
use serde_json::{Value, json};

fn line(place: &Place, args: &[&str]) -> Value {
    place.json(args).remove(0)
}

fn setting() -> Place {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let more = ["--delegate", "read", "--reason", "she asked"];
    place.json(&[&["grant", "tasks", "ann", "grant"][..], &more].concat());
    place.json(&["grant", "tasks", "bob", "append", "--expires", "2h", "--reason", "for a while"]);
    place
}

#[test]
fn access_says_who_has_what_from_whom_since_when_and_until_when() {
    let place = setting();
    let all = place.json(&["access", "tasks"]);
    let of = |name: &str| all.iter().find(|it| it["session_name"] == name).unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
    let (owner, ann, bob) = (of("owner"), of("ann"), of("bob"));
    assert_eq!(
        (&owner["level"], &owner["from"], &owner["kind"]),
        (&json!("grant"), &json!(null), &json!("owner"))
    );
    assert_eq!((&ann["level"], &ann["delegate"]), (&json!("grant"), &json!("read")));
    assert_eq!((&ann["from_name"], &ann["reason"]), (&json!("owner"), &json!("she asked")));
    assert_eq!((&ann["until"], &ann["kind"]), (&json!(null), &json!("session")));
    assert!(bob["until"].as_str() > bob["since"].as_str(), "{bob}");
    let people = place.stoa(&["access", "tasks"]);
    for says in ["ann", "grant, may pass on read", "\towner\t2", "she asked", "\t2"] {
        assert!(people.out.contains(says), "{says:?}: {people:?}");
    }
    let own = place.json(&["access", "--of", "bob"]);
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["name"], &own[0]["level"]), (&json!("tasks"), &json!("append")));
    assert_eq!(place.json(&["access", "tasks", "--of", "ann"]).len(), 1);
    // Who may not grant there sees what concerns it.
    let bobs = place.json(&["access", "tasks", "--as", "bob"]);
    assert_eq!(bobs.len(), 1, "{bobs:?}");
    assert_eq!(place.json(&["access", "tasks", "--as", "ann"]).len(), 3);
}

/// One that is there and one that is not are the same to whom neither concerns.
#[test]
fn a_session_that_is_not_ones_concern_is_as_if_it_were_not_there() {
    let place = setting();
    let ann = line(&place, &["access", "--of", "ann"])["session"].as_str().unwrap().to_owned();
    let nobody = "01JZZZZZZZZZZZZZZZZZZZZZZZ";
    let there = place.stoa(&["access", "--of", &ann, "--as", "bob"]);
    let not = place.stoa(&["access", "--of", nobody, "--as", "bob"]);
    assert_eq!((there.code, not.code), (3, 3), "{there:?} {not:?}");
    assert_eq!(there.err.replace(&ann, nobody), not.err);
    let sessions = place.json(&["session", "list", "--as", "bob"]);
    assert_eq!(sessions.len(), 1, "itself: {sessions:?}");
    let none = place.stoa(&["access"]);
    assert_eq!(none.code, 2, "{none:?}");
}

#[test]
fn grants_refusals_and_revokes_are_in_the_history_with_their_reasons() {
    let place = setting();
    place.json(&["revoke", "tasks", "bob", "--reason", "enough"]);
    // A reader makes a new session with more than it may pass on.
    place.json(&["grant", "tasks", "eve", "read"]);
    assert_eq!(place.stoa(&["grant", "tasks", "new", "write", "--as", "eve"]).code, 4);
    let history = place.json(&["history", "tasks"]);
    let rights: Vec<&Value> =
        history.iter().filter(|it| it["type"].as_str().unwrap().starts_with("right.")).collect();
    let said: Vec<(&str, &str)> = rights
        .iter()
        .map(|it| (it["type"].as_str().unwrap(), it["body"]["comment"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            ("right.granted", "she asked"),
            ("right.granted", "for a while"),
            ("right.revoked", "enough"),
            ("right.granted", ""),
            ("right.refused", ""),
        ]
    );
    assert_eq!(rights[1]["body"]["right"]["to_name"], "bob");
    assert_eq!(rights[4]["actor"]["name"], "eve");
    let cursors: Vec<u64> = history.iter().map(|it| it["cursor"].as_u64().unwrap()).collect();
    assert!(cursors.is_sorted(), "one cursor: {cursors:?}");
    let newest = place.json(&["history", "tasks", "--newest", "--limit", "1"]);
    assert_eq!(&newest[0], history.last().unwrap());
    let by = place.json(&["history", "tasks", "--by", "eve"]);
    assert_eq!(by.len(), 1, "{by:?}");
    let says = place.json(&["history", "tasks", "--comment", "ENOUGH"]);
    assert_eq!(says.len(), 1, "{says:?}");
    let watch = ["watch", "tasks", "--cursor", "0", "--no-follow"];
    assert_eq!(place.json(&watch), history);
    let revoked = place.json(&[&watch[..], &["--type", "right.revoked"]].concat());
    assert_eq!(revoked.len(), 1);
    // To a reader it is as if there were none but its own.
    let eves = place.json(&["history", "tasks", "--as", "eve"]);
    let kinds: Vec<&str> = eves.iter().map(|it| it["type"].as_str().unwrap()).collect();
    let rights = kinds.iter().filter(|it| it.starts_with("right.")).count();
    assert_eq!(rights, 2, "{kinds:?}");
}

#[test]
fn sessions_are_listed_with_what_they_are() {
    let place = setting();
    place.json(&["space", "create", "how"]);
    place.json(&["put", "how", "```python\npass\n```"]);
    place.json(&["spawn", "work", "--name", "amy", "--instructions", "how"]);
    let all = place.json(&["session", "list"]);
    let told: Vec<(&str, &str, &str)> = all
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or("-");
            (text("name"), text("kind"), text("state"))
        })
        .collect();
    let expected = [
        ("owner", "owner", "living"),
        ("ann", "session", "living"),
        ("bob", "session", "living"),
        ("amy", "agent", "idle"),
    ];
    assert_eq!(told, expected);
    assert!(all[1]["since"].is_string() && all[0]["since"].is_null(), "{all:?}");
    place.json(&["agent", "wipe", "amy", "--yes"]);
    assert_eq!(place.json(&["session", "list"]).len(), 3);
    let ended = place.json(&["session", "list", "--all"]);
    let amy = ended.iter().find(|it| it["kind"] == "agent").unwrap();
    assert_eq!((&amy["state"], amy["ended"].is_string()), (&json!("ended"), true), "{amy}");
}

/// Through another process, behind a cursor: nothing of before, and what is given then.
#[test]
fn a_watch_tells_of_what_is_given_while_it_looks() {
    let place = setting();
    let serve = place.serve();
    let first = place.json(&["put", "tasks", "x"])[0]["position"].as_u64().unwrap();
    let watch = place.start(&["watch", "tasks", "--cursor", &first.to_string()], b"");
    place.json(&["grant", "tasks", "zoe", "read", "--reason", "while it looks"]);
    watch.wait_for("the grant", |out| out.contains("while it looks"));
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
    watch.signal(Signal::TERM);
    let lines = watch.end().lines();
    let grants = lines.iter().filter(|it| it["type"] == "right.granted");
    let grants: Vec<u64> = grants.map(|it| it["cursor"].as_u64().unwrap()).collect();
    assert!(grants.len() == 1 && grants[0] > first, "{lines:?}");
    serve.signal(Signal::TERM);
    serve.end();
}

/// What one says in short and the other at length is the same.
#[test]
fn whoami_and_access_agree() {
    let place = setting();
    place.json(&["grant", "tasks", "bob", "read"]);
    for who in ["ann", "bob"] {
        let short = line(&place, &["whoami", "--as", who]);
        let rights = place.json(&["access", "--of", who, "--as", who]);
        let order = ["read", "append", "write", "grant"];
        let levels = rights.iter().map(|it| it["level"].as_str().unwrap());
        let most = levels.max_by_key(|it| order.iter().position(|level| level == it));
        assert_eq!(short["spaces"]["tasks"].as_str(), most, "{who}: {short} {rights:?}");
        assert!(rights.iter().all(|it| it["session"] == short["id"]));
    }
}

#[test]
fn code_asks_the_same() {
    let place = setting();
    place.file(
        "ask.py",
        "for it in space.access():\n    print(it['level'], it['reason'])\n\
         print([it['level'] for it in coordinator.access()])\n\
         print([it['kind'] for it in coordinator.sessions()])\n\
         print([it['to'] is not None for it in space.history() if it['type'] == 'right.granted'])",
    );
    let grant = line(&place, &["exec", "ask.py", "--spaces", "tasks=grant"]);
    let printed = grant["printed"].as_str().unwrap();
    assert!(
        printed.contains("grant she asked\n") && printed.contains("append for a while\n"),
        "{printed}"
    );
    assert!(printed.contains("['grant']\n['action']\n[True, True]\n"), "{printed}");
    let read = line(&place, &["exec", "ask.py", "--spaces", "tasks=read"]);
    let printed = read["printed"].as_str().unwrap();
    assert_eq!(printed, "read one action\n['read']\n['action']\n[]\n");
}

/// Who acts is told its own name, a way to one under another is a name as well, and what is misspelt
/// is told what is near.
#[test]
fn names_are_told_and_taken_wherever_one_is() {
    let place = Place::new();
    place.json(&["space", "create", "build"]);
    let granted = place.stoa(&["grant", "build", "alice", "grant", "--delegate", "read"]);
    assert!(granted.out.starts_with("granted to a new session of yours: alice, "), "{granted:?}");
    place.json(&["grant", "build", "bob", "append"]);
    // The name is hers: it makes another bob.
    let granted = place.stoa(&["--as", "alice", "grant", "build", "bob", "read"]);
    assert!(granted.out.contains("a new session of yours: bob, "), "{granted:?}");
    let granted = place.stoa(&["--as", "alice", "grant", "build", "dave", "append"]);
    assert_eq!(granted.code, 0, "{granted:?}");
    let id = place.json(&["--as", "alice/dave", "whoami"])[0]["id"].clone();
    let put = place.json(&["--as", "alice/dave", "put", "build", "x"]).remove(0);
    assert_eq!((&put["author"], &put["author_name"]), (&id, &"dave".into()), "{put}");
    let lost = place.stoa(&["--as", "dave", "put", "build", "x"]);
    assert_eq!(lost.code, 3, "{lost:?}");
    assert!(lost.err.contains("no session \"dave\" of yours; there is \"alice/dave\""), "{lost:?}");
    assert!(lost.err.ends_with("hint: stoa --data data access --of alice/dave\n"), "{lost:?}");
    let access = place.stoa(&["access", "alice"]);
    assert!(access.err.ends_with("hint: stoa --data data access --of alice\n"), "{access:?}");
    let space = place.stoa(&["search", "buid"]);
    assert!(space.err.contains("no space \"buid\" that you can read; there is \"build\""));
    assert!(space.err.ends_with("hint: stoa --data data space show build\n"), "{space:?}");
    // What she may not see is not near.
    place.json(&["space", "create", "secret"]);
    let space = place.stoa(&["--as", "alice", "search", "secre"]);
    assert!(!space.err.contains("there is"), "{space:?}");
    let session = place.stoa(&["--as", "bob", "access", "--of", "alic"]);
    assert!(!session.err.contains("there is"), "{session:?}");
    // An agent under her is named by the way to it as well.
    place.json(&["put", "build", "```python\npass\n```"]);
    let spawn = ["--as", "alice", "spawn", "x", "--name", "helper", "--instructions", "build"];
    let spawned = place.json(&spawn).remove(0);
    let shown = place.json(&["agent", "show", "alice/helper"]).remove(0);
    assert_eq!(shown["id"], spawned["id"]);
    assert_eq!(place.stoa(&["agent", "show", "bob/helper"]).code, 3);
    assert_eq!(place.stoa(&["agent", "show", "alice/dave"]).code, 3, "he is no agent");
    // Only ids, and of what has none nothing.
    for line in [&["session", "list"][..], &["access", "build"], &["history", "build"]] {
        let quiet = place.stoa(&[line, &["-q"]].concat());
        let ids: Vec<&str> = quiet.out.lines().collect();
        assert!(!ids.is_empty() && ids.iter().all(|it| it.len() == 26), "{line:?}: {quiet:?}");
    }
}
