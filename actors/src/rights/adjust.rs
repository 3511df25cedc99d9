//! What is to be given and taken so that a session uses exactly the spaces asked for.

use crate::id::SpaceId;
use std::collections::BTreeMap;

/// First the taking, then the giving: in between the session holds less, never more.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Adjustment {
    /// Spaces whose rights go.
    pub withdraw: Vec<SpaceId>,
    /// Which of the asked for are given, by their place among them.
    pub share: Vec<usize>,
}

/// From what a session holds to what is asked for it, nothing besides.
///
/// A space asked for twice is asked for at the higher level, once. A level that differs, also a
/// lower one, is withdrawn and given anew: a right is a link, and a link does not change.
pub fn adjust<L: Ord>(held: &[(SpaceId, L)], asked: &[(SpaceId, L)]) -> Adjustment {
    let mut wanted: BTreeMap<SpaceId, usize> = BTreeMap::new();
    for (place, (space, level)) in asked.iter().enumerate() {
        let best = wanted.entry(*space).or_insert(place);
        if asked[*best].1 < *level {
            *best = place;
        }
    }
    let mut withdraw = Vec::new();
    for (space, level) in held {
        match wanted.get(space) {
            Some(place) if asked[*place].1 == *level => drop(wanted.remove(space)),
            _ => withdraw.push(*space),
        }
    }
    let mut share: Vec<usize> = wanted.into_values().collect();
    share.sort_unstable();
    Adjustment { withdraw, share }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::Level;
    use Level::{Append, Read, Write};

    const A: SpaceId = SpaceId([1; 16]);
    const B: SpaceId = SpaceId([2; 16]);
    const C: SpaceId = SpaceId([3; 16]);

    #[test]
    fn exactly_what_is_asked_for_is_held_afterwards() {
        let held = [(A, Read), (B, Write), (C, Append)];
        // C as it is, B lower, A not at all: in the order of the asking.
        let adjusted = adjust(&held, &[(C, Append), (B, Read)]);
        assert_eq!(adjusted, Adjustment { withdraw: vec![A, B], share: vec![1] });
        assert_eq!(adjust(&held, &held), Adjustment::default());
        let all_new = Adjustment { withdraw: vec![], share: vec![0, 1] };
        assert_eq!(adjust(&[], &[(B, Read), (A, Write)]), all_new);
    }

    // Found by reading: the lower of two names of one space was given again by every action.
    #[test]
    fn a_space_of_two_names_is_given_once_at_the_higher_level() {
        let asked = [(A, Read), (A, Write), (A, Append)];
        assert_eq!(adjust(&[], &asked).share, [1]);
        assert_eq!(adjust(&[(A, Write)], &asked), Adjustment::default());
        let higher = Adjustment { withdraw: vec![A], share: vec![1] };
        assert_eq!(adjust(&[(A, Read)], &asked), higher);
    }
}
