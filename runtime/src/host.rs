//! The one host of every actor: ractor outside, an [`Incarnation`] inside.
//!
//! The order of a delivery is the incarnation's; the host's half is this. It decides *and* enqueues
//! the append under a guard on the rights table, so that the order of the log is the barrier of a
//! revoke. Every answer rides behind what it rests on. It never batches: the log writer does.

use crate::clock::{Clock, Fresh};
use crate::config::Config;
use crate::failure::StoreError;
use crate::log::{Done, Log, Urgency};
use crate::news::News;
use crate::seat::{AskError, Asked, Receipt, Seat};
use crate::store::Store;
use parking_lot::RwLock;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use stoa_actors::behaviour::{Anyone, Authority, Behaviour};
use stoa_actors::id::{Position, StreamId};
use stoa_actors::incarnation::{Append, Ask, Given, Incarnation, Step};
use stoa_actors::passivation::{self, Rest};
use stoa_actors::rights::Table;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What all hosts of a runtime share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) fresh: Fresh,
    /// Effects are started from the acker, which is no task.
    pub(crate) spawner: tokio::runtime::Handle,
    /// Who may do what, as readers and deciders see it: less when a loss is decided, more only once
    /// a gain is durable. The rights actor's own state lies here, and with the actor only while it
    /// decides.
    pub(crate) rights: RwLock<Table>,
    pub(crate) news: News,
}

/// What the rights actor's own host does with the shared table.
pub(crate) struct Hook<B: Behaviour> {
    /// A new incarnation has loaded its state, all of it durable.
    pub(crate) restored: fn(&mut Table, B),
    /// Gives the actor its state, or takes it back: before and after it decides, under the write
    /// guard.
    pub(crate) exchange: fn(&mut Table, &mut B),
    /// After it has decided, before the append is enqueued, under the same guard.
    pub(crate) decided: fn(&mut Table, &[B::Event]),
    /// Once that is durable.
    pub(crate) durable: fn(&mut Table, &[B::Event]),
}

/// A request on its way through a mailbox.
pub(crate) struct Delivered<B: Behaviour> {
    pub(crate) ask: Ask<B::Message>,
    pub(crate) urgency: Urgency,
    pub(crate) reply: oneshot::Sender<Asked<B>>,
    /// Room in the mailbox and among all mailboxes' bytes; given back when this is answered.
    pub(crate) room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    /// Told once it is decided on: whether it is accepted. What comes of it is before all that is
    /// sent to the log from then on.
    pub(crate) taken: Option<oneshot::Sender<bool>>,
}

/// What a mailbox takes.
pub(crate) enum Mail<B: Behaviour> {
    Request(Delivered<B>),
    /// Says whether it goes, now that nobody can reach it.
    Rest(oneshot::Sender<Rest>),
}

/// One incarnation under ractor.
pub(crate) struct Host<B>(PhantomData<fn() -> B>);

impl<B> Host<B> {
    pub(crate) fn new() -> Self {
        Host(PhantomData)
    }
}

pub(crate) struct Life<B: Behaviour> {
    incarnation: Incarnation<B>,
    seat: Arc<Seat<B>>,
}

impl<B: Behaviour + Sync> Actor for Host<B> {
    type Msg = Mail<B>;
    type State = Life<B>;
    type Arguments = Arc<Seat<B>>;

    /// Loads behind a barrier: what the incarnation before has appended is in what this one reads.
    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        seat: Arc<Seat<B>>,
    ) -> Result<Life<B>, ActorProcessingErr> {
        let shared = seat.shared.clone();
        settled(&shared.log).await?;
        let stream = seat.stream;
        let load = move || load::<B>(&shared.store, stream);
        let mut incarnation = match seat.loaded() {
            Some(incarnation) => incarnation,
            None => tokio::task::spawn_blocking(load).await??,
        };
        seat.face.restored(incarnation.seq());
        for (id, effect) in incarnation.state().resume() {
            seat.start_effect(id, effect);
        }
        if let Some(hook) = &seat.hook {
            let state = std::mem::replace(incarnation.state_mut(), B::unborn(stream));
            (hook.restored)(&mut seat.shared.rights.write(), state);
        }
        Ok(Life { incarnation, seat })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        mail: Mail<B>,
        life: &mut Life<B>,
    ) -> Result<(), ActorProcessingErr> {
        match mail {
            Mail::Request(delivered) => life.deliver(delivered),
            Mail::Rest(told) => drop(told.send(life.rest())),
        }
        Ok(())
    }
}

impl<B: Behaviour + Sync> Life<B> {
    /// Everything it has decided is durable: whoever asks this holds every place of the mailbox.
    fn rest(&self) -> Rest {
        if self.seat.hook.is_some() {
            // Its state is what everybody asks.
            return Rest::Stay;
        }
        let (shared, seq) = (&self.seat.shared, self.incarnation.seq());
        let may_rest = self.incarnation.state().may_rest();
        let behind = self.incarnation.behind_snapshot();
        let rest = passivation::rest(may_rest, behind, shared.config.passivate_snapshot_entries);
        if rest == Rest::GoWithSnapshot
            && let Ok(state) = self.incarnation.snapshot()
        {
            shared.log.snapshot(self.seat.stream, seq, state);
        }
        rest
    }

