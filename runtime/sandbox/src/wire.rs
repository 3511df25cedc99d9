//! Frames between runtime and worker: a length of four bytes, then one message. Everything that
//! comes from a worker is taken as hostile.
//!
//! [`Item`]s travel as a flat list of tokens, because decoding recursive data recurses, and a
//! frame of a few megabytes could nest deep enough to overflow the reader's stack.

use crate::limits::ActionLimits;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::vec::IntoIter;
use stoa_actors::code::{ActionEnd, HostCall, Item, Object, Raise};
use stoa_actors::value::{VALUE_DEPTH_MAX, Value};

/// The longest frame either side reads. What may be in it is limited more closely elsewhere.
pub(super) const FRAME_BYTES_MAX: usize = 32 << 20;

/// Bytes of the length in front of a frame.
pub(super) const PREFIX_BYTES: usize = 4;

/// How deep an [`Item`] may nest: as deep as a value, and a little for the containers of objects.
pub(super) const ITEM_DEPTH_MAX: usize = VALUE_DEPTH_MAX + 8;

/// Runtime to worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    Start(Box<Start>),
    /// What the host said to the call.
    Answer(Answer),
}

/// An action as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub source: String,
    #[serde(with = "serde_bytes")]
    pub dump: Option<Vec<u8>>,
    pub globals: Vec<(String, Flat)>,
    pub functions: Vec<String>,
    pub now_ms: u64,
    pub seed: u64,
    pub limits: ActionLimits,
}

/// What came of a host call.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Return(Flat),
    Raise(Raise),
    /// End the action with this; no handler of the code sees it.
    Stop(Raise),
}

/// Worker to runtime.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Tell {
    Call(FlatCall),
    Ended(Box<Ended>),
}

/// The end of an action, as the interpreter saw it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub ending: ActionEnd,
    pub printed: String,
    pub kept: Kept,
    pub notice: Option<String>,
    /// The worker has grown fat and asks to be replaced.
    pub retire: bool,
}

/// Which REPL the next action continues.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Kept {
    /// The one after this action.
    After(#[serde(with = "serde_bytes")] Vec<u8>),
    /// The one before it.
    Before,
    /// A fresh one.
    Nothing,
}

/// A host call as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FlatCall {
    on: Option<u128>,
    name: String,
    args: Vec<Flat>,
    kwargs: Vec<(String, Flat)>,
}

/// An item as it travels: what it is made of, each container before its content.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Flat(Vec<Token>);

#[derive(Debug, Serialize, Deserialize)]
enum Token {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A list of so many plain values.
    Values(u32),
    /// A mapping of so many plain values, each behind its [`Token::Text`].
    ValueMap(u32),
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    Items(u32),
    ItemMap(u32),
    Object {
        class: String,
        handle: u128,
        fields: u32,
    },
}

/// The frame, or what is in it, is not one of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum FrameRefusal {
    #[error("a frame of {0} bytes is longer than {FRAME_BYTES_MAX}")]
    TooLong(usize),
    #[error("a frame is not a message: {0}")]
    NotAMessage(String),
    #[error("an item nests deeper than {ITEM_DEPTH_MAX} levels")]
    TooDeep,
    #[error("an item is not well formed")]
    Malformed,
}

