//! Circles of a relation, and what is waited for.

use super::{claim, declares, done, open_tasks, put};
use std::collections::BTreeMap;
use stoa::caller::{Caller, GrantRequest, WriteOptions};
use stoa::config::Config;
use stoa::problem::{Problem, ProblemKind};
use stoa_actors::id::{AtomId, ROOT};
use stoa_actors::rights::Level;
use stoa_actors::space::{Blocked, ClaimPredicate, Expect, Patch};

async fn refer(caller: &Caller, id: AtomId, to: &[AtomId]) -> Result<(), Problem> {
    let references = [("blocked_by".to_owned(), to.to_vec())].into();
    let patch = Patch { references, ..Patch::default() };
    caller.update(id, Expect::Any, patch, WriteOptions::default()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circle_is_refused_and_what_is_waited_for_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    config.limits.acyclic_atoms_max = 3;
    let runtime = stoa::open(config).await.unwrap();
    let caller = runtime.caller(ROOT);
    let acyclic = "---\ndeclares: [status:text, blocked_by:relation:acyclic]\n---\n";
    let space = caller.create_space("tasks", acyclic).await.unwrap();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(put(&caller, space, &format!("task {n}"), open_tasks()).await);
    }
    for (from, to) in [(0, 1), (1, 2), (2, 3)] {
        refer(&caller, ids[from], &[ids[to]]).await.unwrap();
    }
    for (from, to) in [(2, 0), (1, 0), (2, 2)] {
        let refused = refer(&caller, ids[from], &[ids[to]]).await.unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Conflict);
        assert!(refused.text.contains("\"blocked_by\"") && refused.text.contains("acyclic"));
        assert_eq!(refused.hint, Some(format!("stoa get {}", ids[to])));
    }
    let far = refer(&caller, ids[4], &[ids[0]]).await.unwrap_err();
    assert!(far.kind == ProblemKind::Invalid && far.text.contains("more than 3 atoms"), "{far:?}");
    refer(&caller, ids[4], &[ids[1], ids[3]]).await.unwrap();
    caller.declare(space, declares(&["status:text", "blocked_by:relation"])).await.unwrap();
    refer(&caller, ids[3], &[ids[0]]).await.unwrap();
    refer(&caller, ids[3], &[]).await.unwrap();

    let blockers = async |id: AtomId, references| -> Vec<(Option<AtomId>, Blocked)> {
        let waits = caller.waits(id, references).await.unwrap();
        assert_eq!(waits.is_stuck(), waits.blockers.iter().any(|it| it.why.is_gone()));
        waits.blockers.iter().map(|it| (it.target, it.why)).collect()
    };
    let open = [(Some(ids[1]), Blocked::Unfit), (Some(ids[3]), Blocked::Unfit)];
    assert_eq!(blockers(ids[4], done("blocked_by")).await, open);
    assert_eq!(blockers(ids[3], done("blocked_by")).await, []);
    assert_eq!(blockers(ids[4], BTreeMap::new()).await, []);
    caller.erase(ids[1], Expect::Any, WriteOptions::default()).await.unwrap();
    caller.deprecate(ids[3], Expect::Any, Some(ids[0]), WriteOptions::default()).await.unwrap();
    let gone = [(Some(ids[1]), Blocked::Erased), (Some(ids[3]), Blocked::Deprecated(Some(ids[0])))];
    for references in [done("blocked_by"), BTreeMap::new()] {
        assert_eq!(blockers(ids[4], references).await, gone);
    }
    // What a claim that finds nothing did not take, and why.
    let wanted = ClaimPredicate { metadata: open_tasks(), references: done("blocked_by") };
    assert_eq!(claim(&caller, space, wanted.clone()).await, Ok(0));
    let waiting = caller.waiting(space, wanted, 100).await.unwrap();
    let stuck: Vec<(AtomId, bool)> =
        waiting.iter().map(|it| (it.read.atom.id, it.is_stuck())).collect();
    assert_eq!(stuck, [(ids[0], true), (ids[2], true), (ids[4], true)]);
    // Somebody else may read the task, and not all that it waits for.
    let hidden = caller.create_space("hidden", "").await.unwrap();
    let blocker = put(&caller, hidden, "secret", open_tasks()).await;
    refer(&caller, ids[4], &[blocker]).await.unwrap();
    let grant =
        GrantRequest { level: Level::Read, delegate: None, expires_ms: None, reason: "".into() };
    let reader = caller.grant("tasks", "reader", grant).await.unwrap().session;
    let waits = runtime.caller(reader).waits(ids[4], done("blocked_by")).await.unwrap();
    assert_eq!(waits.blockers[0].why, Blocked::Hidden);
    assert_eq!(blockers(ids[4], done("blocked_by")).await, [(Some(blocker), Blocked::Unfit)]);
    assert!(runtime.caller(reader).waits(blocker, BTreeMap::new()).await.is_err());
    let typo = caller.waits(ids[4], done("blockedby")).await.unwrap_err();
    assert_eq!(typo.kind, ProblemKind::Invalid);
    runtime.stop().await.unwrap();
}