    fn deliver(&mut self, delivered: Delivered<B>) {
        let Delivered { ask, urgency, reply, room, taken } = delivered;
        let seat = self.seat.clone();
        // Dropped last: the append is enqueued under the guard that it was decided under.
        let (reading, mut writing);
        let (append, step) = match &seat.hook {
            None => {
                reading = seat.shared.rights.read();
                self.decide(ask, &**reading)
            }
            Some(hook) => {
                writing = seat.shared.rights.write();
                (hook.exchange)(&mut writing, self.incarnation.state_mut());
                let decided = catch_unwind(AssertUnwindSafe(|| self.decide(ask, &Anyone)));
                (hook.exchange)(&mut writing, self.incarnation.state_mut());
                // Readers keep the table while another incarnation is on its way.
                let decided = decided.unwrap_or_else(|panic| resume_unwind(panic));
                (hook.decided)(&mut writing, &decided.1.events);
                decided
            }
        };
        let settled = self.incarnation.seq() == seat.face.durable_seq();
        let accepted = step.answer.is_ok();
        let finish = Finish { step, seat: seat.clone(), reply, room };
        match append {
            Some(append) => {
                let seq = append.seq;
                let done: Done = Box::new(move |done| finish.done(done, Some(seq)));
                seat.shared.log.append(append, urgency, done);
            }
            // Nothing it could rest on is in flight.
            None if settled => finish.done(Ok(None), None),
            None => seat.shared.log.behind(Box::new(move |done| finish.done(done, None))),
        }
        if let Some(taken) = taken {
            // Who asked may have gone.
            let _ = taken.send(accepted);
        }
    }

    fn decide(
        &mut self,
        ask: Ask<B::Message>,
        authority: &dyn Authority,
    ) -> (Option<Append>, Step<B>) {
        let shared = &self.seat.shared;
        let now = shared.clock.now();
        let given = Given {
            now,
            fresh: &mut || shared.fresh.id(now),
            durable: &shared.store,
            durable_seq: self.seat.face.durable_seq(),
            authority,
            limits: &shared.config.limits,
        };
        let mut step = self.incarnation.deliver(ask, given);
        (step.append.take(), step)
    }
}

/// What is left to do for one request once everything it rests on is durable.
struct Finish<B: Behaviour> {
    step: Step<B>,
    seat: Arc<Seat<B>>,
    reply: oneshot::Sender<Asked<B>>,
    room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl<B: Behaviour + Sync> Finish<B> {
    /// Durable, or never. On the acker's thread, unless there was nothing to wait for.
    fn done(self, done: Result<Option<Position>, &StoreError>, seq: Option<u64>) {
        let Finish { step, seat, reply, room } = self;
        let position = match done {
            Err(error) => {
                drop(reply.send(Err(AskError::Store(error.clone()))));
                return;
            }
            Ok(position) => position,
        };
        if let (Some(seq), Some(position)) = (seq, position) {
            if let Some(hook) = &seat.hook {
                (hook.durable)(&mut seat.shared.rights.write(), &step.events);
            }
            seat.face.advance(seq, position);
            seat.shared.news.gone_on(seat.stream);
        }
        for (id, effect) in step.effects {
            seat.start_effect(id, effect);
        }
        let position = position.or_else(|| {
            let seq = step.seq?;
            seat.shared.store.position_of(seat.stream, seq).ok().flatten()
        });
        let answer =
            step.answer.map(|reply| Receipt { reply, position }).map_err(AskError::Refused);
        drop(room);
        drop(reply.send(answer));
    }
}

/// Returns once everything sent to the log so far is durable.
pub(crate) async fn settled(log: &Log) -> Result<(), StoreError> {
    let (told, hear) = oneshot::channel();
    log.behind(Box::new(move |done| drop(told.send(done.map(drop).map_err(Clone::clone)))));
    hear.await.unwrap_or(Err(StoreError::Stopping))
}

/// The newest state: the last snapshot, and what came after it.
pub(crate) fn load<B: Behaviour>(
    store: &Store,
    stream: StreamId,
) -> Result<Incarnation<B>, StoreError> {
    let mut incarnation = store
        .snapshot(stream)?
        .and_then(|(seq, state)| Incarnation::restore(stream, seq, &state[8..]))
        .unwrap_or_else(|| Incarnation::unborn(stream));
    for entry in store.entries_after(stream, incarnation.seq()) {
        let entry = entry?;
        incarnation.replay(entry.header.seq, &entry.body)?;
    }
    Ok(incarnation)
}
