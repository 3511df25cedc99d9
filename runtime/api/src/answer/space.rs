//! A space as its holder sees it.

use super::count;
use crate::caller::SpaceCard;
use crate::operation::{Answer, LevelName, Line, Page};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::ending::shown;

/// A space as its holder sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceAnswer {
    /// Which.
    pub id: String,
    /// What its holder calls it.
    pub name: Option<String>,
    /// What its holder may do there.
    pub level: Option<LevelName>,
    /// What its holder may pass on.
    pub delegate: Option<LevelName>,
    /// What it is for and how to use it.
    pub description: String,
    /// Entries in its stream.
    pub entries: u64,
    /// Where its last one stands in the log.
    pub head: u64,
    /// Its subscriptions.
    pub subscriptions: u64,
    /// The keys and relations that its atoms have, as they are declared: `priority:number`.
    pub declares: Vec<String>,
}

impl From<SpaceCard> for SpaceAnswer {
    fn from(card: SpaceCard) -> Self {
        SpaceAnswer {
            id: card.id.to_string(),
            name: card.name,
            level: card.level.map(LevelName),
            delegate: card.delegate.map(LevelName),
            description: card.description,
            entries: card.entries,
            head: card.head.0,
            subscriptions: card.subscriptions,
            declares: card.declares.iter().map(|it| it.to_string()).collect(),
        }
    }
}

impl Answer for SpaceAnswer {
    fn show(&self, to: &mut Page) {
        let name = self.name.as_deref().unwrap_or("-");
        let level = self.level.map_or("-".into(), |it| it.0.to_string());
        let about = self.description.lines().next().unwrap_or_default();
        let entries = format!("{:>14}", count(self.entries, "entry  ", "entries"));
        to.line(
            Line::new()
                .bold(format!("{name:<20}"))
                .plain(format!(" {level:<7} {entries}  "))
                .dim(shown(&self.id))
                .plain(format!("  {about}")),
        );
        if !self.declares.is_empty() {
            let declares = self.declares.join(" ");
            to.line(Line::new().dim(format!("{:<20} declares {declares}", "")));
        }
    }
}
