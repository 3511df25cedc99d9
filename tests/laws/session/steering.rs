//! What is foretold of a word that an agent is to see before its turn is over.

use super::life::{Life, Now};
use super::model::Model;
use super::words::{Heard, What};
use stoa_actors::id::SpaceId;
use stoa_actors::session::Steering;
use stoa_actors::space::Wake;

/// Words that no request under way tells are one for each space.
pub(super) fn joined(all: &mut Vec<Wake>) {
    let mut at = 0;
    while at < all.len() {
        let (before, rest) = all.split_at_mut(at + 1);
        let before = &mut before[at];
        for later in rest.iter().filter(|it| it.space == before.space) {
            before.count += later.count;
            before.last = before.last.max(later.last);
            before.hop = before.hop.max(later.hop);
            before.comments.extend(later.comments.iter().cloned());
            before.comments.truncate(20);
        }
        let space = before.space;
        let mut seen = false;
        all.retain(|it| it.space != space || !std::mem::replace(&mut seen, true));
        at += 1;
    }
}

impl Model {
    /// How far it has been told of what is said in a space.
    fn heard(&self, space: SpaceId) -> Option<u64> {
        let cursor = self.follows.get(&space)?.cursor;
        let told: Vec<&Wake> = match &self.life {
            Life::Turning(it) => it.wakes.iter().chain(&it.steered).collect(),
            Life::Waiting { wakes, .. } => wakes.iter().collect(),
            _ => Vec::new(),
        };
        let last = told.into_iter().filter(|it| it.space == space).map(|it| it.last.0).max();
        Some(cursor.max(last.unwrap_or(0)))
    }

    pub(super) fn foretell_steer(
        &self,
        now: u64,
        wake: Option<&Wake>,
        how: Steering,
        answer: u16,
    ) -> (Heard, Vec<What>) {
        let new = wake.and_then(|it| Some((it, self.heard(it.space)?)));
        let Some((wake, heard)) = new.filter(|(it, heard)| *heard < it.last.0) else {
            let whats = match &self.life {
                Life::Turning(it) if how == Steering::Interrupt && !it.steered.is_empty() => {
                    self.foretell_interrupt(now, it)
                }
                _ => vec![],
            };
            return (Heard::Done, whats);
        };
        if how == Steering::NextStep
            && let Life::Turning(it) = &self.life
            && it.asks()
            && wake.first.0 > heard
            && it.steered.len() >= self.limits.steered_max
        {
            return (Heard::Limit, vec![]);
        }
        let said = What::Steered(wake.last.0);
        let whats = match &self.life {
            Life::Turning(_) | Life::Waiting { .. } if wake.first.0 <= heard => {
                return (Heard::Stale, vec![]);
            }
            Life::Waiting { .. } => vec![said],
            Life::Turning(it) if how == Steering::Interrupt => {
                let mut whats = self.foretell_interrupt(now, it);
                let at = usize::from(whats.first() == Some(&What::Spent));
                whats.insert(at, said);
                whats
            }
            Life::Turning(it) if it.asks() && it.is_put_off(now) => vec![said, What::Interrupted],
            Life::Turning(_) => vec![said],
            _ => return self.foretell_wake(now, std::slice::from_ref(wake), answer),
        };
        (Heard::Done, whats)
    }

    fn foretell_interrupt(&self, now: u64, it: &Now) -> Vec<What> {
        if it.acting.is_some() {
            let over = now > it.began + it.deferred_ms + self.limits.turn_ms_max;
            let cut = if over { self.cut(now, it) } else { vec![] };
            return [vec![What::Interrupted], cut].concat();
        }
        match it.asks() {
            true if it.is_put_off(now) => vec![What::Interrupted],
            true => vec![What::Spent, What::Interrupted],
            false => vec![],
        }
    }
}
