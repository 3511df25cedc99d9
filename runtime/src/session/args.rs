//! The arguments of one call from the code.

use super::items::{self, raise};
use crate::clock::span_ms;
use std::collections::VecDeque;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::id::AtomId;
use stoa_actors::value::Value;

/// The arguments of one call: by position in the order they are taken, or by name.
pub(super) struct Args {
    pub(super) method: String,
    positional: VecDeque<Item>,
    named: Vec<(String, Item)>,
}

impl Args {
    pub(super) fn new(call: HostCall) -> Args {
        Args { method: call.name, positional: call.args.into(), named: call.kwargs }
    }

    /// The items of a dict, as arguments by name.
    pub(super) fn of(method: &str, item: Item) -> Option<Args> {
        let named = match item {
            Item::Map(map) => map,
            Item::Value(Value::Map(map)) => {
                map.into_iter().map(|(key, it)| (key, Item::Value(it))).collect()
            }
            _ => return None,
        };
        Some(Args { method: method.to_owned(), positional: VecDeque::new(), named })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.named.iter().any(|(key, _)| key == name)
    }

    /// Milliseconds, of a text like 90s or 10m, or of a number of seconds.
    pub(super) fn span(&mut self, name: &str, default: &str) -> Result<u64, Raise> {
        let default = || Item::Value(Value::Text(default.to_owned()));
        let said = self.take(name).filter(|it| *it != Item::Value(Value::Null));
        Args::span_of(name, said.unwrap_or_else(default))
    }

    /// A time, as it is typed or in seconds.
    pub(super) fn span_of(name: &str, item: Item) -> Result<u64, Raise> {
        let said = match item {
            Item::Value(Value::Text(text)) => span_ms(&text),
            Item::Value(Value::Int(seconds)) => {
                u64::try_from(seconds).ok().and_then(|it| it.checked_mul(1_000))
            }
            _ => None,
        };
        let wrong = format!("{name}= takes a time like \"90s\", \"10m\" or \"2h\"");
        said.ok_or_else(|| raise("ValueError", wrong))
    }

    pub(super) fn asked(&self) -> String {
        match self.positional.front() {
            Some(Item::Value(Value::Text(name))) => name.clone(),
            _ => "such attribute".into(),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Item> {
        if let Some(item) = self.positional.pop_front() {
            return Some(item);
        }
        let at = self.named.iter().position(|(key, _)| key == name)?;
        Some(self.named.remove(at).1)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Raise> {
        match self.take(name) {
            None | Some(Item::Value(Value::Null)) => Ok(None),
            Some(Item::Value(Value::Text(text))) => Ok(Some(text)),
            Some(_) => Err(raise("TypeError", format!("{name}= takes a text"))),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, Raise> {
        match self.take(name) {
            None | Some(Item::Value(Value::Null)) => Ok(None),
            Some(Item::Value(Value::Int(number))) if number >= 0 => Ok(Some(number as u64)),
            Some(_) => Err(raise("TypeError", format!("{name}= takes a whole number from 0 on"))),
        }
    }

    pub(super) fn truth(&mut self, name: &str) -> Result<bool, Raise> {
        match self.take(name) {
            None | Some(Item::Value(Value::Null)) => Ok(false),
            Some(Item::Value(Value::Bool(truth))) => Ok(truth),
            Some(_) => Err(raise("TypeError", format!("{name}= takes True or False"))),
        }
    }

    pub(super) fn id(&mut self, name: &str) -> Result<AtomId, Raise> {
        let missing = format!("{}() needs an atom or its id", self.method);
        items::id(&self.take(name).ok_or_else(|| raise("TypeError", missing))?)
    }

    /// What is left over was not understood.
    pub(super) fn end(self) -> Result<(), Raise> {
        match (self.named.first(), self.positional.len()) {
            (Some((name, _)), _) => Err(raise(
                "TypeError",
                format!("{}() got an unexpected keyword argument '{name}'", self.method),
            )),
            (None, 0) => Ok(()),
            (None, _) => {
                Err(raise("TypeError", format!("{}() got too many arguments", self.method)))
            }
        }
    }
}
