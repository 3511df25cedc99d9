//! Values and moments as JSON, and back without loss.

use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use stoa_actors::id::Millis;
use stoa_actors::value::Value;

/// RFC 3339, to the millisecond, in UTC.
pub fn instant(at: Millis) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at.0 as i64);
    stamp.map_or_else(|_| at.0.to_string(), |it| format!("{it:.3}"))
}

/// What [`instant`] has written.
pub(crate) fn moment(text: &str) -> Option<Millis> {
    if let Ok(number) = text.parse() {
        return Some(Millis(number));
    }
    let stamp: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(stamp.as_millisecond()).ok().map(Millis)
}

/// A map as a JSON object.
pub fn from_map(map: &BTreeMap<String, Value>) -> Json {
    Json::Object(map.iter().map(|(key, value)| (key.clone(), from_value(value))).collect())
}

/// A value as JSON.
pub fn from_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::List(list) => Json::Array(list.iter().map(from_value).collect()),
        Value::Map(map) => from_map(map),
    }
}

/// A number that does not fit: nothing is rounded to make it fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} does not fit a signed 64-bit integer; write it as text")]
pub struct NotAValue(pub String);

/// The value that is meant.
pub fn value(json: Json) -> Result<Value, NotAValue> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(fraction)) if !number.is_u64() => Value::Float(fraction),
            _ => return Err(NotAValue(number.to_string())),
        },
        Json::String(text) => Value::Text(text),
        Json::Array(list) => Value::List(list.into_iter().map(value).collect::<Result<_, _>>()?),
        Json::Object(map) => {
            let each = map.into_iter().map(|(key, it)| Ok((key, value(it)?)));
            Value::Map(each.collect::<Result<_, NotAValue>>()?)
        }
    })
}

/// Refuses a text with a whole number in it that is none of ours: parsed, it would be a fraction.
pub fn fits(text: &str) -> Result<(), NotAValue> {
    oversize(text).map_or(Ok(()), |number| Err(NotAValue(number.to_owned())))
}

/// The first whole number of a JSON text that is none of ours: parsed, it would be a fraction.
fn oversize(text: &str) -> Option<&str> {
    // Between quotes everything is text; an escaped quote is none.
    let mut quoted = false;
    let mut escaped = false;
    text.split(|c: char| {
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        quoted || !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
    .filter(|word| word.ends_with(|c: char| c.is_ascii_digit()))
    .find(|word| !word.contains(['.', 'e', 'E']) && word.parse::<i64>().is_err())
}
