//! A loss after an erase.

use crate::{audited, config, log, open, says, secret, stop, told};
use stoa::caller::WriteOptions;
use stoa::failure::StoreError;
use stoa::runtime::kinds;
use stoa::store::{accept_loss, rebuild};
use stoa_actors::log::Breach;
use stoa_actors::space::Expect;

/// A loss that is accepted takes the account of what had left before it, and the log goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_left_is_accounted_for_anew_where_a_loss_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, caller, space) = open(dir.path()).await;
    let words = secret(7);
    let id = told(&caller, space, &words).await;
    let lost = caller.put(space, says("lost"), WriteOptions::default()).await.unwrap();
    caller.put(space, says("lost as well"), WriteOptions::default()).await.unwrap();
    caller.erase(id, Expect::Any, WriteOptions::comment("it must go")).await.unwrap();
    stop(dir.path(), runtime, caller).await;
    let db = fjall::Database::builder(dir.path().join("db")).open().unwrap();
    let log_of = db.keyspace("log", fjall::KeyspaceCreateOptions::default).unwrap();
    log_of.remove(lost.position.0.to_be_bytes()).unwrap();
    let meta = db.keyspace("meta", fjall::KeyspaceCreateOptions::default).unwrap();
    meta.remove("checkpoint").unwrap();
    db.persist(fjall::PersistMode::SyncAll).unwrap();
    drop((log_of, meta, db));
    let refused = stoa::open(config(dir.path())).await.err().unwrap();
    let StoreError::Breach(Breach::Hole { after, .. }) = refused else { panic!("{refused}") };
    let loss = accept_loss(&config(dir.path()).log, &after.to_string(), &kinds()).unwrap();
    assert_eq!((loss.kept, loss.removed), (after, 3));
    let (runtime, caller, space) = open(dir.path()).await;
    assert_eq!(audited(&runtime).breaches, Vec::<String>::new());
    assert_eq!(runtime.durable().0, after.position.0 + 1);
    assert!(!log(&runtime).contains(&words));
    caller.put(space, says("and it goes on"), WriteOptions::default()).await.unwrap();
    assert_eq!(audited(&runtime).breaches, Vec::<String>::new());
    stop(dir.path(), runtime, caller).await;
    rebuild(&config(dir.path()).log, &kinds()).unwrap();
}
