//! Ranges and pages as they are typed, and as Python writes them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

use harness::{Ended, Place};
use rustix::process::Signal;

fn texts(ended: &Ended) -> Vec<String> {
    let of = |it: &serde_json::Value| it["content"].as_str().unwrap().to_owned();
    ended.lines().iter().map(of).collect()
}

/// A served directory with tasks of priorities 0 to 9 in it.
fn tasks() -> (Place, harness::Started) {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    let serve = place.serve();
    assert_eq!(place.json(&["status"])[0]["pid"], serve.pid());
    for n in 0..10 {
        let (text, priority) = (format!("task {n}"), format!("priority={n}"));
        place.json(&["put", "tasks", &text, "--meta", &priority]);
    }
    (place, serve)
}

fn exec(place: &Place, code: &str) -> Ended {
    place.file("code.py", code);
    place.stoa(&["exec", "code.py", "--spaces", "tasks=write"])
}

#[test]
fn a_range_is_typed_and_written_in_python() {
    let (place, serve) = tasks();
    let search = |meta: &[&str]| {
        let meta = meta.iter().flat_map(|it| ["--meta", it]);
        let args: Vec<&str> = ["search", "tasks", "--json"].into_iter().chain(meta).collect();
        place.stoa(&args)
    };
    assert_eq!(texts(&search(&["priority>=3", "priority<5.5"])), ["task 3", "task 4", "task 5"]);
    assert_eq!(texts(&search(&["priority>8"])), ["task 9"]);
    assert_eq!(texts(&search(&[r#"priority={"in":[1,7]}"#])), ["task 1", "task 7"]);
    assert_eq!(texts(&search(&["priority!=4", "priority<=5", "priority>3"])), ["task 5"]);
    for (wrong, told) in [("priority=>3", "does not compare"), (r#"priority={">":[]}"#, "a list")] {
        let ended = search(&[wrong]);
        assert_eq!(ended.code, 2, "{wrong}: {ended:?}");
        assert!(ended.err.contains(told) && ended.err.contains("priority>=3"), "{ended:?}");
    }
    let claimed = place.json(&["claim", "tasks", "--meta", "priority>=7", "--lease", "9m"]);
    assert_eq!(claimed[0]["content"], "task 7");
    let code = r#"
found = space.search(metadata={"priority": {">=": 3, "<": 6}})
print([it.metadata["priority"] for it in found])
print(space.claim(metadata={"priority": {"!=": 0}}, lease="9m").content)
try:
    space.search(metadata={"priority": {">=": [1]}})
except ValueError as error:
    print(error)
"#;
    let ended = exec(&place, code);
    let told = ">= on \"priority\" compares with a number or a text, not with a list";
    assert_eq!(ended.out, format!("[3, 4, 5]\ntask 1\n{told}\n"), "{ended:?}");
    let wrong = place.stoa(&["watch", "tasks", "--no-follow", "--meta", r#"priority={">>":1}"#]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    serve.signal(Signal::TERM);
    serve.end();
}

#[test]
fn page_by_page_everything_is_found_once() {
    let (place, serve) = tasks();
    for query in [None, Some("task 7")] {
        let (mut found, mut next) = (Vec::new(), None);
        for page in 0.. {
            let mut args = vec!["search", "tasks", "--json", "--limit", "4"];
            args.extend(query);
            let after: Option<String> = next.take();
            args.extend(after.iter().flat_map(|it| ["--after", it]));
            let ended = place.stoa(&args);
            assert_eq!((ended.code, &*ended.err), (0, ""));
            found.extend(texts(&ended));
            let lines = ended.lines();
            assert_eq!(lines.len(), [4, 4, 2][page], "page {page}");
            assert!(lines.iter().rev().skip(1).all(|it| it.get("next").is_none()));
            match lines.last().unwrap()["next"].as_str() {
                Some(cursor) => next = Some(cursor.to_owned()),
                None => break,
            }
        }
        found.sort_unstable();
        assert_eq!(found, (0..10).map(|n| format!("task {n}")).collect::<Vec<_>>());
    }
    let ended = place.stoa(&["search", "tasks", "task", "--limit", "4"]);
    let (_, cursor) = ended.err.trim().split_once("--after ").unwrap();
    place.json(&["put", "tasks", "task of somebody else"]);
    let moved = place.stoa(&["search", "tasks", "task", "--after", cursor]);
    assert!(moved.code == 0 && moved.err.contains("the space has changed"), "{moved:?}");
    let other = place.stoa(&["search", "tasks", "another", "--after", cursor]);
    assert!(other.code == 2 && other.err.contains("hint: stoa search"), "{other:?}");
    serve.signal(Signal::TERM);
    serve.end();
}

#[test]
fn python_goes_on_behind_the_last_hit() {
    let (place, serve) = tasks();
    let code = r#"
for query in [None, "task 7"]:
    seen = []
    hits = space.search(query, limit=3)
    while hits:
        seen += [it.metadata["priority"] for it in hits]
        hits = space.search(query, limit=3, after=hits[-1])
    print(len(seen), sorted(seen) == list(range(10)))
try:
    space.search(after="00000000000000000000000000")
except ValueError as error:
    print(error)
"#;
    let ended = exec(&place, code);
    assert!(ended.out.starts_with("10 True\n10 True\ncannot go on behind this"), "{ended:?}");
    serve.signal(Signal::TERM);
    serve.end();
}
