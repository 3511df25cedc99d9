//! Between what Python holds and what spaces hold.

use crate::caller::{Change, Difference};
use crate::unified;
use std::collections::BTreeMap;
use stoa_actors::atom::{Atom, Content, Metadata, Reference};
use stoa_actors::code::{Item, Object, Raise};
use stoa_actors::difference::InUse;
use stoa_actors::id::{AtomId, Position, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::search::{Condition, Which};
use stoa_actors::value::Value;

/// A text, as code gets it.
pub fn text(text: impl ToString) -> Item {
    Item::Value(Value::Text(text.to_string()))
}

fn number(number: u64) -> Item {
    Item::Value(Value::Int(number as i64))
}

/// An exception of this class, as code gets it.
pub fn raise(class: &str, message: impl ToString) -> Raise {
    Raise { class: class.to_owned(), message: message.to_string() }
}

/// A space as the code sees it.
pub fn space(alias: &str, space: SpaceId, level: Level) -> Item {
    Item::Object(Object {
        class: "Space".into(),
        handle: u128::from_be_bytes(space.0),
        fields: vec![
            ("name".into(), text(alias)),
            ("id".into(), text(space)),
            ("level".into(), text(level)),
        ],
    })
}

/// An atom as the code sees it: everything readable without asking again.
pub(crate) fn atom(atom: &Atom, position: Position, score: Option<f32>) -> Item {
    let size = match &atom.content {
        Content::Text(it) => it.chars().count(),
        content => content.bytes(),
    };
    told(atom, position, score, (size, false))
}

/// The same of an atom whose content is a part of the whole, which has this size.
pub(crate) fn cut_atom(atom: &Atom, position: Position, score: Option<f32>, size: usize) -> Item {
    told(atom, position, score, (size, true))
}

/// What is read of a content in parts: its text, in characters. Nothing is left of what was erased.
pub fn whole_text(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        Content::Json(value) => value.to_string(),
        Content::Bytes { .. } | Content::Erased | Content::Redacted => String::new(),
    }
}

fn told(atom: &Atom, position: Position, score: Option<f32>, (size, cut): (usize, bool)) -> Item {
    let content = match &atom.content {
        Content::Text(it) => text(it),
        Content::Json(value) => Item::Value(value.clone()),
        Content::Bytes { bytes, .. } => Item::Bytes(bytes.clone()),
        Content::Erased | Content::Redacted => Item::Value(Value::Null),
    };
    let mut references: Vec<(String, Vec<Item>)> = Vec::new();
    for it in &atom.references {
        match references.iter_mut().find(|(relation, _)| *relation == it.relation) {
            Some((_, targets)) => targets.push(text(it.target)),
            None => references.push((it.relation.clone(), vec![text(it.target)])),
        }
    }
    let references = references.into_iter().map(|(how, all)| (how, Item::List(all))).collect();
    let mut fields = vec![
        ("id".into(), text(atom.id)),
        ("version".into(), number(atom.version)),
        ("content".into(), content),
        ("annotation".into(), text(&atom.annotation)),
        ("metadata".into(), Item::Value(Value::Map(atom.metadata.clone()))),
        ("references".into(), Item::Map(references)),
        ("author".into(), text(atom.author)),
        ("space".into(), text(atom.space)),
        ("position".into(), number(position.0)),
        ("deprecated".into(), Item::Value(Value::Bool(atom.deprecated.is_some()))),
        ("erased".into(), Item::Value(Value::Bool(atom.content.is_gone()))),
        ("size".into(), number(size as u64)),
        ("cut".into(), Item::Value(Value::Bool(cut))),
    ];
    if let Some(score) = score {
        fields.push(("score".into(), Item::Value(Value::Float(f64::from(score)))));
    }
    let handle = u128::from_be_bytes(atom.id.0);
    Item::Object(Object { class: "Atom".into(), handle, fields })
}

/// Which version of which atom an object stands for.
pub(crate) fn version(item: &Item) -> Option<(AtomId, u64)> {
    let Item::Object(object) = item else { return None };
    if object.class != "Atom" {
        return None;
    }
    match object.field("version") {
        Some(Item::Value(Value::Int(version))) => {
            Some((AtomId(object.handle.to_be_bytes()), *version as u64))
        }
        _ => None,
    }
}

/// How well an object fitted what was searched for.
pub(crate) fn score(item: &Item) -> Option<f32> {
    let Item::Object(object) = item else { return None };
    match object.field("score") {
        Some(Item::Value(Value::Float(score))) => Some(*score as f32),
        _ => None,
    }
}

/// One entry of a history.
pub fn change(change: &Change) -> Item {
    let mut out = vec![
        ("cursor".into(), number(change.position.0)),
        ("type".into(), text(&change.kind)),
        ("by".into(), text(change.by)),
        ("at".into(), number(change.at.0)),
        ("comment".into(), text(&change.comment)),
    ];
    if let Some((id, version)) = change.atom {
        out.push(("id".into(), text(id)));
        out.push(("version".into(), number(version)));
    }
    if let Some(right) = &change.right {
        let level = |it: Option<Level>| it.map_or_else(none, text);
        out.push(("level".into(), level(right.level)));
        out.push(("delegate".into(), level(right.delegate)));
        out.push(("from".into(), text(right.from)));
        out.push(("to".into(), right.to.map_or_else(none, text)));
    }
    Item::Map(out)
}

