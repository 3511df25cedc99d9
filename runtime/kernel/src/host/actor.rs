//! The one host of every actor: ractor outside, an [`Incarnation`] inside.
//!
//! The order of a delivery is the incarnation's; the host's half is this. It decides *and* enqueues
//! the append under a guard on the rights table, so that the order of the log is the barrier of a
//! revoke. Every answer rides behind what it rests on. It never batches: the log writer does.

use super::{ActorAddress, AskError, Asked, Heard, Receipt};
use crate::blocking::blocking;
use crate::failure::StoreError;
use crate::log::{Done, Urgency};
use crate::store::Store;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stoa_actors::behaviour::{Anyone, Authority, Behaviour};
use stoa_actors::id::{Position, StreamId};
use stoa_actors::incarnation::{Append, HostContext, Incarnation, Request, Step};
use stoa_actors::passivation::{self, Rest};
use stoa_actors::rights::RightsTable;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What the rights actor's own host does with the shared table.
pub(crate) struct Hook<B: Behaviour> {
    /// A new incarnation has loaded its state, all of it durable.
    pub(crate) restored: fn(&mut RightsTable, B),
    /// Gives the actor its state, or takes it back: before and after it decides, under the write
    /// guard.
    pub(crate) exchange: fn(&mut RightsTable, &mut B),
    /// After it has decided, before the append is enqueued, under the same guard.
    pub(crate) decided: fn(&mut RightsTable, &[B::Event]),
    /// Once that is durable.
    pub(crate) durable: fn(&mut RightsTable, &[B::Event]),
}

/// A request on its way through a mailbox.
pub(crate) struct Delivered<B: Behaviour> {
    pub(crate) ask: Request<B::Message>,
    pub(crate) urgency: Urgency,
    pub(crate) reply: oneshot::Sender<Asked<B>>,
    /// Room in the mailbox and among all mailboxes' bytes; given back when this is answered.
    pub(crate) room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    pub(crate) heed: Heed,
}

/// Who hears of a request besides its asker.
#[derive(Default)]
pub(crate) struct Heed {
    /// Told once it is decided on: whether it is accepted. What comes of it is before all that is
    /// sent to the log from then on.
    pub(crate) taken: Option<oneshot::Sender<bool>>,
    /// Told, before the asker is, who hears what becomes of the messages sent because of it.
    pub(crate) sent: Option<oneshot::Sender<Vec<Heard>>>,
}

/// What a mailbox takes.
pub(crate) enum Mail<B: Behaviour> {
    Request(Delivered<B>),
    /// Its state is not what the log says: it begins anew before it hears anything else.
    Anew,
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
    address: Arc<ActorAddress<B>>,
}

impl<B: Behaviour + Sync> Actor for Host<B> {
    type Msg = Mail<B>;
    type State = Life<B>;
    type Arguments = Arc<ActorAddress<B>>;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        address: Arc<ActorAddress<B>>,
    ) -> Result<Life<B>, ActorProcessingErr> {
        // Put aside, or every actor would keep room for its beginning for as long as it lives.
        Box::pin(Life::begin(address)).await
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        mail: Mail<B>,
        life: &mut Life<B>,
    ) -> Result<(), ActorProcessingErr> {
        if life.address.is_astray() {
            *life = Box::pin(Life::begin(life.address.clone())).await?;
        }
        match mail {
            Mail::Request(delivered) => {
                let delivered = match life.must_prepare(&delivered) {
                    true => Box::pin(life.prepared(delivered)).await?,
                    false => delivered,
                };
                life.address.shared.log.room().await;
                life.deliver(delivered);
            }
            Mail::Anew => {}
            Mail::Rest(told) => drop(told.send(life.rest())),
        }
        Ok(())
    }
}

