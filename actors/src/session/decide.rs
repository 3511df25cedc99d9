//! What a session does with each message.

use super::lifecycle::lets_go_id;
use super::{Effect, Event, Message, Refusal, Reply, Session, TurnState};
use crate::behaviour::{Decision, Delivery};
use crate::id::Millis;

impl Session {
    pub(super) fn decided(
        &self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let (now, ms_max) = (delivery.now, delivery.limits.session.turn_ms_max);
        Ok(self.and_pays(self.decided_by(message, delivery)?, now, ms_max))
    }

    fn decided_by(
        &self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        match message {
            Message::Begin(charter, budget) => return self.begin(charter, budget, delivery),
            Message::Look if self.charter.is_some() => {
                return Ok(Decision::read(Reply::State(Box::new(self.clone()))));
            }
            // The dead owe and are owed as well.
            Message::Settle(settlement) if self.charter.is_some() => {
                return Ok(self.settle(settlement));
            }
            Message::LetGone(id) => {
                return Ok(match self.lets_go.contains_key(&id) {
                    true => Decision::event(Event::LetGo(id), Reply::Done),
                    false => Decision::read(Reply::Done),
                });
            }
            _ => self.living()?,
        }
        match message {
            Message::Wake(wakes) => Ok(self.wake(wakes, delivery)),
            Message::Steer { wake, how } => self.steer(wake, how, delivery),
            Message::Think { turn, step, attempt, thought, briefing } => {
                let at = self.at(turn, step, |doing| *doing == TurnState::Thinking)?;
                self.think(at, attempt, thought, briefing, delivery)
            }
            Message::WindowFull { turn, step, attempt, why, billing } => {
                let at = self.asking_at(turn, step)?;
                self.window_full(at, attempt, (why, billing), delivery)
            }
            Message::SumUp { turn, step, attempt, thought, since } => {
                let at = self.asking_at(turn, step)?;
                self.sum_up(at, attempt, &thought, since, delivery)
            }
            Message::Note { turn, step, note } => self.note(turn, step, note, delivery),
            Message::Observe { turn, step, observation } => {
                self.observe(turn, step, observation, delivery)
            }
            Message::Reserve { turn, step, attempt, bound } => {
                let at = self.asking_at(turn, step)?;
                self.reserve(at, attempt, bound, delivery)
            }
            Message::Defer { turn, step, attempt, passing, why, billing } => {
                let at = self.asking_at(turn, step)?;
                self.defer(at, attempt, passing, (why, billing), delivery)
            }
            Message::Fail { turn, step, attempt, why, billing } => {
                let at = match attempt {
                    None => self.acting_at(turn, step)?,
                    Some(attempt) => self.asked_at(turn, step, attempt)?,
                };
                Ok(self.fail(at, why, billing, delivery))
            }
            Message::Retry { turn } => self.retry(turn, delivery),
            Message::Told { id, refused } => Ok(match self.letters.contains_key(&id) {
                true => {
                    let told = match refused {
                        None => Event::Told(id),
                        Some(why) => Event::Untold { id, why },
                    };
                    Decision::event(told, Reply::Done)
                }
                false => Decision::read(Reply::Done),
            }),
            Message::Follow { space, follow } => self.follow(space, follow, delivery),
            Message::Unfollow(space) => Ok(match self.follows.contains_key(&space) {
                true => Decision::event(Event::Unfollowed(space), Reply::Done),
                false => Decision::read(Reply::Done),
            }),
            Message::Stop { reason } => Ok(self.stop(reason, delivery)),
            Message::Resume(wakes) => self.go_on(wakes, delivery),
            Message::Wipe { reason } => {
                let untold = self.letters.keys().copied().collect();
                let by = delivery.asker;
                let (returns, lets_go) = (self.returns(), lets_go_id(delivery.seq));
                let wiped = Event::Wiped { by, reason, untold, returns, lets_go };
                let until = Millis(u64::MAX);
                let wiped = Decision::event(wiped, Reply::Done);
                let mut wiped = wiped.effect(lets_go, Effect::LetGo { since: Millis(0), until });
                let mut account = self.account.clone();
                if let Some(spent) = self.cut_off(delivery.now, delivery.limits.session.turn_ms_max)
                {
                    account.take(&spent);
                    wiped.events.insert(0, Event::Booked(spent));
                }
                Ok(self.and_returns(wiped, &account))
            }
            Message::Spawn(spawn) => self.spawn(*spawn, delivery),
            Message::Lend(loan) => self.lend(loan, delivery),
            Message::Fund(budget) => self.fund(budget, delivery),
            _ => Ok(Decision::read(Reply::Done)),
        }
    }
}
