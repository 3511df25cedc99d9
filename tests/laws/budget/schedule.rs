//! Random schedules of a family: small numbers that are read against who there is by then.

use super::FAMILY;
use proptest::prelude::*;
use stoa_actors::session::Budget;

/// What becomes of a spawn after its parent has paid for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Born,
    Refused,
    /// The process dies, before or after it is durable; the spawn is perhaps made again.
    CutOff {
        durable: bool,
    },
}

/// How a thing that runs comes to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Deed {
    /// A thought that acts, and took so many tokens; an action that ends.
    Acts {
        tokens: u8,
    },
    /// A reply that cannot be used, and took so many tokens.
    Unusable {
        tokens: u8,
    },
    /// A model that gives no answer, and may later.
    Defer {
        failed: bool,
    },
    /// A window that is full.
    Full,
    /// A model that cannot be asked, whatever it would take.
    FailsBefore,
    Fail,
    /// It has its effect outside, and its end is lost on the way.
    Lost,
    Ends,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Spawn {
        by: u8,
        budget: Budget,
        fate: Fate,
    },
    /// More from outside, and more from the parent.
    Fund {
        who: u8,
        budget: Budget,
    },
    LendMore {
        to: u8,
        budget: Budget,
    },
    Perform {
        which: u8,
        how: Deed,
    },
    Wake {
        who: u8,
    },
    /// It is spoken to, and is to see that now.
    Steer {
        who: u8,
        interrupt: bool,
    },
    Resume {
        who: u8,
    },
    Stop {
        who: u8,
    },
    Wipe {
        who: u8,
    },
    /// What was told once is told again.
    Again {
        which: u8,
    },
    Commit {
        count: u8,
    },
    Crash,
}

fn budget() -> impl Strategy<Value = Budget> {
    let some = |most: u64| prop_oneof![39 => (1..most).prop_map(Some), 1 => Just(None)];
    let few = prop_oneof![39 => (0..4u64).prop_map(Some), 1 => Just(None)];
    let depth = prop_oneof![3 => Just(None), 1 => (0..4u64).prop_map(Some)];
    let spent = (some(9), some(180), some(110), some(400), some(9), few, depth);
    spent.prop_map(|(thoughts, tokens, money, ms, turns, spawns, depth)| Budget {
        thoughts,
        tokens,
        money,
        ms,
        turns,
        spawns,
        depth,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let who = || 0..FAMILY;
    let fate = prop_oneof![
        4 => Just(Fate::Born),
        1 => Just(Fate::Refused),
        1 => any::<bool>().prop_map(|durable| Fate::CutOff { durable }),
    ];
    let how = prop_oneof![
        6 => (0..20u8).prop_map(|tokens| Deed::Acts { tokens }),
        1 => (0..250u8).prop_map(|tokens| Deed::Acts { tokens }),
        2 => (0..20u8).prop_map(|tokens| Deed::Unusable { tokens }),
        1 => any::<bool>().prop_map(|failed| Deed::Defer { failed }),
        1 => Just(Deed::Full),
        1 => Just(Deed::Fail),
        1 => Just(Deed::FailsBefore),
        2 => Just(Deed::Lost),
        3 => Just(Deed::Ends),
    ];
    prop_oneof![
        6 => (0..4u8, budget(), fate).prop_map(|(by, budget, fate)| Op::Spawn { by, budget, fate }),
        1 => (who(), budget()).prop_map(|(who, budget)| Op::Fund { who, budget }),
        3 => (who(), budget()).prop_map(|(to, budget)| Op::LendMore { to, budget }),
        24 => (any::<u8>(), how).prop_map(|(which, how)| Op::Perform { which, how }),
        4 => who().prop_map(|who| Op::Wake { who }),
        4 => (who(), any::<bool>()).prop_map(|(who, interrupt)| Op::Steer { who, interrupt }),
        2 => who().prop_map(|who| Op::Resume { who }),
        1 => who().prop_map(|who| Op::Stop { who }),
        2 => who().prop_map(|who| Op::Wipe { who }),
        4 => any::<u8>().prop_map(|which| Op::Again { which }),
        10 => (1..6u8).prop_map(|count| Op::Commit { count }),
        3 => Just(Op::Crash),
    ]
}

pub(crate) fn schedule(steps_max: usize) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), steps_max / 2..=steps_max)
}
