//! An erase while a backup is taken.

use crate::{audited, config, log, open, says, secret};
use stoa::backup::{Copying, restore, verify};
use stoa::caller::{Caller, WriteOptions};
use stoa::runtime::kinds;
use stoa_actors::id::AtomId;
use stoa_actors::space::Expect;

/// One atom is copied before it is erased, the other after: the backup is whole, and what is made
/// of it says neither.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_while_a_backup_is_taken_is_not_in_what_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(&dir.path().join("first")).await;
    let (early, late) = (secret(8), secret(9));
    let put = |text: String| {
        let caller = caller.clone();
        async move { caller.put(space, says(&text), WriteOptions::default()).await.unwrap().id }
    };
    let first = put(early.clone()).await;
    for n in 0..400 {
        // More than a backup reads at once.
        put(format!("between {n} {}", "x".repeat(3_000))).await;
    }
    let second = put(late.clone()).await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let mut waits = true;
    let target = dir.path().join("backup");
    let backing = runtime.backup(&target, move |copied| {
        if std::mem::take(&mut waits) {
            tell.send(copied).ok();
            gone.recv().ok();
        }
    });
    let erasing = async {
        let copied = told.recv().await.unwrap();
        assert_eq!(copied.how, Copying::Backup);
        assert!(copied.done > 2 && copied.done < copied.of, "in the middle: {copied:?}");
        erase(&caller, first).await;
        erase(&caller, second).await;
        drop(go);
    };
    let (backup, ()) = tokio::join!(backing, erasing);
    assert_eq!(verify(&target, &mut |_| {}).unwrap().head, backup.unwrap().head);
    let data = dir.path().join("second");
    restore(&target, &config(&data).log, &kinds(), &mut |_| {}).unwrap();
    let again = stoa::open(config(&data)).await.unwrap();
    let found = audited(&again);
    assert_eq!((found.breaches, found.erased), (vec![], 2));
    let all = log(&again);
    assert!(!all.contains(&early) && !all.contains(&late));
    again.stop().await.unwrap();
    runtime.stop().await.unwrap();
}

async fn erase(caller: &Caller, id: AtomId) {
    caller.erase(id, Expect::Any, WriteOptions::comment("it must go")).await.unwrap();
}
