//! Budgets of agents whose process is killed at random instants.
//!
//! A lead with a budget brings up a child with a part of it whenever it is spoken to; whoever owns
//! the directory speaks to it, waits, and wipes the children, and is killed in between. Then what
//! the lead has left, what it has spent and what every child, dead or alive, has spent or has left
//! is what the lead was given: to the last thought.

#![expect(clippy::expect_used, reason = "a test says what it takes for given")]
#![expect(clippy::print_stdout, reason = "it is its own harness, and speaks to its parent")]
#![expect(clippy::disallowed_methods, reason = "a run is its seed, and the seed is a setting")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use stoa::agents::{AgentCard, SpaceAsk, SpawnAsk};
use stoa::audit::audit;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::failure::StoreError;
use stoa::runtime::{Runtime, kinds};
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT};
use stoa_actors::rights::Level;
use stoa_actors::session::Budget;
use stoa_actors::space::Draft;

const KILLS: usize = 60;
const GIVEN: u64 = 1_000_000;
/// Longer than anything here takes on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Some it has to take back: the second of each pair asks for what it may not give.
const LEAD: &str = "\
for wake in wakes:
    if wake['space'] == 'dm':
        coordinator.spawn(task='child', instructions='child', budget=7)
        try:
            coordinator.spawn(task='child', instructions='child', budget=9, tools=['none'])
        except PermissionError:
            pass
        for agent in coordinator.agents():
            coordinator.fund(agent, 2)
";

const CHILD: &str = "dm.put('here')";

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
    println!("budgets: seed {seed} (STOA_SEED=N for another run)");
    the_process_is_killed(&mut Chance(seed));
    println!("1 passed, 0 failed");
    ExitCode::SUCCESS
}

/// A worker that was about to be started when its owner was killed lets go of the lock in a moment.
async fn open(dir: &Path) -> Runtime {
    let begun = Instant::now();
    let mut config = Config::at(dir);
    config.workers.worker = Some(env!("CARGO_BIN_EXE_stoa").into());
    loop {
        match stoa::open(config.clone()).await {
            Err(StoreError::Locked { .. }) if begun.elapsed() < PATIENCE => {
                tokio::task::yield_now().await;
            }
            opened => return opened.expect("the directory opens"),
        }
    }
}

async fn children(root: &Caller) -> Vec<AgentCard> {
    let all = root.agents().await.expect("the agents");
    all.into_iter().filter(|it| it.parent != ROOT).collect()
}

/// Speaks to the lead and wipes its children, until it is killed.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn owner(dir: &Path) {
    let runtime = open(dir).await;
    let root = runtime.caller(ROOT);
    runtime.start_agents().await.expect("the agents start");
    say("ready");
    loop {
        root.say("lead", "bring up a child").await.expect("it hears");
        say("said");
        runtime.at_rest().await;
        for child in children(&root).await {
            root.wipe_agent(&child.id.to_string(), "it is done").await.expect("it ends");
            say("wiped");
        }
    }
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
    for (name, python) in [("guide", LEAD), ("child", CHILD)] {
        let space = root.create_space(name, "").await.expect("a space");
        let content = Content::Text(format!("```python\n{python}\n```"));
        let draft = Draft { content, ..Draft::default() };
        root.put(space, draft, WriteOptions::comment("a recipe")).await.expect("a recipe");
    }
    let ask = SpawnAsk {
        task: "lead".to_owned(),
        name: Some("lead".to_owned()),
        instructions: Some("guide".to_owned()),
        spaces: vec![SpaceAsk::whole("child", Level::Read)],
        budget: Budget::thoughts(GIVEN),
        ..SpawnAsk::default()
    };
    root.spawn(ask).await.expect("a lead");
    runtime.stop().await.expect("it stops in order");
}

fn the_process_is_killed(chance: &mut Chance) {
    let dir = tempfile::tempdir().expect("a directory");
    furnish(dir.path());
    let begun = Instant::now();
    let mut last = (0, 0);
    for kill in 1..=KILLS {
        let (mut child, lines) = start(dir.path());
        let early = chance.below(8) == 0;
        let mut left = if early { 0 } else { 1 + chance.below(8) };
        while left > 0 {
            match lines.recv_timeout(PATIENCE) {
                Ok(_) => left -= 1,
                Err(RecvTimeoutError::Disconnected) => panic!("the owner died by itself"),
                Err(RecvTimeoutError::Timeout) => panic!("the agents stand still"),
            }
        }
        // No synchronisation: the instant is what is drawn.
        let instant = Duration::from_micros(chance.below(if early { 60_000 } else { 15_000 }));
        std::thread::park_timeout(instant);
        child.kill().expect("it can be killed");
        child.wait().expect("it is gone");
        if kill % 6 == 0 {
            last = check(dir.path());
        }
    }
    let (dead, spent) = last;
    assert!(dead > 10, "only {dead} children were brought up and wiped");
    println!(
        "budgets: {KILLS} kills, {dead} children born and wiped, {spent} thoughts spent, none \
         lost and none made, {:?}",
        begun.elapsed()
    );
}

/// How many children are dead, and what was spent.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn check(dir: &Path) -> (usize, u64) {
    let runtime = open(dir).await;
    runtime.start_agents().await.expect("the agents start");
    let rest = tokio::time::timeout(PATIENCE, runtime.at_rest());
    rest.await.expect("all come to rest");
    let root = runtime.caller(ROOT);
    for child in children(&root).await {
        root.wipe_agent(&child.id.to_string(), "it is done").await.expect("it ends");
    }
    let lead = root.agent("lead").await.expect("the lead");
    // All that anything was ever lent to; of some there came no child.
    let log = root.agent_log("lead", Position(0), usize::MAX).await.expect("what it did");
    let lent = log.iter().filter(|it| it.kind == "budget.lent");
    let to: BTreeSet<&str> = lent.filter_map(|it| Some(it.text.split_once(" to ")?.1)).collect();
    let (mut dead, mut spent) = (0, lead.spent.thoughts);
    for id in to {
        let Ok(child) = root.agent(id).await else { continue };
        dead += 1;
        assert_eq!(child.left, Budget::thoughts(0), "it has given back what it had: {child:?}");
        spent += child.spent.thoughts;
    }
    let left = lead.left.thoughts.expect("it has a bound");
    assert_eq!(left + spent, GIVEN, "{dead} children, {lead:?}");
    let audited = audit(runtime.store(), &kinds(), runtime.durable()).expect("the audit reads");
    assert_eq!(audited.breaches, Vec::<String>::new());
    runtime.stop().await.expect("it stops in order");
    (dead, spent)
}
