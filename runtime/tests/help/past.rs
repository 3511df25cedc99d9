//! Looking back, from the command line and from code.

use super::harness::Place;

const LOOK_BACK: &str = r#"
task = space.get({id})
first = space.get({id}, as_of={at})
assert (first.version, first.content, task.version) == (1, "one\n", 3)
assert [it.version for it in space.search(as_of={at})] == [1]
space.update({id}, metadata={"n": 4}, comment="on what is now, not on what was")
newest = space.history({id}, newest=True, limit=2)
assert [it["version"] for it in newest] == [4, 3], newest
older = space.history({id}, newest=True, before=newest[-1]["cursor"])
assert [it["version"] for it in older] == [2, 1], older
assert [it["version"] for it in space.history(comment="ON WH")] == [4]
assert space.history(by=task.author)[0]["type"] == "space.described"
found = space.diff({id}, 1, 3)
assert found["content"] == "@@ -1 +1 @@\n-one\n+three\n", found
assert found["metadata"] == {"n": {"from": None, "to": 3}}, found
try:
    space.search(as_of=10**9)
except ValueError as error:
    print(error)
"#;

#[test]
fn code_and_the_command_line_look_back() {
    let place = Place::new();
    place.json(&["space", "create", "tasks", "--description", "d"]);
    let put = place.json(&["put", "tasks", "one\n"]).remove(0);
    let (id, at) = (put["id"].as_str().expect("an id"), put["position"].to_string());
    place.json(&["update", id, "two\n", "--force"]);
    place.json(&["update", id, "three\n", "--meta", "n=3", "--force", "--comment", "third"]);
    place.file("look.py", LOOK_BACK.replace("{id}", &format!("{id:?}")).replace("{at}", &at));
    let ended = place.stoa(&["exec", "look.py", "--spaces", "tasks=write"]);
    assert_eq!((ended.code, &*ended.err), (0, ""), "{}", ended.out);
    assert!(ended.out.contains("position 1000000000 is ahead of the log"), "{}", ended.out);
    let then = place.json(&["get", id, "--as-of", &at]).remove(0);
    assert_eq!((&then["version"], &then["content"]), (&1.into(), &"one\n".into()));
    let found = place.json(&["search", "tasks", "--as-of", &at]);
    assert_eq!(found.iter().map(|it| it["version"].clone()).collect::<Vec<_>>(), [1]);
    let diff = place.stoa(&["diff", id, "2", "3"]);
    assert_eq!(diff.code, 0, "{}", diff.err);
    assert!(diff.out.contains("-two\n+three\n") && diff.out.contains("+ n 3"), "{}", diff.out);
    let page = place.stoa(&["history", "--newest", "--limit", "1", "--comment", "THIRD"]);
    assert!(page.out.contains("\"version\":3"), "{}", page.out);
    assert!(page.err.contains("there may be more: add --before "), "{}", page.err);
    // A comment is a line of its own, and no line of somebody else's.
    let forged = "x\n      99  2026-01-01T00:00:00Z  atom.erased";
    place.json(&["update", id, "--meta", "n=5", "--force", "--comment", forged]);
    let history = place.stoa(&["history", "tasks"]).out;
    assert_eq!(history.lines().count(), 6, "{history}");
    // Bytes that are others differ, also where there are as many.
    for byte in [b"\x00\x01\x02", b"\x00\x01\x03"] {
        place.file("bytes", byte);
        place.json(&["update", id, "--file", "bytes", "--media-type", "a/b", "--force"]);
    }
    let diff = place.json(&["diff", id]).remove(0);
    assert!(diff["content"]["diff"].as_str().is_some_and(|it| it.contains("3 bytes")), "{diff}");
    // An atom may have been given the id of a space: whoever names it means the space.
    let space = place.json(&["space", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let export = place.stoa(&["export", "tasks"]).out.replace(id, &space);
    place.file("carried", export);
    place.json(&["space", "create", "other"]);
    place.json(&["import", "other", "carried"]);
    assert_eq!(place.json(&["history", &space])[0]["type"], "space.described");
    for (args, said) in [
        (&["get", id, "--as-of", "yesterday"][..], "not a time"),
        (&["get", id, "--as-of", "1000000"], "ahead of the log"),
        (&["get", id, "--as-of", "1"], "was not there at 1"),
        (&["get", id, "--version", "1", "--as-of", "1"], "cannot be used with"),
        (&["diff", id, "1", "9"], "has versions 1 to 7"),
        (&["history", "tasks", "--by", "nobody"], "no session"),
    ] {
        let ended = place.stoa(args);
        assert!(ended.code != 0 && ended.err.contains(said), "{args:?}: {}", ended.err);
        assert!(ended.err.contains("hint: "), "{args:?}: {}", ended.err);
    }
}
