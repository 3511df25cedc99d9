//! What stands in requests and answers, as JSON has it.

use crate::as_of::Moment;
use crate::clock::span_ms;
use crate::envelope::{from_map, from_value, value};
use crate::problem::{Problem, ProblemKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::codec;
use stoa_actors::id::Position;
use stoa_actors::rights::Level;
use stoa_actors::search::{Condition, Which};
use stoa_actors::session::{Budget, BudgetUnit};
use stoa_actors::value::Value;

/// Gives a type the schema that is written here.
macro_rules! schema {
    ($type:ident, $name:literal, $($json:tt)+) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($json)+)
            }
        }
    };
}

/// An object of any values: metadata, and conditions on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta(pub Metadata);

schema!(Meta, "Metadata", {"type": "object", "additionalProperties": true});

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        from_map(&self.0).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Meta, D::Error> {
        match value(Json::deserialize(from)?).map_err(D::Error::custom)? {
            Value::Map(map) => Ok(Meta(map)),
            Value::Null => Ok(Meta::default()),
            other => Err(D::Error::custom(format!("{other} is no object"))),
        }
    }
}

/// A JSON value of any shape, taken as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain(pub Value);

schema!(Plain, "Json", true);

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        from_value(&self.0).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Plain, D::Error> {
        value(Json::deserialize(from)?).map(Plain).map_err(D::Error::custom)
    }
}

/// A field that is there, also where it is null.
pub fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Conditions on what atoms refer to: `{"blocked_by": {"status": "completed"}}` of every target;
/// `{"any": {…}}` and `{"none": {…}}` say how many must instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(pub BTreeMap<String, Condition>);

schema!(Conditions, "Conditions", {
    "type": "object", "additionalProperties": {"type": "object"}
});

/// The words that say how many targets must fit.
const HOW_MANY: [(&str, Which); 3] =
    [("all", Which::All), ("any", Which::Any), ("none", Which::None)];

impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(relation, it)| {
            let word =
                HOW_MANY.iter().find(|(_, which)| *which == it.which).map_or("all", |it| it.0);
            (relation, json!({word: from_map(&it.metadata)}))
        }))
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Conditions, D::Error> {
        let each = Meta::deserialize(from)?.0.into_iter().map(|(relation, it)| {
            let Value::Map(metadata) = it else {
                let text = format!("the condition on {relation:?} is no object");
                return Err(D::Error::custom(text));
            };
            Ok((relation, condition(metadata)))
        });
        each.collect::<Result<_, _>>().map(Conditions)
    }
}

/// A condition, as it is written.
pub(crate) fn condition(metadata: Metadata) -> Condition {
    for (word, which) in HOW_MANY {
        if metadata.len() == 1
            && let Some(Value::Map(inner)) = metadata.get(word)
        {
            return Condition { which, metadata: inner.clone() };
        }
    }
    Condition { which: Which::All, metadata }
}

/// What is referred to, by relation; one target may stand without its list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Targets(pub BTreeMap<String, Vec<String>>);

schema!(Targets, "References", {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}}
});

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Targets, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Some {
            One(String),
            Many(Vec<String>),
        }
        let map = BTreeMap::<String, Some>::deserialize(from)?;
        let each = map.into_iter().map(|(relation, some)| match some {
            Some::One(id) => (relation, vec![id]),
            Some::Many(ids) => (relation, ids),
        });
        Ok(Targets(each.collect()))
    }
}

/// A time that something takes, in milliseconds: `"90s"`, `"10m"`, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub u64);

schema!(Span, "Time", {
    "type": ["string", "integer"], "minimum": 0, "examples": ["90s", "10m", "2h", "7d"]
});

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
        let whole =
            |(_, ms): &(&str, u64)| self.0.is_multiple_of(*ms) && (self.0 > 0 || *ms == 1_000);
        let (unit, ms) = units.into_iter().find(whole).unwrap_or(("ms", 1));
        to.serialize_str(&format!("{}{unit}", self.0 / ms))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Typed {
            Seconds(u64),
            Text(String),
        }
        let invalid =
            |said: &str| D::Error::custom(format!("{said}is not a time like 90s, 10m, 2h or 7d"));
        let (ms, said) = match Typed::deserialize(from).map_err(|_| invalid("it "))? {
            Typed::Seconds(seconds) => (seconds.checked_mul(1_000), seconds.to_string()),
            Typed::Text(text) => (span_ms(&text), format!("{text:?} ")),
        };
        ms.map(Span).ok_or_else(|| invalid(&said))
    }
}

/// A moment: a position in the log, a time like `2026-01-31T12:00:00Z`, or `10m ago`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum When {
    /// A position in the log.
    Position(u64),
    /// As it is typed.
    Text(String),
}

