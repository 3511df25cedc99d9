//! How an agent's turns have failed, for those who look at it. What is tried again and when it is
//! enough is decided by [`Session::failed`], which forgets sooner: a turn that finds nothing to do
//! ends a row of tries, and it does not make good what has failed before it.

use super::{Event, Session};
use crate::behaviour::Row;
use crate::id::{Millis, SessionId, StreamId};
use serde::{Deserialize, Serialize};

/// Bytes of the reason that are kept: its end, where a traceback says what it is about.
const WHY_BYTES: usize = 1 << 10;

/// What an agent says in the space that it shares with its parent at the end of a turn.
pub(super) const SAID: &str = "said";

/// The last failure of an agent, and the row that it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Trouble {
    /// Why the turn failed; the end of it where that is long.
    pub why: String,
    /// When it failed.
    pub at: Millis,
    pub turn: u64,
    /// How many turns have failed in a row: none between them has changed or said anything. 0 once
    /// one has, or somebody has let the agent go on.
    pub in_a_row: u32,
    /// When the first of the row failed; the only one where the row is over.
    pub since: Millis,
}

impl Session {
    /// How its turns have failed last; nothing where none ever has.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_deref()
    }

    /// When the turn that failed last is tried again, or the model asked again that gave no answer;
    /// nothing where none is to be.
    pub fn next_try(&self) -> Option<Millis> {
        match self.phase() {
            super::Phase::Turning(turn) => turn.deferral.as_ref().map(|it| it.until),
            super::Phase::Waiting { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Takes in what tells of failing, before the phase is another.
    pub(super) fn take_trouble(&mut self, event: &Event) {
        match event {
            Event::TurnFailed { why, at, .. } | Event::Quarantined { why, at, .. } => {
                let before = self.trouble.as_deref().filter(|it| it.in_a_row > 0);
                let since = before.map_or(*at, |it| it.since);
                let in_a_row = before.map_or(0, |it| it.in_a_row).saturating_add(1);
                let (why, at, turn) = (ending(why), *at, self.turns);
                self.trouble = Some(Box::new(Trouble { why, at, turn, in_a_row, since }));
            }
            Event::TurnEnded { outcome: super::TurnOutcome::Done, .. } => {
                if matches!(&self.phase, super::Phase::Turning(turn) if turn.changed) {
                    self.made_good();
                }
            }
            Event::Wrote { letter, .. } if letter.subject == SAID => self.made_good(),
            Event::Resumed { .. } => self.made_good(),
            _ => {}
        }
    }

    fn made_good(&mut self) {
        if let Some(trouble) = self.trouble.as_deref_mut() {
            (trouble.in_a_row, trouble.since) = (0, trouble.at);
        }
    }
}

fn ending(why: &str) -> String {
    let from = why.len().saturating_sub(WHY_BYTES);
    why[why.ceil_char_boundary(from)..].to_owned()
}

const FAILED: &[u8] = b"failed";

impl Session {
    /// The front of the keys of the rows that name whoever has failed a turn since it was resumed
    /// last: whether that is made good since is in its state.
    pub fn failed_keys() -> &'static [u8] {
        FAILED
    }

    /// Who has failed, and when it did last, by such a row.
    pub fn read_failed_row(key: &[u8], value: &[u8]) -> Option<(SessionId, Millis)> {
        let id = key.get(FAILED.len()..)?.try_into().ok()?;
        Some((SessionId(id), Millis(u64::from_be_bytes(value.try_into().ok()?))))
    }
}

/// Who has failed, from an event on.
pub(super) fn project(stream: StreamId, event: &Event, rows: &mut Vec<Row>) {
    let at = match event {
        Event::TurnFailed { at, .. } | Event::Quarantined { at, .. } => Some(*at),
        Event::Resumed { .. } | Event::Wiped { .. } => None,
        _ => return,
    };
    let key = [FAILED, &stream.0].concat();
    rows.push(Row::own::<Session>(key, at.map(|it| it.0.to_be_bytes().to_vec())));
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::behaviour::Behaviour;
    use crate::log::{Cause, Hash};
    use crate::session::{CallNote, ParentMessage, Phase, Recorded, RecordedItem, TurnOutcome};
    use crate::value::Value;
    use proptest::prelude::*;

    /// What an agent does in a turn, and how that ends.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Did {
        Failed,
        FailedForGood,
        Nothing,
        Changed,
        Said,
        ChangedAndFailed,
        CutOff,
        Resumed,
    }

    const ALL: [Did; 8] = [
        Did::Failed,
        Did::FailedForGood,
        Did::Nothing,
        Did::Changed,
        Did::Said,
        Did::ChangedAndFailed,
        Did::CutOff,
        Did::Resumed,
    ];

    fn live(session: &mut Session, number: u64, did: Did) {
        let at = Millis(number * 10);
        let (wakes, cause) = (Vec::new(), Cause::default());
        if did == Did::Resumed {
            return session.take(&Event::Resumed { by: SessionId([0; 16]) });
        }
        session.take(&Event::TurnBegan { turn: number, wakes, cause, at });
        if matches!(did, Did::Changed | Did::ChangedAndFailed) {
            let thought = crate::session::thought("```python\npass\n```");
            session.take(&Event::Thought { thought, at });
            let answer = Some(Recorded::Said(RecordedItem::Value(Value::Null)));
            let asked = Hash::of(b"");
            session.take(&Event::Noted(CallNote {
                call: 1,
                form: 1,
                asked,
                answer,
                wrote: true,
                called: String::new(),
            }));
        }
        let (why, rest_until) = (format!("because {number}"), Millis(0));
        session.take(&match did {
            Did::Failed | Did::ChangedAndFailed => Event::TurnFailed { why, at, retry_at: at },
            Did::FailedForGood => Event::Quarantined { why, at, lets_go: number },
            Did::CutOff => {
                let outcome = TurnOutcome::Exhausted("a limit".into());
                Event::TurnEnded { outcome, rest_until }
            }
            _ => Event::TurnEnded { outcome: TurnOutcome::Done, rest_until },
        });
        if did == Did::Said {
            let (subject, text) = (SAID.to_owned(), "here it is".to_owned());
            let letter = ParentMessage { subject, text, cause: Cause::default() };
            session.take(&Event::Wrote { id: number, letter });
        }
    }

    proptest! {
        /// Held against a list of all turns, looked through from the end.
        #[test]
        fn a_failure_stays_until_something_is_done(
            all in prop::collection::vec(prop::sample::select(&ALL[..]), 0..40),
        ) {
            let mut session = Session::unborn(StreamId([1; 16]));
            session.phase = Phase::Idle;
            for (number, did) in (1..).zip(&all) {
                live(&mut session, number, *did);
            }
            let failed = |it: &Did| {
                matches!(it, Did::Failed | Did::FailedForGood | Did::ChangedAndFailed)
            };
            let good = |it: &Did| matches!(it, Did::Changed | Did::Said | Did::Resumed);
            let numbered: Vec<(u64, Did)> = (1..).zip(all.iter().copied()).collect();
            let last = numbered.iter().rev().find(|(_, it)| failed(it));
            let trouble = session.trouble();
            prop_assert_eq!(trouble.map(|it| it.at), last.map(|(number, _)| Millis(number * 10)));
            let row = numbered.iter().rev().take_while(|(_, it)| !good(it));
            let row: Vec<u64> = row.filter(|(_, it)| failed(it)).map(|(number, _)| *number).collect();
            let Some(trouble) = trouble else { return Ok(()) };
            prop_assert_eq!(trouble.in_a_row as usize, row.len());
            let since = row.last().map_or(trouble.at, |number| Millis(number * 10));
            prop_assert_eq!(trouble.since, since);
            let because = format!("because {}", trouble.turn);
            prop_assert_eq!((&trouble.why, Millis(trouble.turn * 10)), (&because, trouble.at));
        }
    }

    #[test]
    fn of_a_long_reason_the_end_is_kept() {
        assert_eq!(ending("short"), "short");
        let long = format!("{}ValueError: é{}", "x".repeat(5_000), "y".repeat(WHY_BYTES - 1));
        let kept = ending(&long);
        assert!(kept.len() <= WHY_BYTES && long.ends_with(&kept), "{} bytes", kept.len());
    }
}
