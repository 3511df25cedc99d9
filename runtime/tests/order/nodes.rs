//! Two runtimes with a data directory each, over one order.

use crate::oracle;
use crate::realm::{Bug, Realm, Whims};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stoa::audit::audit;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::{Config, LogConfig};
use stoa::failure::StoreError;
use stoa::problem::{Problem, ProblemKind};
use stoa::runtime::{Runtime, kinds};
use stoa::store::LogEntry;
use stoa_actors::id::{AtomId, NodeId, Position, ROOT, SpaceId};
use stoa_actors::redaction::REDACTIONS;
use stoa_actors::space::{Draft, Expect};
use tempfile::TempDir;
use tokio::task::JoinSet;

const NODES: u8 = 2;
/// Who asks at a time, on each node.
const ASKERS: u64 = 3;
/// What each asks for.
const PUTS: u64 = 6;
/// Nothing takes so long but what hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it takes at most until all have come to rest, once nothing goes wrong any more.
const CALM: Duration = Duration::from_secs(10);
/// How often something is looked at that nobody tells of.
const LOOK: Duration = Duration::from_millis(2);

/// What the nodes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Each writes to a space of its own.
    Apart,
    /// All write to all spaces.
    InTheWay,
    /// What is put is erased again.
    Erasing,
    /// All write to all, and nobody waits for the end.
    Cut,
}

struct Node {
    dir: TempDir,
    id: NodeId,
    runtime: Option<Runtime>,
}

/// Who was told what: by key, where it stands.
type Told = Arc<Mutex<BTreeMap<String, Position>>>;

pub(crate) struct Nodes {
    realm: Realm,
    nodes: Vec<Node>,
    spaces: Vec<SpaceId>,
    tokio: tokio::runtime::Runtime,
    offers_max: usize,
    told: Told,
    erased: Arc<Mutex<Vec<(AtomId, String)>>>,
    asking: Mutex<JoinSet<Result<(), String>>>,
    rounds: Mutex<u64>,
}

impl Nodes {
    pub(crate) fn open(seed: u64, whims: Whims, offers_max: usize) -> Nodes {
        let mut tokio = tokio::runtime::Builder::new_multi_thread();
        let tokio = tokio.worker_threads(2).enable_all().build().unwrap();
        let node = |n: u8| {
            let (dir, id) = (tempfile::tempdir().unwrap(), NodeId([n + 1; 16]));
            Node { dir, id, runtime: None }
        };
        let mut nodes = Nodes {
            realm: Realm::new(seed, Whims::default()),
            nodes: (0..NODES).map(node).collect(),
            spaces: Vec::new(),
            tokio,
            offers_max,
            told: Told::default(),
            erased: Arc::default(),
            asking: Mutex::default(),
            rounds: Mutex::new(0),
        };
        for n in 0..nodes.nodes.len() {
            nodes.start(n);
            let make = |caller: Caller| -> Boxed<SpaceId> {
                Box::pin(async move { caller.create_space(&format!("space {n}"), "").await })
            };
            let space = nodes.tokio.block_on(again(&nodes.runtime(n), make)).unwrap();
            nodes.spaces.push(space);
        }
        nodes.realm.set(whims);
        nodes
    }

    fn start(&mut self, n: usize) {
        let Node { dir, id, .. } = &self.nodes[n];
        let order = self.realm.order(*id, self.offers_max);
        let config = Config {
            log: LogConfig { order, commit_bytes_max: 4 << 10, ..LogConfig::at(dir.path()) },
            ..Config::at(dir.path())
        };
        let begun = Instant::now();
        let opened = loop {
            match self.tokio.block_on(stoa::open(config.clone())) {
                // Threads of a runtime that was dropped let go of the directory one by one.
                Err(StoreError::Locked { .. }) if begun.elapsed() < PATIENCE => {
                    std::thread::park_timeout(LOOK);
                }
                opened => break opened.expect("it opens"),
            }
        };
        self.nodes[n].runtime = Some(opened);
    }

    fn runtime(&self, n: usize) -> Runtime {
        self.nodes[n].runtime.clone().unwrap()
    }

