//! A space as its holder sees it.

use crate::caller::SpaceCard;
use crate::operation::{Answer, Column, LevelName, Line, Page, TextTable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::ending::shown;

/// A space as its holder sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceAnswer {
    /// The id of the space.
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
    /// How many subscriptions the space has.
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

/// Spaces, one a line.
static SPACES: TextTable = TextTable {
    columns: &[
        Column::new("NAME"),
        Column::new("LEVEL"),
        Column::number("ENTRIES").left_out(2),
        Column::new("ID").left_out(1),
        Column::new("ABOUT").cut_to(10).left_out(3),
    ],
    headed: true,
    tree: false,
};

impl Answer for SpaceAnswer {
    fn show(&self, to: &mut Page) {
        let about = self.description.lines().next().unwrap_or_default();
        let cells = [
            Line::new().bold(self.name.as_deref().unwrap_or("-")),
            Line::new().plain(self.level.map_or("-".into(), |it| it.0.to_string())),
            Line::new().plain(self.entries),
            Line::new().dim(shown(&self.id)),
            Line::new().plain(about),
        ];
        to.row(&SPACES, cells);
        if !self.declares.is_empty() {
            to.detail(Line::new().dim(format!("declares {}", self.declares.join(" "))));
        }
    }
}
