//! A data directory that the cases of a suite share, opened again after every crash.

use crate::laws::world::{QUOTED_MAX, TTL_MAX};
use fjall::{Database, KeyspaceCreateOptions};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use stoa::audit::audit;
use stoa::config::{Config, LogConfig};
use stoa::fault::{Faults, Point};
use stoa::host::Nothing;
use stoa::order::Orders;
use stoa::runtime::{Runtime, kinds};
use stoa::store::rebuild;
use stoa_actors::id::{LinkId, RIGHTS, ROOT, SessionId, SpaceId};
use stoa_actors::incarnation::Request;
use stoa_actors::limits::Limits;
use stoa_actors::log::{HEADER_BYTES, Hash};
use stoa_actors::rights::{self, Rights};
use stoa_actors::space::Declarations;
use tempfile::TempDir;

/// Nothing takes so long but what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A schedule's millisecond is an hour: nothing is over while a case runs, and what is asked to last
/// too long is still refused.
pub(crate) const TICK_MS: u64 = 3_600_000;

pub(crate) struct Place {
    runtime: RefCell<Option<Runtime>>,
    tokio: tokio::runtime::Runtime,
    dir: TempDir,
    pub(crate) faults: RefCell<Faults>,
    /// Makes every id of every case another one.
    ids: Cell<u64>,
    cases: Cell<u64>,
    delivers: bool,
    order: Orders,
}

impl Place {
    /// Its commits stand where this order says. Messages between actors may be kept from being
    /// delivered: a law on one of them alone sends none.
    pub(crate) fn new(delivers: bool, order: Orders) -> Place {
        let mut tokio = tokio::runtime::Builder::new_multi_thread();
        let place = Place {
            dir: tempfile::tempdir().unwrap(),
            tokio: tokio.worker_threads(2).enable_all().build().unwrap(),
            runtime: RefCell::default(),
            faults: RefCell::default(),
            ids: Cell::new(0),
            cases: Cell::new(0),
            delivers,
            order,
        };
        place.open();
        place
    }

    /// Small steps between checkpoints, so that crashes fall on both sides of many.
    fn config(&self) -> Config {
        let lease_ms_max = TTL_MAX * TICK_MS;
        let limits = Limits { wake_comments_max: QUOTED_MAX, lease_ms_max, ..Limits::default() };
        let (faults, order) = (self.faults.borrow().clone(), self.order.clone());
        Config {
            limits,
            log: LogConfig {
                faults,
                order,
                checkpoint_entries: 300,
                ..LogConfig::at(self.dir.path())
            },
            ..Config::at(self.dir.path())
        }
    }

    pub(crate) fn open(&self) {
        self.faults.replace(Faults::default());
        if !self.delivers {
            self.faults.borrow().hold(Point::Deliver);
        }
        self.let_go();
        let opened = self.wait(stoa::open(self.config()));
        self.runtime.replace(Some(opened.expect("it opens again")));
    }

    /// Dies without an orderly stop; what waits for an answer is left alone.
    pub(crate) fn kill(&self) {
        let _inside = self.tokio.enter();
        drop(self.runtime.take());
    }

    pub(crate) fn runtime(&self) -> Runtime {
        self.runtime.borrow().clone().expect("it is open")
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let waiting = async { tokio::time::timeout(PATIENCE, future).await };
        self.tokio.block_on(waiting).expect("nothing hangs")
    }