    pub(crate) fn plant(&self, bug: Bug) {
        self.realm.plant(bug);
    }

    pub(crate) fn bitten(&self) -> u64 {
        self.realm.bitten()
    }

    /// Lets every node ask for what the schedule says, and waits for the answers.
    pub(crate) fn run(&self, schedule: Schedule) -> Result<(), String> {
        let round = {
            let mut rounds = self.rounds.lock();
            *rounds += 1;
            *rounds
        };
        let before = self.told.lock().len();
        for n in 0..self.nodes.len() {
            for asker in 0..ASKERS {
                let (runtime, told, erased) =
                    (self.runtime(n), self.told.clone(), self.erased.clone());
                let spaces = match schedule {
                    Schedule::InTheWay | Schedule::Cut => self.spaces.clone(),
                    Schedule::Apart | Schedule::Erasing => vec![self.spaces[n]],
                };
                let work = async move {
                    for nth in 0..PUTS {
                        let space = spaces[nth as usize % spaces.len()];
                        let key = format!("{round}/{n}/{asker}/{nth}");
                        let atom = put(&runtime, space, &key, &told).await?;
                        if schedule == Schedule::Erasing && nth % 2 == 0 {
                            erase(&runtime, atom, &key, &told).await?;
                            erased.lock().push((atom, secret(&key)));
                        }
                    }
                    Ok(())
                };
                let _inside = self.tokio.enter();
                self.asking.lock().spawn(work);
            }
        }
        if schedule == Schedule::Cut {
            return self
                .until("somebody is answered", PATIENCE, || self.told.lock().len() > before);
        }
        let mut asking = std::mem::take(&mut *self.asking.lock());
        let all = async {
            while let Some(done) = asking.join_next().await {
                done.map_err(|error| error.to_string())??;
            }
            Ok(())
        };
        let all = async { tokio::time::timeout(PATIENCE, all).await };
        self.tokio.block_on(all).map_err(|_| "somebody is never answered".to_owned())?
    }

    /// One of them dies, whatever it is in, and is opened again.
    pub(crate) fn kill_one(&mut self) {
        let n = *self.rounds.lock() as usize % self.nodes.len();
        let mut asking = std::mem::take(&mut *self.asking.lock());
        self.tokio.block_on(asking.shutdown());
        let runtime = self.nodes[n].runtime.take();
        let _inside = self.tokio.enter();
        drop(runtime);
        drop(_inside);
        self.start(n);
    }

    fn until(
        &self,
        what: &str,
        patience: Duration,
        mut so: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let begun = Instant::now();
        while !so() {
            if let Some(error) = (0..self.nodes.len()).find_map(|n| stopped(&self.runtime(n))) {
                return Err(format!("a node has stopped: {error}"));
            }
            if begun.elapsed() > patience {
                return Err(format!("it never comes to it that {what}"));
            }
            std::thread::park_timeout(LOOK);
        }
        Ok(())
    }

    fn log(&self, n: usize) -> Vec<LogEntry> {
        let runtime = self.runtime(n);
        let all = (1..=runtime.durable().0).map(Position);
        all.map(|at| runtime.store().entry(at).unwrap().unwrap()).collect()
    }

    /// Once everything on its way has come to rest.
    pub(crate) fn judge(&self) -> Result<(), String> {
        self.realm.set(Whims::default());
        let rests = || {
            let (idle, stands) = self.realm.idle();
            let durable: Vec<u64> =
                (0..self.nodes.len()).map(|n| self.runtime(n).durable().0).collect();
            // What accounts for a redaction is in no commit, and makes up for nothing that is.
            let ordered = |n| {
                let log = self.log(n);
                log.iter().filter(|it| it.header.stream != REDACTIONS).count()
            };
            let entries = oracle::entries(&stands);
            let same = durable.windows(2).all(|it| it[0] == it[1]);
            idle && same && (0..self.nodes.len()).all(|n| ordered(n) >= entries)
        };
        let rested = self.until("all nodes have the same log", CALM, rests);
        let stands = self.realm.stands();
        let log = self.log(0);
        for n in 0..self.nodes.len() {
            let other = self.log(n);
            oracle::holds(&stands, &other).map_err(|it| format!("node {n}: {it}"))?;
            let differs = log
                .iter()
                .zip(&other)
                .find(|(a, b)| (a.position, a.header, &a.body) != (b.position, b.header, &b.body));
            if let Some((here, there)) = differs {
                return Err(format!("node 0 holds {here:?}, node {n} {there:?}"));
            }
            let runtime = self.runtime(n);
            let audited = audit(runtime.store(), &kinds(), runtime.durable());
            let audited = audited.map_err(|error| error.to_string())?;
            if !audited.breaches.is_empty() {
                return Err(format!("audit of node {n}: {:?}", audited.breaches));
            }
        }
        rested?;
        self.answers(&log)
    }

