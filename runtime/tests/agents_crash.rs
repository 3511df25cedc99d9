//! Agents whose process is killed at random instants, and agents whose Python worker is.
//!
//! A lead spawns three children by recipe; each puts twenty atoms one by one, without keys of its
//! own, and reads in between; the lead closes a task for each child that is done.
//!
//! - *The process is killed*, in one directory, until all is at rest.
//! - *The worker is killed*, and the process goes on.
//!
//! Either way an action goes on where it stopped, so that a recipe that looks at nothing repeats no
//! write, and reads what it had read.

#![expect(clippy::expect_used, reason = "a test says what it takes for given")]
#![expect(clippy::print_stdout, reason = "it is its own harness, and speaks to its parent")]
#![expect(clippy::disallowed_methods, reason = "a run is its seed, and the seed is a setting")]

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use stoa::agents::{SpaceAsk, SpawnAsk};
use stoa::audit::audit;
use stoa::caller::{Caller, ReadAtom, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::Content;
use stoa_actors::id::{ROOT, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::Query;
use stoa_actors::space::{Draft, Filter};
use stoa_actors::value::Value;

const KILLS: usize = 50;
const WORKER_KILLS: usize = 12;
const PUTS: u64 = 20;
const CHILDREN: [&str; 3] = ["a", "b", "c"];
/// Longer than anything here takes on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at nothing: what it did is for the runtime to know.
const CHILD: &str = "\
if not wakes:
    for n in range(20):
        seen = space.search(metadata={'child': task}, limit=100)
        space.put(f'{task} {n} after {len(seen)}', metadata={'child': task, 'n': n})
    dm.put('done', metadata={'kind': 'done'})
";

const LEAD: &str = "\
if not wakes:
    for name in ['a', 'b', 'c']:
        child = f'{task}-{name}'
        spaces['tasks'].put(child, metadata={'child': child, 'status': 'open'})
        coordinator.spawn(task=child, instructions='child', name=name, spaces={'results': 'append'})
else:
    for agent in coordinator.agents():
        if agent.dm.search(metadata={'kind': 'done'}):
            about = {'child': f'{task}-{agent.name}', 'status': 'open'}
            for it in spaces['tasks'].search(metadata=about):
                spaces['tasks'].update(it.id, metadata={'status': 'completed'})
";

/// SplitMix64: a run is its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--child") {
        owner(Path::new(&args.next().expect("a directory")));
        return ExitCode::SUCCESS;
    }
    let seed = std::env::var("STOA_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(41);
    println!("agents: seed {seed} (STOA_SEED=N for another run)");
    the_process_is_killed(&mut Chance(seed));
    the_worker_is_killed(&mut Chance(seed));
    println!("2 passed, 0 failed");
    ExitCode::SUCCESS
}

fn config(dir: &Path) -> Config {
    let mut config = Config::at(dir);
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    config.limits.session.backoff_first_ms = 1;
    config.limits.session.backoff_ms_max = 1;
    config.limits.session.failures_max = 1_000;
    config
}

/// A worker that was about to be started when its owner was killed lets go of the lock in a moment.
async fn open(dir: &Path) -> Runtime {
    let begun = Instant::now();
    loop {
        match stoa::open(config(dir)).await {
            Err(StoreError::Locked { .. }) if begun.elapsed() < PATIENCE => {
                tokio::task::yield_now().await;
            }
            opened => return opened.expect("the directory opens"),
        }
    }
}

/// Runs the agents until they are at rest, and says of every atom that it is there.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn owner(dir: &Path) {
    let runtime = open(dir).await;
    let root = runtime.caller(ROOT);
    let results = root.resolve("results").expect("it was made");
    let head = runtime.durable();
    let mut follow = root.follow(results, head, Filter::default()).expect("it reads");
    say("ready");
    runtime.start_agents().await.expect("the agents start");
    let rest = runtime.at_rest();
    tokio::pin!(rest);
    loop {
        tokio::select! {
            () = &mut rest => break,
            changes = follow.next(1) => {
                changes.expect("it follows").iter().for_each(|_| say("put"));
            }
        }
    }
    runtime.stop().await.expect("it stops in order");
    say("rest");
}

fn say(line: &str) {
    let mut to = std::io::stdout().lock();
    writeln!(to, "{line}").and_then(|()| to.flush()).expect("the parent listens");
}

fn start(dir: &Path) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--child", &dir.display().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    (child, lines)
}

#[tokio::main(flavor = "current_thread")]
async fn furnish(dir: &Path) {
    let runtime = open(dir).await;
    let root = runtime.caller(ROOT);
    for (name, recipe) in
        [("results", None), ("tasks", None), ("lead", Some(LEAD)), ("child", Some(CHILD))]
    {
        let space = root.create_space(name, "").await.expect("a space");
        if let Some(python) = recipe {
            let content = Content::Text(format!("```python\n{python}```"));
            let draft = Draft { content, ..Draft::default() };
            root.put(space, draft, WriteOptions::comment("a recipe")).await.expect("a recipe");
        }
    }
    runtime.stop().await.expect("it stops in order");
}

/// A lead that is born with the next start.
#[tokio::main(flavor = "current_thread")]
async fn spawn(dir: &Path, name: &str) {
    let runtime = open(dir).await;
    let ask = SpawnAsk {
        task: name.to_owned(),
        name: Some(name.to_owned()),
        instructions: Some("lead".to_owned()),
        spaces: vec![
            SpaceAsk::whole("results", Level::Append),
            SpaceAsk::whole("child", Level::Read),
            SpaceAsk::to_use("tasks", Level::Write),
        ],
        ..SpawnAsk::default()
    };
    runtime.caller(ROOT).spawn(ask).await.expect("a lead");
    runtime.stop().await.expect("it stops in order");
}

