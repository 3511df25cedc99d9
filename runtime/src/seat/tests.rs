//! The one seat whose state lies outside its actor.

use super::Seated;
use crate::blocking::blocking;
use crate::config::Config;
use crate::host::load;
use crate::runtime::Runtime;
use stoa_actors::id::{RIGHTS, ROOT};
use stoa_actors::rights::{Level, Rights};

#[tokio::test]
async fn the_rights_outlive_their_actor() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::open(Config::at(dir.path())).await.unwrap();
    let root = runtime.caller(ROOT);
    let first = root.create_space("first", "").await.unwrap();
    for name in ["second", "third"] {
        let seat = runtime.rights().clone();
        let actor = match &*seat.seated.borrow() {
            Seated::Live(actor) => actor.clone(),
            _ => panic!("it is up"),
        };
        actor.kill();
        seat.gone(&actor).await;
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
