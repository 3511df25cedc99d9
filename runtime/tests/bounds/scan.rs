//! Every queue of the sources is known: a new one is listed here with what bounds it, and with a test
//! that fills it where it can grow.

use crate::sources::{packages, sources as files};
use std::collections::BTreeMap;
use std::path::Path;

/// Package and file, how often it makes or names a queue, and what bounds it.
const QUEUES: &[(&str, usize, &str)] = &[
    ("api/operation/out.rs", 1, "answers_max, and answers_bytes_max: bounds/door.rs"),
    ("kernel/agents/incidents.rs", 1, "INCIDENTS_MAX, the oldest goes: agents/incidents.rs"),
    ("kernel/host/stream_head.rs", 1, "one place a stream that is followed: host/stream_head.rs"),
    ("kernel/host/shown.rs", 1, "the mailbox of the rights: host/address/tests.rs"),
    ("log/log.rs", 2, "mailboxes and log_bytes_max: bounds.rs"),
    ("log/log/acker.rs", 1, "TOLD_COMMITS_MAX: bounds.rs"),
    ("log/log/gathered.rs", 4, "what mailboxes and log_bytes_max let in: bounds.rs"),
    ("log/log/redact.rs", 1, "the atoms that one entry erases: limits of a transaction"),
    ("log/log/writer.rs", 4, "offers_max flights; erased atoms, each with a place in a mailbox"),
    ("kernel/model.rs", 1, "replies that whoever made the model has given it"),
    ("log/order/local.rs", 1, "one: the writer takes a commit before it offers the next"),
    ("sandbox/in_process.rs", 1, "one call of an action"),
    ("kernel/search/live.rs", 1, "one batch: index_batch_bytes"),
    ("kernel/search/past.rs", 2, "search_pasts_max and search_atoms_max"),
    ("research/walk.rs", 2, "links among files_max files"),
];

/// How many queues a line makes or names. Channels for one answer, and those that keep the last value
/// alone, are none.
fn queues(line: &str) -> usize {
    let code = line.split("//").next().unwrap_or_default();
    if code.trim_start().starts_with("use ") || code.trim_start().starts_with("pub use ") {
        return 0;
    }
    let single = ["oneshot::channel", "watch::channel"];
    let channels =
        ["channel(", "channel::<"].map(|it| code.matches(it).count()).iter().sum::<usize>();
    let channels = channels - single.map(|it| code.matches(it).count()).iter().sum::<usize>();
    let others = ["VecDeque", "LinkedList", "FuturesUnordered", "SegQueue", "ArrayQueue"];
    channels + others.map(|it| code.matches(it).count()).iter().sum::<usize>()
}

#[test]
fn every_queue_is_listed_with_what_bounds_it() {
    let mut found = BTreeMap::new();
    for (package, folder) in packages().into_iter().filter(|(name, _)| name != "actors") {
        let src = folder.join("src");
        for file in files(&src).into_iter().filter(|file| !file.ends_with("tests.rs")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let count: usize = text.lines().map(queues).sum();
            let name = file.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            if count > 0 {
                found.insert(format!("{package}/{name}"), count);
            }
        }
    }
    let listed: BTreeMap<String, usize> =
        QUEUES.iter().map(|(file, count, _)| ((*file).to_owned(), *count)).collect();
    assert_eq!(found, listed, "left: the sources; right: the list, where a new one needs a test");
}

#[test]
fn the_search_knows_a_queue_when_it_sees_one() {
    assert_eq!(queues("    let (to, from) = mpsc::channel(64);"), 1);
    assert_eq!(queues("    let (to, from) = unbounded_channel::<Arc<Face>>();"), 1);
    assert_eq!(queues("    waiting: VecDeque<Request>,"), 1);
    assert_eq!(queues("    let (tell, hear) = oneshot::channel();"), 0);
    assert_eq!(queues("use std::sync::mpsc::channel;"), 0);
}

/// What the head of `bounds.rs` promises is there.
#[test]
fn every_test_that_is_named_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let head = read("tests/bounds.rs");
    let tests = [
        "tests/bounds.rs",
        "tests/bounds/door.rs",
        "tests/steering/live.rs",
        "kernel/src/host/address/tests.rs",
        "kernel/src/host/stream_head.rs",
    ];
    let tests: String = tests.map(read).concat();
    let rows = head.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(1);
    let mut named = 0;
    for row in rows {
        let last = row.split(" | ").last().unwrap_or_default();
        let Some(name) = last.strip_prefix('`').and_then(|it| it.split('`').next()) else {
            continue;
        };
        assert!(tests.contains(&format!("fn {name}(")), "{name}");
        named += 1;
    }
    assert!(named >= 8, "only {named} tests are named");
}
