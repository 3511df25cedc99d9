//! The rights in memory: the actor's state, and the table that readers ask, which lags behind.

use crate::laws::rights::model::Verdict;
use crate::laws::rights::{Host, Seen};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeSet;
use stoa_actors::id::{LinkId, Millis, SessionId, SpaceId};
use stoa_actors::rights::{Event, Level, Message, Named, Rights, RightsTable};

#[derive(Default)]
pub(crate) struct InMemory {
    rights: Rights,
    events: Vec<Event>,
    /// What readers ask.
    table: RightsTable,
    /// What the events that are durable come to.
    durable: Rights,
    /// How many events the table has heard as durable.
    heard: usize,
}

impl Host for InMemory {
    fn now(&self) -> u64 {
        1_000
    }

    fn tick_ms(&self) -> u64 {
        1
    }

    fn pass(&mut self, ms: u8) -> u64 {
        ms.into()
    }

    fn tell(&mut self, by: SessionId, now: u64, message: Message) -> (Verdict, Vec<Event>, String) {
        let said = self.rights.decide(by, Millis(now), message);
        let words = format!("{said:?}");
        let Ok(decision) = said else { return (Verdict::Refused, Vec::new(), words) };
        let mut lent = Rights::default();
        self.table.exchange(&mut lent);
        for event in &decision.events {
            self.rights.apply(event);
            lent.apply(event);
        }
        self.table.exchange(&mut lent);
        decision.events.iter().for_each(|event| self.table.hide(event));
        self.events.extend(decision.events.iter().cloned());
        let verdict = if decision.answer.is_ok() { Verdict::Accepted } else { Verdict::Denied };
        (verdict, decision.events, words)
    }

    fn hear(&mut self, durable: u8) {
        for _ in 0..durable {
            let Some(event) = self.events.get(self.heard) else { break };
            self.table.show(event);
            self.durable.apply(event);
            self.heard += 1;
        }
    }

    fn heard(&self) -> usize {
        self.heard
    }

    /// The events come back from their bytes, the state from the events, and then from its own.
    fn restart(&mut self) -> Result<(), String> {
        let mut replayed = Rights::default();
        for event in &through_bytes(&self.events) {
            replayed.apply(event);
        }
        if replayed != self.rights {
            return Err("restart: a replay of the events is another state".into());
        }
        let back = through_bytes(&replayed);
        if back != self.rights {
            return Err("restart: a snapshot gives back another state".into());
        }
        self.rights = back.clone();
        self.durable = back.clone();
        self.table = RightsTable::new(back);
        self.heard = self.events.len();
        Ok(())
    }

    fn rights(&self) -> &Rights {
        &self.rights
    }

    fn check_table(&self, seen: &Seen<'_>) -> Result<(), String> {
        let durable = seen.durable.live(seen.now);
        let decided = seen.decided.live(seen.now);
        let expected: BTreeSet<LinkId> = durable.intersection(&decided).copied().collect();
        let live = self.table.links().filter(|link| link.is_live(Millis(seen.now)));
        let got: BTreeSet<LinkId> = live.map(|link| link.id).collect();
        if got != expected {
            return Err(format!("table: readers see {got:?}, should see {expected:?}"));
        }
        let mut shown = self.table.births().filter(|(_, birth)| birth.ended.is_none());
        let known =
            |session: &SessionId| seen.sessions.contains(session) && seen.decided.alive(*session);
        if let Some((session, _)) = shown.find(|(session, _)| !known(session)) {
            return Err(format!("table: readers see {session} alive"));
        }
        let sessions = |of: &Rights| of.births().map(|it| it.0).collect::<BTreeSet<SessionId>>();
        // What is forgotten is so at once.
        let stays = &sessions(&self.durable) & &sessions(&self.rights);
        let (got, expected) = (sessions(&self.table), stays);
        if got != expected {
            return Err(format!("table: readers see {got:?} born, should see {expected:?}"));
        }
        if !self.table.spaces().eq(self.durable.spaces()) {
            return Err("table: readers see spaces that are not there yet, or not all".into());
        }
        self.check_names(seen.sessions)
    }

    /// There are no spaces here.
    fn put(&mut self, _: SessionId, _: SpaceId) -> Option<Result<(), Option<Level>>> {
        None
    }

    fn settle(&mut self) -> Result<(), String> {
        self.hear(u8::MAX);
        let all: Vec<SessionId> = self.rights.births().map(|it| it.0).collect();
        self.check_names(&all)?;
        let seen = |of: &Rights| {
            let names: Vec<(SessionId, String, Named)> = all
                .iter()
                .flat_map(|who| of.names(*who).map(|(alias, named)| (*who, alias.into(), named)))
                .collect();
            let births: Vec<_> = of.births().collect();
            (of.links().collect::<Vec<_>>(), of.spaces().collect::<Vec<_>>(), names, births)
        };
        if seen(&self.table) == seen(&self.rights) && *self.table == self.rights {
            return Ok(());
        }
        Err("table: in the end it is not what the actor has".into())
    }
}

impl InMemory {
    /// A name that readers see is durable, and nobody has taken it back.
    fn check_names(&self, sessions: &[SessionId]) -> Result<(), String> {
        for holder in sessions {
            for (alias, named) in self.table.names(*holder) {
                let of = |rights: &Rights| rights.named(*holder, alias);
                if [of(&self.durable), of(&self.rights)] != [Some(named); 2] {
                    return Err(format!("table: readers see {holder} call {named:?} {alias:?}"));
                }
            }
        }
        Ok(())
    }
}

fn through_bytes<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(value, config).expect("it encodes");
    bincode::serde::decode_from_slice(&bytes, config).expect("it decodes").0
}
