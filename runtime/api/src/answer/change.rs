//! What happened: one line for each change, with the envelope of the agent bus (event_id, ts, type,
//! actor, refs, body), so that other tools can follow.

use super::happens::{self, HAPPENS};
use crate::caller::{Caller, Change};
use crate::envelope::{instant, origin};
use crate::operation::{Answer, LevelName, Line, Page};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use stoa_actors::ending::{short_ids, shown};
use stoa_actors::id::SessionId;
use stoa_actors::rights::RightChange;
use stoa_actors::space::Resource;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The agent, after `agent:`.
    pub agent_id: String,
    /// The session, after `sess:`.
    pub session_id: String,
    /// What the caller calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Actor {
    /// As the caller sees it.
    pub fn of(caller: &Caller, session: SessionId) -> Actor {
        let (agent_id, session_id) = (format!("agent:{session}"), format!("sess:{session}"));
        Actor { agent_id, session_id, name: caller.name_of(session) }
    }

    /// Its name, or its id.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| shown(self.session_id.trim_start_matches("sess:")))
    }
}

/// What it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRefs {
    /// The id of the space.
    pub space_id: String,
    /// The id of the atom that got a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atom_id: Option<String>,
}

/// What is said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeBody {
    /// The comment that was given with the request.
    pub comment: String,
    /// How many reactions it took.
    pub hop: u16,
    /// The version of the atom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// What is leased, where that is a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The token of the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// When the lease ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The permission that was given, taken or refused; the comment is its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<RightAnswer>,
}

/// A permission on the space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RightAnswer {
    /// Who has or had it; null where it was refused.
    pub to: Option<String>,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_name: Option<String>,
    /// Who gave it, or asked for it.
    pub from: String,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    /// What its holder may do.
    pub level: Option<LevelName>,
    /// What its holder may pass on.
    pub delegate: Option<LevelName>,
    /// When it ends, or would have.
    pub until: Option<String>,
}

impl RightAnswer {
    fn of(caller: &Caller, right: &RightChange) -> RightAnswer {
        RightAnswer {
            to: right.to.map(|it| it.to_string()),
            to_name: right.to.and_then(|it| caller.name_of(it)),
            from: right.from.to_string(),
            from_name: caller.name_of(right.from),
            level: right.level.map(LevelName),
            delegate: right.delegate.map(LevelName),
            until: right.until.map(instant),
        }
    }

    fn shown(&self) -> String {
        let to = self.to.as_ref().map(|it| self.to_name.as_deref().unwrap_or_else(|| shown(it)));
        let right = may(self.level, self.delegate);
        let until = self.until.as_ref().map_or(String::new(), |it| format!(" until {it}"));
        format!("{}: {right}{until}", to.unwrap_or("a new session"))
    }
}

/// What may be done, and what passed on, in words.
pub(crate) fn may(level: Option<LevelName>, delegate: Option<LevelName>) -> String {
    match (level, delegate) {
        (Some(level), None) => level.0.to_string(),
        (Some(level), Some(delegate)) => format!("{}, may pass on {}", level.0, delegate.0),
        (None, Some(delegate)) => format!("may pass on {}", delegate.0),
        (None, None) => "nothing".to_owned(),
    }
}

/// A change, or what a subscription leaves out, or how far it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeAnswer {
    /// Its name outside the log.
    pub event_id: String,
    /// What to go on after.
    pub cursor: u64,
    /// When it was written, as RFC 3339.
    pub ts: String,
    /// What happened: `atom.put`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The session that did it.
    pub actor: Actor,
    /// What it is about.
    pub refs: ChangeRefs,
    /// What is said of it.
    pub body: ChangeBody,
    /// Where it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Json>,
    /// The key that it was asked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

impl ChangeAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, change: &Change) -> ChangeAnswer {
        let (mut atom, mut resource) = (change.atom.map(|(id, _)| id.to_string()), None);
        match change.lease.as_ref().map(|it| &it.resource) {
            Some(Resource::Atom(id)) => atom = Some(id.to_string()),
            Some(Resource::Name(name)) => resource = Some(name.clone()),
            None => {}
        }
        ChangeAnswer {
            event_id: change.id.to_string(),
            cursor: change.position.0,
            ts: instant(change.at),
            kind: change.kind.clone(),
            actor: Actor::of(caller, change.by),
            refs: ChangeRefs { space_id: change.space.to_string(), atom_id: atom },
            body: ChangeBody {
                comment: change.comment.clone(),
                hop: change.hop,
                version: change.atom.map(|(_, version)| version),
                resource,
                token: change.lease.as_ref().map(|it| it.token),
                until: change.lease.as_ref().map(|it| instant(it.until)),
                right: change.right.as_ref().map(|it| RightAnswer::of(caller, it)),
            },
            origin: change.origin.as_ref().map(|it| {
                let mut origin = origin(it);
                if let Some(name) = caller.name_of(it.by) {
                    origin["actor"]["name"] = name.into();
                }
                origin
            }),
            idempotency_key: change.key.clone(),
        }
    }
}

impl Answer for ChangeAnswer {
    fn show(&self, to: &mut Page) {
        let ChangeBody { version, resource, token, until, .. } = &self.body;
        let what = match (&self.refs.atom_id, version) {
            (Some(id), Some(version)) => format!("{} v{version}", shown(id)),
            (Some(id), None) => shown(id).to_owned(),
            (None, _) => resource.clone().unwrap_or_default(),
        };
        let what = match &self.body.right {
            Some(right) => right.shown(),
            None => what,
        };
        let mut words = Line::new().plain(short_ids(&self.body.comment));
        if let (Some(token), Some(until)) = (token, until) {
            words = words.dim(format!("  token {token} until {}", to.time(until)));
        }
        if let Some(from) = &self.origin {
            let by = &from["actor"];
            let id = by["session_id"].as_str().unwrap_or_default();
            let by = by["name"].as_str().unwrap_or_else(|| shown(id.trim_start_matches("sess:")));
            let at = to.time(from["ts"].as_str().unwrap_or_default());
            words = words.dim(format!("  first written by {by}, {at}"));
        }
        let when = to.time(&self.ts);
        // Nobody has done that: its time was over.
        let who = if self.kind.ends_with(".expired") { "-" } else { self.actor.shown() };
        let cells = [
            Line::new().dim(self.cursor),
            Line::new().dim(when),
            Line::new().plain(who),
            happens::kind(&self.kind),
            Line::new().plain(what),
            words,
        ];
        to.row(&HAPPENS, cells);
    }
}