/// The message with its length in front, to be written at once.
pub(super) fn frame(message: &impl Serialize) -> Result<Vec<u8>, FrameRefusal> {
    let mut bytes = vec![0; PREFIX_BYTES];
    bincode::serde::encode_into_std_write(message, &mut bytes, bincode::config::standard())
        .map_err(|error| FrameRefusal::NotAMessage(error.to_string()))?;
    let body = bytes.len() - PREFIX_BYTES;
    let length = u32::try_from(body)
        .ok()
        .filter(|_| body <= FRAME_BYTES_MAX)
        .ok_or(FrameRefusal::TooLong(body))?;
    bytes[..PREFIX_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// The length a prefix announces, if a frame may be that long.
pub(super) fn length(prefix: [u8; PREFIX_BYTES]) -> Result<usize, FrameRefusal> {
    let length = u32::from_le_bytes(prefix) as usize;
    if length > FRAME_BYTES_MAX { Err(FrameRefusal::TooLong(length)) } else { Ok(length) }
}

/// The message in a frame's body.
pub(super) fn message<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameRefusal> {
    let config = bincode::config::standard().with_limit::<FRAME_BYTES_MAX>();
    let (message, used) = bincode::serde::decode_from_slice(body, config)
        .map_err(|error| FrameRefusal::NotAMessage(error.to_string()))?;
    if used == body.len() {
        Ok(message)
    } else {
        Err(FrameRefusal::NotAMessage(format!("{} bytes too many", body.len() - used)))
    }
}

impl From<HostCall> for FlatCall {
    fn from(call: HostCall) -> Self {
        Self {
            on: call.on,
            name: call.name,
            args: call.args.into_iter().map(Flat::from).collect(),
            kwargs: call.kwargs.into_iter().map(|(key, item)| (key, item.into())).collect(),
        }
    }
}

impl TryFrom<FlatCall> for HostCall {
    type Error = FrameRefusal;
    fn try_from(call: FlatCall) -> Result<Self, FrameRefusal> {
        let kwarg = |(key, flat): (String, Flat)| Ok((key, Item::try_from(flat)?));
        Ok(Self {
            on: call.on,
            name: call.name,
            args: call.args.into_iter().map(Item::try_from).collect::<Result<_, _>>()?,
            kwargs: call.kwargs.into_iter().map(kwarg).collect::<Result<_, FrameRefusal>>()?,
        })
    }
}

impl From<Item> for Flat {
    fn from(item: Item) -> Self {
        let mut tokens = Vec::new();
        flatten(item, &mut tokens);
        Self(tokens)
    }
}

impl TryFrom<Flat> for Item {
    type Error = FrameRefusal;
    fn try_from(flat: Flat) -> Result<Self, FrameRefusal> {
        let mut tokens = flat.0.into_iter();
        let item = item(&mut tokens, ITEM_DEPTH_MAX)?;
        if tokens.next().is_none() { Ok(item) } else { Err(FrameRefusal::Malformed) }
    }
}

/// How many there are. More than fit into four bytes cannot be in a frame; the count is then wrong
/// and the reader refuses.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn flatten(item: Item, to: &mut Vec<Token>) {
    match item {
        Item::Value(value) => flatten_value(value, to),
        Item::Bytes(bytes) => to.push(Token::Bytes(bytes)),
        Item::Object(Object { class, handle, fields }) => {
            to.push(Token::Object { class, handle, fields: count(fields.len()) });
            flatten_pairs(fields, to);
        }
        Item::List(items) => {
            to.push(Token::Items(count(items.len())));
            items.into_iter().for_each(|item| flatten(item, to));
        }
        Item::Map(pairs) => {
            to.push(Token::ItemMap(count(pairs.len())));
            flatten_pairs(pairs, to);
        }
    }
}

fn flatten_pairs(pairs: Vec<(String, Item)>, to: &mut Vec<Token>) {
    for (key, item) in pairs {
        to.push(Token::Text(key));
        flatten(item, to);
    }
}

fn flatten_value(value: Value, to: &mut Vec<Token>) {
    match value {
        Value::Null => to.push(Token::Null),
        Value::Bool(truth) => to.push(Token::Bool(truth)),
        Value::Int(number) => to.push(Token::Int(number)),
        Value::Float(number) => to.push(Token::Float(number)),
        Value::Text(text) => to.push(Token::Text(text)),
        Value::List(values) => {
            to.push(Token::Values(count(values.len())));
            values.into_iter().for_each(|value| flatten_value(value, to));
        }
        Value::Map(map) => {
            to.push(Token::ValueMap(count(map.len())));
            for (key, value) in map {
                to.push(Token::Text(key));
                flatten_value(value, to);
            }
        }
    }
}

fn item(tokens: &mut IntoIter<Token>, levels: usize) -> Result<Item, FrameRefusal> {
    let levels = levels.checked_sub(1).ok_or(FrameRefusal::TooDeep)?;
    Ok(match tokens.next().ok_or(FrameRefusal::Malformed)? {
        Token::Bytes(bytes) => Item::Bytes(bytes),
        Token::Object { class, handle, fields } => {
            Item::Object(Object { class, handle, fields: pairs(fields, tokens, levels)? })
        }
        Token::Items(n) => {
            Item::List((0..n).map(|_| item(tokens, levels)).collect::<Result<_, _>>()?)
        }
        Token::ItemMap(n) => Item::Map(pairs(n, tokens, levels)?),
        token => Item::Value(value(token, tokens, VALUE_DEPTH_MAX)?),
    })
}

fn pairs(
    n: u32,
    tokens: &mut IntoIter<Token>,
    levels: usize,
) -> Result<Vec<(String, Item)>, FrameRefusal> {
    (0..n).map(|_| Ok((text(tokens)?, item(tokens, levels)?))).collect()
}

fn text(tokens: &mut IntoIter<Token>) -> Result<String, FrameRefusal> {
    match tokens.next() {
        Some(Token::Text(text)) => Ok(text),
        _ => Err(FrameRefusal::Malformed),
    }
}

fn value(token: Token, tokens: &mut IntoIter<Token>, levels: usize) -> Result<Value, FrameRefusal> {
    let inner = |tokens: &mut IntoIter<Token>| {
        let levels = levels.checked_sub(1).ok_or(FrameRefusal::TooDeep)?;
        let token = tokens.next().ok_or(FrameRefusal::Malformed)?;
        value(token, tokens, levels)
    };
    Ok(match token {
        Token::Null => Value::Null,
        Token::Bool(truth) => Value::Bool(truth),
        Token::Int(number) => Value::Int(number),
        Token::Float(number) if number.is_finite() => Value::Float(number),
        Token::Text(text) => Value::Text(text),
        Token::Values(_) | Token::ValueMap(_) if levels == 0 => return Err(FrameRefusal::TooDeep),
        Token::Values(n) => Value::List((0..n).map(|_| inner(tokens)).collect::<Result<_, _>>()?),
        Token::ValueMap(n) => {
            let pair = |_| Ok((text(tokens)?, inner(tokens)?));
            Value::Map((0..n).map(pair).collect::<Result<_, FrameRefusal>>()?)
        }
        _ => return Err(FrameRefusal::Malformed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn crossed(item: Item) -> Result<Item, FrameRefusal> {
        let bytes = frame(&Flat::from(item)).unwrap();
        let prefix = bytes[..PREFIX_BYTES].try_into().unwrap();
        assert_eq!(length(prefix).unwrap(), bytes.len() - PREFIX_BYTES);
        message::<Flat>(&bytes[PREFIX_BYTES..])?.try_into()
    }

    fn object(fields: Vec<(String, Item)>) -> Item {
        Item::Object(Object { class: "Atom".into(), handle: u128::MAX - 7, fields })
    }

    #[test]
    fn an_item_crosses_whole() {
        let map = BTreeMap::from([("k".into(), Value::List(vec![Value::Null, 3.into()]))]);
        let item = Item::Map(vec![
            ("z".into(), Item::Bytes(vec![0, 255])),
            ("a".into(), Item::Value(Value::Map(map))),
            ("o".into(), object(vec![("id".into(), Item::Value("x".into()))])),
            ("l".into(), Item::List(vec![object(vec![]), Item::Value(Value::Float(0.5))])),
        ]);
        assert_eq!(crossed(item.clone()), Ok(item));
    }

    #[test]
    fn nesting_is_refused_without_recursion() {
        let values = |n: usize| (0..n).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        let deepest = Item::Value(values(VALUE_DEPTH_MAX));
        assert_eq!(crossed(deepest.clone()), Ok(deepest));
        assert_eq!(crossed(Item::Value(values(VALUE_DEPTH_MAX + 1))), Err(FrameRefusal::TooDeep));
        let bomb = Flat((0..1_000_000).map(|_| Token::Items(1)).collect());
        assert_eq!(Item::try_from(bomb), Err(FrameRefusal::TooDeep));
        let bomb = Flat((0..1_000_000).map(|_| Token::Values(1)).collect());
        assert_eq!(Item::try_from(bomb), Err(FrameRefusal::TooDeep));
    }

    proptest::proptest! {
        /// Whatever bytes come, the answer is a call, an ending or a refusal.
        #[test]
        fn no_bytes_do_harm(body in proptest::collection::vec(0_u8..12, 1..200)) {
            if let Ok(Tell::Call(call)) = message(&body) {
                let taken = HostCall::try_from(call);
                let shallow = |call: &HostCall| call.args.len() <= body.len();
                proptest::prop_assert!(taken.as_ref().map_or(true, shallow));
            }
        }
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        assert_eq!(length([255; 4]), Err(FrameRefusal::TooLong(u32::MAX as usize)));
        for tokens in [
            vec![],
            vec![Token::Items(u32::MAX)],
            vec![Token::ValueMap(1), Token::Null],
            vec![Token::Values(1), Token::Bytes(vec![])],
            vec![Token::Null, Token::Null],
            vec![Token::Float(f64::NAN)],
        ] {
            let shown = format!("{tokens:?}");
            assert_eq!(Item::try_from(Flat(tokens)), Err(FrameRefusal::Malformed), "{shown}");
        }
        assert!(message::<Tell>(&[0xff; 40]).is_err());
        let mut long = frame(&Answer::Return(Item::Value(Value::Null).into())).unwrap();
        long.push(0);
        assert!(message::<Answer>(&long[PREFIX_BYTES..]).is_err());
    }
}
