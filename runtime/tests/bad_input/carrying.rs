//! A file that cannot be taken in says why, on which line and in which field, and changes nothing.

use crate::harness::{Ended, Place};
use std::fmt::Write;

/// A space with two atoms, one of them with two versions, exported to `all`; and an empty one.
fn filled() -> (Place, Vec<String>) {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let put = place.json(&["put", "tasks", "one", "--meta", "n=1"]);
    let id = put[0]["id"].as_str().unwrap().to_owned();
    place.json(&["update", &id, "two", "--force"]);
    place.json(&["put", "tasks", "three", "--ref", &format!("see={id}")]);
    assert_eq!(place.json(&["export", "tasks", "--to", "all"])[0]["events"], 3);
    place.json(&["--data", "new", "space", "create", "into"]);
    let text = std::fs::read_to_string(place.path("all")).unwrap();
    (place, text.lines().map(str::to_owned).collect())
}

fn head(place: &Place) -> serde_json::Value {
    place.json(&["--data", "new", "status"])[0]["head"].clone()
}

fn import(place: &Place, text: &[u8]) -> Ended {
    place.start(&["--data", "new", "import", "into"], text).end()
}

#[test]
fn what_is_invalid_with_a_file_is_named_by_line_and_field() {
    let (place, lines) = filled();
    let before = head(&place);
    let with = |line: usize, from: &str, to: &str| {
        let mut lines = lines.clone();
        assert!(lines[line].contains(from), "{} has no {from}", lines[line]);
        lines[line] = lines[line].replacen(from, to, 1);
        lines.join("\n")
    };
    let without = |line: usize| {
        let mut lines = lines.clone();
        lines.remove(line);
        lines.join("\n")
    };
    let deep = "[".repeat(200);
    let rows = [
        (
            with(0, "\"form\":1", "\"form\":9"),
            "line 1, form: 9, this build reads 1; use a newer stoa",
        ),
        (with(0, "\"cursor\":", "\"cursor\":-"), "line 1, cursor: not a whole number"),
        (
            with(1, "atom.put", "work.claimed"),
            "line 2, type: \"work.claimed\" is no event of an atom",
        ),
        (with(1, "\"version\":1", "\"version\":\"1\""), "line 2, body.version: not a whole number"),
        (with(1, "\"version\":1,", ""), "line 2, body.version: it is missing"),
        (with(1, "\"hop\":0", "\"hop\":0,\"more\":1"), "line 2, body.more: there is no such field"),
        (with(1, "\"hop\":0", "\"hop\":NaN"), "line 2: not JSON: expected value (column"),
        (
            with(1, "{\"n\":1}", "{\"n\":99999999999999999999}"),
            "line 2: 99999999999999999999 does not fit",
        ),
        (with(1, "{\"n\":1}", "{\"n\":1e999}"), "line 2: not JSON: number out of range (column"),
        (with(1, "{\"n\":1}", &deep), "line 2: not JSON: recursion limit exceeded (column"),
        (with(1, "{\"n\":1}", "{\"\":1}"), "line 2, body: a metadata key is empty; give it a name"),
        (with(1, "{\"n\":1}", "7"), "line 2, body.metadata: not an object"),
        (with(1, "\"agent:", "\"agent_"), "line 2, actor.agent_id: \"agent_"),
        (with(1, "\"ts\":\"2", "\"ts\":\"x2"), "line 2, ts: \"x2"),
        (with(1, "\"content\":\"one\"", "\"content\":7"), "line 2, body.content: not a text"),
        (with(1, "\"content\":\"one\"", "\"text\":7"), "line 2, body: it needs one of content"),
        (with(3, "\"see\":[\"", "\"see\":[\"no"), "line 4, body.references.see: \"no"),
        (without(1), "line 2, body.version: 2 of atom"),
        (without(2), "line 4, events: 3, but there are 2: lines are missing"),
        (without(4), "line 5: the file is cut short: its last line is not export.ended"),
        (format!("{}\n{{}}", lines.join("\n")), "line 6: there is something after the end"),
        (
            with(1, "\"content\":\"one\"", "\"content\":\"\u{0}\""),
            "line 2: not JSON: control character",
        ),
    ];
    let mut wrong = String::new();
    for (text, says) in rows {
        let ended = import(&place, text.as_bytes());
        let right = ended.code == 2
            && ended.out.is_empty()
            && ended.err.starts_with(&format!("error: stdin: {says}"))
            && ended
                .err
                .ends_with("\nhint: stoa --data OTHER_DIR export OTHER_SPACE --to NEW_FILE\n");
        if !right {
            writeln!(wrong, "{says}: {ended:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let bytes = [lines[0].as_bytes(), b"\n\xff\xfe\n"].concat();
    let ended = import(&place, &bytes);
    assert!(ended.err.starts_with("error: stdin: line 2: not UTF-8 text"), "{ended:?}");
    assert_eq!(head(&place), before, "nothing has changed");
}

/// What other programs write is told from a broken export, and the hint leads to how it is taken in.
#[test]
fn what_is_no_export_is_said_to_be_none() {
    let (place, lines) = filled();
    place.json(&["backup", "copy"]);
    let copy = std::fs::read(place.path("copy")).unwrap();
    let issue =
        r#"{"id":"bd-1","title":"Fix pump","status":"open","priority":1,"a":1,"b":2,"c":3}"#;
    let before = head(&place);
    let rows: [(&[u8], &str); 10] = [
        (b"", "an empty file; import takes"),
        (
            issue.as_bytes(),
            "an object with \"id\", \"title\", \"status\", \"priority\", \"a\", \"b\", …;",
        ),
        (
            b"{\"role\":\"user\",\"content\":\"hi\"}\n",
            "an object with \"role\", \"content\"; import",
        ),
        (b"[{\"title\":null,\"mapping\":{}}]\n", "not an object; import takes"),
        (b"{}", "an object with no keys; import takes"),
        (b"# Notes\n\n- one\n", "not JSON: expected value (column 1); import takes"),
        (b"id,title\n1,Fix\n", "not JSON: expected value (column 1); import takes"),
        (b"\xff\xfe{\0", "not UTF-8 text; import takes"),
        (lines[1].as_bytes(), "an export without its first line: this one is atom.put; import"),
        (b"{\"type\":\"message\"}", "no export of stoa, but an object with \"type\"; import takes"),
    ];
    for (bytes, says) in rows {
        let ended = import(&place, bytes);
        let told = ended.err.starts_with("error: stdin: line 1: ") && ended.err.contains(says);
        let hint = ended.err.ends_with("\nhint: stoa --data new put into -\n");
        assert!(ended.code == 2 && told && hint, "{says}: {ended:?}");
        place.file("an issue.jsonl", bytes);
        let ended = place.stoa(&["--data", "new", "import", "into", "an issue.jsonl"]);
        assert!(
            ended.err.ends_with("\nhint: stoa --data new put into --file 'an issue.jsonl'\n"),
            "{ended:?}"
        );
    }
    place.file("a.backup", copy);
    let ended = place.stoa(&["--data", "new", "import", "into", "a.backup"]);
    let says = "error: a.backup: line 1: a backup of a whole directory, no export of a space\n\
                hint: stoa --data NEW_DIR restore a.backup\n";
    assert_eq!((ended.code, &*ended.err), (2, says));
    assert_eq!(head(&place), before);
    // A mark that some editors put in front changes nothing.
    let marked = format!("\u{feff}{}\n", lines.join("\n"));
    assert_eq!(import(&place, marked.as_bytes()).code, 0);
}

/// Two copies of one space that went on by themselves.
#[test]
fn copies_that_went_on_by_themselves_are_merged() {
    let (place, _) = filled();
    let there = |args: &[&str]| place.json(&[&["--data", "new"], args].concat());
    there(&["import", "into", "all"]);
    let id = place.json(&["search", "tasks", "--newest"])[1]["id"].as_str().unwrap().to_owned();
    place.json(&["update", &id, "ours", "--force"]);
    there(&["update", &id, "theirs", "--force"]);
    there(&["update", &id, "theirs, and more", "--force", "--comment", "they went on"]);
    let fresh = there(&["put", "into", "theirs alone"])[0]["id"].as_str().unwrap().to_owned();
    there(&["export", "into", "--to", "theirs"]);
    let refused = place.stoa(&["import", "tasks", "theirs"]);
    let hint = "hint: stoa --data data import tasks theirs --merge\n";
    assert!(refused.code == 5 && refused.err.ends_with(hint), "{refused:?}");
    let merge = ["import", "tasks", "theirs", "--merge"];
    let done = place.json(&merge);
    let (new, attic) = (done[0]["imported"].clone(), done[0]["attic"].clone());
    assert_eq!((new, attic, &done[0]["lost_to"]), (1.into(), 2.into(), &serde_json::json!([id])));
    assert_eq!(place.json(&["get", &id])[0]["content"], "ours");
    assert_eq!(place.json(&["get", &fresh])[0]["content"], "theirs alone");
    let of = format!("attic_of={id}");
    let aside = place.json(&["search", "tasks", "--include-deprecated", "--meta", &of]);
    let said: Vec<_> = aside.iter().map(|it| it["content"].as_str().unwrap()).collect();
    assert_eq!(said, ["theirs", "theirs, and more"]);
    assert!(aside.iter().all(|it| it["superseded_by"] == id.as_str()), "{aside:?}");
    assert_eq!(place.json(&["search", "tasks", "--meta", &of]).len(), 0, "out of use");
    let before = place.json(&["status"])[0]["head"].clone();
    assert_eq!(place.json(&merge)[0]["attic"], 0);
    assert_eq!(place.json(&["status"])[0]["head"], before, "again it changes nothing");
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
    // What is merged leaves, and is the same elsewhere.
    place.json(&["export", "tasks", "--to", "merged"]);
    place.json(&["--data", "third", "space", "create", "s"]);
    place.json(&["--data", "third", "import", "s", "merged"]);
    let aside =
        place.json(&["--data", "third", "search", "s", "--include-deprecated", "--meta", &of]);
    assert_eq!(aside.len(), 2);
}

/// Behind thousands of good lines that would have been taken in one by one.
#[test]
fn a_broken_line_five_thousand_changes_nothing_at_all() {
    let (place, lines) = filled();
    let id = |n: u32| format!("01J{n:023}");
    let first = &lines[1];
    let own = first.split("\"atom_id\":\"").nth(1).unwrap()[..26].to_owned();
    let mut text = lines[0].clone() + "\n";
    for n in 0..6_000 {
        let line = first.replace(&own, &id(n));
        let line = if n == 4_998 { line.replace("\"version\":1", "\"version\":1.5") } else { line };
        text += &(line + "\n");
    }
    text += "{\"type\":\"export.ended\",\"events\":6000}\n";
    let before = head(&place);
    let ended = import(&place, text.as_bytes());
    let says = "error: stdin: line 5000, body.version: not a whole number\n";
    assert!(ended.code == 2 && ended.err.starts_with(says), "{ended:?}");
    assert_eq!(head(&place), before);
    let whole = text.replace("\"version\":1.5", "\"version\":1");
    let ended = import(&place, whole.as_bytes());
    assert_eq!(
        (ended.code, &*ended.out),
        (0, "imported 6000 versions from stdin; 0 were there already\n")
    );
    let found = place.json(&["--data", "new", "get", &id(5_999)]);
    assert_eq!(found[0]["content"], "one");
    // A line without an end, larger than any may be.
    let endless = [lines[0].as_bytes(), b"\n", &vec![b'x'; (64 << 20) + 9]].concat();
    let ended = import(&place, &endless);
    assert!(
        ended.err.starts_with("error: stdin: line 2: it is longer than "),
        "{:.200}",
        ended.err
    );
}

#[test]
fn what_is_not_the_importers_is_refused_and_tells_nothing() {
    let (place, lines) = filled();
    let text = lines.join("\n");
    place.file("all", &text);
    place.json(&["grant", "tasks", "reader", "read"]);
    place.json(&["space", "create", "box"]);
    place.json(&["grant", "box", "reader", "append"]);
    place.json(&["grant", "box", "writer", "write"]);
    let says = |args: &[&str]| {
        let ended = place.stoa(args);
        (ended.code, ended.err.lines().next().unwrap_or_default().to_owned())
    };
    assert_eq!(says(&["--as", "writer", "export", "tasks"]).0, 3);
    assert_eq!(says(&["--as", "reader", "import", "tasks", "all"]).0, 4);
    assert_eq!(says(&["--as", "reader", "import", "box", "all"]).0, 4);
    assert_eq!(says(&["--as", "writer", "import", "tasks", "all"]).0, 3);
    assert_eq!(says(&["import", "none", "all"]).0, 3);
    // Whether the importer can read what has the id makes no difference.
    place.json(&["grant", "box", "reader", "write"]);
    let (code, unreadable) = says(&["--as", "writer", "import", "box", "all"]);
    assert_eq!((code, &unreadable), (5, &says(&["--as", "reader", "import", "box", "all"]).1));
    assert!(unreadable.contains("cannot be imported under its id"), "{unreadable}");
    let done = place.json(&["--as", "writer", "import", "box", "all", "--new-ids"]);
    assert_eq!(done, [serde_json::json!({"imported": 3, "known": 0})]);
    let bent = text.replace("\"content\":\"two\"", "\"content\":\"bent\"");
    place.file("bent", bent);
    let (code, differs) = says(&["import", "tasks", "bent"]);
    assert!(code == 5 && differs.ends_with("--merge keeps both sides"), "{differs}");
    assert_eq!(place.json(&["import", "tasks", "all"])[0]["known"], 3);
    assert_eq!(place.json(&["audit"])[0]["breaches"], serde_json::json!([]));
}

#[test]
fn an_export_writes_over_nothing_and_half_of_one_has_no_name() {
    let (place, _) = filled();
    for (to, code, says) in [
        ("all", 5, "error: all is there already; an export never writes over it\n"),
        ("data", 5, "error: data is there already; an export never writes over it\n"),
        ("none/x", 1, "error: cannot write none/x: No such file or directory (os error 2)\n"),
    ] {
        let ended = place.stoa(&["export", "tasks", "--to", to]);
        assert_eq!((ended.code, &*ended.out), (code, ""), "{ended:?}");
        assert!(ended.err.starts_with(says), "{ended:?}");
    }
    assert_eq!(place.stoa(&["export", "nothing", "--to", "fresh"]).code, 3);
    let names: Vec<_> = std::fs::read_dir(place.path("")).unwrap().collect();
    assert_eq!(names.len(), 4, "configuration, data, new and all: {names:?}");
    for file in ["none", "data"] {
        let ended = place.stoa(&["import", "tasks", file]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.starts_with(&format!("error: cannot read {file}: ")), "{ended:?}");
    }
    // Beside an owner it is the same file.
    let serve = place.serve();
    place.json(&["export", "tasks", "--to", "again"]);
    let read = |name| std::fs::read_to_string(place.path(name)).unwrap();
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&read("again")), lines(&read("all")));
    assert_eq!(place.json(&["export", "tasks"]).len(), 5);
    assert_eq!(place.json(&["import", "tasks", "all"])[0]["known"], 3);
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
}
