//! Random schedules: few askers, keys and words, so that everything gets in everybody's way.

use proptest::prelude::*;
use stoa_actors::simulation::AppendOutcome;

/// One step of a schedule; numbers pick among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put {
        who: u8,
        space: u8,
        refer: Option<u8>,
        key: Option<u8>,
        word: u8,
    },
    Update {
        who: u8,
        space: u8,
        atom: u8,
        base: Base,
        refer: Option<u8>,
        key: Option<u8>,
        word: u8,
    },
    Deprecate {
        who: u8,
        space: u8,
        atom: u8,
        base: Base,
    },
    Reinstate {
        who: u8,
        space: u8,
        atom: u8,
        base: Base,
    },
    Commit(u8),
    Fail(u8, AppendOutcome),
    Crash,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    Current,
    Stale,
    Any,
}

/// Whether what is written reaches the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Hold,
    /// Now and then one reports an error.
    Fail,
}

fn step(writes: Writes) -> impl Strategy<Value = Step> {
    let base =
        || prop_oneof![4 => Just(Base::Current), 1 => Just(Base::Stale), 1 => Just(Base::Any)];
    let key = || proptest::option::weighted(0.4, 0..4u8);
    let refer = || proptest::option::weighted(0.5, any::<u8>());
    let fate = prop_oneof![Just(AppendOutcome::Lost), Just(AppendOutcome::Kept)];
    let fails = u32::from(writes == Writes::Fail);
    prop_oneof![
        4 => (0..4u8, 0..2u8, refer(), key(), 0..3u8).prop_map(|(who, space, refer, key, word)| {
            Step::Put { who, space, refer, key, word }
        }),
        6 => (0..4u8, 0..2u8, any::<u8>(), base(), refer(), key(), 0..3u8).prop_map(
            |(who, space, atom, base, refer, key, word)| {
                Step::Update { who, space, atom, base, refer, key, word }
            }
        ),
        1 => (0..4u8, 0..2u8, any::<u8>(), base())
            .prop_map(|(who, space, atom, base)| Step::Deprecate { who, space, atom, base }),
        1 => (0..4u8, 0..2u8, any::<u8>(), base())
            .prop_map(|(who, space, atom, base)| Step::Reinstate { who, space, atom, base }),
        5 => (1..6u8).prop_map(Step::Commit),
        fails => (1..6u8, fate).prop_map(|(nth, fate)| Step::Fail(nth, fate)),
        1 => Just(Step::Crash),
    ]
}

pub(crate) fn schedule(steps_max: usize, writes: Writes) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(writes), 1..steps_max)
}
