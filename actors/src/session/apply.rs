//! What an event makes of a session.

use super::{Event, LedgerEntry, Phase, Session, Settlement, Turn, TurnOutcome};
use crate::id::Millis;
use crate::mutant::planted;
use crate::space::Wake;
use crate::weight::weight;
use std::sync::Arc;

impl Session {
    pub(super) fn take(&mut self, event: &Event) {
        self.take_trouble(event);
        match event {
            Event::Born(charter) => {
                let follows = charter.follows.iter().cloned();
                self.follows.extend(follows);
                self.charter = Some(charter.clone());
                self.phase = Phase::Idle;
            }
            Event::TurnBegan { turn, wakes, cause, at } => {
                if planted("session.sees_too_soon") {
                    self.see(wakes);
                }
                let first = self.first_try();
                let turn = Turn::new(*turn, first, wakes.clone(), *cause, *at);
                self.turns = turn.number;
                self.phase = Phase::Turning(Box::new(turn));
                self.account.begin_turn();
            }
            Event::Thought { .. }
            | Event::Noted(_)
            | Event::Observed(_)
            | Event::Interrupted { .. }
            | Event::Deferred { .. }
            | Event::WindowFull { .. }
            | Event::Compacted(_)
            | Event::Answered => self.go(event),
            Event::Briefed(briefing) => {
                Arc::make_mut(self.told.get_or_insert_default()).take(briefing);
                if let Phase::Turning(turn) = &mut self.phase {
                    turn.told_of(briefing);
                }
            }
            Event::Steered { wake } => self.take_steered(wake),
            Event::TurnEnded { outcome, rest_until } => self.ended(outcome, *rest_until),
            Event::TurnFailed { why, at, retry_at } => {
                self.failures.push_back(*at);
                let ended = std::mem::replace(&mut self.phase, Phase::Idle);
                if let Phase::Turning(turn) = ended {
                    let Turn { first, wakes, steered, cause, began: since, .. } = *turn;
                    let mut wakes = Arc::unwrap_or_clone(wakes);
                    if !planted("session.forgets_what_was_said") {
                        wakes.extend(steered);
                    }
                    let (until, why) = (*retry_at, why.clone());
                    self.phase = Phase::Waiting { since, until, why, first, wakes, cause };
                }
            }
            Event::Quarantined { why, at, lets_go } => {
                self.lets_go.insert(*lets_go, (Millis(0), *at));
                self.phase = Phase::Quarantined { why: why.clone() };
            }
            Event::Parked { hop, heard } => {
                self.phase = Phase::Parked { hop: *hop, heard: *heard };
            }
            Event::Stopped { at, lets_go, .. } => {
                self.lets_go.insert(*lets_go, (Millis(0), *at));
                self.phase = Phase::Stopped;
            }
            Event::Resumed { .. } => {
                self.failures.clear();
                self.phase = Phase::Idle;
            }
            Event::LetGo(id) => {
                self.lets_go.remove(id);
            }
            Event::Wiped { lets_go, .. } => {
                self.lets_go.insert(*lets_go, (Millis(0), Millis(u64::MAX)));
                self.letters.clear();
                self.follows.clear();
                self.phase = Phase::Wiped;
            }
            Event::FollowSet { space, follow } => {
                self.follows.insert(*space, follow.clone());
            }
            Event::Unfollowed(space) => {
                self.follows.remove(space);
                // Should it be followed anew, this turn's end says nothing of how far.
                match &mut self.phase {
                    Phase::Turning(turn) => {
                        Arc::make_mut(&mut turn.wakes).retain(|it| it.space != *space);
                        turn.steered.retain(|it| it.space != *space);
                    }
                    Phase::Waiting { wakes, .. } => wakes.retain(|it| it.space != *space),
                    _ => {}
                }
            }
            Event::Wrote { id, letter } => {
                self.written += u64::from(!planted("session.letters_share_a_name"));
                self.letters.insert(*id, letter.clone());
            }
            Event::Told(id) | Event::Untold { id, .. } => {
                self.letters.remove(id);
            }
            Event::Spawning { id, spawn } => {
                self.spawning.insert(*id, spawn.clone());
                self.account.bring_up();
            }
            Event::Exhausted { what, needs } => {
                self.phase = Phase::Exhausted { what: what.clone(), needs: *needs };
            }
            Event::Forgiven { failures } => {
                self.failures.drain(..(*failures as usize).min(self.failures.len()));
            }
            Event::Booked(booking) => {
                if let LedgerEntry::Settled(
                    settled @ (Settlement::Arrived(id) | Settlement::Bounced(id)),
                ) = booking
                {
                    let known = self.spawning.remove(id).is_some();
                    if known && matches!(settled, Settlement::Bounced(_)) {
                        self.account.not_brought_up();
                    }
                }
                self.account.take(booking);
            }
        }
    }