    /// Who was told that something is durable finds it there, once.
    fn answers(&self, log: &[LogEntry]) -> Result<(), String> {
        let mut keys: BTreeMap<&str, Vec<Position>> = BTreeMap::new();
        for entry in log {
            if let Some(answered) = &entry.body.answers {
                keys.entry(&answered.key).or_default().push(entry.position);
            }
        }
        for (key, at) in self.told.lock().iter() {
            if keys.get(key.as_str()) != Some(&vec![*at]) {
                return Err(format!("{key} was told {at}: {:?}", keys.get(key.as_str())));
            }
        }
        if let Some((key, at)) = keys.iter().find(|(_, at)| at.len() > 1) {
            return Err(format!("{key} stands more than once: {at:?}"));
        }
        for (atom, secret) in self.erased.lock().iter() {
            let holds = |it: &&LogEntry| {
                it.body.events.windows(secret.len()).any(|part| part == secret.as_bytes())
            };
            if let Some(entry) = log.iter().find(holds) {
                return Err(format!("{atom} was erased, and is at {}", entry.position));
            }
        }
        Ok(())
    }
}

fn secret(key: &str) -> String {
    format!("<<what {key} says>>")
}

/// Why a runtime has stopped, if it has.
fn stopped(runtime: &Runtime) -> Option<StoreError> {
    let run = std::pin::pin!(runtime.run());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match run.poll(&mut context) {
        std::task::Poll::Ready(error) => Some(error),
        std::task::Poll::Pending => None,
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// Asks until the answer is one: what has no place in the log is asked again, and so is what a node
/// knows nothing of yet.
async fn again<T>(runtime: &Runtime, mut ask: impl FnMut(Caller) -> Boxed<T>) -> Result<T, String> {
    let begun = Instant::now();
    loop {
        match ask(runtime.caller(ROOT)).await {
            Ok(answer) => return Ok(answer),
            Err(problem) => {
                if let Some(error) = stopped(runtime) {
                    return Err(format!("the node has stopped: {error}"));
                }
                let passes = matches!(
                    problem.kind,
                    ProblemKind::Busy | ProblemKind::Unknown | ProblemKind::Forbidden
                );
                if !passes || begun.elapsed() > PATIENCE {
                    return Err(format!("refused: {problem:?}"));
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

async fn put(runtime: &Runtime, space: SpaceId, key: &str, told: &Told) -> Result<AtomId, String> {
    let draft = Draft { annotation: secret(key), ..Draft::default() };
    let why = WriteOptions::comment("").key(key);
    let ask = |caller: Caller| -> Boxed<_> {
        let (draft, why) = (draft.clone(), why.clone());
        Box::pin(async move { caller.put(space, draft, why).await })
    };
    let written = again(runtime, ask).await?;
    told.lock().insert(key.to_owned(), written.position);
    Ok(written.id)
}

async fn erase(runtime: &Runtime, atom: AtomId, key: &str, told: &Told) -> Result<(), String> {
    let key = format!("{key}/erase");
    let why = WriteOptions::comment("").key(&*key);
    let ask = |caller: Caller| -> Boxed<_> {
        let why = why.clone();
        Box::pin(async move { caller.erase(atom, Expect::Version(1), why).await })
    };
    let written = again(runtime, ask).await?;
    told.lock().insert(key, written.position);
    Ok(())
}
