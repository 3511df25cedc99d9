//! What an action costs, against the floor: bare round trips to a child over pipes.

use crate::fake::{Fake, action, value, workers};
use std::process::Stdio;
use std::time::{Duration, Instant};
use stoa::sandbox::CodeRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout, Command};

const ROUNDS: usize = 61;

/// Measured: 1.4 in a release build, 2.7 in a debug one that runs alone. A stall on a timer or a
/// missing flush would be hundreds.
const RATIO_MAX: f64 = 20.0;

#[tokio::test]
async fn ten_host_calls_cost_little_more_than_ten_round_trips() {
    let workers = workers();
    let mut echo = Command::new("/bin/cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("cat starts");
    let mut to = echo.stdin.take().expect("it is piped");
    let mut from = echo.stdout.take().expect("it is piped");
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let floor = ten_round_trips(&mut to, &mut from).await;
        let begun = Instant::now();
        let ten = action("[echo(i) for i in range(10)][9]");
        let outcome = workers.run(ten, &mut Fake::default()).await;
        ratios.push(begun.elapsed().as_secs_f64() / floor.as_secs_f64());
        assert_eq!(value(&outcome), "9");
    }
    ratios.sort_by(f64::total_cmp);
    let (low, median, high) = (ratios[ROUNDS / 10], ratios[ROUNDS / 2], ratios[ROUNDS * 9 / 10]);
    println!("an action with ten host calls: {median:.2} ({low:.2}–{high:.2}) of the floor");
    assert!(median < RATIO_MAX, "{median:.2} ({low:.2}–{high:.2})");
}

async fn ten_round_trips(to: &mut ChildStdin, from: &mut ChildStdout) -> Duration {
    let (sent, mut heard) = ([7; 32], [0; 32]);
    let begun = Instant::now();
    for _ in 0..10 {
        let written = to.write_all(&sent).await;
        let read = from.read_exact(&mut heard).await;
        assert!(written.is_ok() && read.is_ok() && heard == sent);
    }
    begun.elapsed()
}
