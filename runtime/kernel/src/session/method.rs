//! What code can call: methods of a space and of `coordinator`. Each says how it is called, and what
//! it does to what the session knows.

use super::args::Args;
use super::host_api::HostApi;
use crate::runtime::{Kinds, Part, Runtime};
use crate::sandbox::Boxed;
use std::sync::Arc;
use stoa_actors::code::{HostCall, Item, Raise};
use stoa_actors::id::SpaceId;

/// What a method is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub enum On {
    Space,
    /// The one `coordinator`.
    Coordinator,
}

/// What a call does to the world and to the session's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It looks, and what it is told of atoms is a base for changes.
    Looks,
    /// It looks; told one of these arguments, at something that is no base for a change.
    LooksUnless(&'static [&'static str]),
    /// It changes something.
    Writes,
}

/// How a call is answered.
pub type CallFuture<'a> = Boxed<'a, Result<Item, Raise>>;

/// One method that code of an agent can call.
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Method {
    pub on: On,
    /// What it is called.
    pub name: &'static str,
    /// What it takes, in order; behind `=` what stands for it where it is not said.
    pub takes: &'static [&'static str],
    /// What it does to the session.
    pub does: Does,
    pub call: for<'a> fn(&'a mut HostApi, SpaceId, Args) -> CallFuture<'a>,
}

impl Method {
    /// How it is called: `get(id, version=None)`.
    pub fn signature(&self) -> String {
        format!("{}({})", self.name, self.takes.join(", "))
    }

    /// The names of what it takes.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.takes.iter().map(|it| it.split('=').next().unwrap_or(it))
    }

    /// Whether what this call is told of atoms is a base for a change.
    pub fn is_base(&self, call: &HostCall) -> bool {
        let Does::LooksUnless(old) = self.does else { return true };
        let named = |it: &str| {
            let place = self.names().position(|name| name == it);
            place.is_some_and(|at| at < call.args.len())
                || call.kwargs.iter().any(|(key, _)| key == it)
        };
        !old.is_empty() && !old.iter().any(|it| named(it))
    }
}

/// What code can call in one runtime.
pub(crate) struct Methods(Arc<[&'static Method]>);

impl Part for Methods {}

impl Methods {
    pub(crate) fn of(runtime: &Runtime) -> Arc<[&'static Method]> {
        runtime.find_part::<Methods>().map(|it| it.0.clone()).unwrap_or_default()
    }
}

impl Kinds {
    /// Hands sessions what their code can call; without it there is nothing.
    #[must_use]
    pub fn callable(self, methods: impl IntoIterator<Item = &'static Method>) -> Kinds {
        self.part(Methods(methods.into_iter().collect()))
    }
}
