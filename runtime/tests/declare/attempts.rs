//! Tasks that are tried in vain.

use super::{CONVENTION, open, open_tasks, put, says};
use std::collections::BTreeMap;
use stoa::caller::{ClaimAsk, WriteOptions};
use stoa::problem::ProblemKind;
use stoa_actors::id::{AtomId, ROOT};
use stoa_actors::search::{OrderBy, Query};
use stoa_actors::space::{ClaimPredicate, Expect, Patch};
use stoa_actors::value::Value;

/// A worker that fails takes a task as often as it may, and then the task is out of the way: at once
/// when its last lease ends in vain, and with the next claim where it was given back as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_was_tried_in_vain_is_out_of_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("tasks", "").await.unwrap();
    let hard = put(&caller, space, "hard", open_tasks()).await;
    let easy = put(&caller, space, "easy", open_tasks()).await;
    let status = |it: &'static str| says(&[("status", it.into())]);
    let ask = ClaimAsk {
        wanted: ClaimPredicate { metadata: open_tasks(), ..ClaimPredicate::default() },
        set: status("doing"),
        lease_ms: 60_000,
        attempts_max: Some(2),
        exhausted: status("failed"),
        ..ClaimAsk::default()
    };
    let mut undo = true;
    for (n, expected) in [(1, hard), (2, hard), (1, easy), (2, easy)] {
        let taken =
            caller.claim(space, ask.clone(), WriteOptions::default()).await.unwrap().unwrap();
        let atom = &taken.read.atom;
        assert_eq!((atom.id, atom.attempts), (expected, n));
        let (resource, token) = (taken.lease.resource, Some(taken.lease.token));
        undo = undo && expected == hard;
        if !undo {
            // It says itself that it is open again.
            let patch = Patch { metadata: status("open"), ..Patch::default() };
            caller.update(expected, Expect::Any, patch, WriteOptions::default()).await.unwrap();
        }
        caller.release(space, resource, token, undo, WriteOptions::default()).await.unwrap();
        let now = caller.get(expected).await.unwrap().atom;
        let failed = expected == hard && n == 2;
        assert_eq!(now.metadata, status(if failed { "failed" } else { "open" }));
        assert_eq!(now.attempts, n);
    }
    // Tried as often as it may be, and still open: the next claim sees to it, and goes on.
    let last = put(&caller, space, "last", open_tasks()).await;
    let taken = caller.claim(space, ask.clone(), WriteOptions::default()).await.unwrap().unwrap();
    assert_eq!((taken.read.atom.id, taken.read.atom.attempts), (last, 1));
    let gone = caller.get(easy).await.unwrap().atom;
    assert_eq!((gone.metadata.clone(), gone.attempts, gone.version), (status("failed"), 2, 6));
    assert_eq!(caller.claim(space, ask.clone(), WriteOptions::default()).await, Ok(None));
    // A claim that does not count claims it; who lets it be tried anew says so.
    let patch = Patch { metadata: status("open"), attempts: Some(0), ..Patch::default() };
    caller.update(hard, Expect::Any, patch, WriteOptions::default()).await.unwrap();
    let again = caller.claim(space, ask.clone(), WriteOptions::default()).await.unwrap().unwrap();
    assert_eq!((again.read.atom.id, again.read.atom.attempts), (hard, 1));
    for (attempts_max, exhausted) in
        [(Some(0), status("failed")), (None, status("failed")), (Some(1), status("open"))]
    {
        let wrong = ClaimAsk { attempts_max, exhausted, ..ask.clone() };
        let refused = caller.claim(space, wrong, WriteOptions::default()).await.unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Invalid);
    }
    // The count goes where the atom goes.
    let mut copied = Vec::new();
    let mut export = caller.export(space).await.unwrap();
    while let Some(piece) = export.piece().await.unwrap() {
        copied.extend(piece);
    }
    let counts: Vec<u64> = copied.iter().filter(|it| it.id == easy).map(|it| it.attempts).collect();
    assert_eq!(counts, [0, 1, 1, 2, 2, 2]);
    runtime.stop().await.unwrap();
}

/// Workers that always fail, all at once: every task is claimed as often as it may be and no more, in
/// the order of the ranks as far as they were never given back, and then there is nothing left.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_fail_come_to_an_end() {
    const TASKS: i64 = 40;
    const ATTEMPTS: u64 = 3;
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("tasks", CONVENTION).await.unwrap();
    for n in 0..TASKS {
        let mut metadata = open_tasks();
        metadata.insert("priority".to_owned(), Value::Int(n * 7 % TASKS));
        put(&caller, space, "task", metadata).await;
    }
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let caller = runtime.caller(ROOT);
        workers.spawn(async move {
            let status = |it: &'static str| says(&[("status", it.into())]);
            let ask = ClaimAsk {
                wanted: ClaimPredicate { metadata: open_tasks(), ..ClaimPredicate::default() },
                set: status("doing"),
                order: vec![OrderBy::ascending("priority")],
                lease_ms: 60_000,
                attempts_max: Some(ATTEMPTS),
                exhausted: status("failed"),
                ..ClaimAsk::default()
            };
            let mut got = Vec::new();
            while let Some(taken) =
                caller.claim(space, ask.clone(), WriteOptions::default()).await.unwrap()
            {
                let (resource, token) = (taken.lease.resource, Some(taken.lease.token));
                caller
                    .release(space, resource, token, true, WriteOptions::default())
                    .await
                    .unwrap();
                got.push((taken.read.position, taken.read.atom));
            }
            got
        });
    }
    let mut all: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    all.sort_by_key(|it| it.0);
    let mut counts: BTreeMap<AtomId, u64> = BTreeMap::new();
    for (_, atom) in &all {
        let count = counts.entry(atom.id).or_default();
        *count += 1;
        assert_eq!(atom.attempts, *count, "the count is on the atom");
    }
    assert!(
        counts.len() as i64 == TASKS && counts.values().all(|it| *it == ATTEMPTS),
        "{counts:?}"
    );
    let first = all.iter().filter(|(_, it)| it.attempts == 1);
    let ranks: Vec<_> = first.map(|(_, it)| it.metadata["priority"].clone()).collect();
    assert_eq!(ranks, (0..TASKS).map(Value::Int).collect::<Vec<_>>());
    let failed = Query { metadata: says(&[("status", "failed".into())]), ..Query::default() };
    let failed = Query { limit: 100, ..failed };
    assert_eq!(caller.search(space, failed).await.unwrap().len() as i64, TASKS);
    runtime.stop().await.unwrap();
}
