//! What is done outside for actors, by performers that are given from outside.

use super::chances::Chance;
use super::{Disk, Host};
use crate::behaviour::{Behaviour, EffectId};
use crate::behaviour::{Outcome, Outgoing};
use crate::id::{Millis, StreamId};
use crate::limits::Limits;
use crate::rights::RightsTable;
use std::any::Any;
use std::marker::PhantomData;

/// What whoever performs sees of the world.
pub struct WorldView<'a> {
    pub(super) host: &'a mut Host,
    pub(super) chance: &'a mut Chance,
    pub(super) latency_ms_max: u64,
}

impl WorldView<'_> {
    /// The time of the world.
    pub fn now(&self) -> Millis {
        self.host.now
    }

    /// What is durable.
    pub fn disk(&self) -> &Disk {
        &self.host.disk
    }

    /// Who may do what.
    pub fn rights(&self) -> &RightsTable {
        &self.host.rights
    }

    /// What one mutation may carry.
    pub fn limits(&self) -> &Limits {
        &self.host.limits
    }

    /// The state of an actor, as it will be once everything is durable.
    pub fn state<B: Behaviour>(&mut self, stream: StreamId) -> &B {
        self.host.state(stream)
    }

    /// A number below `below`.
    pub fn draw(&mut self, below: u64) -> u64 {
        self.chance.below(below)
    }

    /// When something that is begun now is done: after as long as anything may take.
    pub fn after_a_while(&mut self) -> Millis {
        Millis(self.host.now.0 + 1 + self.chance.below(self.latency_ms_max))
    }
}

/// What work comes to next.
pub enum WorkStep<M> {
    /// Its outcome: the actor is told, and it is over.
    Tell(M),
    /// Something is asked of an actor, under a key; the answer is the next thing heard.
    Ask(Outgoing, String),
    /// It goes on then.
    Wait(Millis),
    /// It is over, and nobody is told.
    End,
}

/// Something that is being done outside for an actor, until it ends or a crash takes it.
pub trait Work<B: Behaviour> {
    /// Goes on: with the answer to what it has asked last, if it has asked.
    fn next(&mut self, heard: Option<Outcome>, seen: &mut WorldView<'_>) -> WorkStep<B::Message>;
}

/// Who does what the actors of a kind ask to be done outside.
pub trait Performer<B: Behaviour> {
    /// Begins with one effect of the actor at a stream.
    fn begin(&mut self, stream: StreamId, id: EffectId, effect: &B::Effect) -> Box<dyn Work<B>>;
}

pub(super) trait AnyWork {
    fn next(&mut self, heard: Option<Outcome>, seen: &mut WorldView<'_>) -> WorkStep<Box<dyn Any>>;
}

struct WorkOf<B: Behaviour>(Box<dyn Work<B>>);

impl<B: Behaviour> AnyWork for WorkOf<B> {
    fn next(&mut self, heard: Option<Outcome>, seen: &mut WorldView<'_>) -> WorkStep<Box<dyn Any>> {
        match self.0.next(heard, seen) {
            WorkStep::Tell(message) => WorkStep::Tell(Box::new(message)),
            WorkStep::Ask(outgoing, key) => WorkStep::Ask(outgoing, key),
            WorkStep::Wait(until) => WorkStep::Wait(until),
            WorkStep::End => WorkStep::End,
        }
    }
}

pub(super) trait AnyPerformer {
    fn begin(&mut self, stream: StreamId, id: EffectId, effect: &dyn Any) -> Box<dyn AnyWork>;
}

pub(super) struct PerformerOf<B, P>(pub(super) P, pub(super) PhantomData<fn() -> B>);

impl<B: Behaviour, P: Performer<B>> AnyPerformer for PerformerOf<B, P> {
    fn begin(&mut self, stream: StreamId, id: EffectId, effect: &dyn Any) -> Box<dyn AnyWork> {
        match effect.downcast_ref::<B::Effect>() {
            Some(effect) => Box::new(WorkOf(self.0.begin(stream, id, effect))),
            None => unreachable!("an effect is of its actor's kind"),
        }
    }
}
