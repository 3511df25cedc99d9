//! Who is to be told that something of theirs is due: pure, shown what is due and when.
//!
//! Rows say what is due, so a restart forgets nothing. Whoever is told records what has happened,
//! and its row goes; if it cannot, it is left alone for a while and told again.

use crate::id::{Millis, StreamId};
use std::collections::{BTreeMap, BTreeSet};

/// Whom to leave alone, and until when.
#[derive(Clone, Debug, Default)]
pub struct Alarm {
    left_alone: BTreeMap<StreamId, Millis>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Whom to tell now, each once.
    pub tell: BTreeSet<StreamId>,
    /// When to look again; nothing while nothing is due.
    pub again: Option<Millis>,
}

impl Alarm {
    /// `due` is what is due, the earliest first; what is not shown is not earlier.
    pub fn ring(&mut self, now: Millis, due: impl Iterator<Item = (Millis, StreamId)>) -> Ring {
        self.left_alone.retain(|_, until| *until > now);
        let mut ring = Ring { tell: BTreeSet::new(), again: None };
        for (at, stream) in due {
            let at = self.left_alone.get(&stream).map_or(at, |until| at.max(*until));
            if at <= now {
                ring.tell.insert(stream);
            } else {
                ring.again = Some(ring.again.map_or(at, |it| it.min(at)));
            }
        }
        ring
    }

    /// It could not be told, or could not act on it.
    pub fn failed(&mut self, stream: StreamId, until: Millis) {
        self.left_alone.insert(stream, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(alarm: &mut Alarm, now: u64, due: &[(u64, u8)]) -> (Vec<u8>, Option<u64>) {
        let due = due.iter().map(|(at, of)| (Millis(*at), StreamId([*of; 16])));
        let ring = alarm.ring(Millis(now), due);
        (ring.tell.iter().map(|it| it.0[0]).collect(), ring.again.map(|it| it.0))
    }

    #[test]
    fn everybody_who_has_something_due_is_told_once_and_the_next_time_is_known() {
        let mut alarm = Alarm::default();
        assert_eq!(ring(&mut alarm, 5, &[]), (vec![], None));
        let due = [(3, 1), (5, 2), (5, 1), (8, 1), (9, 3)];
        assert_eq!(ring(&mut alarm, 5, &due), (vec![1, 2], Some(8)));
        assert_eq!(ring(&mut alarm, 2, &due), (vec![], Some(3)));
    }

    #[test]
    fn who_could_not_act_is_left_alone_for_a_while_and_holds_up_nobody() {
        let mut alarm = Alarm::default();
        alarm.failed(StreamId([1; 16]), Millis(20));
        let due = [(3, 1), (4, 2), (30, 2)];
        assert_eq!(ring(&mut alarm, 5, &due), (vec![2], Some(20)));
        assert_eq!(ring(&mut alarm, 20, &due), (vec![1, 2], Some(30)));
    }
}
