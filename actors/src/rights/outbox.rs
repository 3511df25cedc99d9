//! What the rights send: what follows from a decision about rights for other actors. Each message is
//! in the state until its answer is an event, so that a crash at any instant leaves it owed.
//!
//! An actor is begun once its rights are recorded; it ends before they do; a new space says what it
//! is for; whoever was given something hears of it.

use super::arena::RowId;
use super::{Asking, Doom, Event, Refusal, Reply, Rights, RightsDecision};
use crate::agent::{AgentOrder, AgentSpec, Budget};
use crate::atom::{Content, Metadata};
use crate::behaviour::{EffectId, Row};
use crate::behaviour::{Outcome, Outgoing};
use crate::id::{LinkId, RIGHTS, ROOT, SessionId, SpaceId};
use crate::mutant::planted;
use crate::space::{self, Declarations, Draft, Space};
use std::sync::Arc;

/// A message to another actor.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Effect {
    /// The actor of an agent is begun.
    Begin {
        child: SessionId,
        charter: Arc<AgentSpec>,
        /// What it may spend.
        budget: Budget,
    },
    /// The actor of an agent ends.
    Wipe {
        child: SessionId,
        /// By whose word.
        by: SessionId,
        reason: String,
    },
    /// What a child was to have goes back to its parent: it is not begun.
    Repay {
        parent: SessionId,
        /// Whose it was to be.
        child: SessionId,
        budget: Budget,
    },
    /// A space says what it is for, and what it declares.
    Describe {
        space: SpaceId,
        /// Whose it is.
        by: SessionId,
        /// What it says.
        text: String,
        /// What it declares besides.
        declares: Declarations,
    },
    /// Something is said in a space.
    Say {
        /// Who says it.
        by: SessionId,
        note: GrantNote,
    },
}

/// What is said of a right that was given.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct GrantNote {
    pub space: SpaceId,
    pub text: String,
    /// And for programs.
    pub metadata: Metadata,
}

const BEGIN: u64 = 0;
const WIPE: u64 = 1;
const DESCRIBE: u64 = 2;
const SAY: u64 = 3;
const REPAY: u64 = 4;
const KIND: u64 = 7;

/// Ids are fresh and used once, so each names the one message of its kind that is about it.
fn id(about: [u8; 16], kind: u64) -> EffectId {
    let [.., a, b, c, d, e, f, g, h] = about;
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) << 3 | kind
}

impl Rights {
    /// A new space is described, if there is something to say.
    pub(super) fn and_describes(
        &self,
        mut created: RightsDecision,
        asking: Asking<'_>,
        space: SpaceId,
        (text, declares): (String, Declarations),
    ) -> RightsDecision {
        let says = !text.is_empty() || !declares.is_empty();
        if says && !planted("rights.forgets_to_describe") {
            let effect = Effect::Describe { space, by: asking.by, text, declares };
            created.events.push(Event::Sent { id: id(space.0, DESCRIBE), effect });
        }
        created
    }

    /// Who was given something hears of it.
    pub(super) fn and_notes(
        &self,
        mut shared: RightsDecision,
        asking: Asking<'_>,
        link: LinkId,
        note: Option<Box<GrantNote>>,
    ) -> RightsDecision {
        let said = shared.answer.is_ok() && !planted("rights.forgets_to_say");
        if let Some(note) = note.filter(|_| said) {
            let effect = Effect::Say { by: asking.by, note: *note };
            shared.events.push(Event::Sent { id: id(link.0, SAY), effect });
        }
        shared
    }

    /// A message was answered: what it was about goes on.
    pub(super) fn delivered(
        &self,
        asking: Asking<'_>,
        which: EffectId,
        refused: Option<String>,
    ) -> Result<RightsDecision, Refusal> {
        if asking.by != ROOT {
            return Err(Refusal::OnlyRoot);
        }
        let Some(effect) = self.owes(which) else {
            return Ok(RightsDecision::nothing(Reply::Done));
        };
        match effect {
            Effect::Begin { child, .. } if refused.is_none() => {
                Ok(RightsDecision::one(Event::Born { session: child }, Reply::Done))
            }
            // There will never be anybody to act on its rights, nor to give its budget back.
            Effect::Begin { child, charter, budget } => {
                let reason = refused.unwrap_or_default();
                let mut ended = self.end(asking, child, cut(reason, asking))?;
                if !budget.is_unbounded() {
                    let effect = Effect::Repay { parent: charter.parent, child, budget };
                    ended.events.push(Event::Sent { id: id(child.0, REPAY), effect });
                }
                Ok(ended)
            }
            // Dead by now, or dead already: either way there is nobody to act on them.
            Effect::Wipe { child, by, reason } => self.end(Asking { by, ..asking }, child, reason),
            _ => Ok(RightsDecision::one(Event::Delivered { id: which, refused }, Reply::Done)),
        }
    }

    /// The messages that are not answered yet.
    pub(super) fn owed(&self) -> Vec<(EffectId, Effect)> {
        if planted("rights.forgets_what_it_sent") {
            return Vec::new();
        }
        let begin = self.chartered().map(|(child, charter, budget)| {
            (id(child.0, BEGIN), Effect::Begin { child, charter, budget })
        });
        // Who is not begun yet is begun first: it has a budget to give back.
        let begun = self.doomed.iter().filter(|(place, _)| self.is_begun(**place));
        let wipe = begun.map(|(place, doom)| wipe(self.sessions.get(*place).id, doom));
        let sent = self.sent.iter().map(|(id, effect)| (*id, effect.clone()));
        begin.chain(wipe).chain(sent).collect()
    }

