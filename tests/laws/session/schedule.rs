//! Random schedules: small numbers that are read against what runs by then, so that a schedule
//! that was cut down still means something.

use proptest::prelude::*;

/// How a thing that runs comes to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It says or observes, and the turn goes on.
    On,
    /// It says its last word; silent, or not.
    Last { speaks: bool },
    /// It says more than it may.
    TooMuch,
    /// It makes a call, which changes something or does not.
    Call { wrote: bool },
    /// What it says cannot be used, and it is told so.
    Unusable,
    /// What it is to be told is too much for it.
    Full,
    /// It fails.
    Fail,
    /// It gives no answer, and may later: its provider asks to wait, or it failed.
    Defer { failed: bool, wait_ms: Option<u16> },
    /// It is done, and its end is lost on the way.
    Lost,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Begin,
    /// Something happens in a space.
    Notify {
        space: u8,
        hop: u16,
    },
    /// Somebody looks for what is new, and tells it at once.
    Look,
    /// The same, told later.
    LookOnly,
    TellLooked,
    /// One of the things that run goes on.
    Perform {
        which: u8,
        how: Outcome,
    },
    /// An outcome that was told once is told again.
    Again {
        which: u8,
    },
    Follow {
        space: u8,
        back: u8,
    },
    Unfollow {
        space: u8,
    },
    /// Somebody has it see now what was said in its DM space.
    Steer {
        interrupt: bool,
    },
    Stop,
    Resume,
    Wipe,
    /// Something else holds for it from now on.
    Around,
    Pass {
        ms: u16,
    },
    Commit {
        count: u8,
    },
    Crash,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => Just(Outcome::On),
        6 => any::<bool>().prop_map(|speaks| Outcome::Last { speaks }),
        1 => Just(Outcome::TooMuch),
        7 => any::<bool>().prop_map(|wrote| Outcome::Call { wrote }),
        1 => Just(Outcome::Unusable),
        3 => Just(Outcome::Full),
        4 => Just(Outcome::Fail),
        3 => (any::<bool>(), prop::option::of(1..300u16))
            .prop_map(|(failed, wait_ms)| Outcome::Defer { failed, wait_ms }),
        2 => Just(Outcome::Lost),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => Just(Op::Begin),
        8 => (0..3u8, prop_oneof![3 => Just(0u16), 2 => 1..7u16])
            .prop_map(|(space, hop)| Op::Notify { space, hop }),
        6 => Just(Op::Look),
        1 => Just(Op::LookOnly),
        2 => Just(Op::TellLooked),
        24 => (any::<u8>(), outcome()).prop_map(|(which, how)| Op::Perform { which, how }),
        3 => any::<u8>().prop_map(|which| Op::Again { which }),
        2 => (0..4u8, 0..6u8).prop_map(|(space, back)| Op::Follow { space, back }),
        1 => (0..3u8).prop_map(|space| Op::Unfollow { space }),
        8 => any::<bool>().prop_map(|interrupt| Op::Steer { interrupt }),
        1 => Just(Op::Stop),
        2 => Just(Op::Resume),
        4 => Just(Op::Around),
        4 => (1..400u16).prop_map(|ms| Op::Pass { ms }),
        12 => (1..6u8).prop_map(|count| Op::Commit { count }),
        3 => Just(Op::Crash),
    ]
}

/// A birth, up to `steps_max` steps, and in one of eight schedules a death at the end.
pub(crate) fn schedule(steps_max: usize) -> impl Strategy<Value = Vec<Op>> {
    let steps = prop::collection::vec(op(), steps_max / 2..=steps_max);
    (steps, 0..8u8).prop_map(|(steps, end)| {
        let end = (end == 0).then_some(Op::Wipe);
        [Op::Begin].into_iter().chain(steps).chain(end).collect()
    })
}
