//! The rights over a real store, and spaces that obey them.

use crate::laws::rights::model::Verdict;
use crate::laws::rights::{ALIASES, Host, Seen};
use crate::place::{Place, TICK_MS};
use std::sync::Arc;
use stoa::host::{AskError, Nothing};
use stoa::order::Orders;
use stoa_actors::id::{RIGHTS, ROOT, SessionId, SpaceId};
use stoa_actors::incarnation::{self, Refused, Request};
use stoa_actors::rights::{Event, Level, Message, Rights, Subject};
use stoa_actors::space::{self, Draft, Space};

pub(crate) struct House {
    place: Place,
    now: u64,
    /// As the recorded events say.
    rights: Rights,
    events: usize,
    /// How many entries they came in.
    entries: u64,
    /// Nobody else writes to the log: what is passing there is its own.
    alone: bool,
}

impl House {
    pub(crate) fn new(orders: Orders, alone: bool) -> House {
        let place = Place::new(false, orders);
        let now = place.runtime().now().0;
        House { place, now, rights: Rights::default(), events: 0, entries: 0, alone }
    }

    /// What was recorded after an entry, and by whom.
    fn recorded(&self, after: u64) -> Vec<(SessionId, Vec<Event>)> {
        let runtime = self.place.runtime();
        let store = runtime.store();
        let read = |place: Result<(u64, _), _>| {
            let body = store.entry(place.unwrap().1).unwrap().unwrap().body;
            (body.by, incarnation::events::<Rights>(&body).unwrap())
        };
        store.stream_after(RIGHTS, after).map(read).collect()
    }
}

impl Host for House {
    fn now(&self) -> u64 {
        self.now
    }

    fn tick_ms(&self) -> u64 {
        TICK_MS
    }

    fn pass(&mut self, _: u8) -> u64 {
        0
    }

    fn tell(&mut self, by: SessionId, _: u64, message: Message) -> (Verdict, Vec<Event>, String) {
        let runtime = self.place.runtime();
        let address = runtime.actor_with::<Rights>(RIGHTS, Arc::new(Nothing)).unwrap();
        let said = self.place.wait(address.ask(Request::new(by, message)));
        let recorded = self.recorded(self.entries);
        self.entries += recorded.len() as u64;
        assert!(recorded.iter().all(|it| it.0 == by), "{by} asked, {recorded:?}");
        let events: Vec<Event> = recorded.into_iter().flat_map(|it| it.1).collect();
        events.iter().for_each(|event| self.rights.apply(event));
        self.events += events.len();
        let verdict = match &said {
            Ok(_) => Verdict::Accepted,
            Err(AskError::Refused(Refused::Actor(_))) if events.is_empty() => Verdict::Refused,
            Err(AskError::Refused(Refused::Actor(_))) => Verdict::Denied,
            Err(error) => panic!("{by} is not answered: {error}"),
        };
        (verdict, events, format!("{said:?}"))
    }

    /// Whoever is answered hears of what is durable.
    fn hear(&mut self, _: u8) {}

    fn heard(&self) -> usize {
        self.events
    }

    fn restart(&mut self) -> Result<(), String> {
        self.place.kill();
        self.place.open();
        let ended: Vec<Event> =
            self.recorded(self.entries).into_iter().flat_map(|it| it.1).collect();
        let passing = if self.alone { self.rights.passing().count() } else { 0 };
        let ends = |it: &Event| matches!(it, Event::Ended { by, .. } if *by == ROOT);
        if ended.len() != passing || !ended.iter().all(ends) {
            return Err(format!("restart: of {passing} that had ended with it: {ended:?}"));
        }
        ended.iter().for_each(|event| self.rights.apply(event));
        self.entries += ended.len() as u64;
        self.events += ended.len();
        let mut replayed = Rights::default();
        let recorded = self.recorded(0);
        recorded.iter().flat_map(|it| &it.1).for_each(|event| replayed.apply(event));
        if recorded.len() as u64 != self.entries || replayed != self.rights {
            return Err("restart: what is durable is another state".into());
        }
        Ok(())
    }

    fn ends_passing(&self) -> bool {
        self.alone
    }

    fn rights(&self) -> &Rights {
        &self.rights
    }

    /// Readers ask the runtime's own table: what each holds, and what its names open.
    fn check_table(&self, seen: &Seen<'_>) -> Result<(), String> {
        let held = seen.decided.held(seen.now);
        let durable = seen.durable.held(seen.now);
        assert_eq!(held, durable, "nothing is decided that is not durable");
        let runtime = self.place.runtime();
        for session in seen.sessions {
            let caller = runtime.caller(*session);
            let cards = self.place.wait(caller.spaces()).map_err(|it| it.to_string())?;
            let got: Vec<_> = cards.iter().map(|it| (it.id, (it.level, it.delegate))).collect();
            let expected: Vec<_> = held
                .iter()
                .filter_map(|((who, what), levels)| match what {
                    Subject::Space(space) if who == session => Some((*space, *levels)),
                    _ => None,
                })
                .collect();
            if got != expected {
                return Err(format!("table: {session} sees {got:?}, should see {expected:?}"));
            }
            for alias in ALIASES {
                let named = seen.decided.names.get(&(*session, alias.to_owned()));
                let space = named.copied().flatten().filter(|space| {
                    let key = (*session, Subject::Space(*space));
                    held.get(&key).is_some_and(|it| it.0.is_some())
                });
                let got = caller.resolve(alias).ok();
                if got != space {
                    return Err(format!("names: {session} finds {got:?} at {alias}: {space:?}"));
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, by: SessionId, space: SpaceId) -> Option<Result<(), Option<Level>>> {
        let address = self.place.runtime().actor::<Space>(space.stream()).unwrap();
        let message = space::Message::put(Draft::default());
        Some(match self.place.wait(address.ask(Request::new(by, message))) {
            Ok(_) => Ok(()),
            Err(AskError::Refused(Refused::Actor(space::Refusal::Unknown))) => Err(None),
            Err(AskError::Refused(Refused::Actor(space::Refusal::Right { held, .. }))) => {
                Err(Some(held))
            }
            Err(error) => panic!("{by} is not answered: {error}"),
        })
    }

    fn settle(&mut self) -> Result<(), String> {
        self.place.audit()?;
        self.place.fold_anew()
    }
}
