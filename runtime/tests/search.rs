//! Search over a real store: what was acknowledged is found, also after a restart, and nobody
//! finds or learns what it may not read.

#![expect(clippy::expect_used, reason = "a test says what it takes for given")]

#[path = "search/pages.rs"]
mod pages;

use std::collections::BTreeMap;
use stoa::caller::{Caller, ClaimAsk, GrantRequest, HistoryQuery, Of, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::problem::{Problem, ProblemKind};
use stoa::runtime::Runtime;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::{AtomId, Position, ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::{Condition, Query, Which};
use stoa_actors::space::{ClaimPredicate, Draft, Expect, Filter, Mutation, Patch, Terms};
use stoa_actors::value::Value;

fn draft(text: &str, metadata: &[(&str, &str)]) -> Draft {
    Draft {
        content: Content::from(text),
        metadata: metadata.iter().map(|(key, it)| ((*key).into(), Value::from(*it))).collect(),
        ..Draft::default()
    }
}

fn with(metadata: &[(&str, &str)]) -> Query {
    let metadata = metadata.iter().map(|(key, it)| ((*key).into(), Value::from(*it))).collect();
    Query { metadata, ..Query::default() }
}

async fn put(caller: &Caller, space: SpaceId, draft: Draft) -> AtomId {
    caller.put(space, draft, WriteOptions::default()).await.expect("put").id
}

async fn found(caller: &Caller, space: SpaceId, query: Query) -> Vec<AtomId> {
    let found = caller.search(space, query).await.expect("search");
    found.iter().map(|it| it.read.atom.id).collect()
}

/// Every writer finds what it has just written, and the newest version of it, whatever the others
/// do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_read_what_they_wrote() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let writers = (0..6).map(|writer| {
        let caller = caller.clone();
        tokio::spawn(async move {
            for n in 0..25 {
                let (owner, round) = (format!("w{writer}"), format!("n{n}"));
                let metadata = [("owner", &*owner), ("round", &*round), ("status", "open")];
                let id = put(&caller, space, draft("count the sheep", &metadata)).await;
                let query = Query { text: Some("sheep".into()), ..with(&metadata) };
                assert_eq!(found(&caller, space, query).await, [id]);
                let patch = Patch {
                    metadata: [("status".to_owned(), Value::from("done"))].into(),
                    ..Patch::default()
                };
                let expect = Expect::Version(1);
                caller.update(id, expect, patch, WriteOptions::default()).await.expect("update");
                assert_eq!(found(&caller, space, with(&metadata)).await, []);
                let done = with(&[("owner", &*owner), ("round", &*round), ("status", "done")]);
                let hits = caller.search(space, done).await.expect("search");
                assert_eq!((hits.len(), hits[0].read.atom.version), (1, 2));
                let stored = caller.get(id).await.expect("get");
                assert_eq!(hits[0].read, stored);
                assert!(stored.atom.embedding.is_some(), "an update embeds as well");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("writer");
    }
    let all = Query { limit: 1_000, ..Query::default() };
    assert_eq!(found(&caller, space, all).await.len(), 150);
    runtime.stop().await.expect("stops");
}

/// The last tasks of a runtime let go of the directory a moment after it has stopped.
async fn reopened(dir: &std::path::Path) -> Runtime {
    loop {
        match stoa::open(Config::at(dir)).await {
            Ok(runtime) => return runtime,
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// An index is made anew from the log: the same atoms with the same scores.
#[tokio::test]
async fn a_reopened_store_finds_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let texts = ["fix the login bug", "bake banana bread", "write release notes", "404"];
    let mut ids = Vec::new();
    for text in texts {
        ids.push(put(&caller, space, draft(text, &[("kind", "note")])).await);
    }
    let patch = Patch { annotation: Some("authentication".into()), ..Patch::default() };
    // Over whatever is there, so without a vector made for it, if another change came between.
    caller.update(ids[0], Expect::Any, patch, WriteOptions::default()).await.expect("update");
    caller.deprecate(ids[1], Expect::Any, None, WriteOptions::default()).await.expect("deprecate");
    let queries = [
        Query::text("authentication error"),
        Query { include_deprecated: true, ..Query::text("cake recipe") },
        with(&[("kind", "note")]),
    ];
    let mut before = Vec::new();
    for query in &queries {
        before.push(caller.search(space, query.clone()).await.expect("search"));
    }
    assert_eq!(before[0][0].read.atom.id, ids[0]);
    assert_eq!(before[1][0].read.atom.id, ids[1]);
    runtime.stop().await.expect("stops");
    drop((caller, runtime));
    let runtime = reopened(dir.path()).await;
    for (query, before) in queries.iter().zip(before) {
        let after = runtime.caller(ROOT).search(space, query.clone()).await.expect("search");
        assert_eq!(after, before, "{query:?}");
    }
    runtime.stop().await.expect("stops");
}

#[tokio::test]
async fn what_is_deprecated_is_read_but_not_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let old = put(&caller, space, draft("the old plan", &[])).await;
    let new = put(&caller, space, draft("the new plan", &[])).await;
    assert_eq!(found(&caller, space, Query::text("the old plan")).await, [old, new]);
    let expect = Expect::Version(1);
    caller.deprecate(old, expect, Some(new), WriteOptions::default()).await.expect("deprecate");
    assert_eq!(found(&caller, space, Query::text("plan")).await, [new]);
    assert_eq!(found(&caller, space, Query::default()).await, [new]);
    let also = Query { include_deprecated: true, ..Query::default() };
    assert_eq!(found(&caller, space, also).await, [old, new]);
    assert_eq!(caller.get(old).await.expect("get").atom.version, 2);
    runtime.stop().await.expect("stops");
}

fn read() -> GrantRequest {
    GrantRequest { level: Level::Read, delegate: None, expires_ms: None, reason: String::new() }
}

/// Without read there is no space; a target that cannot be read does not fit, and one that refers
/// from there is not seen.
#[tokio::test]
async fn nobody_finds_or_learns_what_it_may_not_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let root = runtime.caller(ROOT);
    let tasks = root.create_space("tasks", "").await.expect("space");
    let secret = root.create_space("secret", "").await.expect("space");
    let done = [("status", "completed")];
    let hidden = put(&root, secret, draft("hidden", &done)).await;
    let refers = |relation: &str, target| Draft {
        references: BTreeMap::from([(relation.to_owned(), vec![target])]),
        ..draft("task", &[])
    };
    let task = put(&root, tasks, refers("blocked_by", hidden)).await;
    put(&root, secret, refers("watches", task)).await;
    let granted = root.grant("tasks", "guest", read()).await.expect("grant");
    let guest = runtime.caller(granted.session);

    let forbidden = guest.search(secret, Query::default()).await.expect_err("forbidden");
    let unknown = guest.search(SpaceId([9; 16]), Query::default()).await.expect_err("unknown");
    let told = |problem: &Problem, space: SpaceId| {
        (problem.kind, problem.text.replace(&space.to_string(), "SPACE"), problem.hint.clone())
    };
    assert_eq!(told(&forbidden, secret), told(&unknown, SpaceId([9; 16])));
    assert_eq!(forbidden.kind, ProblemKind::Unknown);

    let ask = |relation: &str, which, metadata: &[(&str, &str)]| Query {
        references: [(relation.to_owned(), Condition { which, metadata: with(metadata).metadata })]
            .into(),
        ..Query::default()
    };
    let open = ask("blocked_by", Which::All, &done);
    assert_eq!(found(&root, tasks, open.clone()).await, [task]);
    assert_eq!(found(&guest, tasks, open.clone()).await, []);
    assert_eq!(found(&guest, tasks, ask("blocked_by", Which::None, &done)).await, [task]);
    let watched = ask("<-watches", Which::Any, &[]);
    assert_eq!(found(&root, tasks, watched.clone()).await, [task]);
    assert_eq!(found(&guest, tasks, watched).await, []);

    root.grant("secret", "guest", read()).await.expect("grant");
    assert_eq!(found(&guest, tasks, open.clone()).await, [task]);
    root.revoke("secret", "guest", "").await.expect("revoke");
    assert_eq!(found(&guest, tasks, open).await, []);
    root.revoke("tasks", "guest", "").await.expect("revoke");
    let revoked = guest.search(tasks, Query::default()).await.expect_err("revoked");
    assert_eq!(told(&revoked, tasks), told(&forbidden, secret));
    runtime.stop().await.expect("stops");
}

/// More spaces than have room: each is found in all the same.
#[tokio::test]
async fn an_index_that_was_dropped_is_made_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = Config { search_spaces_max: 2, search_atoms_max: 5, ..Config::at(dir.path()) };
    let runtime = stoa::open(config).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let mut spaces = Vec::new();
    for n in 0..4 {
        spaces.push(caller.create_space(&format!("s{n}"), "").await.expect("space"));
    }
    for round in 1..=3 {
        for space in &spaces {
            put(&caller, *space, draft("note", &[])).await;
            assert_eq!(found(&caller, *space, Query::text("note")).await.len(), round);
        }
    }
    runtime.stop().await.expect("stops");
}

#[tokio::test]
async fn over_a_limit_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let many = Query { limit: 1_001, ..Query::default() };
    let refused = caller.search(space, many).await.expect_err("refused");
    assert_eq!((refused.kind, refused.text.contains("1000")), (ProblemKind::Invalid, true));
    let long = Query::text("x".repeat(40_000));
    assert_eq!(caller.search(space, long).await.expect_err("refused").kind, ProblemKind::Invalid);
    runtime.stop().await.expect("stops");
}

/// A range finds what compares so; one that nobody can have meant is refused, wherever it is asked.
#[tokio::test]
async fn a_range_is_a_condition_like_any_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.expect("space");
    let mut ids = Vec::new();
    for priority in [1, 2, 3] {
        let metadata = [("priority".to_owned(), Value::Int(priority))].into();
        ids.push(put(&caller, space, Draft { metadata, ..draft("task", &[]) }).await);
    }
    let range = |operator: &str, bound: Value| -> Metadata {
        let range = Value::Map([(operator.to_owned(), bound)].into());
        [("priority".to_owned(), range)].into()
    };
    let urgent = Query { metadata: range("<", Value::Float(2.5)), ..Query::default() };
    assert_eq!(found(&caller, space, urgent).await, ids[..2]);
    let wanted = |metadata| ClaimPredicate { metadata, ..ClaimPredicate::default() };
    let claim = |metadata| {
        let ask = ClaimAsk { wanted: wanted(metadata), lease_ms: 1_000, ..ClaimAsk::default() };
        caller.claim(space, ask, WriteOptions::default())
    };
    let taken = claim(range(">", Value::Int(1))).await.expect("claim").expect("one");
    assert_eq!(taken.read.atom.id, ids[1]);

    let wrong = range(">>", Value::Int(1));
    let search = Query { metadata: wrong.clone(), ..Query::default() };
    let filter = || Filter { metadata: wrong.clone(), ..Filter::default() };
    let expect = Patch { expect: wrong.clone(), ..Patch::default() };
    let refused = [
        caller.search(space, search).await.expect_err("a search"),
        claim(wrong.clone()).await.expect_err("a claim"),
        caller
            .subscribe(space, filter(), None, Terms::default())
            .await
            .expect_err("a subscription"),
        caller.follow(space, Position(0), filter()).err().expect("a follower"),
        caller
            .update(ids[0], Expect::Any, expect, WriteOptions::default())
            .await
            .expect_err("an update"),
    ];
    for problem in refused {
        assert_eq!(problem.kind, ProblemKind::Invalid, "{problem}");
        assert!(problem.text.contains("\">>\" is no comparison of \"priority\""), "{problem}");
        let hint = problem.hint.expect("a hint");
        assert!(hint.contains("--meta 'priority>=3'"), "{hint}");
    }
    runtime.stop().await.expect("stops");
}