/// What two versions differ in; what is the same has no key.
pub fn difference(it: &Difference) -> Item {
    let pair =
        |before: Item, after: Item| Item::Map(vec![("from".into(), before), ("to".into(), after)]);
    let mut out = vec![
        ("from_version".into(), number(it.from.version)),
        ("to_version".into(), number(it.to.version)),
    ];
    if let Some((before, after)) = &it.content {
        out.push(("content".into(), text(unified(before, after))));
    }
    if let Some((before, after)) = &it.annotation {
        out.push(("annotation".into(), pair(text(before), text(after))));
    }
    if !it.metadata.is_empty() {
        let value = |it: &Option<Value>| Item::Value(it.clone().unwrap_or(Value::Null));
        let keys = it.metadata.iter();
        let keys = keys.map(|(key, (one, other))| (key.clone(), pair(value(one), value(other))));
        out.push(("metadata".into(), Item::Map(keys.collect())));
    }
    for (name, all) in [("added", &it.added), ("dropped", &it.dropped)] {
        let each = |it: &Reference| Item::List(vec![text(&it.relation), text(it.target)]);
        if !all.is_empty() {
            out.push((name.into(), Item::List(all.iter().map(each).collect())));
        }
    }
    if let Some((before, after)) = it.deprecated {
        let out_of_use = |it| Item::Value(Value::Bool(it != InUse::Yes));
        out.push(("deprecated".into(), pair(out_of_use(before), out_of_use(after))));
    }
    Item::Map(out)
}

/// The Python value `None`.
pub fn none() -> Item {
    Item::Value(Value::Null)
}

/// Plain data; objects of the host are none.
pub fn value(item: Item) -> Result<Value, Raise> {
    match item {
        Item::Value(value) => Ok(value),
        Item::List(list) => Ok(Value::List(list.into_iter().map(value).collect::<Result<_, _>>()?)),
        Item::Map(map) => {
            let pairs = map.into_iter().map(|(key, item)| Ok((key, value(item)?)));
            Ok(Value::Map(pairs.collect::<Result<_, Raise>>()?))
        }
        Item::Bytes(_) => Err(raise("TypeError", "bytes are no plain data; put them as content")),
        Item::Object(object) => {
            let text = format!("a {} is no plain data; use its id", object.class);
            Err(raise("TypeError", text))
        }
    }
}

/// Content of whatever type the code has.
pub fn content(item: Item, media_type: Option<String>) -> Result<Content, Raise> {
    Ok(match item {
        Item::Bytes(bytes) => Content::Bytes {
            media_type: media_type.unwrap_or_else(|| "application/octet-stream".into()),
            bytes,
        },
        Item::Value(Value::Text(text)) => Content::Text(text),
        other => Content::Json(value(other)?),
    })
}

/// Metadata that code gave: a dict of values.
///
/// Errors: `TypeError` for anything else.
pub fn metadata(item: Item) -> Result<Metadata, Raise> {
    match value(item)? {
        Value::Map(map) => Ok(map),
        Value::Null => Ok(Metadata::new()),
        _ => Err(raise(
            "TypeError",
            "metadata= takes a dict, {\"status\": \"pending\"} for instance",
        )),
    }
}

/// An atom by its id or by itself.
pub fn id(item: &Item) -> Result<AtomId, Raise> {
    match item {
        Item::Value(Value::Text(text)) => text.parse().map_err(|error| raise("ValueError", error)),
        Item::Object(object) if object.class == "Atom" => Ok(AtomId(object.handle.to_be_bytes())),
        _ => Err(raise("TypeError", "an atom is named by its id, or by itself")),
    }
}

/// `{"blocked_by": {"status": "completed"}}`: every target matches. `{"any": {…}}` and
/// `{"none": {…}}` say how many must instead.
pub fn conditions(item: Item) -> Result<BTreeMap<String, Condition>, Raise> {
    let shape =
        "references= takes a dict, {\"blocked_by\": {\"status\": \"completed\"}} for instance";
    let wrong = || raise("TypeError", shape);
    let mut out = BTreeMap::new();
    for (relation, condition) in metadata(item)? {
        let Value::Map(mut metadata) = condition else { return Err(wrong()) };
        let mut which = Which::All;
        for (word, variant) in [("all", Which::All), ("any", Which::Any), ("none", Which::None)] {
            if metadata.len() == 1
                && let Some(Value::Map(inner)) = metadata.get(word)
            {
                (which, metadata) = (variant, inner.clone());
                break;
            }
        }
        out.insert(relation, Condition { which, metadata });
    }
    Ok(out)
}

/// `{"blocked_by": [id, …]}`, by relation; one target may stand without its list.
pub(crate) fn targets(item: Item) -> Result<Vec<(String, Vec<Item>)>, Raise> {
    let wrong =
        || raise("TypeError", "references= takes a dict, {\"blocked_by\": [id]} for instance");
    let pairs: Vec<(String, Item)> = match item {
        Item::Map(map) => map,
        Item::Value(Value::Map(map)) => {
            map.into_iter().map(|(key, value)| (key, Item::Value(value))).collect()
        }
        Item::Value(Value::Null) => Vec::new(),
        _ => return Err(wrong()),
    };
    let list = |targets| match targets {
        Item::List(list) => list,
        Item::Value(Value::List(list)) => list.into_iter().map(Item::Value).collect(),
        one => vec![one],
    };
    Ok(pairs.into_iter().map(|(relation, targets)| (relation, list(targets))).collect())
}
