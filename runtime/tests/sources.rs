//! Documents into a space over a real store: bad input is told, a run that is cut off is completed,
//! and the space says what the files say.

#![expect(clippy::expect_used, reason = "a test says what it takes for given")]

#[path = "sources/cut_off.rs"]
mod cut_off;

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stoa::caller::Caller;
use stoa::config::{Config, SourceLimits};
use stoa::problem::{Problem, ProblemKind};
use stoa::research::{Ingested, Reason, ingest};
use stoa::runtime::Runtime;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::Query;
use stoa_actors::value::Value;

struct Place {
    dir: tempfile::TempDir,
    runtime: Runtime,
    caller: Caller,
    space: SpaceId,
    limits: SourceLimits,
}

impl Place {
    async fn new() -> Place {
        Place::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut SourceLimits)) -> Place {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("docs")).expect("a folder");
        let mut config = Config::at(dir.path().join("data"));
        config.limits.search.hits_max = 100_000;
        let mut limits = SourceLimits::default();
        set(&mut limits);
        let runtime = stoa::open(config).await.expect("opens");
        let caller = runtime.caller(ROOT);
        let space = caller.create_space("sources", "").await.expect("space");
        Place { dir, runtime, caller, space, limits }
    }

    fn docs(&self) -> PathBuf {
        self.dir.path().join("docs").canonicalize().expect("a folder")
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.docs().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(&path, text).expect("a file");
        path
    }

    async fn ingest(&self) -> Result<Ingested, Problem> {
        self.bring(&[self.docs()]).await
    }

    async fn bring(&self, paths: &[PathBuf]) -> Result<Ingested, Problem> {
        ingest(&self.caller, self.space, paths, &self.limits, &mut |_| {}).await
    }

    async fn all(&self, kind: &str) -> Vec<Arc<Atom>> {
        let metadata = [("kind".to_owned(), Value::from(kind))].into();
        let query = Query { metadata, limit: 100_000, ..Query::default() };
        let found = self.caller.search(self.space, query).await.expect("search");
        found.into_iter().map(|it| it.read.atom).collect()
    }

    /// What the space says of each passage: path, number, lines, annotation and text; each once.
    async fn said(&self) -> BTreeMap<(String, i64), (i64, i64, String, String)> {
        let mut said = BTreeMap::new();
        let files: BTreeMap<AtomId, String> =
            self.all("file").await.iter().map(|it| (it.id, text(it, "path"))).collect();
        for atom in self.all("passage").await {
            let Content::Text(content) = &atom.content else { panic!("{:?}", atom.content) };
            let path = text(&atom, "path");
            assert_eq!(atom.references.len(), 1);
            assert_eq!(atom.references[0].relation, "of");
            assert_eq!(files.get(&atom.references[0].target), Some(&path));
            let lines = (int(&atom, "first"), int(&atom, "last"));
            let says = (lines.0, lines.1, atom.annotation.clone(), content.clone());
            let other = said.insert((path, int(&atom, "n")), says);
            assert_eq!(other, None, "a passage is there twice");
        }
        said
    }

    async fn head(&self) -> u64 {
        self.caller.spaces().await.expect("spaces").iter().map(|it| it.entries).sum()
    }
}

fn text(atom: &Atom, key: &str) -> String {
    atom.metadata.get(key).and_then(Value::text).expect("a text").to_owned()
}

fn int(atom: &Atom, key: &str) -> i64 {
    match atom.metadata.get(key) {
        Some(Value::Int(number)) => *number,
        other => panic!("{key} is {other:?}"),
    }
}

fn page(sections: usize, salt: &str) -> String {
    let body = "Some words that fill the section, more of them and then a few. ".repeat(9);
    (0..sections).fold(format!("# Page of {salt}\n\n"), |page, n| {
        page + &format!("## Section {n}\n\n{salt} says in section {n}:\n{body}\n\n")
    })
}

fn counts(it: &Ingested) -> [usize; 5] {
    [it.files, it.new, it.changed, it.unchanged, it.removed]
}

