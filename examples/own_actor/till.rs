//! An actor of one's own: a till that owes a receipt for every sale.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::behaviour::{Behaviour, Decision, Delivery, EffectId};
use stoa_actors::id::StreamId;

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Till {
    pub(crate) cents: u64,
    sales: u64,
    owed: BTreeMap<EffectId, u64>,
}
#[derive(Clone, Serialize)]
pub(crate) enum Message {
    Sell(u64),
    Refund(u64),
    Printed(EffectId),
}
#[derive(Serialize, Deserialize)]
pub(crate) enum Event {
    Sold { sale: EffectId, cents: u64 },
    Refunded(u64),
    Printed(EffectId),
}
#[derive(Clone)]
pub(crate) struct PrintReceipt {
    pub(crate) cents: u64,
}
#[derive(Debug, thiserror::Error)]
#[error("the till holds {0} cents; refund less")]
pub(crate) struct Short(pub(crate) u64);

impl Behaviour for Till {
    const KIND: &'static str = "till";
    type Message = Message;
    type Event = Event;
    type Effect = PrintReceipt;
    type Reply = u64;
    type Refusal = Short;

    fn unborn(_: StreamId) -> Till {
        Till::default()
    }

    fn decide(&self, message: Message, _: &mut Delivery<'_>) -> Result<Decision<Till>, Short> {
        Ok(match message {
            Message::Sell(cents) => {
                let sale = self.sales + 1;
                Decision::event(Event::Sold { sale, cents }, self.cents + cents)
                    .effect(sale, PrintReceipt { cents })
            }
            Message::Refund(cents) if cents > self.cents => return Err(Short(self.cents)),
            Message::Refund(cents) => Decision::event(Event::Refunded(cents), self.cents - cents),
            Message::Printed(sale) if !self.owed.contains_key(&sale) => Decision::read(self.cents),
            Message::Printed(sale) => Decision::event(Event::Printed(sale), self.cents),
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Sold { sale, cents } => {
                (self.cents, self.sales) = (self.cents + cents, *sale);
                self.owed.insert(*sale, *cents);
            }
            Event::Refunded(cents) => self.cents -= cents,
            Event::Printed(sale) => drop(self.owed.remove(sale)),
        }
    }

    fn name(event: &Event) -> &'static str {
        match event {
            Event::Sold { .. } => "till.sold",
            Event::Refunded(_) => "till.refunded",
            Event::Printed(_) => "till.printed",
        }
    }

    fn resume(&self) -> Vec<(EffectId, PrintReceipt)> {
        self.owed.iter().map(|(sale, cents)| (*sale, PrintReceipt { cents: *cents })).collect()
    }
}
