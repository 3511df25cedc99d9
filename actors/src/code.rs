//! Code as the way to act: what a runner of an agent's Python promises, apart from any interpreter.

use crate::value::Value;
use serde::{Deserialize, Serialize};

/// A value that crosses between agent code and its host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum Item {
    Value(Value),
    /// Raw bytes (`bytes` in Python).
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    /// An object of the host. The code can hold it and call it, never make one: `handle` is looked
    /// up on the host's side, `fields` are what it may read without asking.
    Object(Object),
    /// A list that may hold objects.
    List(Vec<Item>),
    /// A mapping, in its own order, that may hold objects.
    Map(Vec<(String, Item)>),
}

/// A host object as the code sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Its class's name, for `repr` and tracebacks: `Space`, `Atom`.
    pub class: String,
    /// The capability: an unforgeable number.
    pub handle: u128,
    /// Attributes readable without a host call.
    pub fields: Vec<(String, Item)>,
}

impl Object {
    /// The value of an attribute by its name.
    pub fn field(&self, name: &str) -> Option<&Item> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, item)| item)
    }
}

/// One thing the code asks of its host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct HostCall {
    /// The object called, or nothing for a plain function.
    pub on: Option<u128>,
    /// The method or function. `__getattr__` asks for an attribute the object did not bring, with its
    /// name as the one positional argument; `AttributeError` says that there is none.
    pub name: String,
    pub args: Vec<Item>,
    pub kwargs: Vec<(String, Item)>,
}

/// What goes back into the code as an exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    /// A built-in exception: `PermissionError`, `ValueError`, `KeyError`, `LookupError`, …; or
    /// `Conflict`, which agents know as one.
    pub class: String,
    /// What went wrong and what to do.
    pub message: String,
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActionEnd {
    /// It ran through. The value of its last expression, `repr`ed, if it was one and not `None`.
    Done {
        /// `repr` of the last expression.
        value: Option<String>,
    },
    /// An exception nobody caught, a limit, or a worker that died; the traceback as CPython prints it.
    Failed {
        /// The exception's class, or `TimeoutError`, `MemoryError`, `SystemError` for limits and deaths.
        class: String,
        /// The traceback, ending in `Class: message`.
        traceback: String,
    },
}

/// One action and all that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionOutcome {
    /// How it ended.
    pub ending: ActionEnd,
    /// What it printed, cut at the limit with a line saying so.
    pub printed: String,
    /// The REPL for the next action: the one after this, or the one before when this had to be taken
    /// back; nothing when it could not be kept, and the next begins anew.
    #[serde(with = "serde_bytes")]
    pub dump: Option<Vec<u8>>,
    /// What the next action should be told about its REPL: why it is fresh, for instance.
    pub notice: Option<String>,
}
