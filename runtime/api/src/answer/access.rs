//! Who may do what, and since when.

use super::change::may;
use crate::agents::SessionCard;
use crate::caller::{AccessCard, Caller};
use crate::envelope::instant;
use crate::operation::{Answer, Column, LevelName, Line, Page, TextTable, Tone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::ending::shown;
use stoa_actors::rights::Subject;

/// One permission that somebody has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessAnswer {
    /// What it is on: `space`, `tool`, `secret` or `model`.
    pub on: String,
    /// The space, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// What the caller calls that, or what everybody calls the tool, secret or model.
    pub name: Option<String>,
    /// Who has it.
    pub session: String,
    /// What the caller calls that one.
    pub session_name: Option<String>,
    /// What that one is: `owner`, `agent`, `session`, or `action` for one that ends with its action.
    pub kind: String,
    /// What it may do: `read` on a tool, secret or model is to use it.
    pub level: Option<LevelName>,
    /// What of it may be passed on.
    pub delegate: Option<LevelName>,
    /// Who gave it; null for who made the space, and for what came from outside.
    pub from: Option<String>,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    /// When the right was granted, as RFC 3339.
    pub since: String,
    /// When it ends; null where it does not.
    pub until: Option<String>,
    /// Why it was given.
    pub reason: String,
}

impl AccessAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, access: AccessCard) -> AccessAnswer {
        let AccessCard { link, since } = access;
        let (on, space, name) = match &link.right.subject {
            Subject::Space(id) => ("space", Some(id.to_string()), caller.name_of_space(*id)),
            Subject::Tool(name) => ("tool", None, Some(name.clone())),
            Subject::Secret(name) => ("secret", None, Some(name.clone())),
            Subject::Model(name) => ("model", None, Some(name.clone())),
        };
        let from = link.basis.map(|_| link.from);
        let kind = caller.runtime().shared().rights.read().sort_of(link.to).unwrap_or("session");
        AccessAnswer {
            on: on.to_owned(),
            space,
            name,
            session: link.to.to_string(),
            session_name: caller.name_of(link.to),
            kind: kind.to_owned(),
            level: link.right.use_.map(LevelName),
            delegate: link.right.delegate.map(LevelName),
            from: from.map(|it| it.to_string()),
            from_name: from.and_then(|it| caller.name_of(it)),
            since: instant(since),
            until: link.expires.map(instant),
            reason: link.reason,
        }
    }
}

/// Permissions, one a line.
static ACCESS: TextTable = TextTable {
    columns: &[
        Column::new("WHO"),
        Column::new("ON"),
        Column::new("MAY"),
        Column::new("FROM").left_out(2),
        Column::new("SINCE").least(8).left_out(3),
        Column::new("UNTIL").left_out(1),
        Column::new("REASON").cut_to(10).left_out(4),
    ],
    headed: true,
    tree: false,
};

impl Answer for AccessAnswer {
    fn show(&self, to: &mut Page) {
        let who = self.session_name.as_deref().unwrap_or_else(|| shown(&self.session));
        let id = self.space.as_deref().unwrap_or_default();
        let what = self.name.as_deref().unwrap_or_else(|| shown(id));
        let what = if self.on == "space" { what.to_owned() } else { format!("{} {what}", self.on) };
        let right = may(self.level, self.delegate);
        let tone = if self.level.map(|it| it.0.to_string()).as_deref() == Some("grant") {
            Tone::Warn
        } else {
            Tone::Plain
        };
        let from = self.from.as_ref();
        let from = from.map(|it| self.from_name.as_deref().unwrap_or_else(|| shown(it)));
        let from = from.unwrap_or("its own");
        let (since, until) = (to.time(&self.since), self.until.as_ref().map(|it| to.time(it)));
        let cells = [
            Line::new().bold(who),
            Line::new().plain(what),
            Line::new().piece(tone, right),
            Line::new().plain(from),
            Line::new().dim(since),
            until.map_or(Line::new(), |it| Line::new().piece(Tone::Warn, it)),
            Line::new().plain(&self.reason),
        ];
        to.row(&ACCESS, cells);
    }
}

/// A session: who acts, be it a person, a program or an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionAnswer {
    /// The id of the session.
    pub id: String,
    /// What the caller calls it, or what its parent does.
    pub name: Option<String>,
    /// Who brought it up; null for the owner.
    pub parent: Option<String>,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_name: Option<String>,
    /// `owner`, `agent`, `session`, or `action` for one that ends with its action.
    pub kind: String,
    /// What an agent is doing; `living` or `ended` for others.
    pub state: String,
    /// When it came to be; null for the owner, who was always there.
    pub since: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

impl SessionAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, card: &SessionCard) -> SessionAnswer {
        let (_, name) = caller.birth_name(card.id);
        SessionAnswer {
            id: card.id.to_string(),
            name: caller.name_of(card.id).or(name),
            parent: card.parent.map(|it| it.to_string()),
            parent_name: card.parent.and_then(|it| caller.name_of(it)),
            kind: card.kind.to_owned(),
            state: card.state.clone(),
            since: card.parent.map(|_| instant(card.since)),
            ended: card.ended.map(instant),
        }
    }
}

/// Sessions, one a line.
static SESSIONS: TextTable = TextTable {
    columns: &[
        Column::new("NAME"),
        Column::new("KIND"),
        Column::new("STATE"),
        Column::new("ID").left_out(2),
        Column::new("OF").left_out(3),
        Column::new("SINCE").least(8).left_out(1),
        Column::new("ENDED").left_out(4),
    ],
    headed: true,
    tree: false,
};

impl Answer for SessionAnswer {
    fn show(&self, to: &mut Page) {
        let name = self.name.as_deref().unwrap_or_else(|| shown(&self.id));
        let tone = match self.state.as_str() {
            "running" => Tone::Good,
            "deferred" | "suspended" | "waiting" | "parked" | "stopped" | "exhausted" => Tone::Warn,
            "quarantined" => Tone::Bad,
            "ended" | "wiped" => Tone::Dim,
            _ => Tone::Plain,
        };
        let parent = self.parent.as_ref();
        let parent = parent.map(|it| self.parent_name.as_deref().unwrap_or_else(|| shown(it)));
        let (since, ended) = (self.since.as_ref(), self.ended.as_ref());
        let (since, ended) = (since.map(|it| to.time(it)), ended.map(|it| to.time(it)));
        let cells = [
            Line::new().bold(name),
            Line::new().plain(&self.kind),
            Line::new().piece(tone, &self.state),
            Line::new().dim(shown(&self.id)),
            Line::new().plain(parent.unwrap_or_default()),
            Line::new().dim(since.unwrap_or_default()),
            Line::new().dim(ended.unwrap_or_default()),
        ];
        to.row(&SESSIONS, cells);
    }
}
