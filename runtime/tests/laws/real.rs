//! The world over a real store: fjall, the log's threads, the actors under their supervisors.

use crate::laws::world::{Heard, Levels, SPACES, World, level};
use crate::place::{Lent, Place, TICK_MS};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use stoa::fault::Point;
use stoa::host::{AskError, Asked};
use stoa_actors::atom::Atom;
use stoa_actors::behaviour::View;
use stoa_actors::id::{
    AtomId, LinkId, Millis, Position, SessionId, SpaceId, StreamId, SubscriptionId,
};
use stoa_actors::incarnation::{Refused, Request};
use stoa_actors::log::Body;
use stoa_actors::rights::{self, Right, Subject};
use stoa_actors::simulation::AppendOutcome;
use stoa_actors::space::{Change, Filter, Message, Refusal, Space, Wake};

/// Cases between two that end with a fold from the first entry: that takes two opens.
const FOLD_CASES: u64 = 4;

/// Spaces and sessions of one case.
pub(crate) struct Real<'a> {
    waiting: VecDeque<Waiting>,
    place: Option<Place>,
    from: &'a Lent,
    spaces: [SpaceId; SPACES],
    sessions: Vec<SessionId>,
    tickets: u64,
    /// A question was told that the store has stopped.
    stopped: bool,
}

struct Waiting {
    ticket: u64,
    answer: Pin<Box<dyn Future<Output = Asked<Space>>>>,
    /// It came at once.
    came: Option<Asked<Space>>,
}

impl Real<'_> {
    pub(crate) fn new(from: &Lent) -> Real<'_> {
        Real::with(from, 4, level)
    }

    pub(crate) fn with(from: &Lent, sessions: u8, level: Levels) -> Real<'_> {
        let place = from.take();
        let spaces: [SpaceId; SPACES] = std::array::from_fn(|_| place.space());
        let session = |who: u8| {
            let ask = |n: usize| {
                let (link, subject) = (LinkId(place.id()), Subject::Space(spaces[n]));
                let right = Right { subject, use_: Some(level(who, n)?), delegate: None };
                Some(rights::RightRequest { link, alias: None, right, expires: None })
            };
            place.session((0..SPACES).filter_map(ask).collect())
        };
        let sessions = (0..sessions).map(session).collect();
        let (waiting, tickets, stopped) = (VecDeque::new(), 0, false);
        let real = Real { waiting, place: Some(place), from, spaces, sessions, tickets, stopped };
        real.wake();
        real
    }

    /// Brings the actors up, so that from here on a question is in the mailbox once it is asked,
    /// and questions stand there in the order of asking.
    fn wake(&self) {
        for space in self.spaces {
            let (id, cursor) = (SubscriptionId([0; 16]), Position(0));
            let ask = Request::new(self.sessions[3], Message::Advance { id, cursor });
            let address = self.place().runtime().actor::<Space>(space.stream()).unwrap();
            let answer = self.place().wait(address.ask(ask));
            let refused = Refused::Actor(Refusal::NoSubscription(id));
            assert!(matches!(answer, Err(AskError::Refused(it)) if it == refused));
        }
    }

    /// Nothing for a question that died with the store.
    fn heard(ticket: u64, asked: Asked<Space>, died: bool, shared: bool) -> Option<Heard> {
        let (answer, position) = match asked {
            Ok(receipt) => (Ok(receipt.reply), receipt.position),
            Err(AskError::Refused(refused)) => (Err(refused), None),
            Err(_) if died => return None,
            // In an order that others write to as well, who dies with the store may die first: that is
            // no acknowledgement either, and where no store has stopped the laws take neither.
            Err(AskError::Store(_)) => (Err(Refused::Stopped), None),
            Err(AskError::Restarted) if shared => (Err(Refused::Stopped), None),
            Err(other) => panic!("{ticket} is not answered: {other}"),
        };
        Some(Heard { ticket, answer, position })
    }

    fn place(&self) -> &Place {
        self.place.as_ref().unwrap()
    }

    fn listen(&mut self, died: bool) -> Option<Heard> {
        let Waiting { ticket, answer, came } = self.waiting.pop_front()?;
        let asked = came.unwrap_or_else(|| self.place().wait(answer));
        Real::heard(ticket, asked, died, self.from.is_shared())
    }
}

