//! Answers as JSON Lines. Changes have the envelope of the agent bus (event_id, ts, type, actor,
//! refs, body), so that other tools can follow.

use base64::Engine;
use serde_json::{Map, Value as Json, json};
use stoa_actors::atom::{Atom, Content, Reference};
use stoa_actors::code::{Ending, Outcome};
use stoa_actors::difference::{Difference, Edition, InUse};
use stoa_actors::id::{AtomId, Position};
use stoa_actors::space::{Filter, Lease, Resource, Wake};
use stoa_actors::value::Value;
use stoa_runtime::agents::{AgentCard, Happening};
use stoa_runtime::caller::{Change, Mismatch, SpaceCard, SubscriptionCard};
use stoa_runtime::door::{Answer, Status};
pub(crate) use stoa_runtime::envelope::instant;
use stoa_runtime::envelope::{
    ended, exported, fits, from_map, from_value, line, origin as origin_of, value,
};
use stoa_runtime::problem::{Kind, Problem};
use stoa_runtime::search::Found;
use stoa_runtime::unified;

pub(crate) fn answer(answer: &Answer) -> Json {
    match answer {
        Answer::Space(card) => space(card),
        Answer::Granted(granted) => {
            json!({"session": granted.session.to_string(), "born": granted.born})
        }
        Answer::Revoked { links } => json!({"revoked": links}),
        Answer::Atom(read) => atom(&read.atom, read.position),
        Answer::Taken(taken) => {
            let mut out = atom(&taken.read.atom, taken.read.position);
            out["lease"] = lease(&taken.lease);
            out
        }
        Answer::Lease(it) => lease(it),
        Answer::Released => json!({"released": true}),
        Answer::Change(change) => self::change(change),
        Answer::Difference(it) => difference(it),
        Answer::Subscription(card) => subscription(card),
        Answer::Unsubscribed => json!({"removed": true}),
        Answer::Lag(wake) => lag(wake),
        Answer::Read { id, cursor } => json!({"read": id.to_string(), "cursor": cursor.0}),
        Answer::Hit { found, next } => {
            let mut out = hit(found);
            if let Some(next) = next {
                out["next"] = json!(next);
            }
            out
        }
        Answer::Mismatch(it) => mismatch(it),
        Answer::Outcome(outcome) => self::outcome(outcome),
        Answer::Agent { card, depth } => agent(card, *depth),
        Answer::Happening(it) => happening(it),
        Answer::Wiped { agents } => json!({"wiped": agents}),
        Answer::Report(report) => serde_json::to_value(report).unwrap_or_default(),
        Answer::Status(status) => self::status(status),
        Answer::Backup(backup) => super::copies::told("backup", &backup.path, backup),
        Answer::Exporting(it) => exported(it),
        Answer::Carried(it) => line(it),
        Answer::Exported { events } => ended(*events),
        Answer::Imported(it) => json!({"new": it.new, "known": it.known, "attic": it.attic}),
        Answer::Audited(audited) => {
            let mut out = serde_json::to_value(audited).unwrap_or_default();
            out["head"] = json!(audited.head.to_string());
            out
        }
        other => json!({"unknown": format!("{other:?}")}),
    }
}

fn mismatch(it: &Mismatch) -> Json {
    let mut out = json!({"note": it.to_string(), "key": it.key()});
    match it {
        Mismatch::Type { asked, found, meant, .. } => {
            out["asked"] = json!(asked);
            out["found"] = json!(found);
            out["meant"] = json!(meant);
        }
        Mismatch::Key { nearest, .. } => out["nearest"] = json!(nearest),
        _ => {}
    }
    out
}

fn space(card: &SpaceCard) -> Json {
    json!({
        "id": card.id.to_string(),
        "name": card.name,
        "level": card.level.map(|it| it.to_string()),
        "delegate": card.delegate.map(|it| it.to_string()),
        "description": card.description,
        "entries": card.entries,
        "head": card.head.0,
        "subscriptions": card.subscriptions,
    })
}

