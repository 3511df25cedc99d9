//! Whether a request that came back without its actor's answer is sent again, and how long what has
//! failed waits.

/// Why it came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The actor said no. Nothing has changed, and it would say so again.
    Refused,
    /// Its incarnation died with it: whether it took effect is not known.
    Restarted,
    /// There was no room for it within the time that an asker waits: it was never taken.
    NoRoom,
    /// The actor is kept out of service until somebody revives it.
    Quarantined,
    /// Nobody has brought it up here, and nobody knows how to.
    Unregistered,
    /// The store has stopped, or is stopping: nothing is acknowledged any more.
    Stopped,
}

/// Whether repeating a request is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeatable {
    /// It carries an idempotency key: however often it arrives, it happens once.
    Keyed,
    /// Each time it arrives it happens.
    Unkeyed,
}

/// Whether to send it again, unchanged and with the same key, after so many tries.
///
/// What would wait without an end is told instead: only a death and a full mailbox pass by
/// themselves.
pub fn again(why: Unanswered, request: Repeatable, tried: u32, tries_max: u32) -> bool {
    let passes = match (why, request) {
        (Unanswered::Restarted | Unanswered::NoRoom, Repeatable::Keyed) => true,
        // It may have happened already.
        (Unanswered::Restarted, Repeatable::Unkeyed) => false,
        // It has not happened, but its asker has waited once and asked for no more.
        (Unanswered::NoRoom, Repeatable::Unkeyed) => false,
        (
            Unanswered::Refused
            | Unanswered::Quarantined
            | Unanswered::Unregistered
            | Unanswered::Stopped,
            _,
        ) => false,
    };
    passes && tried < tries_max
}

/// Failures in a row after which a wait is doubled no more.
const DOUBLED_MAX: u32 = 16;

/// How long to wait before something is tried again that has failed so often before: `first`, doubled
/// with each failure, and never more than `most`.
pub fn wait_ms(failures: u32, first: u64, most: u64) -> u64 {
    first.saturating_mul(1 << failures.min(DOUBLED_MAX)).min(most)
}

#[cfg(test)]
mod tests {
    use super::Repeatable::{Keyed, Unkeyed};
    use super::*;

    #[test]
    fn only_what_passes_by_itself_is_tried_again_with_a_key_and_not_for_ever() {
        for why in [Unanswered::Restarted, Unanswered::NoRoom] {
            assert!(again(why, Keyed, 1, 3) && again(why, Keyed, 2, 3), "{why:?}");
            assert!(!again(why, Keyed, 3, 3), "{why:?}");
            assert!(!again(why, Unkeyed, 1, 3), "{why:?}: it may happen twice");
        }
        for why in [
            Unanswered::Refused,
            Unanswered::Quarantined,
            Unanswered::Unregistered,
            Unanswered::Stopped,
        ] {
            assert!(!again(why, Keyed, 1, 3), "{why:?}");
        }
    }

    #[test]
    fn a_wait_doubles_up_to_the_longest() {
        let waits: Vec<u64> = (0..5).map(|failures| wait_ms(failures, 100, 1_000)).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_000]);
        assert_eq!(wait_ms(u32::MAX, u64::MAX, 7), 7);
        assert_eq!(wait_ms(3, 0, 7), 0);
    }
}
