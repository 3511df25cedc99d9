//! The one address whose state lies outside its actor.

use super::Registered;
use crate::blocking::blocking;
use crate::fault::Point;
use crate::host::load;
use crate::limits::Config;
use crate::problem::ProblemKind;
use crate::runtime::Runtime;
use stoa_actors::id::{RIGHTS, ROOT};
use stoa_actors::rights::{Level, Rights};

#[tokio::test]
async fn the_rights_outlive_their_actor() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::open_with(Config::at(dir.path()), crate::kinds()).await.unwrap();
    let root = runtime.caller(ROOT);
    let first = root.create_space("first", "").await.unwrap();
    for name in ["second", "third"] {
        let address = runtime.rights().clone();
        let actor = match &*address.registered.borrow() {
            Registered::Live(actor) => actor.clone(),
            _ => panic!("it is up"),
        };
        actor.kill();
        address.gone(&actor).await;
        // Who asks meanwhile reads what is durable.
        assert_eq!(root.level(first), Some(Level::Grant));
        let space = root.create_space(name, "").await.unwrap();
        assert_eq!(root.resolve(name).unwrap(), space);
        let store = runtime.store().clone();
        let replayed = blocking(move || load::<Rights>(&store, RIGHTS)).await.unwrap().unwrap();
        assert_eq!(replayed.state(), &**runtime.shared().rights.read());
    }
    assert_eq!(root.level(first), Some(Level::Grant));
    runtime.stop().await.unwrap();
}

/// Who shows rights waits for those who read the table; what waits for it has its places still.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_to_be_shown_of_rights_is_bounded_by_their_mailbox() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    (config.mailbox_messages_max, config.mailbox_wait_ms_max) = (8, 200);
    let faults = config.log.faults.clone();
    let runtime = Runtime::open_with(config, crate::kinds()).await.unwrap();
    let root = runtime.caller(ROOT);
    let spaces = runtime.shared().rights.read().spaces().count();
    faults.hold(Point::Commit);
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..20 {
        let root = root.clone();
        asked.spawn(async move { root.create_space(&format!("space {n}"), "").await });
    }
    // Twelve find no room; eight are decided, and wait for the disk.
    for _ in 0..12 {
        let told = asked.join_next().await.unwrap().unwrap();
        assert_eq!(told.unwrap_err().kind, ProblemKind::Busy);
    }
    let shared = runtime.shared().clone();
    let (told, hear) = std::sync::mpsc::channel();
    let (let_go, wait) = std::sync::mpsc::channel::<()>();
    let reader = std::thread::spawn(move || {
        let _reads = shared.rights.read();
        told.send(()).unwrap();
        wait.recv().unwrap_err();
    });
    hear.recv().unwrap();
    faults.release();
    // The disk is done, and who shows them stands still: there is still no room.
    let busy = root.create_space("one more", "").await.unwrap_err();
    assert_eq!(busy.kind, ProblemKind::Busy);
    assert!(asked.try_join_next().is_none());
    drop(let_go);
    reader.join().unwrap();
    while let Some(told) = asked.join_next().await {
        told.unwrap().unwrap();
    }
    root.create_space("one more", "").await.unwrap();
    assert_eq!(runtime.shared().rights.read().spaces().count(), spaces + 9);
    runtime.stop().await.unwrap();
}