impl World for Real<'_> {
    fn session(&self, who: u8) -> SessionId {
        self.sessions[usize::from(who)]
    }

    fn space(&self, n: usize) -> SpaceId {
        self.spaces[n]
    }

    fn ask(&mut self, space: usize, ask: Request<Message>) -> u64 {
        let stream = self.spaces[space].stream();
        let address = self.place().runtime().actor::<Space>(stream).unwrap();
        let mut answer: Pin<Box<dyn Future<Output = Asked<Space>>>> =
            Box::pin(async move { address.ask(ask).await });
        self.tickets += 1;
        let came = self.place().poll(&mut answer);
        self.waiting.push_back(Waiting { ticket: self.tickets, answer, came });
        self.tickets
    }

    fn commit(&mut self, count: usize) -> Vec<Heard> {
        let count = count.min(self.waiting.len());
        let heard: Vec<Heard> = (0..count).filter_map(|_| self.listen(false)).collect();
        self.stopped |= heard.iter().any(|it| matches!(it.answer, Err(Refused::Stopped)));
        heard
    }

    fn quiet(&self) -> bool {
        self.waiting.is_empty()
    }

    fn fail(&mut self, nth: u64, fate: AppendOutcome) {
        let kept = [Point::Committed, Point::Witness, Point::Witnessed];
        let point = match fate {
            AppendOutcome::Lost => Point::Commit,
            AppendOutcome::Kept => kept[self.tickets as usize % kept.len()],
        };
        self.place().faults.borrow().plant(point, nth);
    }

    fn crash(&mut self) -> Vec<Heard> {
        if self.stopped {
            // Whoever runs the store is told as well.
            let runtime = self.place().runtime();
            let error = self.place().wait(runtime.run());
            assert!(error.to_string().contains("a fault was planted"), "{error}");
        }
        self.place().kill();
        let mut heard = Vec::new();
        while !self.waiting.is_empty() {
            heard.extend(self.listen(true));
        }
        self.place().open();
        self.stopped = false;
        if self.from.is_shared() {
            // What was offered before the crash may stand until the next life has written: the laws
            // look at what there is once it cannot change without them.
            self.place().space();
        }
        self.wake();
        heard
    }

    fn entries(&self, space: usize, seq: u64) -> Vec<(Position, Body)> {
        let runtime = self.place().runtime();
        let store = runtime.store();
        let places = store.stream_after(self.spaces[space].stream(), seq);
        let entry = |at: Position| (at, store.entry(at).unwrap().unwrap().body);
        places.map(|place| entry(place.unwrap().1)).collect()
    }

    fn atom(&self, id: AtomId) -> Option<Arc<Atom>> {
        let (_, atom) = self.place().runtime().store().newest(id).unwrap()?;
        Some(atom)
    }

    fn sources(&self, id: AtomId) -> Vec<(String, AtomId)> {
        self.place().runtime().store().sources(id, None)
    }

    fn changes(
        &self,
        who: u8,
        space: usize,
        cursor: Position,
        filter: &Filter,
        limit: usize,
    ) -> (Vec<Change>, Position) {
        let caller = self.place().runtime().caller(self.session(who));
        let mut follow = caller.follow(self.spaces[space], cursor, filter.clone()).unwrap();
        let changes = self.place().wait(follow.ready(limit)).unwrap();
        (changes, follow.cursor())
    }

    fn marker(
        &self,
        who: u8,
        space: usize,
        cursor: Position,
        filter: &Filter,
    ) -> (Option<Wake>, Position) {
        let caller = self.place().runtime().caller(self.session(who));
        let mut follow = caller.follow(self.spaces[space], cursor, filter.clone()).unwrap();
        let wake = self.place().wait(follow.pending()).unwrap();
        (wake, follow.cursor())
    }

    fn now(&self) -> Millis {
        self.place().runtime().now()
    }

    fn tick_ms(&self) -> u64 {
        TICK_MS
    }

    fn due(&self) -> Vec<(Millis, StreamId)> {
        let leases = |space: SpaceId| {
            let caller = self.place().runtime().caller(self.sessions[3]);
            let leases = self.place().wait(caller.leases(space)).unwrap();
            leases.into_iter().map(move |it| (it.until, space.stream()))
        };
        self.spaces.into_iter().flat_map(leases).collect()
    }

    fn pass(&mut self, _: u64) -> bool {
        false
    }

    /// What it would take is done at the end, once.
    fn holds(&self) -> Result<(), String> {
        Ok(())
    }

    fn audit(&mut self) -> Result<(), String> {
        self.place().audit()?;
        if self.place().folds_now(FOLD_CASES) {
            self.place().fold_anew()?;
            self.place().audit()?;
        }
        let place = self.place.take().unwrap();
        self.from.give_back(place);
        Ok(())
    }
}