fn names(it: &Ingested) -> Vec<(String, &Reason)> {
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    it.skipped.iter().map(|it| (name(&it.path), &it.reason)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_said_with_what_to_type() {
    let place = Place::with(|limits| limits.files_max = 3).await;
    let folder = |name: &str| {
        let path = place.dir.path().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        path
    };
    let (empty, binaries, many) = (folder("empty"), folder("binaries"), folder("many"));
    std::fs::write(binaries.join("a.o"), b"\x7fELF\0\0\0").expect("a file");
    std::fs::write(binaries.join("b"), (128..=255).collect::<Vec<u8>>()).expect("a file");
    (0..4).for_each(|n| std::fs::write(many.join(n.to_string()), "words").expect("a file"));
    let hidden = folder("hidden");
    std::fs::create_dir(hidden.join(".git")).expect("a folder");
    std::fs::write(hidden.join(".git/config"), "words in it").expect("a file");
    for (path, kind, says) in [
        (place.dir.path().join("nowhere"), ProblemKind::Unknown, "no file or folder"),
        (empty, ProblemKind::Invalid, "nothing to read in"),
        (hidden, ProblemKind::Invalid, "nothing to read in"),
        (binaries, ProblemKind::Invalid, "is no text, and 1 more are skipped"),
        (many.clone(), ProblemKind::Invalid, "more than 3 files"),
    ] {
        let problem = place.bring(&[path]).await.expect_err("nothing to read");
        assert_eq!(problem.kind, kind, "{problem}");
        assert!(problem.text.contains(says), "{problem}");
        assert_eq!(problem.hint.as_deref(), Some("stoa research QUESTION --files PATH"));
    }
    let problem = place.bring(&[]).await.expect_err("nothing is named");
    assert!(problem.text.contains("no file or folder is named"), "{problem}");
    assert_eq!(place.all("file").await.len(), 0);
    // As many as there may be are read.
    std::fs::remove_file(many.join("3")).expect("removes");
    assert_eq!(place.bring(&[many]).await.expect("reads").files, 3);
    place.runtime.stop().await.expect("stops");
}

/// Links in circles, links to the same file, pipes, broken links, huge and closed files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_is_read_once_and_the_rest_is_listed() {
    let place = Place::with(|limits| limits.file_bytes_max = 4_096).await;
    let docs = place.docs();
    place.write("sub/a.txt", "the words of the file a\n");
    place.write("b.txt", "the words of the file b\n");
    place.write("empty.txt", "");
    place.write("huge.txt", "many words ".repeat(1_000));
    place.write("binary.txt", "words\0words");
    let closed = place.write("closed.txt", "the words of a closed file\n");
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o0)).expect("permissions");
    symlink(&docs, docs.join("sub/loop")).expect("a link");
    symlink("self", docs.join("self")).expect("a link");
    symlink("nowhere", docs.join("broken")).expect("a link");
    symlink("b.txt", docs.join("a link to b")).expect("a link");
    std::fs::hard_link(docs.join("b.txt"), docs.join("z.txt")).expect("a link");
    pipe(&docs.join("pipe"));
    let done = place.bring(&[docs.clone(), docs.join("sub"), docs.clone()]).await.expect("reads");
    let root = std::fs::read(&closed).is_ok();
    assert_eq!(counts(&done), [2 + usize::from(root), 2 + usize::from(root), 0, 0, 0]);
    let skipped: BTreeMap<_, _> = names(&done).into_iter().collect();
    assert_eq!(skipped["binary.txt"], &Reason::Binary);
    assert_eq!(skipped["huge.txt"], &Reason::Large { max: 4_096 });
    assert_eq!(skipped["empty.txt"], &Reason::Empty);
    assert_eq!(skipped["broken"], &Reason::Vanished);
    assert_eq!(skipped["pipe"], &Reason::Special);
    assert!(matches!(skipped["self"], Reason::Unreadable(_)), "{skipped:?}");
    assert_eq!(skipped.contains_key("closed.txt"), !root);
    let said = place.said().await;
    let paths: Vec<&str> = said.keys().map(|(path, _)| path.as_str()).collect();
    let expected = [docs.join("b.txt"), docs.join("closed.txt"), docs.join("sub/a.txt")];
    let expected = expected.iter().filter(|it| root || !it.ends_with("closed.txt"));
    assert_eq!(paths, expected.map(|it| it.to_str().expect("UTF-8")).collect::<Vec<_>>());
    place.runtime.stop().await.expect("stops");
}

fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_not_changed_costs_no_write() {
    let place = Place::new().await;
    let path = place.write("a.md", page(5, "alpha"));
    place.write("b.html", "<title>B</title><h1>Head</h1>\n<p>one two three\n<p>four five six");
    let first = place.ingest().await.expect("reads");
    assert_eq!(counts(&first), [2, 2, 0, 0, 0]);
    let head = place.head().await;
    let again = place.ingest().await.expect("reads");
    assert_eq!(counts(&again), [2, 0, 0, 2, 0]);
    assert_eq!(again.passages, first.passages);
    // Another time of change, the same bytes.
    let file = std::fs::File::options().append(true).open(&path).expect("a file");
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000)).expect("a time");
    assert_eq!(counts(&place.ingest().await.expect("reads")), [2, 0, 0, 2, 0]);
    // Size and time are believed: it is not even opened.
    let b = place.docs().join("b.html");
    let time = b.metadata().expect("b").modified().expect("a time");
    std::fs::write(&b, "<title>B</title><h1>Head</h1>\n<p>one two three\n<p>four five SIX")
        .expect("a file");
    std::fs::File::options().append(true).open(&b).expect("b").set_modified(time).expect("a time");
    assert_eq!(counts(&place.ingest().await.expect("reads")), [2, 0, 0, 2, 0]);
    assert_eq!(place.head().await, head, "nothing was written");
    let said = place.said().await;
    let b = said.iter().find(|((path, _), _)| path.ends_with("b.html")).expect("b").1;
    assert_eq!(b.2, "B › Head");
    assert_eq!(b.3, "Head\none two three\nfour five six");
    place.runtime.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_has_new_versions_of_the_same_atoms() {
    let place = Place::new().await;
    place.write("a.md", page(6, "alpha"));
    place.ingest().await.expect("reads");
    let before: BTreeMap<i64, Arc<Atom>> =
        place.all("passage").await.into_iter().map(|it| (int(&it, "n"), it)).collect();
    assert_eq!(before.len(), 6);
    // The fourth section says something else, the last two are gone.
    place.write("a.md", page(4, "alpha").replace("alpha says in section 3", "beta was here"));
    let done = place.ingest().await.expect("reads");
    assert_eq!((counts(&done), done.passages), ([1, 0, 1, 0, 0], 4));
    let after: BTreeMap<i64, Arc<Atom>> =
        place.all("passage").await.into_iter().map(|it| (int(&it, "n"), it)).collect();
    assert_eq!(after.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3]);
    for n in 0..4 {
        assert_eq!(after[&n].id, before[&n].id);
        assert_eq!(after[&n].version, if n == 3 { 2 } else { 1 }, "passage {n}");
    }
    let old = place.caller.get(before[&5].id).await.expect("readable by id").atom;
    assert!(old.deprecated.is_some());
    // And back again: what is out of use stays so, new atoms take the numbers.
    place.write("a.md", page(6, "alpha"));
    place.ingest().await.expect("reads");
    let said = place.said().await;
    assert_eq!(said.len(), 6);
    let other = Place::new().await;
    other.write("a.md", page(6, "alpha"));
    other.ingest().await.expect("reads");
    let (ours, theirs) = (said.values(), other.said().await);
    assert!(ours.eq(theirs.values()), "as if it had never changed");
    place.runtime.stop().await.expect("stops");
    other.runtime.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_renamed_or_no_text_any_more_is_out_of_use() {
    let place = Place::new().await;
    for name in ["gone.md", "old.md", "turns.md", "sub/stays.md"] {
        place.write(name, page(3, name));
    }
    assert_eq!(place.ingest().await.expect("reads").new, 4);
    std::fs::remove_file(place.docs().join("gone.md")).expect("removes");
    std::fs::rename(place.docs().join("old.md"), place.docs().join("new.md")).expect("renames");
    place.write("turns.md", "no text\0");
    // What is outside the paths is not looked at.
    let only = place.bring(&[place.docs().join("sub")]).await.expect("reads");
    assert_eq!(counts(&only), [1, 0, 0, 1, 0]);
    assert_eq!(place.all("file").await.len(), 4);
    let done = place.ingest().await.expect("reads");
    assert_eq!(counts(&done), [2, 1, 0, 1, 3]);
    let said = place.said().await;
    let mut names: Vec<&str> =
        said.keys().filter_map(|(path, _)| path.rsplit('/').next()).collect();
    names.dedup();
    assert_eq!((names, said.len()), (vec!["new.md", "stays.md"], 6));
    // It comes back as another atom.
    place.write("gone.md", page(3, "gone.md"));
    let done = place.ingest().await.expect("reads");
    assert_eq!((counts(&done), done.passages), ([3, 1, 0, 2, 0], 9));
    assert_eq!(place.said().await.len(), 9);
    assert_eq!(counts(&place.ingest().await.expect("reads")), [3, 0, 0, 3, 0]);
    place.runtime.stop().await.expect("stops");
}