impl<B: Behaviour + Sync> Life<B> {
    /// Loads behind a barrier: what the incarnation before has appended is in what this one reads,
    /// or will never be in the log.
    async fn begin(address: Arc<ActorAddress<B>>) -> Result<Life<B>, ActorProcessingErr> {
        let shared = address.shared.clone();
        let stream = address.stream;
        shared.log.judged(Some(stream)).await?;
        // Whoever led it astray before is told by now; whoever does from here on is not in what is
        // read, or has it read again.
        address.find();
        let load = move || load::<B>(&shared.store, stream);
        let mut incarnation = match address.loaded() {
            Some(incarnation) => incarnation,
            // Nothing is to be read of one that has never written.
            None if address.stream_head.durable_seq() == 0
                && address.shared.store.last_seq(stream)? == 0 =>
            {
                Incarnation::unborn(stream)
            }
            None => blocking(load).await??,
        };
        address.stream_head.restored(incarnation.seq());
        for (id, effect) in incarnation.state().resume() {
            address.start_effect(id, effect);
        }
        if let Some(hook) = &address.hook {
            // What the incarnation before has decided is in the log, or never will be, or the store
            // has stopped.
            address.shared.rights_durable.fetch_max(incarnation.seq(), Ordering::AcqRel);
            address.shared.rights_decided.store(incarnation.seq(), Ordering::Release);
            let state = std::mem::replace(incarnation.state_mut(), B::unborn(stream));
            (hook.restored)(&mut address.shared.rights.write(), state);
        }
        Ok(Life { incarnation, address })
    }

    /// Everything it has decided is durable: whoever asks this holds every place of the mailbox.
    fn rest(&self) -> Rest {
        if self.address.hook.is_some() {
            // Its state is what everybody asks.
            return Rest::Stay;
        }
        let (shared, seq) = (&self.address.shared, self.incarnation.seq());
        let may_rest = self.incarnation.state().may_rest();
        let behind = self.incarnation.behind_snapshot();
        let rest = passivation::rest(may_rest, behind, shared.config.passivate_snapshot_entries);
        if rest == Rest::GoWithSnapshot && !shared.log.has_room() {
            // It goes when there is room for what it leaves behind.
            return Rest::Stay;
        }
        if rest == Rest::GoWithSnapshot
            && let Ok(state) = self.incarnation.snapshot()
        {
            shared.log.snapshot(self.address.stream, seq, state);
        }
        rest
    }

    fn must_prepare(&self, delivered: &Delivered<B>) -> bool {
        self.incarnation.must_prepare(&delivered.ask, &self.address.shared.store)
    }

    /// With all made ready that its decision looks up: that may read whatever was written, so not on
    /// a thread of the executor, nor while others wait for the rights.
    async fn prepared(&mut self, delivered: Delivered<B>) -> Result<Delivered<B>, StoreError> {
        let shared = self.address.shared.clone();
        let (stream, durable_seq) = (self.address.stream, self.address.stream_head.durable_seq());
        let mut incarnation = std::mem::replace(&mut self.incarnation, Incarnation::unborn(stream));
        let prepare = move || {
            let limits = &shared.config.limits;
            incarnation.prepare(&delivered.ask.message, &shared.store, durable_seq, limits);
            (incarnation, delivered)
        };
        // If it dies so does the actor, and the next incarnation is read from the log.
        let delivered;
        (self.incarnation, delivered) = blocking(prepare).await?;
        Ok(delivered)
    }

    fn deliver(&mut self, delivered: Delivered<B>) {
        let Delivered { ask, urgency, reply, room, heed: Heed { taken, sent } } = delivered;
        let address = self.address.clone();
        // Dropped last: the append is enqueued under the guard that it was decided under.
        let (reading, mut writing);
        let (append, step) = match &address.hook {
            None => {
                reading = address.shared.rights.read();
                self.decide(ask, &**reading)
            }
            Some(hook) => {
                writing = address.shared.rights.write();
                (hook.exchange)(&mut writing, self.incarnation.state_mut());
                let decided = catch_unwind(AssertUnwindSafe(|| self.decide(ask, &Anyone)));
                (hook.exchange)(&mut writing, self.incarnation.state_mut());
                // Readers keep the table while another incarnation is on its way.
                let decided = decided.unwrap_or_else(|panic| resume_unwind(panic));
                (hook.decided)(&mut writing, &decided.1.events);
                address.shared.rights_decided.store(self.incarnation.seq(), Ordering::Release);
                decided
            }
        };
        // What rights there are cannot change while the guard is held.
        let settled = self.incarnation.seq() == address.stream_head.durable_seq()
            && address.shared.rights_are_settled();
        let accepted = step.answer.is_ok();
        let finish = Finish { step, address: address.clone(), reply, room, sent };
        match append {
            Some(append) => {
                let seq = append.seq;
                let done: Done = Box::new(move |done| finish.done(done, Some(seq)));
                address.shared.log.append(append, urgency, done);
            }
            // Nothing it could rest on is in flight: no entry of its own, and no right.
            None if settled => finish.done(Ok(None), None),
            None => {
                let done: Done = Box::new(move |done| finish.done(done, None));
                address.shared.log.behind(address.stream, done);
            }
        }
        if let Some(taken) = taken {
            // Who asked may have gone.
            let _ = taken.send(accepted);
        }
    }

