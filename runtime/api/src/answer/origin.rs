//! Where an atom comes from.

use crate::agents::AtomOrigin;
use crate::caller::Caller;
use crate::envelope::instant;
use crate::operation::{Answer, Column, Line, Page, TextTable, Tone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::atom::Content;
use stoa_actors::ending::shown;

/// An atom, how the one above it came by it, and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OriginAnswer {
    /// How many steps it is from the atom that was asked for.
    pub depth: u32,
    /// How the model that wrote the one above came by it: `read` by its code, `heard` from its parent, `found` for
    /// its turn, an `instruction`, or `owed`; `asked` of the atom that was asked for.
    pub how: String,
    /// The id of the atom.
    pub id: String,
    /// Which version of it.
    pub version: u64,
    /// The session that wrote that version; nothing where it cannot be read.
    pub author: Option<String>,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// When it was written, as RFC 3339.
    pub at: Option<String>,
    /// The turn of the agent that wrote it; nothing where it was no agent of the caller's.
    pub turn: Option<u64>,
    /// The step of that turn.
    pub step: Option<u32>,
    /// What it says, its first line.
    pub text: String,
    /// The code that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Letters of an atom that are shown.
const SHOWN_CHARS: usize = 200;

impl OriginAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, depth: u32, how: &str, of: &AtomOrigin) -> OriginAnswer {
        let atom = &of.read.atom;
        let text = match &atom.content {
            Content::Text(text) => text.lines().next().unwrap_or_default().to_owned(),
            Content::Json(value) => value.to_string(),
            Content::Bytes { media_type, bytes } => {
                format!("({media_type}, {} bytes)", bytes.len())
            }
            Content::Erased | Content::Redacted => "(erased)".to_owned(),
        };
        OriginAnswer {
            depth,
            how: how.to_owned(),
            id: atom.id.to_string(),
            version: atom.version,
            author: Some(atom.author.to_string()),
            author_name: caller.name_of(atom.author),
            at: Some(instant(atom.at)),
            turn: of.step.map(|it| it.0),
            step: of.step.map(|it| it.1),
            text: text.chars().take(SHOWN_CHARS).collect(),
            code: of.code.clone(),
        }
    }
}

/// Atoms and where they come from, one a line.
static ORIGINS: TextTable = TextTable {
    columns: &[
        Column::new("ATOM"),
        Column::new("HOW"),
        Column::new("BY"),
        Column::new("TEXT").cut_to(10).left_out(1),
    ],
    headed: true,
    tree: true,
};

impl Answer for OriginAnswer {
    fn show(&self, to: &mut Page) {
        let author = self.author.as_deref().map(shown).unwrap_or("?");
        let mut by = self.author_name.as_deref().unwrap_or(author).to_owned();
        if let (Some(turn), Some(step)) = (self.turn, self.step) {
            by = format!("{by}, turn {turn} step {step}");
        }
        let how = if self.depth == 0 { "" } else { &self.how };
        let cells = [
            Line::new().bold(shown(&self.id)).dim(format!(" v{}", self.version)),
            Line::new().plain(how),
            Line::new().plain(by),
            Line::new().piece(Tone::Plain, &self.text),
        ];
        to.branch(&ORIGINS, self.depth, cells);
    }
}
