//! The rights, as an actor that a host runs.

use super::{Effect, Event, Message, Refusal, Reply, Rights, Subject, outbox};
use crate::behaviour::{Authority, Behaviour, Decision, Delivery, EffectId, Row};
use crate::behaviour::{Outcome, Outgoing};
use crate::id::{Millis, SessionId, SpaceId, StreamId};
use crate::rights::Level;

impl Behaviour for Rights {
    const KIND: &'static str = "rights";
    const SNAPSHOT_FORM: u8 = 4;
    type Message = Message;
    type Event = Event;
    type Effect = Effect;
    type Reply = Reply;
    type Refusal = Refusal;

    fn unborn(_: StreamId) -> Self {
        Rights::default()
    }

    fn decide(
        &self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> Result<Decision<Self>, Refusal> {
        let limits = &delivery.limits.rights;
        let decided = self.decide_within(limits, delivery.asker, delivery.now, message)?;
        let (reply, refused) = match decided.answer {
            Ok(reply) => (reply, None),
            Err(refusal) => (Reply::Done, Some(refusal)),
        };
        let effects = self.sent_by(&decided.events);
        Ok(Decision { events: decided.events, effects, reply, refused })
    }

    fn apply(&mut self, event: &Event) {
        Rights::apply(self, event);
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Installed { .. } => "right.installed",
            Event::SpaceCreated { .. } => "space.created",
            Event::Spawned { .. } => "session.spawned",
            Event::SpawnRefused { .. } => "session.refused",
            Event::Born { .. } => "session.born",
            Event::Shared { .. } => "right.shared",
            Event::Revoked { .. } => "right.revoked",
            Event::Expired { .. } => "right.expired",
            Event::Named { .. } => "name.given",
            Event::Unnamed { .. } => "name.taken",
            Event::Ended { .. } => "session.ended",
            Event::Chartered { .. } => "session.chartered",
            Event::Allotted { .. } => "session.allotted",
            Event::Doomed { .. } => "session.doomed",
            Event::Sent { .. } => "message.sent",
            Event::Delivered { refused: None, .. } => "message.delivered",
            Event::Delivered { refused: Some(_), .. } => "message.refused",
        }
    }

    fn due() -> Option<Message> {
        Some(Message::Expire)
    }

    fn project(_: StreamId, event: &Event, _: u16, rows: &mut Vec<Row>) {
        outbox::project(event, rows);
    }

    fn outgoing(_: StreamId, effect: &Effect) -> Option<Outgoing> {
        Some(outbox::outgoing(effect))
    }

    fn settled(id: EffectId, _: &Effect, outcome: &Outcome) -> Option<Message> {
        Some(outbox::settled(id, outcome))
    }

    fn resume(&self) -> Vec<(EffectId, Effect)> {
        self.owed()
    }
}

impl Authority for Rights {
    fn level(&self, holder: SessionId, space: SpaceId, now: Millis) -> Option<Level> {
        Rights::level(self, holder, &Subject::Space(space), now)
    }
}
