//! A kind of actor with a derived table of its own.

use crate::{Never, ONE, TWO};
use serde::{Deserialize, Serialize};
use std::path::Path;
use stoa::audit::audit;
use stoa::config::Config;
use stoa::kinds::Kinds;
use stoa::runtime::{Runtime, kinds};
use stoa::store::rebuild;
use stoa_actors::behaviour::{Behaviour, Decision, Delivery, Row};
use stoa_actors::id::{ROOT, StreamId};
use stoa_actors::incarnation::Request;

/// Prices by article, and nothing in its state: the table is all there is to ask.
#[derive(Default, Serialize, Deserialize)]
struct Shop;

#[derive(Clone, Serialize, Deserialize)]
enum Change {
    Priced { article: String, price: u64 },
    Gone { article: String },
}

impl Behaviour for Shop {
    const KIND: &'static str = "shop";
    type Message = Change;
    type Event = Change;
    type Effect = std::convert::Infallible;
    type Reply = ();
    type Refusal = Never;

    fn unborn(_: StreamId) -> Self {
        Shop
    }

    fn decide(&self, change: Change, _: &mut Delivery<'_>) -> Result<Decision<Self>, Never> {
        Ok(Decision::event(change, ()))
    }

    fn apply(&mut self, _: &Change) {}

    fn name(event: &Change) -> &'static str {
        match event {
            Change::Priced { .. } => "shop.priced",
            Change::Gone { .. } => "shop.gone",
        }
    }

    fn project(_: StreamId, event: &Change, _: u16, rows: &mut Vec<Row>) {
        rows.push(match event {
            Change::Priced { article, price } => {
                Row::own::<Shop>(article.as_bytes(), Some(price.to_be_bytes().to_vec()))
            }
            Change::Gone { article } => Row::own::<Shop>(article.as_bytes(), None),
        });
    }
}

fn with_shops() -> Kinds {
    kinds().with::<Shop>()
}

async fn open(path: &Path) -> Runtime {
    // Threads of the life before let go of the directory one by one.
    if let Ok(lock) = std::fs::File::open(path.join("lock")) {
        lock.lock().unwrap();
    }
    Runtime::open_with(Config::at(path), with_shops()).await.unwrap()
}

/// Every price of an article whose name begins so; read on a thread that may wait.
fn prices(runtime: &Runtime, prefix: &str) -> Vec<(String, u64)> {
    let (store, prefix) = (runtime.store().clone(), prefix.as_bytes().to_vec());
    let row = |(key, value): (Vec<u8>, Vec<u8>)| {
        (String::from_utf8(key).unwrap(), u64::from_be_bytes(value.try_into().unwrap()))
    };
    let read =
        move || store.own_rows::<Shop>(&prefix).map(|it| row(it.unwrap())).collect::<Vec<_>>();
    std::thread::spawn(read).join().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_its_own_is_there_after_a_crash_and_derived_anew() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = open(dir.path()).await;
    for (stream, changes) in [(ONE, ["ax", "bed", "axle"]), (TWO, ["cup", "bed", "axis"])] {
        let shop = runtime.actor::<Shop>(stream).unwrap();
        for (price, article) in (1..).zip(changes) {
            let price = price + u64::from(stream.0[0]) * 10;
            let priced = Change::Priced { article: article.into(), price };
            shop.ask(Request::new(ROOT, priced)).await.unwrap();
        }
    }
    let gone = Change::Gone { article: "axle".into() };
    runtime.actor::<Shop>(ONE).unwrap().ask(Request::new(ROOT, gone)).await.unwrap();
    let known = |of: &[(&str, u64)]| of.iter().map(|(a, p)| ((*a).to_owned(), *p)).collect();
    let all: Vec<(String, u64)> = known(&[("ax", 11), ("axis", 23), ("bed", 22), ("cup", 21)]);
    assert_eq!(prices(&runtime, ""), all);
    assert_eq!(prices(&runtime, "ax"), all[..2]);
    let one = runtime.store().own_row::<Shop>(b"cup").unwrap();
    assert_eq!(one, Some(21u64.to_be_bytes().to_vec()));
    assert_eq!(runtime.store().own_row::<Shop>(b"axle").unwrap(), None);
    drop(runtime);
    let runtime = open(dir.path()).await;
    assert_eq!(prices(&runtime, ""), all, "after a crash");
    let audited = audit(runtime.store(), &with_shops(), runtime.durable()).unwrap();
    assert_eq!(audited.breaches, Vec::<String>::new());
    runtime.stop().await.unwrap();
    drop(runtime);
    if let Ok(lock) = std::fs::File::open(dir.path().join("lock")) {
        lock.lock().unwrap();
    }
    rebuild(&Config::at(dir.path()).log, &with_shops()).unwrap();
    let runtime = open(dir.path()).await;
    assert_eq!(prices(&runtime, ""), all, "derived anew");
    runtime.stop().await.unwrap();
}
