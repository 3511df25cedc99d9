//! No worker outlives its runtime, busy or idle, however that ends.

use crate::fake::{WORKER, action, run, value, workers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use stoa::sandbox::{Boxed, CodeRunner, Host, Workers, WorkersConfig};
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::value::Value;
use tokio::sync::oneshot;

/// Set for the runtime that is to be killed.
const VICTIM: &str = "STOA_TEST_SANDBOX_VICTIM";

/// Tells who waits that the code runs.
struct Saying;

impl Host for Saying {
    fn call(&mut self, _: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        let said = std::io::stdout().write_all(b"\nbusy\n");
        assert!(said.is_ok(), "the test listens");
        Box::pin(std::future::ready(Ok(Item::Value(Value::Null))))
    }
}

#[tokio::test]
async fn no_worker_outlives_a_killed_runtime() {
    if std::env::vars_os().any(|(name, _)| name == VICTIM) {
        let workers = workers();
        workers.warm().expect("workers start");
        let mut endless = action("echo(1)\nwhile True: pass");
        endless.limits.compute_ms_max = 600_000;
        workers.run(endless, &mut Saying).await;
        panic!("it was not killed");
    }
    let mut victim = Command::new(std::env::current_exe().expect("this test has a file"))
        .args(["--exact", "orphan::no_worker_outlives_a_killed_runtime", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test starts again");
    let lines = BufReader::new(victim.stdout.take().expect("it is piped")).lines();
    let said = lines.map_while(Result::ok).find(|line| line == "busy");
    assert!(said.is_some(), "the victim never ran its code");
    let workers = children(victim.id());
    assert_eq!(workers.len(), 2, "one busy, one idle");
    let open = |pid: &Pid| pidfd_open(*pid, PidfdFlags::empty()).expect("it runs");
    let ends: Vec<_> = workers.iter().map(open).collect();
    let pid = Pid::from_raw(victim.id().cast_signed()).expect("a process has an id");
    kill_process(pid, Signal::KILL).expect("it is ours");
    victim.wait().expect("it is dead");
    for end in &ends {
        let mut ends = [PollFd::new(end, PollFlags::IN)];
        let seconds = Timespec { tv_sec: 5, tv_nsec: 0 };
        assert_eq!(poll(&mut ends, Some(&seconds)), Ok(1), "a worker outlives its runtime");
    }
}

/// The processes with this parent.
pub(crate) fn children(parent: u32) -> Vec<Pid> {
    let stat = |entry: std::fs::DirEntry| std::fs::read_to_string(entry.path().join("stat")).ok();
    let child = |stat: String| {
        let (pid, rest) = (stat.split(' ').next()?, stat.rsplit(')').next()?);
        let of = rest.split(' ').nth(2)?.parse::<u32>().ok()?;
        Pid::from_raw(pid.parse().ok()?).filter(|_| of == parent)
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(stat).filter_map(child).collect()
}

/// Tells a test that the code runs.
struct Telling(Option<oneshot::Sender<()>>);

impl Host for Telling {
    fn call(&mut self, _: HostCall) -> Boxed<'_, Result<Item, Raise>> {
        let said = self.0.take().map(|said| said.send(()));
        assert_eq!(said, Some(Ok(())), "called once, and heard");
        Box::pin(std::future::ready(Ok(Item::Value(Value::Null))))
    }
}

#[tokio::test]
async fn a_dropped_action_frees_its_place() {
    let workers = Workers::new(WorkersConfig { workers_max: 1, ..WorkersConfig::new(WORKER) });
    let mut endless = action("echo(1)\nwhile True: pass");
    endless.limits.compute_ms_max = 600_000;
    let (said, heard) = oneshot::channel();
    let mut host = Telling(Some(said));
    tokio::select! {
        _ = workers.run(endless, &mut host) => panic!("it is endless"),
        heard = heard => heard.expect("the code calls"),
    }
    assert_eq!(value(&run(&workers, "1").await), "1");
}
