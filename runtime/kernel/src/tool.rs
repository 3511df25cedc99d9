//! Tools: what agents' code can call besides spaces, each by a right.
//!
//! A call leaves its intent in the log before it is made and its answer after. When the process
//! dies in between, whether it took effect is not known, and [`Tool::repeat`] says what to do.

use crate::sandbox::Boxed;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use stoa_actors::value::Value;

/// One call of a tool.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ToolCall {
    /// The same for the same call, also when it is made again: for tools that can tell.
    pub key: String,
    pub args: Vec<Value>,
    pub kwargs: BTreeMap<String, Value>,
}

/// What to do with a call whose outcome a crash has hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Make it again, with the same key: the tool takes care that it happens once, or it does not
    /// matter.
    SameKey,
    /// Do not: the code gets a `RuntimeError` that says so, and its agent decides.
    #[default]
    Ask,
}

/// Why there is no answer: a `RuntimeError` in the code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ToolError(pub String);

/// What agents with the right to it can call by its name.
pub trait Tool: Send + Sync + 'static {
    /// What it does and how it is called, for those who may.
    fn about(&self) -> &str;

    /// What becomes of a call that a crash cut off.
    fn repeat(&self) -> Repeat {
        Repeat::Ask
    }

    /// Makes one call. Dropping the future cancels it.
    fn call(&self, call: ToolCall) -> Boxed<'_, Result<Value, ToolError>>;
}

/// The tools of a runtime, by name; none unless they are given.
#[derive(Clone, Default)]
pub struct Tools(BTreeMap<String, Arc<dyn Tool>>);

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Tools {
    /// Adds a tool under a name; a second one takes its place.
    #[must_use]
    pub fn with(mut self, name: &str, tool: impl Tool) -> Tools {
        self.0.insert(name.to_owned(), Arc::new(tool));
        self
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.0.get(name).cloned()
    }
}
