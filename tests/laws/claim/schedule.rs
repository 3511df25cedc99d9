//! What may happen, and how often.

use super::deed::{Deed, Which};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Ask(u8, Deed),
    /// Makes so many decisions durable.
    Commit(u8),
    Crash,
    /// Time goes by.
    Pass(u16),
}

fn deed() -> impl Strategy<Value = Deed> {
    let at = 0..12u8;
    let which = prop_oneof![Just(Which::Right), Just(Which::Old), Just(Which::Next)];
    // Most often what waits for what it is blocked by.
    let wanted = prop_oneof![2 => 0..8u8, 1 => Just(1)];
    let ttl = prop_oneof![8 => 1..400u64, 1 => Just(0), 1 => Just(9_999)];
    let attempts = proptest::option::weighted(0.4, prop_oneof![1 => Just(0u8), 9 => 1..4u8]);
    prop_oneof![
        6 => (prop_oneof![5 => Just(0usize), 2 => Just(1)], 0..3u8, proptest::collection::vec(at.clone(), 0..3), any::<u16>())
            .prop_map(|(space, status, on, id)| Deed::Put { space, status, on, id }),
        10 => (wanted, proptest::option::weighted(0.3, proptest::collection::vec(at.clone(), 0..4)), ttl.clone(), any::<bool>(), attempts)
            .prop_map(|(wanted, ranked, ttl, set, attempts)| {
                Deed::Claim { wanted, ranked, ttl, set, attempts }
            }),
        6 => (at.clone(), which.clone()).prop_map(|(atom, token)| Deed::Complete { atom, token }),
        4 => (at.clone(), 0..3u8, proptest::option::weighted(0.3, 0..3u8), proptest::bool::weighted(0.3))
            .prop_map(|(atom, status, expect, anew)| Deed::Update { atom, status, expect, anew }),
        1 => at.clone().prop_map(Deed::Deprecate),
        2 => (proptest::option::of(at.clone()), ttl.clone())
            .prop_map(|(atom, ttl)| Deed::Acquire { atom, ttl }),
        3 => (proptest::option::weighted(0.7, at.clone()), which, ttl)
            .prop_map(|(atom, token, ttl)| Deed::Renew { atom, token, ttl }),
        2 => (proptest::option::weighted(0.7, at), proptest::bool::weighted(0.8), any::<bool>())
            .prop_map(|(atom, own, undo)| Deed::Release { atom, own, undo }),
        3 => (0..2usize).prop_map(Deed::Expire),
        2 => (0..2usize, proptest::option::weighted(0.7, (0..300u16, 0..300u16)))
            .prop_map(|(space, within)| Deed::LetGo { space, within }),
        2 => (0..12u8, 0..12u8, any::<u16>())
            .prop_map(|(first, second, id)| Deed::Several { first, second, id }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..5u8, deed()).prop_map(|(who, deed)| Step::Ask(who, deed)),
        6 => (1..6u8).prop_map(Step::Commit),
        1 => Just(Step::Crash),
        4 => (1..300u16).prop_map(Step::Pass),
    ]
}

pub(crate) fn schedule(steps: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..steps)
}
