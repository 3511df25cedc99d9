//! An atom, as it is read.

use super::{LeaseAnswer, UndeclaredAnswer, WokenAnswer};
use crate::caller::{Caller, ClaimedAtom, Found, ReadAtom};
use crate::envelope::instant;
use crate::operation::{Answer, Column, Line, Meta, Page, Plain, TextTable, Tone, some};
use crate::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::ending::shown;
use stoa_actors::printable::one_line;

/// An atom, as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtomAnswer {
    /// The id of the atom.
    pub id: String,
    /// The space that it is in.
    pub space: String,
    /// The number of the version, from 1 on.
    pub version: u64,
    /// Where in the log that was written.
    pub position: u64,
    /// The session that wrote it.
    pub author: String,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// When this version was written, as RFC 3339.
    pub at: String,
    /// What it is about, for search.
    pub annotation: String,
    /// Key and value.
    pub metadata: Meta,
    /// The atoms that it refers to, by relation.
    pub references: BTreeMap<String, Vec<String>>,
    /// Its content, where that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Its content, where that is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub json: Option<Plain>,
    /// Of which type its content is, where that is bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Its content, where that is bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Its content is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<bool>,
    /// It is out of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<bool>,
    /// The atom to read instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// Claims that were counted on it, since they last came to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// How well it fits what was searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// Behind the last of a page: what asks for the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The caller's lease of it, of a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseAnswer>,
    /// What was written now and does not go with what the space declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undeclared: Vec<UndeclaredAnswer>,
    /// Who hears of it, where it was written now and agents do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub woken: Option<WokenAnswer>,
}

impl AtomAnswer {
    /// One that was written now, with who hears of it.
    pub(crate) async fn written(caller: &Caller, read: &ReadAtom) -> Result<AtomAnswer, Problem> {
        let woken = WokenAnswer::of(caller).await?;
        Ok(AtomAnswer { woken, ..AtomAnswer::of(caller, read) })
    }

    /// With what of it the space does not declare.
    pub(crate) fn with(self, undeclared: Vec<UndeclaredAnswer>) -> AtomAnswer {
        AtomAnswer { undeclared, ..self }
    }

    /// As the caller sees it.
    pub fn of(caller: &Caller, read: &ReadAtom) -> AtomAnswer {
        let atom: &Atom = &read.atom;
        let mut references = BTreeMap::<String, Vec<String>>::new();
        for it in &atom.references {
            references.entry(it.relation.clone()).or_default().push(it.target.to_string());
        }
        let mut out = AtomAnswer {
            id: atom.id.to_string(),
            space: atom.space.to_string(),
            version: atom.version,
            position: read.position.0,
            author: atom.author.to_string(),
            author_name: caller.name_of(atom.author),
            at: instant(atom.at),
            annotation: atom.annotation.clone(),
            metadata: Meta(atom.metadata.clone()),
            references,
            content: None,
            json: None,
            media_type: None,
            base64: None,
            erased: None,
            deprecated: atom.deprecated.as_ref().map(|_| true),
            superseded_by: atom
                .deprecated
                .as_ref()
                .and_then(|it| it.superseded_by.map(|id| id.to_string())),
            attempts: Some(atom.attempts).filter(|it| *it > 0),
            score: None,
            next: None,
            lease: None,
            undeclared: Vec::new(),
            woken: None,
        };
        match &atom.content {
            Content::Text(text) => out.content = Some(text.clone()),
            Content::Json(value) => out.json = Some(Plain(value.clone())),
            Content::Bytes { media_type, bytes } => {
                out.media_type = Some(media_type.clone());
                out.base64 = Some(STANDARD.encode(bytes));
            }
            Content::Erased | Content::Redacted => out.erased = Some(true),
        }
        out
    }

    /// One that was searched for.
    pub fn found(caller: &Caller, found: &Found, next: Option<String>) -> AtomAnswer {
        let score = Some(found.score);
        AtomAnswer { score, next, ..AtomAnswer::of(caller, &found.read) }
    }

    /// One that was claimed.
    pub fn taken(caller: &Caller, taken: &ClaimedAtom) -> AtomAnswer {
        let lease = Some(LeaseAnswer::of(caller, &taken.lease));
        AtomAnswer { lease, ..AtomAnswer::of(caller, &taken.read) }
    }

