//! The laws of a whole system, on many seeds.

#![expect(clippy::expect_used, reason = "a law says what it takes for given")]

mod laws {
    pub(crate) mod whole;
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use laws::whole::{hold, run};
use stoa_actors::world::Chances;

#[test]
fn a_whole_system_keeps_its_laws() {
    hold(1, 1_000).expect("the laws hold");
}

#[test]
fn a_whole_system_keeps_its_laws_on_other_seeds() {
    hold(1_001, 1_000).expect("the laws hold");
}

/// In every build: where `STOA_TRACES` names a file the traces are left there, for a build of another
/// profile to be compared with.
#[test]
fn the_same_seed_is_the_same_run() {
    let trace = |seed| run(seed, Chances::default()).expect("the laws hold");
    let traces: Vec<u64> = (1..=100).map(trace).collect();
    assert!((1..=10).map(trace).eq(traces[..10].iter().copied()));
    if let Some(file) = std::env::var_os("STOA_TRACES") {
        let lines = traces.iter().map(|it| format!("{it:016x}\n"));
        std::fs::write(file, lines.collect::<String>()).expect("the traces are written");
    }
}
