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
    for (wrong, told) in
        [("priority=>3", "is not a comparison"), (r#"priority={">":[]}"#, "a list")]
    {
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
    assert!(other.code == 2 && other.err.contains("hint: stoa --data data search"), "{other:?}");
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

#[test]
fn what_is_typed_as_text_stays_text() {
    let (place, serve) = tasks();
    let put = place.json(&[
        "put",
        "tasks",
        "build",
        "--meta",
        "sha=6063e25",
        "--meta",
        "commit=83e2010",
        "--meta",
        "version=1.10",
        "--meta",
        "zip=007",
        "--meta",
        "big=99999999999999999999",
        "--meta",
        "n=42",
        "--meta",
        r#"typed:="42""#,
        "--meta",
        "list:=[1, 2]",
        "--meta",
        "f=1.5",
    ]);
    assert_eq!(
        put[0]["metadata"],
        serde_json::json!({
            "sha": "6063e25", "commit": "83e2010", "version": "1.10", "zip": "007",
            "big": "99999999999999999999", "n": 42, "typed": "42", "list": [1, 2], "f": 1.5,
        })
    );
    for same in ["sha=6063e25", "version=1.10", "n=42", r#"typed:="42""#, "list:=[1,2]", "f<=1.5"] {
        assert_eq!(place.json(&["search", "tasks", "--meta", same]).len(), 1, "{same}");
    }
    let set = ["claim", "tasks", "--meta", "sha=6063e25", "--set", "sha=1e10"];
    assert_eq!(place.json(&set)[0]["metadata"]["sha"], "1e10");
    serve.signal(Signal::TERM);
    serve.end();
}

#[test]
fn a_condition_of_another_type_says_so() {
    let (place, serve) = tasks();
    place.json(&["put", "tasks", "x", "--meta", r#"n:="42""#, "--meta", r#"tags:=["a"]"#]);
    let note = |key: &str, asked: &str, found: &str, meant: &str| {
        format!(
            "note: the condition on {key:?} compares with {asked}, and no atom here has {asked} \
             there, but {found}; type {meant}\n"
        )
    };
    let number = note("n", "a number", "a text", r#"'n:="42"'"#);
    let list = note("tags", "a text", "a list", r#"'tags:={"contains":"a"}'"#);
    let text = note("priority", "a text", "a number", "'priority:=3'");
    for (meta, says) in [
        ("n=42", number.clone()),
        ("n>=42", note("n", "a number", "a text", r#"'n:>="42"'"#)),
        (r#"n:={"in": [41, 42]}"#, note("n", "a number", "a text", r#"'n:="41"'"#)),
        ("tags=a", list),
        (r#"priority:="3""#, text),
        (r#"any:=[{"n": 42}, {"n": 43}]"#, number.clone()),
        ("priority=99", "no matches\n".into()),
        ("unheard=1", "no matches\n".into()),
        ("priorty=1", "note: no atom here has the key \"priorty\"; there is \"priority\"\n".into()),
        (
            "Priority>=1",
            "note: no atom here has the key \"Priority\"; there is \"priority\"\n".into(),
        ),
    ] {
        let ended = place.stoa(&["search", "tasks", "--meta", meta]);
        assert_eq!((ended.code, &*ended.out, ended.err), (0, "", says), "{meta}");
    }
    let told = place.json(&["search", "tasks", "--meta", "n=42"]);
    assert_eq!((told.len(), &told[0]["meant"]), (1, &r#"'n:="42"'"#.into()), "{told:?}");
    let claim = place.stoa(&["claim", "tasks", "--meta", "n=42"]);
    assert!(claim.code == 3 && claim.err.starts_with(&number), "{claim:?}");
    let watch = place.stoa(&["watch", "tasks", "--no-follow", "--meta", "n=42"]);
    assert!(watch.code == 0 && watch.err == number, "{watch:?}");
    let follow = place.stoa(&["subscription", "add", "tasks", "--meta", "n=42"]);
    assert!(follow.code == 0 && follow.err == number, "{follow:?}");
    let code = "space.search(metadata={'n': 42})\nprint(space.claim(metadata={'n': 42}))";
    let ended = exec(&place, code);
    assert_eq!(ended.out, "None\n");
    assert!(number.starts_with(ended.err.trim_end()) && ended.err.len() > 20, "{ended:?}");
    serve.signal(Signal::TERM);
    serve.end();
}

/// Each way to ask understands the same conditions.
#[test]
fn one_language_of_conditions() {
    let (place, serve) = tasks();
    place.file(
        "fill.py",
        "space.put('a', metadata={'tags': ['x', 'y'], 'o': {'k': 1}, 'n': 3})\n\
         space.put('b', metadata={'tags': 'x', 'o': {'k': 2}, 'n': 4})",
    );
    assert_eq!(place.stoa(&["exec", "fill.py", "--spaces", "tasks=write"]).code, 0);
    for condition in [
        r#"tags:={"contains": "x"}"#,
        "o.k=1",
        "o.k<2",
        r#"any:=[{"o.k": 1}, {"n": 99}]"#,
        r#"any:=[{"tags": {"contains": "x"}, "n": {"<": 4}}, {"o.k": 7}]"#,
    ] {
        let found = place.stoa(&["search", "tasks", "--meta", condition, "--json"]);
        assert_eq!(texts(&found), ["a"], "{condition}");
        let lease = ["claim", "tasks", "--meta", condition, "--json"];
        let claimed = place.stoa(&lease);
        assert_eq!(texts(&claimed), ["a"], "{condition}");
        let token = claimed.lines()[0]["lease"]["token"].to_string();
        let id = claimed.lines()[0]["id"].as_str().unwrap().to_owned();
        place.json(&["lease", "release", "tasks", &id, "--token", &token]);
        let watch = ["watch", "tasks", "--cursor", "0", "--no-follow", "--type", "atom.put"];
        let seen = place.json(&[&watch[..], &["--meta", condition]].concat());
        assert_eq!(seen.len(), 1, "{condition}: {seen:?}");
        let sub = ["subscription", "add", "tasks", "--cursor", "0", "--type", "atom.put"];
        let sub = place.json(&[&sub[..], &["--meta", condition]].concat());
        let read = ["subscription", "read", sub[0]["id"].as_str().unwrap()];
        assert_eq!(place.json(&read).len(), 2, "{condition}: one change, and the cursor");
        let update = ["update", &id, "--force", "--meta", "seen=true", "--expect", condition];
        assert_eq!(place.stoa(&update).code, 0, "{condition}");
    }
    let code = r#"
for m in ({"tags": {"contains": "x"}}, {"o.k": 1}, {"any": [{"o.k": 1}, {"n": 99}]}):
    print(len(space.search(metadata=m)), space.claim(metadata=m, lease="1s") is not None)
for m in ({"n": {"$gt": 2}}, {"n": {"gt": 2}}, {"$or": [{"n": 3}]}, {"o": {"k": 1}}):
    for ask in ("search", "claim", "subscribe"):
        try:
            if ask == "search":
                space.search(metadata=m)
            elif ask == "claim":
                space.claim(metadata=m)
            else:
                space.subscribe(metadata=m)
            print("taken", m)
        except ValueError as error:
            print(str(error)[:40])
"#;
    let ended = exec(&place, code);
    let said = ended.out.lines().filter(|it| it.contains("is no comparison")).count();
    assert!(ended.out.starts_with("1 True\n1 "), "{ended:?}");
    assert_eq!((said, ended.out.contains("taken")), (9, false), "{ended:?}");
    serve.signal(Signal::TERM);
    serve.end();
}