/// Two at once by the same session make the same atoms; one may be told that the other was first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_make_one_of_each() {
    let place = Place::new().await;
    (0..20).for_each(|n| drop(place.write(&format!("{n}.md"), page(3, &format!("file {n}")))));
    let (one, two) = tokio::join!(place.ingest(), place.ingest());
    for done in [one, two] {
        match done {
            Ok(done) => assert_eq!((done.files, done.passages), (20, 60)),
            Err(problem) => assert_eq!(problem.kind, ProblemKind::Conflict, "{problem}"),
        }
    }
    let done = place.ingest().await.expect("reads");
    assert_eq!((done.files, done.passages), (20, 60));
    assert_eq!(place.said().await.len(), 60);
    assert_eq!(place.all("file").await.len(), 20);
    assert_eq!(place.all("catalogue").await.len(), 1);
    place.runtime.stop().await.expect("stops");
}

/// A file that somebody writes all the time is read as it was at one moment, or listed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changes_all_the_time_is_whole_or_skipped() {
    let place = Place::new().await;
    place.write("still.md", "words that stay as they are\n");
    let path = place.write("busy.txt", "round 0 and its words\n".repeat(50));
    let stop = Arc::new(AtomicBool::new(false));
    let over = stop.clone();
    let busy = path.clone();
    let writer = std::thread::spawn(move || {
        let mut round = 0;
        while !over.load(Ordering::Relaxed) {
            round += 1;
            let next = busy.with_extension("next~");
            let text = format!("round {round} and its words\n").repeat(50 + round % 7);
            std::fs::write(&next, text).expect("a file");
            std::fs::rename(&next, &busy).expect("renames");
        }
        round
    });
    for _ in 0..20 {
        let done =
            place.bring(&[path.clone(), place.docs().join("still.md")]).await.expect("reads");
        assert_eq!(done.files + done.skipped.len(), 2, "{done:?}");
        let fits = |it: &Reason| matches!(it, Reason::Changing(3));
        assert!(done.skipped.iter().all(|it| fits(&it.reason)), "{:?}", done.skipped);
        let mut rounds: Vec<String> = Vec::new();
        for ((path, _), (.., text)) in place.said().await {
            if path.ends_with("busy.txt") {
                rounds.extend(text.lines().map(|it| it.split(' ').nth(1).expect("n").to_owned()));
            }
        }
        rounds.dedup();
        assert!(rounds.len() <= 1, "two moments in one file: {rounds:?}");
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writer.join().expect("the writer") > 0);
    place.runtime.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_tiny_files_are_no_trouble() {
    let place = Place::new().await;
    for n in 0..20_000 {
        place.write(&format!("{}/{n}.txt", n % 100), format!("the tiny file {n} of many\n"));
    }
    let start = Instant::now();
    let done = place.ingest().await.expect("reads");
    let first = start.elapsed();
    assert_eq!((counts(&done), done.passages), ([20_000, 20_000, 0, 0, 0], 20_000));
    let start = Instant::now();
    let again = place.ingest().await.expect("reads");
    let second = start.elapsed();
    assert_eq!(counts(&again), [20_000, 0, 0, 20_000, 0]);
    assert!(first < Duration::from_secs(60), "{first:?}");
    assert!(second * 4 < first, "{second:?} against {first:?}");
    place.runtime.stop().await.expect("stops");
}
