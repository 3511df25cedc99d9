//! From what leaves a space to a line.

use super::json::{from_map, from_value, instant};
use super::{Exported, FORM};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use stoa_actors::atom::{Content, Reference};
use stoa_actors::id::SessionId;
use stoa_actors::space::{ImportedVersion, Origin};

/// The first line.
pub fn exported(it: &Exported) -> Json {
    json!({
        "type": "space.exported",
        "form": FORM,
        "ts": instant(it.at),
        "cursor": it.upto.0,
        "space": {"space_id": it.space.to_string(), "description": it.description},
    })
}

/// The last line.
pub fn ended(events: u64) -> Json {
    json!({"type": "export.ended", "events": events})
}

/// One event of an exported space, as a line of JSON.
pub fn line(it: &ImportedVersion) -> Json {
    let origin = &it.origin;
    let mut out = json!({
        "event_id": origin.event.to_string(),
        "cursor": origin.position.0,
        "ts": instant(origin.at),
        "type": origin.kind,
        "actor": actor(origin.by),
        "refs": {"space_id": origin.space.to_string(), "atom_id": it.id.to_string()},
        "body": body(it),
    });
    if let Some(key) = &origin.key {
        out["idempotency_key"] = json!(key);
    }
    if let Some(taken) = &it.imported {
        out["imported"] = json!({
            "event_id": taken.event.to_string(),
            "cursor": taken.position.0,
            "ts": instant(taken.at),
            "actor": actor(taken.by),
        });
    }
    out
}

/// What is said of a version where it was imported from.
pub fn origin(it: &Origin) -> Json {
    json!({
        "event_id": it.event.to_string(),
        "cursor": it.position.0,
        "ts": instant(it.at),
        "type": it.kind,
        "actor": actor(it.by),
        "refs": {"space_id": it.space.to_string(), "atom_id": it.atom.to_string()},
        "body": {"comment": it.comment},
    })
}

fn actor(by: SessionId) -> Json {
    json!({"agent_id": format!("agent:{by}"), "session_id": format!("sess:{by}")})
}

fn body(it: &ImportedVersion) -> Json {
    let mut body = json!({
        "comment": it.origin.comment,
        "hop": it.origin.cause.hop,
        "version": it.version,
        "annotation": it.annotation,
        "metadata": from_map(&it.metadata),
        "references": references(&it.references),
    });
    if let Some(root) = it.origin.cause.root {
        body["root"] = json!(root.to_string());
    }
    match &it.content {
        Content::Text(text) => body["content"] = json!(text),
        Content::Json(value) => body["json"] = from_value(value),
        Content::Bytes { media_type, bytes } => {
            body["media_type"] = json!(media_type);
            body["base64"] = json!(STANDARD.encode(bytes));
        }
        Content::Erased | Content::Redacted => body["erased"] = json!(true),
    }
    if let Some(made) = &it.embedding {
        body["embedding"] = json!({
            "fingerprint": made.fingerprint,
            "scale": made.scale,
            "base64": STANDARD.encode(&made.dims),
        });
    }
    if it.attempts > 0 {
        body["attempts"] = json!(it.attempts);
    }
    if let Some(deprecated) = &it.deprecated {
        body["deprecated"] = json!(true);
        body["superseded_by"] = json!(deprecated.superseded_by.map(|id| id.to_string()));
    }
    body
}

/// Relations in their order, each with its targets.
fn references(all: &[Reference]) -> Json {
    let mut out = Map::new();
    for reference in all {
        let targets = out.entry(&reference.relation).or_insert_with(|| json!([]));
        if let Json::Array(targets) = targets {
            targets.push(json!(reference.target.to_string()));
        }
    }
    Json::Object(out)
}