fn the_process_is_killed(chance: &mut Chance) {
    let dir = tempfile::tempdir().expect("a directory");
    furnish(dir.path());
    let begun = Instant::now();
    let (mut kills, mut leads) = (0, Vec::new());
    while kills < KILLS {
        let lead = format!("lead{}", leads.len());
        spawn(dir.path(), &lead);
        leads.push(lead);
        while !run_and_kill(dir.path(), chance) {
            kills += 1;
        }
        check(dir.path(), &leads);
    }
    let each = leads.len() * CHILDREN.len();
    println!(
        "agents: {kills} kills of the process, {} leads, {} atoms put once, {each} tasks closed \
         once, {:?}",
        leads.len(),
        each as u64 * PUTS,
        begun.elapsed()
    );
}

/// Whether all came to rest before it was to be killed.
fn run_and_kill(dir: &Path, chance: &mut Chance) -> bool {
    let (mut child, lines) = start(dir);
    // One in six is killed while it opens, the others a moment after some more atom.
    let early = chance.below(6) == 0;
    // The first line says that it is open.
    let mut left = if early { 0 } else { 2 + chance.below(6) };
    let instant = Duration::from_millis(chance.below(if early { 60 } else { 12 }));
    let mut rests = false;
    while left > 0 && !rests {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rests = line == "rest",
            Err(RecvTimeoutError::Disconnected) => panic!("the owner died by itself"),
            Err(RecvTimeoutError::Timeout) => panic!("the agents stand still"),
        }
        left -= 1;
    }
    if !rests && let Ok(line) = lines.recv_timeout(instant) {
        rests = line == "rest";
    }
    if !rests {
        child.kill().expect("it can be killed");
    }
    let ended = child.wait().expect("it is gone");
    assert!(!rests || ended.success(), "{ended}");
    rests
}

fn the_worker_is_killed(chance: &mut Chance) {
    let dir = tempfile::tempdir().expect("a directory");
    furnish(dir.path());
    let begun = Instant::now();
    let (mut kills, mut leads) = (0, Vec::new());
    while kills < WORKER_KILLS {
        let lead = format!("lead{}", leads.len());
        spawn(dir.path(), &lead);
        leads.push(lead);
        let (mut child, lines) = start(dir.path());
        let mut until = chance.below(8);
        loop {
            match lines.recv_timeout(PATIENCE).expect("the agents go on").as_str() {
                "rest" => break,
                _ if until > 0 => until -= 1,
                _ => {
                    until = 4 + chance.below(8);
                    kills += usize::from(kill_a_worker(child.id(), chance));
                }
            }
        }
        assert!(child.wait().expect("it ends").success());
        check(dir.path(), &leads);
    }
    println!("agents: {kills} kills of workers, {} leads, {:?}", leads.len(), begun.elapsed());
}

/// One of the processes that run Python for that owner, if there is any.
fn kill_a_worker(owner: u32, chance: &mut Chance) -> bool {
    let of_owner = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit(')').next().unwrap_or_default();
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        after.split_whitespace().nth(1) == Some(owner.to_string().as_str())
            && line.contains("__stoa_python_worker")
    };
    let all = std::fs::read_dir("/proc").expect("Linux tells its processes").flatten();
    let pids = all.filter_map(|it| it.file_name().to_str()?.parse::<i32>().ok());
    let workers: Vec<i32> = pids.filter(of_owner).collect();
    let Some(&worker) = workers.get(chance.below(workers.len().max(1) as u64) as usize) else {
        return false;
    };
    let pid = Pid::from_raw(worker).expect("a process has a number");
    kill_process(pid, Signal::KILL).is_ok()
}

async fn all(root: &Caller, space: &str) -> Vec<ReadAtom> {
    let space: SpaceId = root.resolve(space).expect("it was made");
    let query = Query { limit: 1_000, ..Query::default() };
    let found = root.search(space, query).await.expect("it reads");
    found.into_iter().map(|it| it.read).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn check(dir: &Path, leads: &[String]) {
    let runtime = open(dir).await;
    let root = runtime.caller(ROOT);
    let mut put: BTreeMap<(String, i64), Vec<Content>> = BTreeMap::new();
    for read in all(&root, "results").await {
        let of = &read.atom.metadata;
        let (Some(Value::Text(child)), Some(Value::Int(n))) = (of.get("child"), of.get("n")) else {
            panic!("nobody put {read:?}");
        };
        put.entry((child.clone(), *n)).or_default().push(read.atom.content.clone());
    }
    let children: Vec<String> =
        leads.iter().flat_map(|lead| CHILDREN.map(|it| format!("{lead}-{it}"))).collect();
    for child in &children {
        for n in 0..PUTS as i64 {
            let one = Content::Text(format!("{child} {n} after {n}"));
            let found = put.remove(&(child.clone(), n)).unwrap_or_default();
            assert_eq!(found, [one], "atom {n} of {child}");
        }
    }
    assert!(put.is_empty(), "nobody was to put these: {put:?}");
    let tasks = all(&root, "tasks").await;
    assert_eq!(tasks.len(), children.len(), "one task for each child");
    for task in tasks {
        let closed = task.atom.metadata.get("status") == Some(&Value::from("completed"));
        assert!(closed && task.atom.version == 2, "closed once: {task:?}");
    }
    let states: Vec<String> =
        root.agents().await.expect("the agents").into_iter().map(|it| it.state).collect();
    assert_eq!(states, vec!["idle"; leads.len() * 4]);
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).expect("the audit reads");
    assert_eq!(audited.breaches, Vec::<String>::new());
    runtime.stop().await.expect("it stops in order");
}
