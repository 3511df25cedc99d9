//! Entries that nobody waits for.

use crate::{Counter, Message, ONE, TWO, ask, open, unpaid};
use std::sync::Arc;
use std::time::Duration;
use stoa::config::{Config, LogConfig};
use stoa::host::ActorAddress;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::id::Position;

#[tokio::test(flavor = "multi_thread")]
async fn a_lazy_entry_rides_along_with_the_next_synced_one() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    let (lazy, synced) =
        (runtime.actor_with(ONE, unpaid()).unwrap(), runtime.actor_with(TWO, unpaid()).unwrap());
    synced.ask(ask(Message::Count)).await.unwrap();
    lazy.ask(ask(Message::Count)).await.unwrap();
    let before = runtime.durable();
    let mut noting = tokio::spawn({
        let lazy = lazy.clone();
        async move { lazy.ask_lazily(ask(Message::Count)).await }
    });
    // Nobody asks for a sync, so nothing becomes durable.
    let early = tokio::time::timeout(Duration::from_millis(100), &mut noting).await;
    assert!(early.is_err() && runtime.durable() == before);
    let receipt = synced.ask(ask(Message::Count)).await.unwrap();
    let noted = noting.await.unwrap().unwrap();
    assert_eq!(noted.position.unwrap().0 + 1, receipt.position.unwrap().0);
    runtime.stop().await.unwrap();
}

/// Found by reading: lazy entries were bounded in number only, at up to 24 MiB each.
#[tokio::test(flavor = "multi_thread")]
async fn lazy_entries_that_fill_a_commit_do_not_wait_for_a_synced_one() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        log: LogConfig { commit_bytes_max: 400, ..LogConfig::at(dir.path()) },
        ..Config::at(dir.path())
    };
    let runtime = Runtime::open_with(config, kinds().with::<Counter>()).await.unwrap();
    let lazy = runtime.actor_with(ONE, unpaid()).unwrap();
    let note = |lazy: Arc<ActorAddress<Counter>>| async move {
        lazy.ask_lazily(ask(Message::Count)).await
    };
    let noting: Vec<_> = (0..20).map(|_| tokio::spawn(note(lazy.clone()))).collect();
    // Nobody asks for a sync, and twenty are few.
    let written = async {
        while runtime.durable() < Position(10) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.unwrap();
    runtime.stop().await.unwrap();
    for note in noting {
        note.await.unwrap().unwrap();
    }
}
