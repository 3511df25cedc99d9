//! What a schedule does: somebody looks, something that runs goes on, somebody asks.

use super::schedule::{Op, Outcome};
use super::{DM, Trial, around, charter, follow, limits, space};
use std::sync::Arc;
use stoa_actors::briefing::Briefing;
use stoa_actors::id::SpaceId;
use stoa_actors::log::Hash;
use stoa_actors::session::{
    Billing, Budget, CallNote, Effect, Message, Observation, Passing, PassingKind, Recorded,
    Steering, Thought,
};
use stoa_actors::space::Wake;
use stoa_actors::value::Value;

impl Trial {
    /// What is new to it, as whoever wakes it finds out: from its own cursors.
    pub(super) fn news(&mut self) -> Vec<Wake> {
        let stream = self.stream();
        let cursors: Vec<(SpaceId, u64)> =
            self.sim.state(stream).follows().map(|(it, at)| (it, at.cursor.0)).collect();
        cursors.into_iter().filter_map(|(it, at)| self.model.news(it, at)).collect()
    }

    pub(super) fn look(&mut self) {
        self.rung = false;
        let news = self.news();
        if !news.is_empty() {
            self.ask(Message::Wake(news));
        }
    }

    pub(super) fn perform(&mut self, which: usize, how: Outcome) {
        let Some((&id, effect)) = self.running.iter().nth(which % self.running.len().max(1)) else {
            return;
        };
        if how == Outcome::Lost {
            if matches!(effect, Effect::Tell { .. }) {
                self.put.insert(id);
            }
            return;
        }
        match effect.clone() {
            Effect::Think { turn, step, brief, attempt, not_before } => {
                self.sim.now = self.sim.now.max(not_before);
                let text = match how {
                    Outcome::TooMuch => "x".repeat(limits().thought_bytes_max + 1),
                    Outcome::Last { speaks: true } => "it is done".to_owned(),
                    _ => String::new(),
                };
                let acts = matches!(how, Outcome::On | Outcome::Call { .. });
                let code = acts.then(|| "act()".to_owned());
                let unusable = (how == Outcome::Unusable).then(|| "cut off".to_owned());
                let thought = Thought { text, code, unusable, ..Thought::default() };
                let fail = failed(turn, step, Some(attempt));
                let why = "too much".to_owned();
                let full =
                    Message::WindowFull { turn, step, attempt, why, billing: Billing::Refused };
                let briefing = Briefing::after(brief.told.as_deref(), &around(self.around));
                let briefing = Arc::new(Briefing { said: brief.said.clone(), ..briefing });
                let think = Message::Think { turn, step, attempt, thought, briefing };
                let told = match how {
                    Outcome::Fail => fail,
                    Outcome::Full => full,
                    Outcome::Defer { failed, wait_ms } => {
                        let kind = if failed { PassingKind::Failed } else { PassingKind::Limited };
                        let passing = Passing { kind, wait_ms: wait_ms.map(u64::from) };
                        Message::Defer {
                            turn,
                            step,
                            attempt,
                            passing,
                            why: "later".into(),
                            billing: Billing::Refused,
                        }
                    }
                    _ => think,
                };
                self.outcome(id, told);
            }
            Effect::Compact { of, attempt, not_before, .. } => {
                self.sim.now = self.sim.now.max(not_before);
                let (turn, step) = of;
                let why = "later".to_owned();
                let told = match how {
                    Outcome::Fail => failed(turn, step, Some(attempt)),
                    Outcome::Full => {
                        Message::WindowFull { turn, step, attempt, why, billing: Billing::Refused }
                    }
                    Outcome::Defer { failed, wait_ms } => {
                        let kind = if failed { PassingKind::Failed } else { PassingKind::Limited };
                        let passing = Passing { kind, wait_ms: wait_ms.map(u64::from) };
                        Message::Defer {
                            turn,
                            step,
                            attempt,
                            passing,
                            why,
                            billing: Billing::Refused,
                        }
                    }
                    _ => {
                        let text = match how {
                            Outcome::Last { speaks: false } => String::new(),
                            Outcome::TooMuch => "x".repeat(limits().summary_bytes_max + 1),
                            _ => "so far".to_owned(),
                        };
                        let unusable = (how == Outcome::Unusable).then(|| "cut off".to_owned());
                        let thought = Thought { text, unusable, ..Thought::default() };
                        Message::SumUp { turn, step, attempt, thought, since: of }
                    }
                };
                self.outcome(id, told);
            }
            Effect::Act { turn, step, .. } => match how {
                Outcome::Call { wrote } => {
                    self.calls += 1;
                    // What is read is large: two answers of an action fit, and a third does not.
                    let said = match wrote {
                        true => Value::Null,
                        false => Value::Text("x".repeat(4_000)),
                    };
                    let answer =
                        Some(Recorded::Said(stoa_actors::session::RecordedItem::Value(said)));
                    let asked = Hash::of(&self.calls.to_be_bytes());
                    let note = CallNote {
                        call: self.calls,
                        form: 1,
                        asked,
                        answer,
                        wrote,
                        called: String::new(),
                    };
                    self.ask(Message::Note { turn, step, note });
                }
                Outcome::Fail => self.outcome(id, failed(turn, step, None)),
                _ => {
                    let observation = Observation { text: "seen".into(), failed: None };
                    self.outcome(id, Message::Observe { turn, step, observation });
                }
            },
            Effect::Wait { turn, until, .. } => {
                self.sim.now = self.sim.now.max(until);
                self.outcome(id, Message::Retry { turn });
            }
            Effect::LetGo { .. } => self.outcome(id, Message::LetGone(id)),
            Effect::Listen(_) => {
                self.running.remove(&id);
                self.look();
            }
            Effect::Tell { .. } => {
                let refused = matches!(how, Outcome::Fail).then(|| "no such space".to_owned());
                // Refused or not, nobody brings it again.
                self.put.insert(id);
                self.outcome(id, Message::Told { id, refused });
            }
            Effect::Spawn(_) | Effect::Send(_) | Effect::Return { .. } => {
                panic!("it has nothing to transfer")
            }
        }
    }