/// Found while a carried space was compared with the first: a search read the first version that an
/// entry holds of an atom, and an atom's history told of its neighbours in a transaction.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_versions_in_one_entry_the_last_is_found_and_each_is_told_once() {
    let dir = tempfile::tempdir().expect("it is done");
    let runtime = stoa::open(Config::at(dir.path())).await.expect("it opens");
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("notes", "").await.expect("a space");
    let put = |text: &str| Draft { content: Content::from(text), ..Draft::default() };
    let id = caller.put(space, put("water"), WriteOptions::default()).await.expect("it is done").id;
    let update = |text: &str| {
        let patch = Patch { content: Some(Content::from(text)), ..Patch::default() };
        Mutation::Update { id, expect: Expect::Any, patch: Box::new(patch) }
    };
    let all = vec![update("tides"), Mutation::Put(Box::new(put("sand"))), update("rising tides")];
    caller.transact(space, all, WriteOptions::comment("three")).await.expect("it is done");
    let found = caller.search(space, Query::text("tides")).await.expect("it is done");
    let read = &found[0].read.atom;
    assert_eq!((read.version, &read.content), (3, &Content::from("rising tides")));
    let told = caller.history(Of::Atom(id), HistoryQuery::first(9)).await.expect("it is done");
    let told: Vec<_> = told.iter().map(|it| it.atom).collect();
    assert_eq!(told, [Some((id, 1)), Some((id, 2)), Some((id, 3))]);
    let all = caller.history(Of::Space(space), HistoryQuery::first(9)).await.expect("it is done");
    assert_eq!(all.len(), 4);
    runtime.stop().await.expect("it is done");
}
