//! Atoms by the ends of their ids: a derived list that is sorted in parts, against all atoms looked
//! through.

use super::{open, settle, text};
use std::path::Path;
use stoa::audit::audit;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::problem::ProblemKind;
use stoa::runtime::{Runtime, kinds};
use stoa::store::rebuild;
use stoa_actors::id::{AtomId, ROOT, SpaceId};

/// Puts so many at once that commits are large.
async fn put(caller: &Caller, space: SpaceId, count: usize) -> Vec<AtomId> {
    let mut tasks = Vec::with_capacity(count);
    for n in 0..count {
        let caller = caller.clone();
        let put =
            async move { caller.put(space, text(n.to_string()), WriteOptions::default()).await };
        tasks.push(tokio::spawn(put));
    }
    let mut ids = Vec::with_capacity(count);
    for task in tasks {
        ids.push(task.await.unwrap().unwrap().id);
    }
    ids
}

/// Whether each id is found by its end, what fits several is told, and what is not there is not.
async fn check(runtime: &Runtime, all: &[AtomId], when: &str) {
    let caller = runtime.caller(ROOT);
    for (n, id) in all.iter().enumerate() {
        let written = id.to_string();
        for chars in [4, 8, 25].into_iter().skip(if n % 50 == 0 { 0 } else { 2 }) {
            let end = &written[written.len() - chars..];
            let alike = all.iter().filter(|it| it.to_string().ends_with(end)).count();
            match caller.atom_id(end).await {
                Ok(found) => assert_eq!((found, alike), (*id, 1), "{when}: {end}"),
                Err(problem) => {
                    let several = alike > 1 && problem.kind == ProblemKind::Conflict;
                    assert!(several, "{when}: {end}: {problem}");
                }
            }
        }
    }
    let none = caller.atom_id("ZZZZZZZZZZ").await.unwrap_err();
    assert_eq!(none.kind, ProblemKind::Unknown, "{when}");
    assert_eq!(breaches(runtime), Vec::<String>::new(), "{when}");
}

fn breaches(runtime: &Runtime) -> Vec<String> {
    audit(runtime.store(), &kinds(), runtime.durable()).unwrap().breaches
}

/// The rows of the list, and of the one that was kept before.
const LISTS: [&[u8]; 2] = [&[0], b"space\0ending"];

/// Takes the list away, and puts each atom into the list that was kept before, if it is given.
fn replace_list(data: &Path, before: Option<&[AtomId]>) -> usize {
    let db = fjall::Database::builder(data.join("db")).open().unwrap();
    let of = |name: &str| db.keyspace(name, fjall::KeyspaceCreateOptions::default).unwrap();
    let (own, meta) = (of("own"), of("meta"));
    let keys: Vec<_> = own.prefix(LISTS[0]).map(|it| it.key().unwrap()).collect();
    let rows = keys.len();
    keys.into_iter().for_each(|key| own.remove(key).unwrap());
    for id in before.unwrap_or_default() {
        let key = u128::from_be_bytes(id.0).reverse_bits().to_be_bytes();
        own.insert([LISTS[1], &key].concat(), []).unwrap();
    }
    if before.is_some() {
        meta.insert("endings", [1]).unwrap();
    }
    db.persist(fjall::PersistMode::SyncAll).unwrap();
    rows
}

fn rows(data: &Path) -> [usize; 2] {
    let db = fjall::Database::builder(data.join("db")).open().unwrap();
    let own = db.keyspace("own", fjall::KeyspaceCreateOptions::default).unwrap();
    LISTS.map(|list| own.prefix(list).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_atom_is_found_by_its_end_however_it_was_listed() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    // One by one, and so that some are sorted and some are not.
    let mut all = Vec::new();
    for _ in 0..20 {
        all.extend(put(&caller, space, 1).await);
    }
    check(&runtime, &all, "unsorted").await;
    all.extend(put(&caller, space, 1_500).await);
    all.extend(put(&caller, space, 40).await);
    check(&runtime, &all, "sorted and unsorted").await;
    // A crash, and what is written then goes on with what is not sorted yet.
    drop((runtime, caller));
    settle(dir.path()).await;
    let (runtime, caller, space) = open(dir.path()).await;
    check(&runtime, &all, "after a crash").await;
    all.extend(put(&caller, space, 1_200).await);
    check(&runtime, &all, "gone on").await;
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    // Fewer rows than atoms: a row for each is what it must not cost.
    assert!(rows(dir.path())[0] < all.len() / 3, "{:?}", rows(dir.path()));
    rebuild(&Config::at(dir.path()).log, &kinds()).unwrap();
    let (runtime, caller, _) = open(dir.path()).await;
    check(&runtime, &all, "derived anew").await;
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    replace_list(dir.path(), Some(&all));
    let (runtime, caller, space) = open(dir.path()).await;
    check(&runtime, &all, "of a directory that listed each by itself").await;
    all.extend(put(&caller, space, 1_100).await);
    check(&runtime, &all, "and gone on").await;
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    assert_eq!(rows(dir.path())[1], 0, "nothing is left of that list");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_list_is_seen_by_an_audit_and_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    // More than an orderly stop leaves to the next open, and the last commits are behind it.
    let mut all = put(&caller, space, 2_200).await;
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    let (runtime, caller, space) = open(dir.path()).await;
    let last = put(&caller, space, 30).await;
    all.extend(&last);
    drop((runtime, caller));
    settle(dir.path()).await;
    assert!(replace_list(dir.path(), None) > 0);
    let (runtime, caller, _) = open(dir.path()).await;
    let found = breaches(&runtime);
    let told = |it: &AtomId| found.iter().any(|text| text.contains(&it.to_string()));
    assert!(!found.is_empty() && !last.iter().any(told), "the open lists what it walks: {found:?}");
    runtime.stop().await.unwrap();
    drop((runtime, caller));
    settle(dir.path()).await;
    rebuild(&Config::at(dir.path()).log, &kinds()).unwrap();
    let (runtime, ..) = open(dir.path()).await;
    check(&runtime, &all, "after the doctor").await;
    runtime.stop().await.unwrap();
}