pub(crate) fn atom(atom: &Atom, position: Position) -> Json {
    let mut references = Map::new();
    for reference in &atom.references {
        let targets = references.entry(&reference.relation).or_insert_with(|| json!([]));
        if let Json::Array(targets) = targets {
            targets.push(json!(reference.target.to_string()));
        }
    }
    let mut out = json!({
        "id": atom.id.to_string(),
        "space": atom.space.to_string(),
        "version": atom.version,
        "position": position.0,
        "author": atom.author.to_string(),
        "at": instant(atom.at),
        "annotation": atom.annotation,
        "metadata": from_map(&atom.metadata),
        "references": references,
    });
    match &atom.content {
        Content::Text(text) => out["content"] = json!(text),
        Content::Json(value) => out["json"] = from_value(value),
        Content::Bytes { media_type, bytes } => {
            out["media_type"] = json!(media_type);
            out["base64"] = json!(base64::engine::general_purpose::STANDARD.encode(bytes));
        }
        Content::Erased | Content::Redacted => out["erased"] = json!(true),
    }
    if let Some(deprecated) = &atom.deprecated {
        out["deprecated"] = json!(true);
        out["superseded_by"] = json!(deprecated.superseded_by.map(|id| id.to_string()));
    }
    out
}

fn lease(lease: &Lease) -> Json {
    let (kind, name) = match &lease.resource {
        Resource::Atom(id) => ("atom", id.to_string()),
        Resource::Name(name) => ("name", name.clone()),
    };
    json!({
        "space": lease.space.to_string(),
        "resource": name,
        "of": kind,
        "token": lease.token,
        "holder": lease.holder.to_string(),
        "until": instant(lease.until),
        "intent": lease.intent,
    })
}

fn hit(found: &Found) -> Json {
    let mut out = atom(&found.read.atom, found.read.position);
    out["score"] = json!(found.score);
    out
}

fn change(change: &Change) -> Json {
    let mut refs = json!({"space_id": change.space.to_string()});
    let mut body = json!({"comment": change.comment, "hop": change.hop});
    if let Some((id, version)) = change.atom {
        refs["atom_id"] = json!(id.to_string());
        body["version"] = json!(version);
    }
    if let Some(it) = &change.lease {
        match &it.resource {
            Resource::Atom(id) => refs["atom_id"] = json!(id.to_string()),
            Resource::Name(name) => body["resource"] = json!(name),
        }
        body["token"] = json!(it.token);
        body["until"] = instant(it.until).into();
    }
    let by = change.by.to_string();
    let mut out = json!({
        "event_id": change.id.to_string(),
        "cursor": change.position.0,
        "ts": instant(change.at),
        "type": change.kind,
        "actor": {"agent_id": format!("agent:{by}"), "session_id": format!("sess:{by}")},
        "refs": refs,
        "body": body,
    });
    if let Some(origin) = &change.origin {
        out["origin"] = origin_of(origin);
    }
    if let Some(key) = &change.key {
        out["idempotency_key"] = json!(key);
    }
    out
}

fn subscription(card: &SubscriptionCard) -> Json {
    let Filter { types, metadata, references } = &card.filter;
    let ids = |all: &Vec<AtomId>| json!(all.iter().map(ToString::to_string).collect::<Vec<_>>());
    let references: Map<String, Json> =
        references.iter().map(|(relation, all)| (relation.clone(), ids(all))).collect();
    json!({
        "id": card.id.map(|it| it.to_string()),
        "space": card.space.to_string(),
        "name": card.name,
        "subscriber": card.subscriber.to_string(),
        "types": types,
        "metadata": from_map(metadata),
        "references": references,
        "cursor": card.cursor.0,
        "behind": card.behind,
        "debounce_ms": card.terms.debounce_ms,
        "until": card.terms.until.map(instant),
    })
}

/// What is skipped, exactly.
fn lag(wake: &Wake) -> Json {
    json!({
        "skipped": wake.count,
        "first": wake.first.0,
        "last": wake.last.0,
        "comments": wake.comments,
    })
}

