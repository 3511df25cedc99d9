//! The arguments of one call from the code.

use super::items::{self, raise};
use super::method::Method;
use crate::clock::span_ms;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::value::Value;

/// The arguments of one call, by name.
pub struct Args {
    method: String,
    named: Vec<(String, Item)>,
}

impl Args {
    /// Those of a call of a method, by the names of what it takes.
    pub(super) fn bound(call: HostCall, method: &Method) -> Result<Args, Raise> {
        let HostCall { name, args, kwargs, .. } = call;
        let wrong = |what: String| {
            raise("TypeError", format!("{name}() {what}; it is called {}", method.signature()))
        };
        let (takes, most) = (method.takes.len(), method.names());
        if args.len() > takes {
            return Err(wrong(format!("takes {takes} arguments, and was given {}", args.len())));
        }
        let placed = args.len();
        let mut named: Vec<(String, Item)> = most.map(str::to_owned).zip(args).collect();
        for (key, item) in kwargs {
            match method.names().position(|it| it == key) {
                None => return Err(wrong(format!("got an unexpected keyword argument '{key}'"))),
                Some(place) if place < placed => {
                    return Err(wrong(format!("got '{key}' twice")));
                }
                Some(_) => named.push((key, item)),
            }
        }
        Ok(Args { method: name, named })
    }

    /// Those of a call that takes none.
    pub(super) fn none(call: HostCall) -> Result<(), Raise> {
        if call.args.is_empty() && call.kwargs.is_empty() {
            return Ok(());
        }
        Err(raise("TypeError", format!("{}() takes no arguments", call.name)))
    }

    /// The items of a dict, as arguments by name.
    pub fn of(method: &str, item: Item) -> Option<Args> {
        let named = match item {
            Item::Map(map) => map,
            Item::Value(Value::Map(map)) => {
                map.into_iter().map(|(key, it)| (key, Item::Value(it))).collect()
            }
            _ => return None,
        };
        Some(Args { method: method.to_owned(), named })
    }

    /// Whether it was said at all, `None` included.
    pub fn has(&self, name: &str) -> bool {
        self.named.iter().any(|(key, _)| key == name)
    }

    /// What is said, unless that is None.
    pub fn said(&mut self, name: &str) -> Option<Item> {
        self.take(name).filter(|it| *it != Item::Value(Value::Null))
    }

    /// Milliseconds, of a text like 90s or 10m, or of a number of seconds.
    pub fn span(&mut self, name: &str, default_ms: u64) -> Result<u64, Raise> {
        self.said(name).map_or(Ok(default_ms), |it| Args::span_of(name, it))
    }

    /// A time, as it is typed or in seconds.
    pub fn span_of(name: &str, item: Item) -> Result<u64, Raise> {
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

    /// Takes an argument out, whatever it is.
    pub fn take(&mut self, name: &str) -> Option<Item> {
        let at = self.named.iter().position(|(key, _)| key == name)?;
        Some(self.named.remove(at).1)
    }

    /// Takes a text.
    ///
    /// Errors: `TypeError` for anything else.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Raise> {
        match self.take(name) {
            None | Some(Item::Value(Value::Null)) => Ok(None),
            Some(Item::Value(Value::Text(text))) => Ok(Some(text)),
            Some(_) => Err(raise("TypeError", format!("{name}= takes a text"))),
        }
    }

    /// Takes a whole number that is not below zero.
    ///
    /// Errors: `TypeError` for anything else.
    pub fn number(&mut self, name: &str) -> Result<Option<u64>, Raise> {
        match self.take(name) {
            None | Some(Item::Value(Value::Null)) => Ok(None),
            Some(Item::Value(Value::Int(number))) if number >= 0 => Ok(Some(number as u64)),
            Some(_) => Err(raise("TypeError", format!("{name}= takes a whole number from 0 on"))),
        }
    }

    /// Takes a truth; not said is false.
    ///
    /// Errors: `TypeError` for anything else.
    pub fn truth(&mut self, name: &str) -> Result<bool, Raise> {
        match self.take(name) {
            None | Some(Item::Value(Value::Null)) => Ok(false),
            Some(Item::Value(Value::Bool(truth))) => Ok(truth),
            Some(_) => Err(raise("TypeError", format!("{name}= takes True or False"))),
        }
    }

    /// An atom, its id, or the end of one.
    pub(super) fn atom(&mut self) -> Result<Item, Raise> {
        let missing = format!("{}() needs an atom or its id", self.method);
        self.take("id").ok_or_else(|| raise("TypeError", missing))
    }

    /// A list of texts, or one.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, Raise> {
        let wrong = || raise("TypeError", format!("{name}= takes a list of texts"));
        match self.take(name).map(items::value).transpose()? {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Text(one)) => Ok(vec![one]),
            Some(Value::List(list)) => {
                list.iter().map(|it| it.text().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// What is left over was not understood.
    pub fn end(self) -> Result<(), Raise> {
        match self.named.first() {
            Some((name, _)) => Err(raise(
                "TypeError",
                format!("{}() got an unexpected keyword argument '{name}'", self.method),
            )),
            None => Ok(()),
        }
    }
}
