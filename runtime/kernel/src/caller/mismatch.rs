//! A condition that fits nothing, for it compares with another type of value than all that there
//! are or misspells its key: whoever asks is told why.

use super::Caller;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use stoa_actors::atom::Metadata;
use stoa_actors::id::SpaceId;
use stoa_actors::nearest::nearest;
use stoa_actors::search::{Query, SearchOrder, kind, lookup, operands};
use stoa_actors::value::Value;

/// What does not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mismatch {
    /// All values under the key are of another type.
    Type {
        /// Under which key.
        key: String,
        /// What the condition compares with: `a number`.
        asked: String,
        /// What there is under the key, in one atom for instance.
        found: String,
        /// The condition as it would meet, with its value as JSON.
        meant: String,
    },
    /// No atom has the key, but one that is spelt much like it.
    Key {
        /// What was asked for.
        key: String,
        /// What there is.
        nearest: String,
    },
}

impl Mismatch {
    /// The same as JSON, for programs.
    pub fn json(&self) -> serde_json::Value {
        let note = self.to_string();
        match self {
            Mismatch::Type { key, asked, found, meant } => serde_json::json!({
                "note": note, "key": key, "asked": asked, "found": found, "meant": meant,
            }),
            Mismatch::Key { key, nearest } => {
                serde_json::json!({"note": note, "key": key, "nearest": nearest})
            }
        }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mismatch::Type { key, asked, found, meant: _ } => write!(
                f,
                "the condition on {key:?} compares with {asked}, and no atom here has {asked} \
                 there, but {found}"
            ),
            Mismatch::Key { key, nearest } => {
                write!(f, "no atom here has the key {key:?}; there is {nearest:?}")
            }
        }
    }
}

/// The newest atoms of a space, whose keys a misspelt one is compared with.
const KEYS_OF_ATOMS: usize = 32;

impl Caller {
    /// The conditions on a space's metadata that no value there can fit by its type.
    pub async fn mismatches(
        &self,
        space: SpaceId,
        wanted: &Metadata,
    ) -> Result<Vec<Mismatch>, Problem> {
        let mut found: Vec<Mismatch> = Vec::new();
        for (key, operator, value) in operands(wanted) {
            let Some(same) = of_kind(value).filter(|_| operator != "contains") else { continue };
            if found.iter().any(|it| it.key() == key)
                || self.some(space, key, same).await?.is_some()
            {
                continue;
            }
            // Nothing is like a text that nobody writes.
            let other = compares("!=", Value::from("\u{0}"));
            let key = key.to_owned();
            found.extend(match self.some(space, &key, other).await? {
                Some(there) => Some(Mismatch::Type {
                    asked: kind(value).to_owned(),
                    found: kind(&there).to_owned(),
                    meant: meant(&key, operator, value, &there),
                    key,
                }),
                None => {
                    let nearest = self.key_like(space, &key).await?;
                    nearest.map(|nearest| Mismatch::Key { key, nearest })
                }
            });
        }
        Ok(found)
    }

    /// A key that is spelt much like this one.
    async fn key_like(&self, space: SpaceId, key: &str) -> Result<Option<String>, Problem> {
        let (limit, order) = (KEYS_OF_ATOMS, SearchOrder::Newest);
        let query = Query { limit, order, include_deprecated: true, ..Query::default() };
        let hits = self.search_any_name(space, query).await?;
        let keys = hits.iter().flat_map(|it| it.read.atom.metadata.keys());
        Ok(nearest(key, keys.map(String::as_str)).map(str::to_owned))
    }

    /// A value under a key that is as wanted.
    async fn some(
        &self,
        space: SpaceId,
        key: &str,
        wanted: Value,
    ) -> Result<Option<Value>, Problem> {
        let metadata = [(key.to_owned(), wanted)].into();
        let query = Query { metadata, limit: 1, include_deprecated: true, ..Query::default() };
        let hits = self.search_any_name(space, query).await?;
        Ok(hits.first().and_then(|it| lookup(&it.read.atom.metadata, key)).cloned())
    }
}

impl Mismatch {
    /// Under which key.
    pub fn key(&self) -> &str {
        match self {
            Mismatch::Type { key, .. } | Mismatch::Key { key, .. } => key,
        }
    }
}

/// What every value of the same type fits, of the types that are mistaken for each other.
fn of_kind(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) | Value::Float(_) => Some(compares(">=", Value::Float(f64::MIN))),
        Value::Text(_) => Some(compares(">=", Value::from(""))),
        Value::Bool(_) => {
            Some(compares("in", Value::List(vec![Value::Bool(true), Value::Bool(false)])))
        }
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

fn compares(operator: &str, bound: Value) -> Value {
    Value::Map([(operator.to_owned(), bound)].into())
}

/// The same condition with a value of the type that there is.
fn meant(key: &str, operator: &str, asked: &Value, there: &Value) -> String {
    let operator = if operator == "==" || operator == "in" { "=" } else { operator };
    let written = asked.text().map_or_else(|| asked.to_string(), str::to_owned);
    match there {
        Value::List(_) => format!("'{key}:={}'", compares("contains", asked.clone())),
        Value::Text(_) => format!("'{key}:{operator}{}'", Value::from(written)),
        Value::Int(_) | Value::Float(_) if written.parse::<f64>().is_ok() => {
            format!("'{key}:{operator}{written}'")
        }
        Value::Bool(_) => format!("{key}=true"),
        _ => format!("'{key}:{operator}JSON'"),
    }
}