fn difference(it: &Difference) -> Json {
    let edition = |it: &Edition| json!({"version": it.version, "author": it.author.to_string(), "at": instant(it.at)});
    let mut out = json!({
        "id": it.id.to_string(),
        "from": edition(&it.from),
        "to": edition(&it.to),
        "same": it.is_none(),
    });
    if let Some((before, after)) = &it.content {
        out["content"] = json!({"diff": unified(before, after)});
    }
    let pair = |before: Json, after: Json| json!({"from": before, "to": after});
    if let Some((before, after)) = &it.annotation {
        out["annotation"] = pair(json!(before), json!(after));
    }
    if !it.metadata.is_empty() {
        let value = |it: &Option<Value>| it.as_ref().map_or(Json::Null, from_value);
        let keys = it.metadata.iter();
        let keys = keys.map(|(key, (one, other))| (key.clone(), pair(value(one), value(other))));
        out["metadata"] = Json::Object(keys.collect());
    }
    let references = |all: &[Reference]| {
        all.iter().map(|it| json!([it.relation, it.target.to_string()])).collect::<Vec<_>>()
    };
    if !it.added.is_empty() || !it.dropped.is_empty() {
        out["references"] =
            json!({"added": references(&it.added), "dropped": references(&it.dropped)});
    }
    if let Some((before, after)) = it.deprecated {
        out["deprecated"] = pair(json!(before != InUse::Yes), json!(after != InUse::Yes));
        if let InUse::No(by) = after {
            out["superseded_by"] = json!(by.map(|id| id.to_string()));
        }
    }
    out
}

fn agent(card: &AgentCard, depth: u32) -> Json {
    let follows = card.follows.iter();
    json!({
        "id": card.id.to_string(),
        "name": card.name,
        "parent": card.parent.to_string(),
        "depth": depth,
        "state": card.state,
        "why": card.why,
        "model": card.model,
        "task": card.task,
        "turns": card.turns,
        "left": card.left,
        "spent": card.spent,
        "dm": card.dm.to_string(),
        "born": instant(card.born),
        "follows": follows
            .map(|(space, cursor)| json!({"space": space.to_string(), "cursor": cursor.0}))
            .collect::<Vec<_>>(),
    })
}

/// What an agent did, in the envelope of changes.
fn happening(it: &Happening) -> Json {
    let by = it.agent.to_string();
    json!({
        "cursor": it.position.0,
        "ts": instant(it.at),
        "type": it.kind,
        "actor": {"agent_id": format!("agent:{by}"), "session_id": format!("sess:{by}")},
        "refs": {},
        "body": {"text": it.text},
    })
}

fn outcome(outcome: &Outcome) -> Json {
    let mut out = json!({"printed": outcome.printed, "notice": outcome.notice});
    match &outcome.ending {
        Ending::Done { value } => {
            out["ok"] = json!(true);
            out["value"] = json!(value);
        }
        Ending::Failed { class, traceback } => {
            out["ok"] = json!(false);
            out["error"] = json!({"class": class, "traceback": traceback});
        }
    }
    out
}

fn status(status: &Status) -> Json {
    let mut out = serde_json::to_value(status).unwrap_or_default();
    out["head"] = json!(status.head.to_string());
    out["scrubbed_at"] = json!(status.scrubbed_at.map(instant));
    out
}

/// JSON as it was typed; what does not fit is named, and nothing is rounded to make it fit.
pub(crate) fn parse(text: &str) -> Result<Value, Problem> {
    let parsed: Json = serde_json::from_str(text).map_err(|error| {
        Problem::new(Kind::Invalid, format!("not JSON that can be kept: {error}"))
            .hint("stoa put SPACE --json-content '{\"key\": 1}'")
    })?;
    fits(text).and_then(|()| value(parsed)).map_err(|error| {
        let hint = format!("stoa put SPACE --json-content '\"{}\"'", error.0);
        Problem::new(Kind::Invalid, error).hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_kept_or_refused_never_rounded() {
        for kept in ["9223372036854775807", "-9223372036854775808", "-0", "1e20", "0.5", "[true]"] {
            assert!(parse(kept).is_ok(), "{kept}");
        }
        let quoted = r#"{"99999999999999999999": "\\", "b": "\"99999999999999999999"}"#;
        assert!(parse(quoted).is_ok());
        for refused in [
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
            r#"["\"", {"a": [-99999999999999999999]}]"#,
        ] {
            let problem = parse(refused).expect_err(refused);
            assert!(problem.text.contains("does not fit 64 bits"), "{problem}");
        }
    }
}
