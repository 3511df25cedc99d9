//! Which actors are let go for a while, and whether one that is asked to goes: pure, told what is
//! used and when.
//!
//! An actor that is let go is stopped in order and comes back, from its snapshot and the log, with
//! the next message. It costs a load then and nothing until then, so that there may be more actors
//! than fit in memory.

use crate::id::Millis;

/// One address, as its host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Sitting<K> {
    pub key: K,
    /// When it was used last.
    pub used: Millis,
    /// What it is doing.
    pub doing: Activity,
}

/// What an address is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It has a request or an effect under way, is being started or kept out of service, or somebody
    /// holds on to it although its actor is gone.
    InUse,
    /// Its actor is up and has nothing to do.
    Waiting,
    /// Its actor is gone already, and nobody holds on to it.
    Empty,
}

/// The addresses to let go now: those that are empty, those that waited for `idle_ms`, and of the others
/// the least recently used for as long as there are more than `addresses_max`.
///
/// None that is in use, so there may be more than that: all of them in use.
pub fn due<K: Copy + Ord>(
    addresses: &[Sitting<K>],
    now: Millis,
    idle_ms: u64,
    addresses_max: usize,
) -> Vec<Sitting<K>> {
    let mut free: Vec<_> =
        addresses.iter().filter(|it| it.doing != Activity::InUse).copied().collect();
    free.sort_by_key(|it| (it.doing != Activity::Empty, it.used, it.key));
    let excess = addresses.len().saturating_sub(addresses_max);
    let idle = |it: &Sitting<K>| now.0.saturating_sub(it.used.0) >= idle_ms;
    let goes = |(place, it): &(usize, Sitting<K>)| {
        *place < excess || it.doing == Activity::Empty || idle(it)
    };
    free.into_iter().enumerate().filter(goes).map(|(_, it)| it).collect()
}

/// What an actor does that is asked to go while nobody can reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Rest {
    /// It stays: effects are owed, and an actor that is gone hears of no outcome.
    Stay,
    Go,
    /// It goes and leaves a snapshot behind, so that it comes back quickly.
    GoWithSnapshot,
}

/// Whether it goes. `may_rest` is what it says itself, `behind` the entries since its last snapshot.
pub fn rest(may_rest: bool, behind: u64, snapshot_entries: u64) -> Rest {
    match (may_rest, behind >= snapshot_entries.max(1)) {
        (true, true) => Rest::GoWithSnapshot,
        (true, false) => Rest::Go,
        (false, _) => Rest::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::Activity::{Empty, InUse, Waiting};
    use super::*;

    fn addresses(all: &[(u8, u64, Activity)]) -> Vec<Sitting<u8>> {
        let address = |&(key, used, doing)| Sitting { key, used: Millis(used), doing };
        all.iter().map(address).collect()
    }

    fn keys(addresses: &[Sitting<u8>], now: u64, idle_ms: u64, max: usize) -> Vec<u8> {
        due(addresses, Millis(now), idle_ms, max).iter().map(|it| it.key).collect()
    }

    #[test]
    fn who_waited_long_enough_goes_and_nobody_else() {
        let all = addresses(&[(1, 50, Waiting), (2, 10, InUse), (3, 40, Waiting), (4, 99, Empty)]);
        assert_eq!(keys(&all, 100, 60, 9), [4, 3]);
        assert_eq!(keys(&all, 99, 60, 9), [4]);
        assert_eq!(keys(&all, 110, 60, 9), [4, 3, 1]);
        // A clock that was set back lets nobody go.
        assert_eq!(keys(&all, 0, 60, 9), [4]);
    }

    #[test]
    fn over_the_limit_the_least_recently_used_go_but_never_who_is_in_use() {
        let all = addresses(&[(1, 3, Waiting), (2, 1, InUse), (3, 2, Waiting), (4, 4, Waiting)]);
        assert_eq!(keys(&all, 5, 1_000, 4), []);
        assert_eq!(keys(&all, 5, 1_000, 3), [3]);
        assert_eq!(keys(&all, 5, 1_000, 2), [3, 1]);
        assert_eq!(keys(&all, 5, 1_000, 0), [3, 1, 4]);
        // What is empty makes the room first.
        let all = addresses(&[(1, 3, Empty), (2, 1, Waiting)]);
        assert_eq!(keys(&all, 5, 1_000, 1), [1]);
    }

    #[test]
    fn who_owes_an_effect_stays_and_who_has_far_to_come_back_leaves_a_snapshot() {
        assert_eq!(rest(false, 0, 100), Rest::Stay);
        assert_eq!(rest(false, 500, 100), Rest::Stay);
        assert_eq!(rest(true, 99, 100), Rest::Go);
        assert_eq!(rest(true, 100, 100), Rest::GoWithSnapshot);
        assert_eq!(rest(true, 0, 0), Rest::Go, "nothing has happened since the last one");
    }
}