schema!(When, "Moment", {"type": ["string", "integer"]});

impl When {
    /// Which moment is meant.
    pub fn moment(&self) -> Result<Moment, Problem> {
        match self {
            When::Position(at) => Ok(Moment::Position(Position(*at))),
            When::Text(text) => text.parse(),
        }
    }
}

/// A level by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelName(pub Level);

schema!(LevelName, "Level", {"type": "string", "enum": ["read", "append", "write", "grant"]});

impl Serialize for LevelName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LevelName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<LevelName, D::Error> {
        String::deserialize(from)?.parse().map(LevelName).map_err(D::Error::custom)
    }
}

/// A space and what may be done in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceRight {
    /// By the caller's name for it, or its id
    pub space: String,
    /// What may be done there
    #[serde(default)]
    pub level: Option<LevelName>,
    /// What of it may be handed on
    #[serde(default)]
    pub delegate: Option<LevelName>,
}

/// What may be spent, by unit; without a bound in those that are not named
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Units {
    /// Calls of a model, also those that came to nothing.
    pub thoughts: Option<u64>,
    /// Tokens, sent and said.
    pub tokens: Option<u64>,
    /// What models cost, in the currency that prices are in.
    pub money: Option<f64>,
    /// The time that models and actions take, in seconds.
    pub seconds: Option<f64>,
    /// Turns that were begun, also those that failed.
    pub turns: Option<u64>,
    /// Agents brought up.
    pub spawns: Option<u64>,
    /// Generations below it; this one is not spent.
    pub depth: Option<u64>,
}

impl From<Units> for Budget {
    fn from(units: Units) -> Self {
        // What is finer than it is counted is rounded; less than nothing is nothing, and refused.
        let counts = |unit: BudgetUnit, n: f64| (n * unit.whole() as f64).round() as u64;
        Budget {
            thoughts: units.thoughts,
            tokens: units.tokens,
            money: units.money.map(|it| counts(BudgetUnit::Money, it)),
            ms: units.seconds.map(|it| counts(BudgetUnit::Seconds, it)),
            turns: units.turns,
            spawns: units.spawns,
            depth: units.depth,
        }
    }
}

impl From<Budget> for Units {
    fn from(budget: Budget) -> Self {
        let whole = |unit: BudgetUnit| Some(budget.of(unit)? as f64 / unit.whole() as f64);
        Units {
            thoughts: budget.thoughts,
            tokens: budget.tokens,
            money: whole(BudgetUnit::Money),
            seconds: whole(BudgetUnit::Seconds),
            turns: budget.turns,
            spawns: budget.spawns,
            depth: budget.depth,
        }
    }
}

/// What goes through the socket packed, for no surface writes it by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed<T>(pub T);

impl<T> JsonSchema for Packed<T> {
    fn schema_name() -> Cow<'static, str> {
        "Packed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "contentEncoding": "base64"})
    }
}

/// The form of what is packed; both sides are one build.
const PACKED_FORM: u8 = 1;

impl<T: Serialize> Serialize for Packed<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let bytes = codec::encode(PACKED_FORM, &self.0).map_err(S::Error::custom)?;
        to.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Packed<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Packed<T>, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)?;
        codec::decode(PACKED_FORM, &bytes).map(Packed).map_err(D::Error::custom)
    }
}

/// The content of the four fields that say it; nothing where none does.
pub fn content(
    text: Option<String>,
    json: Option<Plain>,
    base64: Option<String>,
    media_type: Option<String>,
) -> Result<Option<Content>, Problem> {
    let said = usize::from(text.is_some()) + usize::from(json.is_some());
    let invalid = |why: &str| {
        let hint = "stoa put SPACE --file PATH --media-type image/png";
        Err(Problem::new(ProblemKind::Invalid, why).hint(hint))
    };
    if said + usize::from(base64.is_some()) > 1 {
        return invalid("a content is one of text, JSON and bytes");
    }
    if json.is_some() && media_type.is_some() {
        return invalid("a media type is of bytes or text, and JSON has its own");
    }
    let bytes = match (&text, base64) {
        (Some(text), _) if media_type.is_some() => Some(text.clone().into_bytes()),
        (_, Some(base64)) => Some(STANDARD.decode(base64).map_err(|error| {
            let text = format!("the bytes of the content are no base64: {error}");
            Problem::new(ProblemKind::Invalid, text).hint("stoa put SPACE --file PATH")
        })?),
        _ => None,
    };
    Ok(match bytes {
        Some(bytes) => {
            let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            Some(Content::Bytes { media_type, bytes })
        }
        None => text.map(Content::Text).or(json.map(|it| Content::Json(it.0))),
    })
}