    /// Lets a future run up to where it has to wait, if it has to.
    pub(crate) fn poll<F: Future + Unpin>(&self, future: &mut F) -> Option<F::Output> {
        let _inside = self.tokio.enter();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        }
    }

    /// Sixteen bytes that no other case has.
    pub(crate) fn id(&self) -> [u8; 16] {
        self.ids.set(self.ids.get() + 1);
        let mut id = [1; 16];
        id[..8].copy_from_slice(&self.ids.get().to_be_bytes());
        id
    }

    /// Asks the rights actor in the root's name.
    pub(crate) fn grant(&self, message: rights::Message) {
        let rights = self.runtime().actor_with::<Rights>(RIGHTS, Arc::new(Nothing)).unwrap();
        self.wait(rights.ask(Request::new(ROOT, message))).expect("the root may");
    }

    pub(crate) fn space(&self) -> SpaceId {
        let (space, link) = (SpaceId(self.id()), LinkId(self.id()));
        let reason = String::new();
        self.grant(rights::Message::CreateSpace {
            space,
            link,
            alias: None,
            reason,
            description: String::new(),
            declares: Declarations::default(),
        });
        space
    }

    pub(crate) fn session(&self, asks: Vec<rights::RightRequest>) -> SessionId {
        let child = SessionId(self.id());
        let reason = String::new();
        let lifetime = rights::Lifetime::Lasting;
        self.grant(rights::Message::Spawn { child, alias: None, asks, reason, lifetime });
        child
    }

    /// [chain] [fold] [version] [idem] and more, as `stoa audit` sees them.
    pub(crate) fn audit(&self) -> Result<(), String> {
        let runtime = self.runtime();
        // Others may write to the same log meanwhile.
        let durable = runtime.durable();
        let audited = audit(runtime.store(), &kinds(), durable);
        let audited = audited.map_err(|error| format!("audit: {error}"))?;
        if audited.entries != durable.0 {
            return Err(format!("audit: it stopped at {} of {durable}", audited.head));
        }
        if audited.breaches.is_empty() {
            return Ok(());
        }
        Err(format!("audit: {:?}", audited.breaches))
    }

    /// [fold] Closed, emptied of everything derived and folded anew, it is what it was; [chain] and
    /// its log is dense and chained, by an account that shares no code with the store.
    pub(crate) fn fold_anew(&self) -> Result<(), String> {
        self.kill();
        self.let_go();
        let before = self.dump();
        chained(&before["log"])?;
        let entries = rebuild(&self.config().log, &kinds()).map_err(|error| error.to_string())?;
        let after = self.dump();
        if entries != before["log"].len() as u64 {
            return Err(format!("fold: {entries} of {} entries", before["log"].len()));
        }
        for (table, rows) in &before {
            let anew = &after[table];
            if anew != rows {
                let lost = rows.iter().find(|(key, value)| anew.get(*key) != Some(*value));
                let new = anew.iter().find(|(key, value)| rows.get(*key) != Some(*value));
                return Err(format!("fold: {table} lost {lost:02x?} and has {new:02x?}"));
            }
        }
        self.open();
        Ok(())
    }

    /// Whether this is one of every so many cases.
    pub(crate) fn folds_now(&self, every: u64) -> bool {
        self.cases.set(self.cases.get() + 1);
        self.cases.get().is_multiple_of(every)
    }

    /// Threads of a runtime that was dropped let go of the directory one by one.
    fn let_go(&self) {
        let Ok(lock) = std::fs::File::open(self.dir.path().join("lock")) else { return };
        let (free, is_free) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let locked = lock.lock().is_ok();
            drop(lock);
            free.send(locked)
        });
        assert_eq!(is_free.recv_timeout(PATIENCE), Ok(true), "the directory is let go");
    }

    /// Every row, by table. A stream's positions stand alone, whatever row they came in.
    fn dump(&self) -> BTreeMap<&'static str, Rows> {
        let db = Database::builder(self.dir.path().join("db")).open().unwrap();
        let mut tables = BTreeMap::new();
        for name in ["log", "atoms", "references", "answers", "streams", "due"] {
            let keyspace = db.keyspace(name, KeyspaceCreateOptions::default).unwrap();
            let mut rows = Rows::new();
            for guard in keyspace.iter() {
                let (key, value) = guard.into_inner().unwrap();
                if name == "streams" {
                    let (stream, first) = key.split_at(16);
                    let first = u64::from_be_bytes(first.try_into().unwrap());
                    for (seq, place) in (first..).zip(value.chunks_exact(8)) {
                        let key = [stream, &seq.to_be_bytes()].concat();
                        rows.insert(key, place.to_vec());
                    }
                } else {
                    rows.insert(key.to_vec(), value.to_vec());
                }
            }
            tables.insert(name, rows);
        }
        tables
    }
}

/// The directory of the last case that held. A case that did not keeps its own to itself, or what
/// is wrong there would be found in every case after it.
#[derive(Default)]
pub(crate) struct Lent {
    place: RefCell<Option<Place>>,
    /// Gives each new directory an order of its own, from a seed.
    orders: Option<fn(u64) -> Orders>,
    lent: Cell<u64>,
}

impl Lent {
    pub(crate) fn ordered(orders: fn(u64) -> Orders) -> Lent {
        Lent { orders: Some(orders), ..Lent::default() }
    }

    /// Whether others write to the order as well.
    pub(crate) fn is_shared(&self) -> bool {
        self.orders.is_some()
    }

    pub(crate) fn take(&self) -> Place {
        let new = || {
            self.lent.set(self.lent.get() + 1);
            Place::new(true, self.orders.map(|it| it(self.lent.get())).unwrap_or_default())
        };
        self.place.take().unwrap_or_else(new)
    }

    pub(crate) fn give_back(&self, place: Place) {
        self.place.replace(Some(place));
    }
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Positions 1 to N; each header carries the hash of position and header before, and the body's.
fn chained(log: &Rows) -> Result<(), String> {
    let mut previous = Hash::default();
    for (at, (key, entry)) in (1u64..).zip(log) {
        let (header, body) = entry.split_at(HEADER_BYTES);
        if *key != at.to_be_bytes() {
            return Err(format!("chain: {key:02x?} stands where {at} should"));
        }
        if header[..32] != previous.0 || header[56..] != Hash::of(body).0 {
            return Err(format!("chain: {at} does not follow {previous}"));
        }
        previous = Hash::of(&[key, header].concat());
    }
    Ok(())
}
