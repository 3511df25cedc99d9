//! The writer thread: drains what waits, offers it as one commit, and has what stands folded into
//! the store.

use super::acker::Telling;
use super::flight::{Behind, Flight, Waiter, told};
use super::gathered::Gathered;
use super::materialiser::{Applied, Materialiser};
use super::redact::Owed;
use super::{Beside, Committed, Done, Pulse, Request};
use crate::failure::{StoreError, StoreFailure};
use crate::limits::LogConfig;
use crate::order::{CommitOrder, OrderSlot, Ordered};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;
use stoa_actors::commit::{Commit, CommitId, CommitWork, Void};
use stoa_actors::id::{NodeId, RIGHTS, StreamId};

/// How often it is looked, while commits are on their way, whether the store has failed.
const ORDER_LOOK: Duration = Duration::from_millis(10);

pub(super) struct Writer {
    pub(super) order: Box<dyn CommitOrder>,
    pub(super) materialiser: Materialiser,
    /// Who offers; nothing in an order that nobody else writes to.
    pub(super) node: Option<NodeId>,
    /// The life in which this process began to offer, the one it is in, and how often it has
    /// offered in it.
    pub(super) born: u64,
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) flights: VecDeque<Flight>,
    /// Streams whose actors rest on a commit that is void: nothing of theirs is offered until they
    /// have begun anew.
    pub(super) astray: HashSet<StreamId>,
    pub(super) gathered: Gathered,
    pub(super) stopping: bool,
    /// A commit was refused while those before it are on their way. The next life rests on them, so
    /// it begins once they are judged.
    pub(super) ending: bool,
    pub(super) config: LogConfig,
    pub(super) pulse: Arc<Pulse>,
    pub failure: StoreFailure,
    pub(super) telling: Telling,
    /// Erased atoms whose versions are yet to leave the log.
    pub(super) owed: VecDeque<Owed>,
}

impl Writer {
    pub(super) fn run(mut self, queue: &Receiver<Request>) -> u64 {
        let mut met = None;
        while met.is_some() || !(self.stopping && self.is_done()) {
            let next = met.take().map_or_else(|| self.next(queue), |it| Ok(Some(it)));
            match next {
                Ok(Some(first)) => self.gather(first, queue),
                Ok(None) => {}
                Err(Gone) => break,
            }
            // What stands comes first: it may tell that what is gathered rests on nothing.
            self.settle();
            while self.gathered.is_due(&self.config) && !self.is_full() {
                self.telling.hand_over();
                let group = self.gathered.take(&self.config);
                self.group(group);
                self.settle();
            }
            met = self.tell(queue);
        }
        let error = self.failure.error().unwrap_or(StoreError::Stopping);
        self.fail_all(&error);
        // Dropping the queue answers, through `Log::send`, whoever still comes.
        for request in self.gathered.take_all().into_iter().chain(queue.try_iter()) {
            request.refuse(&error);
        }
        self.telling.hand_over();
        self.materialiser.end()
    }

    /// Tells what has become of the last commit: here, if nothing else is to be done meanwhile. What
    /// is met in the queue is the next request.
    fn tell(&mut self, queue: &Receiver<Request>) -> Option<Request> {
        if !self.telling.has_something() {
            return None;
        }
        let waits = !self.owed.is_empty() || !self.flights.is_empty();
        let next = if waits { None } else { queue.try_recv().ok() };
        if waits || next.is_some() {
            self.telling.hand_over();
            return next;
        }
        // One that takes long is as bad as a commit that does.
        self.pulse.commit.store(self.pulse.now(), Ordering::Relaxed);
        self.telling.tell();
        self.beat();
        None
    }

    fn is_done(&self) -> bool {
        self.gathered.is_empty() && self.flights.is_empty() && self.owed.is_empty()
    }

    /// Whether as many commits are on their way as there may be.
    pub(super) fn is_full(&self) -> bool {
        self.ending || self.flights.len() >= self.config.order.offers_max()
    }