    /// One of them.
    fn owes(&self, which: EffectId) -> Option<Effect> {
        let about = |place: &RowId, kind| {
            let row = self.sessions.get(*place);
            (id(row.id.0, kind) == which).then_some(row)
        };
        match which & KIND {
            BEGIN => self.charters.iter().find_map(|(place, owed)| {
                let row = about(place, BEGIN).filter(|it| self.shows(it.hidden))?;
                let (charter, budget) = (owed.charter.clone(), owed.budget);
                Some(Effect::Begin { child: row.id, charter, budget })
            }),
            WIPE => self.doomed.iter().find_map(|(place, doom)| {
                let row = about(place, WIPE).filter(|_| self.is_begun(*place))?;
                Some(wipe(row.id, doom).1)
            }),
            _ => self.sent.get(&which).cloned(),
        }
    }

    fn is_begun(&self, place: RowId) -> bool {
        !self.charters.contains_key(&place) || planted("rights.wipes_who_is_not_begun")
    }

    /// The messages that are sent because of events that are decided on now.
    pub(super) fn sent_by(&self, events: &[Event]) -> Vec<(EffectId, Effect)> {
        let mut sent = sent(events);
        for event in events {
            match event {
                Event::Born { session } => {
                    let doom = self.sessions.find(session).and_then(|it| self.doomed.get(&it));
                    sent.extend(doom.map(|doom| wipe(*session, doom)));
                }
                Event::Doomed { sessions, by, reason, .. } => {
                    let begun = |it: &&SessionId| {
                        self.sessions.find(it).is_none_or(|place| self.is_begun(place))
                    };
                    let doom = Doom { by: *by, reason: reason.clone() };
                    let begun = sessions.iter().filter(begun);
                    sent.extend(begun.map(|child| wipe(*child, &doom)));
                }
                _ => {}
            }
        }
        sent
    }
}

fn wipe(child: SessionId, doom: &Doom) -> (EffectId, Effect) {
    let (by, reason) = (doom.by, doom.reason.clone());
    (id(child.0, WIPE), Effect::Wipe { child, by, reason })
}

/// A reason that is long enough to be told and short enough to be kept.
fn cut(mut reason: String, asking: Asking<'_>) -> String {
    reason.truncate(reason.floor_char_boundary(asking.limits.reason_bytes_max));
    reason
}

/// The messages that events send whatever state they come upon.
fn sent(events: &[Event]) -> Vec<(EffectId, Effect)> {
    let budget_of = |child: SessionId| {
        let allotted = events.iter().find_map(|it| match it {
            Event::Allotted { session, budget } if *session == child => Some(*budget),
            _ => None,
        });
        allotted.unwrap_or_default()
    };
    let each = |event: &Event| match event {
        Event::Chartered { session, charter } => {
            let (child, charter) = (*session, charter.clone());
            let budget = budget_of(child);
            vec![(id(child.0, BEGIN), Effect::Begin { child, charter, budget })]
        }
        Event::Sent { id, effect } => vec![(*id, effect.clone())],
        _ => Vec::new(),
    };
    events.iter().flat_map(each).collect()
}

/// What is owed because of an event, and what no longer is.
pub(super) fn project(event: &Event, rows: &mut Vec<Row>) {
    let owed = |effect| Row::Owed { stream: RIGHTS, effect };
    let not_owed = |effect| Row::NotOwed { stream: RIGHTS, effect };
    match event {
        Event::Chartered { session, .. } => rows.push(owed(id(session.0, BEGIN))),
        Event::Born { session } => rows.push(not_owed(id(session.0, BEGIN))),
        Event::Doomed { sessions, .. } => {
            rows.extend(sessions.iter().map(|it| owed(id(it.0, WIPE))));
        }
        Event::Ended { session, .. } => {
            rows.push(not_owed(id(session.0, BEGIN)));
            rows.push(not_owed(id(session.0, WIPE)));
        }
        Event::Sent { id, .. } => rows.push(owed(*id)),
        Event::Delivered { id, .. } => rows.push(not_owed(*id)),
        _ => {}
    }
}

pub(super) fn outgoing(effect: &Effect) -> Outgoing {
    match effect {
        Effect::Begin { child, charter, budget } => {
            AgentOrder::Begin(charter.clone(), *budget).to(*child, charter.parent).comment("begin")
        }
        Effect::Wipe { child, by, reason } => {
            let wipe = AgentOrder::Wipe { reason: reason.clone() };
            wipe.to(*child, *by).comment("wipe").settled_at_once()
        }
        Effect::Repay { parent, child, budget } => {
            let repaid = AgentOrder::Repaid { child: *child, rest: *budget };
            repaid.to(*parent, *child).comment("repay")
        }
        Effect::Describe { space, by, text, declares } => {
            let text = text.clone();
            let describe = match declares.is_empty() {
                true => space::Message::Describe(text),
                false => {
                    let description = (!text.is_empty()).then_some(text);
                    space::Message::Declare { description, declares: declares.clone() }
                }
            };
            Outgoing::new::<Space>(space.stream(), *by, describe).comment("describe the space")
        }
        Effect::Say { by, note } => {
            let GrantNote { space, text, metadata } = note.clone();
            let draft = Draft { content: Content::Text(text), metadata, ..Draft::default() };
            Outgoing::new::<Space>(space.stream(), *by, space::Message::put(draft)).comment("grant")
        }
    }
}

pub(super) fn settled(id: EffectId, outcome: &Outcome) -> super::Message {
    super::Message::Delivered { id, refused: outcome.refused().map(str::to_owned) }
}
