//! A subscription, and what is read of it.

use super::ChangeAnswer;
use crate::caller::{Caller, SubscriptionCard};
use crate::envelope::instant;
use crate::operation::{Answer, Column, Line, Meta, Page, TextTable, Tone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::ending::shown;
use stoa_actors::space::Wake;

/// A subscription: a cursor that is kept, with what is of interest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionAnswer {
    /// Which; null for an agent's, of which there is one a space.
    pub id: Option<String>,
    /// The id of the space that is followed.
    pub space: String,
    /// What the caller calls that.
    pub name: Option<String>,
    /// Who is told.
    pub subscriber: String,
    /// What the caller calls that one, unless it is the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriber_name: Option<String>,
    /// Only changes of these types; all where there is none.
    pub types: Vec<String>,
    /// Only atoms whose metadata says so.
    pub metadata: Meta,
    /// Only atoms that refer to these.
    pub references: BTreeMap<String, Vec<String>>,
    /// Everything up to here has been seen.
    pub cursor: u64,
    /// Entries of the space behind the cursor, of interest or not.
    pub behind: u64,
    /// How long it is quiet before it is told, in milliseconds.
    pub debounce_ms: u64,
    /// When it ends.
    pub until: Option<String>,
}

impl SubscriptionAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, card: SubscriptionCard) -> SubscriptionAnswer {
        let references = card.filter.references.into_iter();
        let name = caller.name_of(card.subscriber);
        SubscriptionAnswer {
            id: card.id.map(|it| it.to_string()),
            space: card.space.to_string(),
            name: card.name,
            subscriber: card.subscriber.to_string(),
            subscriber_name: name.filter(|_| card.subscriber != caller.session()),
            types: card.filter.types,
            metadata: Meta(card.filter.metadata),
            references: references
                .map(|(relation, all)| (relation, all.iter().map(ToString::to_string).collect()))
                .collect(),
            cursor: card.cursor.0,
            behind: card.behind,
            debounce_ms: card.terms.debounce_ms,
            until: card.terms.until.map(instant),
        }
    }
}

/// Subscriptions, one a line.
static SUBSCRIPTIONS: TextTable = TextTable {
    columns: &[
        Column::new("SPACE"),
        Column::new("FOR"),
        Column::new("ID"),
        Column::number("CURSOR").left_out(1),
        Column::number("BEHIND"),
        Column::new("OF").cut_to(10),
        Column::new("TERMS").left_out(2),
    ],
    headed: true,
    tree: false,
};

impl Answer for SubscriptionAnswer {
    fn show(&self, to: &mut Page) {
        let mut what: Vec<String> = self.types.clone();
        what.extend(self.metadata.0.iter().map(|(key, value)| format!("{key}={value}")));
        for (relation, targets) in &self.references {
            what.push(format!("{relation} ->"));
            what.extend(targets.iter().map(|it| shown(it).to_owned()));
        }
        let what = if what.is_empty() { "everything".to_owned() } else { what.join(" ") };
        let mut terms = Vec::new();
        if self.debounce_ms > 0 {
            terms.push(format!("after {} ms of quiet", self.debounce_ms));
        }
        terms.extend(self.until.iter().map(|until| format!("until {}", to.time(until))));
        let cells = [
            Line::new().bold(self.name.as_deref().unwrap_or_else(|| shown(&self.space))),
            Line::new().plain(self.subscriber_name.as_deref().unwrap_or_default()),
            Line::new().dim(shown(self.id.as_ref().unwrap_or(&self.subscriber))),
            Line::new().plain(self.cursor),
            Line::new().plain(self.behind),
            Line::new().plain(what),
            Line::new().dim(terms.join(" ")),
        ];
        to.row(&SUBSCRIPTIONS, cells);
    }
}

/// What is read of a subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SubscriptionEntry {
    /// One change of the space.
    Change(Box<ChangeAnswer>),
    /// What is skipped, for it is too much.
    Skipped {
        /// How many changes.
        skipped: u64,
        /// Where the first stands.
        first: u64,
        /// Where the last stands.
        last: u64,
        /// The first comments of them.
        comments: Vec<String>,
    },
    /// Everything up to the cursor is told.
    UpTo {
        /// The id of the subscription.
        read: String,
        /// What to acknowledge.
        cursor: u64,
    },
}

impl SubscriptionEntry {
    /// One line for all that is skipped.
    pub fn skipped(wake: Wake) -> SubscriptionEntry {
        let Wake { count, first, last, comments, .. } = wake;
        SubscriptionEntry::Skipped { skipped: count, first: first.0, last: last.0, comments }
    }
}

impl Answer for SubscriptionEntry {
    fn show(&self, to: &mut Page) {
        match self {
            SubscriptionEntry::Change(change) => change.show(to),
            SubscriptionEntry::Skipped { skipped, first, last, comments } => {
                let line = Line::new().piece(Tone::Warn, format!("skipped {skipped} changes"));
                to.line(line.dim(format!("  from {first} to {last}")));
                comments.iter().for_each(|it| to.detail(Line::new().plain(it)));
            }
            SubscriptionEntry::UpTo { read, cursor } => {
                let next = format!("read; then: stoa subscription ack {} {cursor}", shown(read));
                to.line(Line::new().dim(next));
            }
        }
    }
}
