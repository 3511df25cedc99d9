//! [one-log] Many nodes over one order that does everything an order may: each holds the same log,
//! what was acknowledged is in it once, and what is refused is nowhere.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]
#![expect(clippy::expect_used, reason = "a test says what it takes for given")]

#[path = "order/agents.rs"]
mod agents;
#[path = "order/nodes.rs"]
mod nodes;
#[path = "order/oracle.rs"]
mod oracle;
#[path = "order/realm.rs"]
mod realm;
#[path = "order/stuck.rs"]
mod stuck;

use nodes::{Nodes, Schedule};
use realm::{Bug, Whims};

/// What goes wrong, and is no fault.
const TROUBLE: Whims =
    Whims { late: 30, twice: 20, overtakes: 5, refused: 5, again: 10, strangers: 20 };

const SEEDS: [u64; 6] = [3, 14, 15, 92, 65, 35];

#[test]
fn every_node_has_the_log_that_the_order_says() {
    for seed in SEEDS {
        let nodes = Nodes::open(seed, TROUBLE, 4);
        nodes.run(Schedule::Apart).and_then(|()| nodes.judge()).expect("the law holds");
    }
}

#[test]
fn nodes_that_write_to_one_space_lose_nothing_that_was_acknowledged() {
    for seed in SEEDS {
        let nodes = Nodes::open(seed, TROUBLE, 4);
        nodes.run(Schedule::InTheWay).and_then(|()| nodes.judge()).expect("the law holds");
    }
}

#[test]
fn what_dies_with_offers_on_their_way_finds_them_where_they_stand() {
    for seed in SEEDS {
        let mut nodes = Nodes::open(seed, TROUBLE, 4);
        for _ in 0..3 {
            nodes.run(Schedule::Cut).expect("it goes on");
            nodes.kill_one();
        }
        nodes.run(Schedule::Apart).and_then(|()| nodes.judge()).expect("the law holds");
    }
}

#[test]
fn what_was_erased_leaves_the_log_of_every_node() {
    for seed in SEEDS {
        let nodes = Nodes::open(seed, TROUBLE, 4);
        nodes.run(Schedule::Erasing).and_then(|()| nodes.judge()).expect("the law holds");
    }
}

/// An order that breaks its word is found out: a node stops, or the law does not hold.
#[test]
fn every_planted_bug_of_an_order_is_caught() {
    for bug in [Bug::RetriedAsNew, Bug::Early, Bug::RefusedStands, Bug::Swapped] {
        // What is void may be anywhere: only what counts is seen to be wrong.
        let refused = if bug == Bug::RefusedStands { 20 } else { 0 };
        let (mut bitten, mut caught) = (0, false);
        for seed in 41..49 {
            let nodes = Nodes::open(seed, Whims { refused, overtakes: 0, ..TROUBLE }, 4);
            nodes.plant(bug);
            let held = nodes.run(Schedule::Apart).and_then(|()| nodes.judge());
            bitten += nodes.bitten();
            // What came true may have come true where nobody could tell: then it is tried again.
            caught = held.is_err();
            if caught {
                break;
            }
        }
        assert!(bitten > 0, "{bug:?} never came true");
        assert!(caught, "{bug:?} is let through");
    }
}
