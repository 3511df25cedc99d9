//! What a session sends: its letters, its children's births and budgets, and what it gives back.
//! Each is in its state until an event says that it was answered.

use super::{
    Budget, Effect, Event, LedgerEntry, Message, Session, Settlement, Transfer, TransferKind,
};
use crate::agent::AgentOrder;
use crate::atom::Content;
use crate::behaviour::{EffectId, Row};
use crate::behaviour::{Outcome, Outgoing};
use crate::id::{RIGHTS, SessionId, StreamId};
use crate::mutant::planted;
use crate::rights::{self, Rights};
use crate::space::{self, Draft, Space};
use std::any::Any;

pub(super) fn outgoing(sender: StreamId, effect: &Effect) -> Option<Outgoing> {
    let me = SessionId(sender.0);
    let outgoing = match effect {
        // To nobody.
        Effect::Tell { .. } if planted("session.tells_and_forgets") => {
            Outgoing::new::<Space>(sender, me, space::Message::Expire)
        }
        Effect::Tell { dm, letter } => {
            let draft = Draft {
                content: Content::Text(letter.text.clone()),
                metadata: [("kind".to_owned(), letter.subject.as_str().into())].into(),
                ..Draft::default()
            };
            Outgoing::new::<Space>(dm.stream(), me, space::Message::put(draft))
                .comment(letter.subject.clone())
                .cause(letter.cause)
        }
        Effect::Spawn(spawn) => {
            let name = spawn.alias.as_deref().unwrap_or("an agent");
            let message = rights::Message::SpawnAgent(Box::new((**spawn).clone()));
            Outgoing::new::<Rights>(RIGHTS, me, message)
                .comment(format!("spawn {name}"))
                .and_what_follows()
        }
        Effect::Send(Transfer { child, budget, .. }) => {
            Outgoing::new::<Session>(child.stream(), me, Message::Fund(*budget)).comment("fund")
        }
        Effect::Return { parent, rest } => {
            let nothing = planted("budget.keeps_what_is_left");
            let rest = if nothing { Budget::thoughts(0) } else { *rest };
            let repaid = Message::Settle(Settlement::Repaid { child: me, rest });
            Outgoing::new::<Session>(parent.stream(), me, repaid).comment("repay")
        }
        Effect::Think { .. }
        | Effect::Compact { .. }
        | Effect::Act { .. }
        | Effect::Wait { .. }
        | Effect::LetGo { .. }
        | Effect::Listen(_) => {
            return None;
        }
    };
    // Who waits for it to be at rest waits for the outcome as well.
    Some(outgoing.settled_at_once())
}

/// A message of its own, or what the rights tell it.
pub(super) fn received(message: Box<dyn Any + Send>) -> Option<Message> {
    let message = match message.downcast::<Message>() {
        Ok(own) => return Some(*own),
        Err(other) => other.downcast::<AgentOrder>().ok()?,
    };
    Some(match *message {
        AgentOrder::Begin(spec, budget) => Message::Begin(spec, budget),
        AgentOrder::Wipe { reason } => Message::Wipe { reason },
        AgentOrder::Repaid { child, rest } => Message::Settle(Settlement::Repaid { child, rest }),
    })
}

pub(super) fn settled(id: EffectId, effect: &Effect, outcome: &Outcome) -> Option<Message> {
    let refused = outcome.refused();
    Some(match effect {
        Effect::Tell { .. } => Message::Told { id, refused: refused.map(str::to_owned) },
        Effect::Spawn(_) | Effect::Send(_)
            if refused.is_some() || planted("budget.funds_and_takes_back") =>
        {
            Message::Settle(Settlement::Bounced(id))
        }
        Effect::Spawn(_) | Effect::Send(_) => Message::Settle(Settlement::Arrived(id)),
        // Who keeps no account has it all the same.
        Effect::Return { .. } => Message::Settle(Settlement::Returned),
        Effect::Think { .. }
        | Effect::Compact { .. }
        | Effect::Act { .. }
        | Effect::Wait { .. }
        | Effect::LetGo { .. }
        | Effect::Listen(_) => {
            return None;
        }
    })
}

/// What is owed because of an event, and what no longer is.
pub(super) fn project(stream: StreamId, event: &Event, rows: &mut Vec<Row>) {
    let owed = |effect| Row::Owed { stream, effect };
    let not_owed = |effect| Row::NotOwed { stream, effect };
    match event {
        Event::Wrote { id, .. } | Event::Spawning { id, .. } => rows.push(owed(*id)),
        Event::Booked(LedgerEntry::Lent { id, loan }) if loan.when == TransferKind::Later => {
            rows.push(owed(*id));
        }
        Event::Told(id) | Event::Untold { id, .. } => rows.push(not_owed(*id)),
        Event::Booked(LedgerEntry::Settled(settled)) => match settled {
            Settlement::Arrived(id) | Settlement::Bounced(id) => rows.push(not_owed(*id)),
            Settlement::Returned => rows.push(not_owed(super::lifecycle::RETURNS)),
            Settlement::Repaid { .. } => {}
        },
        Event::Quarantined { lets_go, .. } | Event::Stopped { lets_go, .. } => {
            rows.push(owed(*lets_go));
        }
        Event::Interrupted { action: Some(cancelled), .. } => rows.push(owed(cancelled.lets_go)),
        Event::LetGo(id) => rows.push(not_owed(*id)),
        Event::Wiped { untold, returns, lets_go, .. } => {
            rows.push(owed(*lets_go));
            rows.extend(untold.iter().map(|id| not_owed(*id)));
            rows.extend(returns.then(|| owed(super::lifecycle::RETURNS)));
        }
        _ => {}
    }
}