    fn bytes(&self) -> Option<String> {
        let (base64, media_type) = (self.base64.as_ref()?, self.media_type.as_ref()?);
        let padding = base64.bytes().rev().take_while(|it| *it == b'=').count();
        Some(format!("{} bytes of {media_type}", base64.len() / 4 * 3 - padding))
    }

    fn by(&self) -> &str {
        self.author_name.as_deref().unwrap_or_else(|| shown(&self.author))
    }

    /// What stands for all that it says: what it is about, or its first line.
    pub fn title(&self) -> String {
        let about = match (&self.content, &self.json) {
            _ if !self.annotation.is_empty() => self.annotation.clone(),
            (Some(text), _) => text.clone(),
            (None, Some(Plain(value))) => value.to_string(),
            (None, None) => self.bytes().unwrap_or_else(|| "erased".to_owned()),
        };
        let first = about.lines().find(|it| !it.trim().is_empty());
        first.unwrap_or_default().trim().to_owned()
    }

    /// One of many, on one line.
    fn show_hit(&self, score: f32, to: &mut Page) {
        let metadata = self.metadata.0.iter().map(|(key, it)| format!("{}={it}", one_line(key)));
        let metadata = metadata.collect::<Vec<_>>().join(" ");
        let old = if self.deprecated.is_some() { "deprecated" } else { "" };
        // Without a query nothing is better than anything else.
        let score = if score == 0.0 { String::new() } else { format!("{score:.3}") };
        let cells = [
            Line::new().bold(score),
            Line::new().dim(shown(&self.id)),
            Line::new().dim(format!("v{}", self.version)),
            Line::new().plain(self.title()),
            Line::new().plain(self.by()),
            Line::new().piece(Tone::Bad, old),
            Line::new().dim(metadata),
        ];
        to.row(&HITS, cells);
    }
}

/// Atoms that were found, one a line.
static HITS: TextTable = TextTable {
    columns: &[
        Column::number("SCORE").left_out(3),
        Column::new("ID"),
        Column::new("V").left_out(2),
        Column::new("ABOUT").cut_to(14),
        Column::new("BY"),
        Column::new("USE"),
        Column::new("METADATA").cut_to(8).left_out(1),
    ],
    headed: true,
    tree: false,
};

impl Answer for AtomAnswer {
    fn show(&self, to: &mut Page) {
        if let Some(score) = self.score {
            return self.show_hit(score, to);
        }
        let head = Line::new().bold(shown(&self.id)).plain(format!("  version {}  ", self.version));
        let at = to.time(&self.at);
        to.line(head.dim(format!("at {}, {at}, by {}", self.position, self.by())));
        let field = |key: &str, value: String| Line::new().dim(key).plain(format!(" {value}"));
        if !self.annotation.is_empty() {
            to.line(field("about", self.annotation.clone()));
        }
        for (key, value) in &self.metadata.0 {
            to.line(field(&one_line(key), value.to_string()));
        }
        for (relation, targets) in &self.references {
            let relation = format!("{} ->", one_line(relation));
            targets.iter().for_each(|it| to.line(field(&relation, shown(it).to_owned())));
        }
        if let Some(attempts) = self.attempts {
            to.line(field("attempts", attempts.to_string()));
        }
        if self.deprecated.is_some() && self.erased.is_none() {
            let by = self
                .superseded_by
                .as_ref()
                .map_or(String::new(), |id| format!(", see {}", shown(id)));
            to.line(Line::new().piece(Tone::Bad, format!("deprecated{by}")));
        }
        if self.content.as_deref() != Some("") {
            to.plain("");
        }
        match (&self.content, &self.json, self.bytes()) {
            (Some(text), ..) if text.is_empty() => {}
            (Some(text), ..) => to.prose(text),
            (_, Some(Plain(value)), _) => to.plain(value),
            (.., Some(bytes)) => to.line(Line::new().dim(format!("{bytes}; --json shows them"))),
            _ => to.line(Line::new().piece(Tone::Bad, "erased")),
        }
        if let Some(lease) = &self.lease {
            let line = lease.line(to);
            to.line(line);
        }
        self.undeclared.iter().for_each(|it| it.show(to));
        if let Some(woken) = &self.woken {
            woken.show(to);
        }
    }
}