    /// The next request; while something is to leave the log, a piece of that instead if none
    /// waits.
    fn next(&mut self, queue: &Receiver<Request>) -> Result<Option<Request>, Gone> {
        if !self.owed.is_empty() {
            self.redact_some();
            self.settle();
            if self.telling.has_something() {
                return Ok(None);
            }
        }
        if self.stopping && self.is_done() {
            return Ok(None);
        }
        if !self.flights.is_empty() {
            return match queue.recv_timeout(ORDER_LOOK) {
                Ok(request) => Ok(Some(request)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(Gone),
            };
        }
        if self.owed.is_empty() && !(self.stopping || self.gathered.is_due(&self.config)) {
            return queue.recv().map(Some).map_err(|_| Gone);
        }
        match queue.try_recv() {
            Ok(request) => Ok(Some(request)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Gone),
        }
    }

    /// Takes what waits, up to what one commit takes.
    fn gather(&mut self, first: Request, queue: &Receiver<Request>) {
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Bell => self.pulse.rung.store(false, Ordering::Release),
                Request::Hurry => self.gathered.hurry(),
                Request::Stop => {
                    self.stopping = true;
                    self.gathered.hurry();
                }
                request if self.stopping => {
                    request.refuse(&self.failure.error().unwrap_or(StoreError::Stopping));
                }
                request => self.gathered.push(request),
            }
            if self.pulse.hurried.load(Ordering::Acquire) > 0 {
                self.gathered.hurry();
            }
            next = match self.stopping || self.gathered.is_full(&self.config) {
                true => None,
                false => queue.try_recv().ok(),
            };
        }
    }

    /// Makes one commit of what was gathered and offers it. After an error nothing is acknowledged
    /// any more.
    fn group(&mut self, requests: VecDeque<Request>) {
        if let Some(error) = self.failure.error() {
            requests.into_iter().for_each(|it| it.refuse(&error));
            return;
        }
        let mut flight = self.flight();
        let mut entries = Vec::with_capacity(requests.len());
        for request in requests {
            match request {
                Request::Append { append, done, .. } if self.is_astray(append.stream) => {
                    done(Err(&self.astray(append.stream)));
                }
                Request::Append { append, done, .. } => {
                    let behind = Behind::Entry(entries.len() as u64 + 1);
                    let waiter = Waiter { done, behind };
                    // What is erased is acknowledged once it has left the log.
                    match Owed::of(&append.rows) {
                        atoms if atoms.is_empty() => flight.waiters.push(waiter),
                        atoms => flight.erases.push((atoms, waiter)),
                    }
                    entries.push(*append);
                }
                Request::Beside(Beside::State(it)) if self.is_astray(it.stream) => {}
                Request::Beside(it) => flight.beside.push(it),
                // An answer rests on its actor's state, and a denial on the rights.
                Request::Behind { stream, done }
                    if self.is_astray(stream) || self.is_astray(RIGHTS) =>
                {
                    done(Err(&self.astray(stream)));
                }
                Request::Behind { done, .. } => {
                    flight.waiters.push(Waiter { done, behind: Behind::Work });
                }
                Request::Begin { stream, done } => {
                    self.astray.retain(|it| Some(*it) != stream);
                    flight.waiters.push(Waiter { done, behind: Behind::Judgement });
                }
                Request::Hurry | Request::Stop | Request::Bell => {}
            }
        }
        if entries.is_empty() {
            self.behind(flight)
        } else {
            self.offer(flight, CommitWork::Entries(entries))
        }
    }

    /// Without an entry there is nothing to order: it is done when what is on its way is.
    fn behind(&mut self, flight: Flight) {
        if let Err(error) = self.materialiser.keep(&flight.beside) {
            let error = self.failure.trip(error);
            self.flights.push_back(flight);
            return self.fail_all(&error);
        }
        match self.flights.back_mut() {
            Some(last) => last.waiters.extend(flight.waiters),
            None => {
                let head = self.materialiser.head;
                let done = flight.waiters.into_iter().map(|it| it.applied(head.position)).collect();
                self.telling.push(Committed { head, due: None, done, others: Vec::new() });
                self.pulse.commits.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn flight(&mut self) -> Flight {
        let (node, epoch) = (self.node.unwrap_or_default(), self.epoch);
        let id = CommitId { node, epoch, number: self.number + 1 };
        Flight::new(id, self.pulse.now())
    }

    pub(super) fn offer(&mut self, mut flight: Flight, mut work: CommitWork) {
        if self.node.is_some() {
            flight.note(&mut work);
        }
        self.number = flight.id.number;
        let commit = Commit { id: flight.id, work };
        self.flights.push_back(flight);
        self.beat();
        if let Err(error) = self.order.offer(commit) {
            self.stop_with(error);
        }
    }

    /// Takes everything that stands by now.
    pub(super) fn settle(&mut self) {
        loop {
            if let Some(error) = self.failure.error() {
                // There is no other life, and nobody waits for one.
                self.ending = false;
                self.fail_all(&error);
                return;
            }
            if self.ending && self.flights.is_empty() {
                self.begin_life();
            }
            match self.order.next() {
                Ok(Some(Ordered::Stands { place, commit })) => self.take(place, commit),
                Ok(Some(Ordered::Refused { id, why })) => self.refused(id, why),
                Ok(None) => return,
                Err(error) => self.stop_with(error),
            }
        }
    }

    fn take(&mut self, place: Option<OrderSlot>, commit: Commit) {
        let id = commit.id;
        let mut flight = self.landed(id);
        if flight.as_ref().is_some_and(|it| self.node.is_some() && !it.is(&commit)) {
            self.flights.extend(flight);
            return self.stop_with(StoreError::Order(format!("{id} is not what was offered")));
        }
        let own = self.node == Some(id.node) && id.epoch >= self.born;
        if own && flight.is_none() && self.materialiser.hears(id) {
            let error = format!("{id} stands, and it was refused before");
            return self.stop_with(StoreError::Order(error));
        }
        let beside = flight.as_mut().map(|it| std::mem::take(&mut it.beside)).unwrap_or_default();
        match (self.materialiser.fold(place, commit, &beside), flight) {
            (Err(error), flight) => {
                self.flights.extend(flight);
                self.stop_with(error);
            }
            (Ok(Ok(applied)), flight) => {
                self.applied(flight, applied);
                self.materialiser.checkpoint_if_due();
            }
            (Ok(Err(void)), Some(flight)) => self.void(flight, &void),
            (Ok(Err(void)), None) => tracing::debug!(commit = %id, %void, "a commit is void"),
        }
        self.beat();
        self.pulse.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// It is in the store; the acker vouches for it and tells.
    fn applied(&mut self, flight: Option<Flight>, applied: Applied) {
        let Applied { after, head, due, streams, redaction } = applied;
        let Some(Flight { waiters, erases, owed, .. }) = flight else {
            let others = streams;
            self.telling.push(Committed { head, due, done: Vec::new(), others });
            return;
        };
        let done = waiters.into_iter().map(|it| it.applied(after)).collect();
        self.telling.push(Committed { head, due, done, others: Vec::new() });
        self.owed.extend(erases.into_iter().map(|(atoms, waiter)| {
            let (done, at) = waiter.applied(after);
            Owed::new(atoms, at.map(|at| (done, at)))
        }));
        if let Some((owed, piece)) = owed.zip(redaction) {
            self.redacted(owed, piece);
        }
    }

    /// What was offered here is not in the log, and neither is what was offered behind it. In an
    /// order that nobody else writes to that cannot be.
    fn void(&mut self, mut flight: Flight, void: &Void) {
        if self.node.is_none() {
            self.flights.push_front(flight);
            return self.stop_with(StoreError::Invariant(void.to_string()));
        }
        // Offered again, it would be void again.
        let hopeless = flight.owed.take_if(|_| matches!(void, Void::NotErased(_)));
        if let Some((done, _)) = hopeless.and_then(|it| it.done) {
            done(Err(&told(void)));
        }
        // Its life is sealed: whatever else is on its way is void as well.
        let all = std::mem::take(&mut self.flights);
        self.end_life(std::iter::once(flight).chain(all).collect(), &told(void));
    }

    /// What was offered behind it cannot be in the log either; what was offered before it can.
    fn refused(&mut self, id: CommitId, why: String) {
        match self.flights.iter().position(|it| it.id == id) {
            Some(at) => {
                let behind = self.flights.split_off(at);
                self.end_life(behind, &StoreError::Void(why));
            }
            None => tracing::debug!(commit = %id, why, "a commit is refused that nobody waits for"),
        }
        self.beat();
    }

    /// Commits of this life are not in the log: whoever has decided them begins anew from what is.
    fn end_life(&mut self, flights: VecDeque<Flight>, error: &StoreError) {
        let mut judged = Vec::new();
        for flight in flights {
            tracing::warn!(commit = %flight.id, %error, "a commit is not in the log");
            self.astray.extend(flight.streams());
            let (done, owed, beside) = flight.fail(error);
            judged.extend(done);
            // A state may rest on what is not in the log; what an action has left is its session's.
            let left = beside.into_iter().filter(|it| matches!(it, Beside::Repl { .. }));
            left.for_each(|it| self.gathered.push(Request::Beside(it)));
            owed.into_iter().for_each(|it| self.owed.push_front(it));
        }
        self.ending = true;
        match self.flights.back_mut() {
            Some(last) => {
                let judgement = |done| Waiter { done, behind: Behind::Judgement };
                last.waiters.extend(judged.into_iter().map(judgement));
            }
            None => self.send_judged(judged),
        }
    }

    /// The next life of this node; nothing of the last is on its way.
    fn begin_life(&mut self) {
        let Some(node) = self.node else { return };
        match self.materialiser.store.begin_life(node, &self.materialiser.authors) {
            Ok(epoch) => (self.epoch, self.number, self.ending) = (epoch, 0, false),
            Err(error) => self.stop_with(error),
        }
    }

    /// Those who wait for a judgement hear behind everything that was applied before.
    fn send_judged(&mut self, judged: Vec<Done>) {
        let done = judged.into_iter().map(|done| (done, None)).collect();
        let head = self.materialiser.head;
        self.telling.push(Committed { head, due: None, done, others: Vec::new() });
    }

    fn landed(&mut self, id: CommitId) -> Option<Flight> {
        let at = self.flights.iter().position(|it| it.id == id)?;
        self.flights.remove(at)
    }

    pub(super) fn stop_with(&mut self, error: StoreError) {
        let error = self.failure.trip(error);
        self.fail_all(&error);
    }

    /// Nothing that is on its way is acknowledged.
    fn fail_all(&mut self, error: &StoreError) {
        for flight in std::mem::take(&mut self.flights) {
            let (judged, owed, _) = flight.fail(error);
            judged.into_iter().for_each(|done| done(Err(error)));
            self.owed.extend(owed);
        }
        for owed in std::mem::take(&mut self.owed) {
            owed.done.into_iter().for_each(|(done, _)| done(Err(error)));
        }
        self.beat();
    }

    /// How long the oldest commit is on its way.
    fn beat(&self) {
        let begun = self.flights.front().map_or(0, |it| it.begun);
        self.pulse.commit.store(begun, Ordering::Relaxed);
    }

    fn is_astray(&self, stream: StreamId) -> bool {
        !self.astray.is_empty() && self.astray.contains(&stream)
    }

    fn astray(&self, stream: StreamId) -> StoreError {
        StoreError::Void(format!("stream {stream}: an entry before it is not in the log"))
    }
}

/// Nobody can ask any more.
struct Gone;