    /// The turn goes on.
    fn go(&mut self, event: &Event) {
        let Phase::Turning(turn) = &mut self.phase else {
            panic!("nothing goes on outside a turn: {event:?}");
        };
        match event {
            Event::Thought { thought, at } => {
                self.account.think();
                if let Some(code) = &thought.code {
                    turn.doing = super::TurnState::Acting { code: code.clone(), since: *at };
                    (turn.notes, turn.noted_bytes) = (Arc::default(), 0);
                }
            }
            Event::Deferred { kind, why, at, until } => {
                turn.requests = turn.requests.saturating_add(1);
                turn.deferred(*kind, why, *at, *until);
            }
            Event::WindowFull { by_model, .. } => {
                turn.requests = turn.requests.saturating_add(1);
                turn.doing = super::TurnState::Compacting { by_model: *by_model };
            }
            Event::Compacted(_) => {
                turn.requests = turn.requests.saturating_add(1);
                turn.compactions = turn.compactions.saturating_add(1);
                turn.doing = super::TurnState::Thinking;
                if !planted("window.not_told_anew") {
                    self.told = None;
                }
            }
            Event::Answered => turn.deferral = None,
            Event::Noted(note) => {
                turn.changed |= note.wrote;
                if !planted("session.forgets_answers") {
                    turn.noted_bytes = turn.noted_bytes.saturating_add(weight(note));
                    Arc::make_mut(&mut turn.notes).push(note.clone());
                }
            }
            Event::Observed(_) => {
                // Of a reply that was not acted upon no variables are left.
                if matches!(turn.doing, super::TurnState::Acting { .. }) {
                    self.acted = Some((turn.number, turn.step));
                }
                turn.next_step();
            }
            // Of an action that was cancelled no variables are left.
            Event::Interrupted { action: Some(cancelled), at, .. } => {
                self.lets_go.insert(cancelled.lets_go, (cancelled.since, *at));
                turn.next_step();
                turn.join_steered();
            }
            Event::Interrupted { .. } if planted("session.hears_the_interrupted") => {}
            Event::Interrupted { action: None, .. } => {
                turn.requests = turn.requests.saturating_add(1);
                turn.join_steered();
            }
            _ => {}
        }
    }

    fn see(&mut self, wakes: &[Wake]) {
        for wake in wakes {
            if let Some(follow) = self.follows.get_mut(&wake.space) {
                follow.cursor = follow.cursor.max(wake.last);
            }
        }
    }

    fn ended(&mut self, outcome: &TurnOutcome, rest_until: Millis) {
        let ended = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Turning(turn) = ended else { panic!("no turn ends: {outcome:?}") };
        if !planted("session.cursor_stands") {
            self.see(&turn.wakes);
        }
        if planted("session.sees_what_it_was_not_told") {
            self.see(&turn.steered);
        }
        self.barren = if turn.changed { 0 } else { self.barren.saturating_add(1) };
        self.rest_until = rest_until;
        if *outcome == TurnOutcome::Done {
            self.failures.clear();
        }
    }
}
