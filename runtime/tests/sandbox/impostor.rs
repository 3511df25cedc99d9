//! Workers that are none: whatever they send, the runtime goes on and the action ends in time.

use crate::fake::{Fake, WORKER, action, failure, run, value};
use std::time::{Duration, Instant};
use stoa::sandbox::{CodeRunner, Workers, WorkersConfig};

const IMPOSTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox/impostor.sh");

/// The kind of impostor, how its action ends, and a part of what is said.
const KINDS: &[(u64, &str, &str)] = &[
    (1, "TimeoutError", "more than compute_ms_max = 300 ms and had to be killed"),
    (2, "SystemError", "misbehaved: a frame of 1651663207 bytes"),
    (3, "SystemError", "misbehaved: a frame of 4294967295 bytes"),
    (4, "SystemError", "died (exit status: 0)"),
    (5, "SystemError", "died (exit status: 3)"),
    (6, "MemoryError", "more than memory_bytes_max"),
    (7, "RecursionError", "nests too deeply"),
    (8, "SystemError", "died (signal: 11"),
    (9, "SystemError", "misbehaved: a call of a function it was not given"),
    (10, "SystemError", "misbehaved: a frame is not a message"),
    (11, "SystemError", "misbehaved: an item is not well formed"),
    (12, "TimeoutError", "had to be killed"),
    (13, "SystemError", "closed its pipe"),
    (14, "SystemError", "misbehaved: it goes on after its end"),
];

#[tokio::test]
async fn an_impostor_costs_its_action_and_nothing_else() {
    for (kind, class, said) in KINDS {
        let workers = Workers::new(WorkersConfig {
            worker_memory_bytes_max: *kind,
            grace_ms: 200,
            ..WorkersConfig::new(IMPOSTOR)
        });
        let mut action = action("echo(1)");
        action.limits.compute_ms_max = 300;
        action.dump = Some(vec![7; 3]);
        for round in 0..2 {
            let begun = Instant::now();
            let outcome = workers.run(action.clone(), &mut Fake::default()).await;
            let took = begun.elapsed();
            let (found, traceback) = failure(&outcome);
            assert!(found == *class && traceback.contains(said), "{kind}, {round}: {traceback}");
            assert!(took < Duration::from_millis(1_300), "{kind}: {took:?}");
            assert_eq!(outcome.dump, action.dump, "{kind}: the REPL stands where it stood");
            assert!(outcome.notice.is_some(), "{kind}");
        }
    }
    // Those of the last pool may still be dying.
    #[cfg(target_os = "linux")]
    assert!(sleeping() <= 2, "impostors live on");
}

/// The impostors that sleep.
#[cfg(target_os = "linux")]
fn sleeping() -> usize {
    let sleeps = |pid: &rustix::process::Pid| {
        let line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
        line.is_ok_and(|line| line.starts_with(b"/bin/sleep\x00600"))
    };
    crate::orphan::children(std::process::id()).iter().filter(|pid| sleeps(pid)).count()
}

#[tokio::test]
async fn a_worker_that_is_not_there_is_an_error_of_the_action() {
    let workers = Workers::new(WorkersConfig::new("/nonexistent/stoa"));
    let outcome = run(&workers, "1").await;
    let (class, traceback) = failure(&outcome);
    assert_eq!(class, "SystemError");
    assert!(traceback.contains("could be started from /nonexistent/stoa"), "{traceback}");
}

#[tokio::test]
async fn workers_are_replaced_after_so_many_actions() {
    let config = WorkersConfig { worker_actions_max: 2, ..WorkersConfig::new(WORKER) };
    let workers = Workers::new(config);
    workers.warm().expect("workers start");
    for n in 0..7 {
        assert_eq!(value(&run(&workers, &format!("{n} + 1")).await), (n + 1).to_string());
    }
}