    pub(super) fn step(&mut self, op: &Op) -> Result<(), String> {
        match *op {
            Op::Begin => self.ask(Message::Begin(charter(), Budget::default())),
            Op::Notify { space: n, hop } => {
                self.head += 1;
                self.model.notices.entry(space(n)).or_default().push((self.head, hop));
                self.rung = true;
            }
            Op::Look => self.look(),
            Op::LookOnly => self.looked = self.news(),
            Op::TellLooked if self.looked.is_empty() => {}
            Op::TellLooked => self.ask(Message::Wake(self.looked.clone())),
            Op::Perform { which, how } => self.perform(which.into(), how),
            Op::Again { which } => {
                let again = self.old.get(usize::from(which) % self.old.len().max(1)).cloned();
                again.into_iter().for_each(|it| self.ask(it));
            }
            Op::Follow { space: n, back } => {
                let follow = follow(self.head.saturating_sub(back.into()));
                self.ask(Message::Follow { space: space(n), follow });
            }
            Op::Unfollow { space: n } => {
                // Who has looked by an old cursor and tells it after a new one knows too little.
                self.looked.clear();
                self.ask(Message::Unfollow(space(n)));
            }
            Op::Steer { interrupt } => {
                let heard = self.sim.state(self.stream()).heard_upto(space(DM));
                let how = if interrupt { Steering::Interrupt } else { Steering::NextStep };
                let wake = self.model.news(space(DM), heard.0);
                self.ask(Message::Steer { wake, how });
            }
            Op::Stop => self.ask(Message::Stop { reason: "enough".into() }),
            Op::Resume => {
                let news = self.news();
                self.ask(Message::Resume(news));
            }
            Op::Wipe => self.ask(Message::Wipe { reason: "enough".into() }),
            Op::Around => self.around += 1,
            Op::Pass { ms } => self.sim.now.0 += u64::from(ms),
            Op::Commit { count } => return self.commit(count.into()),
            Op::Crash => return self.crash(),
        }
        Ok(())
    }
}

fn failed(turn: u64, step: u32, attempt: Option<u32>) -> Message {
    Message::Fail { turn, step, attempt, why: "no answer".into(), billing: Billing::Refused }
}
