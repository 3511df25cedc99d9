//! The example's own actor, simulated: the same type, no runtime, crashes at every point.

#[path = "../examples/own_actor/till.rs"]
mod till;

use stoa_actors::id::{ROOT, StreamId};
use stoa_actors::incarnation::{Refused, Request};
use stoa_actors::simulation::Simulation;
use till::{Message, Till};

const STREAM: StreamId = StreamId([7; 16]);

/// Sells five times, decisions durable one by one, and crashes after `commits` of them.
fn crashed_after(commits: usize) -> Simulation<Till> {
    let mut simulation = Simulation::new(1);
    for cents in 1..=5 {
        simulation.ask(STREAM, Request::new(ROOT, Message::Sell(cents)));
    }
    let told = simulation.commit(commits);
    assert_eq!(told.len(), commits);
    simulation.crash();
    simulation
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash_at_every_point() {
    for commits in 0..=5 {
        let mut simulation = crashed_after(commits);
        let sold: u64 = (1..=commits as u64).sum();
        assert_eq!(simulation.state(STREAM).cents, sold, "after {commits} commits");
        assert!(simulation.disk().chains() && simulation.disk().folds());
    }
}

#[test]
fn every_receipt_is_owed_until_it_is_printed() {
    let mut simulation = crashed_after(3);
    let owed = simulation.effects();
    assert_eq!(
        owed.iter().map(|(_, sale, it)| (*sale, it.cents)).collect::<Vec<_>>(),
        [(1, 1), (2, 2), (3, 3)]
    );
    assert!(simulation.call(STREAM, Request::new(ROOT, Message::Printed(2))).is_ok());
    simulation.crash();
    let owed: Vec<_> = simulation.effects().into_iter().map(|(_, sale, _)| sale).collect();
    assert_eq!(owed, [1, 3]);
}

#[test]
fn a_refusal_changes_nothing_and_a_repeated_refund_happens_once() {
    let mut simulation = crashed_after(2);
    let short = simulation.call(STREAM, Request::new(ROOT, Message::Refund(99)));
    assert!(matches!(short, Err(Refused::Actor(till::Short(3)))));
    let refund = || Request::new(ROOT, Message::Refund(1)).key("one");
    assert_eq!(simulation.call(STREAM, refund()).ok(), Some(2));
    assert_eq!(simulation.call(STREAM, refund()).ok(), Some(2));
    assert_eq!(simulation.state(STREAM).cents, 2);
}