    fn decide(
        &mut self,
        ask: Request<B::Message>,
        authority: &dyn Authority,
    ) -> (Option<Append>, Step<B>) {
        let shared = &self.address.shared;
        let now = shared.clock.now();
        let given = HostContext {
            now,
            fresh: &mut || shared.fresh.id(now),
            durable: &shared.store,
            durable_seq: self.address.stream_head.durable_seq(),
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
    address: Arc<ActorAddress<B>>,
    reply: oneshot::Sender<Asked<B>>,
    room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    sent: Option<oneshot::Sender<Vec<Heard>>>,
}

impl<B: Behaviour + Sync> Finish<B> {
    /// Durable, or never. On the acker's thread, unless there was nothing to wait for: it neither
    /// reads nor waits for a lock that others hold for long.
    fn done(self, done: Result<Option<Position>, &StoreError>, seq: Option<u64>) {
        let position = match done {
            Err(StoreError::Void(_)) => {
                // Before there is room for another: whoever holds all the room finds it told.
                self.address.lead_astray();
                drop(self.reply.send(Err(AskError::Restarted)));
                return;
            }
            Err(error) => {
                drop(self.reply.send(Err(AskError::Store(error.clone()))));
                return;
            }
            Ok(position) => position,
        };
        let entry = seq.zip(position);
        match &self.address.hook {
            Some(hook) => {
                let (durable, address) = (hook.durable, self.address.clone());
                let show = move || {
                    if let Some((seq, _)) = entry {
                        durable(&mut self.address.shared.rights.write(), &self.step.events);
                        self.address.shared.rights_durable.fetch_max(seq, Ordering::AcqRel);
                    }
                    self.tell(entry);
                };
                address.shared.shown.show(show);
            }
            None => self.tell(entry),
        }
    }

    /// Tells who asked, and everybody who follows; `entry` is the number and the place of what was
    /// written.
    fn tell(self, entry: Option<(u64, Position)>) {
        let Finish { step, address, reply, room, sent } = self;
        if let Some((seq, position)) = entry {
            address.stream_head.advance(seq, position);
            address.shared.followers.gone_on(address.stream);
            address.performer.happened(&step.events);
        }
        if let Some(owed) = &step.goes_on {
            address.keep_effects(owed);
        }
        let mut heard = Vec::new();
        for (id, effect) in step.effects {
            heard.extend(address.start_effect(id, effect));
        }
        if let Some(sent) = sent {
            // Who has asked may have gone.
            drop(sent.send(heard));
        }
        let answer = move |position| {
            let answer = step.answer.map(|reply| Receipt { reply, position });
            drop(room);
            drop(reply.send(answer.map_err(AskError::Refused)));
        };
        match (entry, step.seq) {
            (Some((_, position)), _) => answer(Some(position)),
            (None, None) => answer(None),
            // Answered before: where that stands is read, and not on this thread.
            (None, Some(seq)) => {
                let (store, stream) = (address.shared.store.clone(), address.stream);
                let place = move || store.position_of(stream, seq).ok().flatten();
                let told = async move { answer(blocking(place).await.ok().flatten()) };
                address.shared.spawner.spawn(told);
            }
        }
    }
}

/// The newest state: the last snapshot, and what came after it.
pub(crate) fn load<B: Behaviour>(
    store: &Store,
    stream: StreamId,
) -> Result<Incarnation<B>, StoreError> {
    let mut incarnation = store
        .snapshot(stream)?
        .and_then(|it| Incarnation::restore(stream, it.seq, it.state()))
        .unwrap_or_else(|| Incarnation::unborn(stream));
    for entry in store.entries_after(stream, incarnation.seq()) {
        let entry = entry?;
        incarnation.replay(entry.header.seq, &entry.body)?;
    }
    Ok(incarnation)
}
