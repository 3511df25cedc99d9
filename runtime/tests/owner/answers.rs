//! An answer has a bound, and says how to go on; what is large hides nothing else, and nothing is
//! changed whose answer cannot be told.

use crate::harness::Place;
use std::collections::BTreeSet;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa_actors::atom::Content;
use stoa_actors::id::{AtomId, ROOT};
use stoa_actors::search::Query;
use stoa_actors::space::{Draft, Mutation};

/// Found by one atom of 6 MB: no search that met it could be read, and a claim of it was made and
/// never told.
#[test]
fn a_large_atom_hides_no_other_and_a_claim_of_it_is_told() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    let big = place.file("big", "a".repeat(6_000_000));
    let big = big.to_str().unwrap();
    place.json(&["put", "board", "--file", big, "--meta", "status=todo"]);
    place.json(&["put", "board", "small"]);
    let code = r#"
big, small = space.search(limit=5)
print(big.cut, big.size, len(big.content) < 100000, "cut here" in big.content)
print(small.cut, small.size, small.content)
print(space.read(big, start=5999990) == "a" * 10, len(space.read(big, end=1000)))
taken = space.claim(metadata={"status": "todo"}, set={"status": "doing"}, lease="1h")
print(taken.id == big.id, taken.cut, taken.lease["token"])
whole, start = 0, 0
while True:
    part = space.read(taken, start=start, end=start + 1000000)
    whole, start = whole + len(part), start + len(part)
    if not part:
        break
print(whole)
"#;
    place.file("look.py", code);
    let ended = place.stoa(&["exec", "look.py", "--spaces", "board=write"]);
    assert_eq!((ended.code, &*ended.err), (0, ""), "{}", ended.out);
    let said = "True 6000000 True True\nFalse 5 small\nTrue 1000\nTrue True 1\n6000000\n";
    assert_eq!(ended.out, said);
}

#[test]
fn an_answer_that_ends_early_says_how_to_go_on() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    let fill = r#"
hub = space.put("hub")
for n in range(30):
    space.put(str(n) + "x" * 500000, references={"of": [hub.id]})
"#;
    place.file("fill.py", fill);
    assert_eq!(place.stoa(&["exec", "fill.py", "--spaces", "board=write"]).code, 0);
    let look = r#"
hub = space.search(limit=1)[0]
seen, hits = 0, space.search(limit=100)
while hits:
    seen += len(hits)
    hits = space.search(limit=100, after=hits[-1])
referring, rows = 0, space.references(hub, "<-of")
while rows:
    referring += len(rows)
    rows = space.references(hub, "<-of", skip=referring)
print(seen, referring)
"#;
    place.file("look.py", look);
    let ended = place.stoa(&["exec", "look.py", "--spaces", "board=read"]);
    assert_eq!((ended.code, &*ended.out), (0, "31 30\n"), "{}", ended.err);
    assert!(ended.err.contains("after=hits[-1] goes on"), "{}", ended.err);
    assert!(ended.err.contains("skip=7 goes on"), "{}", ended.err);
    // The command line goes on by itself.
    assert_eq!(place.json(&["search", "board", "--limit", "31"]).len(), 31);
}

async fn large_atoms(caller: &Caller, count: usize) -> BTreeSet<AtomId> {
    let space = caller.create_space("large", "").await.unwrap();
    let draft = || Draft { content: Content::Text("x".repeat(1 << 20)), ..Draft::default() };
    let mut ids = BTreeSet::new();
    for _ in 0..count / 4 {
        let four = (0..4).map(|_| Mutation::Put(Box::new(draft()))).collect();
        let written = caller.transact(space, four, WriteOptions::comment("fill")).await.unwrap();
        ids.extend(written.into_iter().map(|it| it.id));
    }
    ids
}

/// Two searches of all of it took as much memory as there was to find, twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_collected_for_an_answer_is_bounded_and_pages_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = stoa::open(Config::at(dir.path())).await.unwrap();
    let root = runtime.caller(ROOT);
    let all = large_atoms(&root, 64).await;
    let space = root.resolve("large").unwrap();
    let most = runtime.config().answer_bytes_max;
    let query = Query { limit: 1_000, ..Query::default() };
    let bytes =
        |hits: &[stoa::search::Found]| hits.iter().map(|it| it.read.atom.bytes()).sum::<usize>();
    let first = root.search(space, query.clone()).await.unwrap();
    assert!(bytes(&first) <= most && first.len() == 16, "{}", first.len());
    let (mut found, mut after, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = root.page(space, query.clone(), after.as_deref()).await.unwrap();
        assert!(bytes(&page.hits) <= most);
        found.extend(page.hits.iter().map(|it| it.read.atom.id));
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (all, 4));
    runtime.stop().await.unwrap();
}

/// What a step costs does not grow with what its session holds.
#[test]
fn code_is_handed_a_part_of_many_spaces_and_opens_the_others() {
    let place = Place::new();
    for n in 0..70 {
        let name = format!("space {n}");
        place.json(&["space", "create", &name]);
        place.json(&["grant", &name, "amy", if n == 69 { "append" } else { "read" }]);
    }
    let run = |code: &str| {
        place.file("code.py", code);
        place.stoa(&["exec", "code.py", "--session", "amy"])
    };
    let ended = run("print(len(spaces), space.name in spaces, spaces['space 5'].level)");
    assert_eq!((ended.code, &*ended.out, &*ended.err), (0, "64 True read\n", ""));
    let ended = run("spaces['space 69']");
    assert_eq!(ended.code, 7);
    assert!(ended.err.contains("coordinator.space(\"NAME\") opens any"), "{}", ended.err);
    let ended =
        run("one = coordinator.space('space 69')\nprint(one.name, one.level)\nput = one.put('x')");
    assert_eq!((ended.code, &*ended.out), (0, "space 69 append\n"), "{}", ended.err);
    assert_eq!(place.json(&["search", "space 69"]).len(), 1);
    let ended = run("coordinator.space('nowhere')");
    assert_eq!(ended.code, 7);
    assert!(ended.err.contains("nowhere"), "{}", ended.err);
}
