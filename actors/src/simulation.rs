//! Actors of one kind in memory, asked and made durable by hand: virtual time, ids from a seed, no
//! thread. The host is a [world](crate::world)'s.
//!
//! What is decided waits in a queue until [`Simulation::commit`] makes it durable; only then is it
//! answered. [`Simulation::crash`] loses the queue and every state, and the next delivery finds
//! what was durable, as after `kill -9`. [`Simulation::fail_append`] makes a write fail, and from
//! there on nothing is acknowledged until it crashes and is open again.

pub use crate::world::{AppendOutcome, Disk};

use crate::behaviour::{Anyone, Authority, Behaviour, EffectId};
use crate::id::{Millis, Position, StreamId};
use crate::incarnation::{Refused, Request, Response};
use crate::limits::Limits;
use crate::world::{Answered, Host, WorldKinds};
use std::marker::PhantomData;

/// One answer that was given: to which question, and the entry it is about.
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Told<B: Behaviour> {
    /// The question, in the order of asking.
    pub ticket: u64,
    pub answer: Response<B>,
    /// The entry it is about.
    pub position: Option<Position>,
}

/// Actors of one kind over one log, in memory.
pub struct Simulation<B: Behaviour> {
    /// The clock; a test moves it.
    pub now: Millis,
    /// What one mutation may carry.
    pub limits: Limits,
    host: Host,
    started: Vec<(StreamId, EffectId, B::Effect)>,
    kind: PhantomData<fn() -> B>,
}

impl<B: Behaviour> Simulation<B> {
    /// An empty log; ids are drawn from the seed.
    pub fn new(seed: u64) -> Self {
        Simulation {
            now: Millis(1),
            limits: Limits::default(),
            host: Host::new(WorldKinds::default().with::<B>(), seed),
            started: Vec::new(),
            kind: PhantomData,
        }
    }

    /// Asks an actor; the ticket names the answer that comes once it is durable.
    pub fn ask(&mut self, stream: StreamId, ask: Request<B::Message>) -> u64 {
        self.ask_under(stream, ask, &Anyone)
    }

    /// The same under given rights.
    pub fn ask_under(
        &mut self,
        stream: StreamId,
        ask: Request<B::Message>,
        authority: &dyn Authority,
    ) -> u64 {
        self.host.now = self.now;
        self.host.limits.clone_from(&self.limits);
        self.host.ask_of::<B>(stream, ask, Some(authority))
    }

    /// Makes the oldest `count` decisions durable, as one commit, and answers them. If the commit
    /// fails, or one has failed before, all of them are told so and none is acknowledged, reads and
    /// refusals included: they rest on what may be lost.
    pub fn commit(&mut self, count: usize) -> Vec<Told<B>> {
        let told = self.host.commit(count);
        let told = told.into_iter().map(|it| {
            self.started.extend(it.started::<B>());
            let answer = match it.answer {
                Answered::Decided(answer) => match answer.downcast::<Response<B>>() {
                    Ok(answer) => *answer,
                    Err(_) => unreachable!("there is no other kind"),
                },
                Answered::Stopped => Err(Refused::Stopped),
            };
            Told { ticket: it.ticket, answer, position: it.position }
        });
        told.collect()
    }

    /// Lets the `nth` append from now on fail, 1 being the next, and with it the commit it is in.
    /// Then nothing is acknowledged until [`Simulation::crash`]: the store is opened again.
    pub fn fail_append(&mut self, nth: u64, fate: AppendOutcome) {
        self.host.fail_append(nth, fate);
    }

    /// Whether an append has failed since the last open.
    pub fn stopped(&self) -> bool {
        self.host.stopped()
    }

    /// Makes everything durable.
    pub fn settle(&mut self) -> Vec<Told<B>> {
        self.commit(usize::MAX)
    }

    /// Asks and settles: the answer to this one question.
    pub fn call(&mut self, stream: StreamId, ask: Request<B::Message>) -> Response<B> {
        let ticket = self.ask(stream, ask);
        let told = self.settle().into_iter().find(|it| it.ticket == ticket);
        told.map(|it| it.answer).unwrap_or_else(|| unreachable!("everything was settled"))
    }

    /// Loses what is not durable, and every state. Effects that ran are lost too: what is still
    /// owed comes again from [`Behaviour::resume`]. A store that had stopped is open again, with
    /// what it had acknowledged and, of the append that failed, what its [`AppendOutcome`] says.
    pub fn crash(&mut self) {
        self.host.crash();
        self.started = self.host.bring_all_up::<B>();
    }

    /// The effects that were started since this was asked last.
    pub fn effects(&mut self) -> Vec<(StreamId, EffectId, B::Effect)> {
        std::mem::take(&mut self.started)
    }

    /// How many decisions wait to become durable.
    pub fn waiting(&self) -> usize {
        self.host.waiting()
    }

    /// The state of an actor, as it will be once everything is durable.
    pub fn state(&mut self, stream: StreamId) -> &B {
        self.host.state(stream)
    }

    /// What is durable.
    pub fn disk(&self) -> &Disk {
        &self.host.disk
    }
}
