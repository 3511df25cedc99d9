//! An actor runtime in which agents and spaces are supervised actors, and coordination is nothing but
//! content in spaces: one durable log, one host of every actor, supervision, permissions, Python in
//! worker processes, and a door for other processes.
//!
//! [`prelude`] is what most programs need; the [`guide`] shows how to build on it. Beneath are
//! packages that can be read alone: `log` is what is durable, `embedder` who makes vectors,
//! `sandbox` where Python runs, `kernel` the actors, `api` what can be asked, `documents` and
//! `research` an application of them, `models` the models of providers, `traces` what sends spans to a
//! collector, `cli` the command.
//!
//! Features: `cli` (the command; a library needs none), `http` (models and embedders over HTTP), `otel`
//! (traces to a collector, from the command), `python` (the interpreter that agents act by), `vectors`
//! (search by meaning). All are on by default.

#[doc = include_str!("guide.md")]
pub mod guide {}
pub mod prelude;

pub use stoa_actors as actors;
#[doc(hidden)]
pub use stoa_api::operation;
pub use stoa_api::{answer, door, open, operations, status};
pub use stoa_documents as documents;
pub use stoa_kernel::embedder;
pub use stoa_kernel::sandbox::worker_main_if_asked;
pub use stoa_kernel::{VectorStatus, unified};
pub use stoa_kernel::{
    agents, atomic_file, audit, backup, caller, clock, envelope, failure, identity, live, model,
    problem, sandbox, session, store, tool, trust,
};
#[doc(hidden)]
pub use stoa_kernel::{fault, order};
pub use stoa_models as models;
pub use stoa_research as research;

/// Which kinds of actor there are.
pub mod kinds {
    pub use stoa_kernel::runtime::Kinds;
}

/// A moment in the past of a directory.
pub mod as_of {
    pub use stoa_kernel::as_of::Moment;
}

/// The address of an actor: how it is asked, and what does for it what it wants done.
pub mod host {
    pub use stoa_kernel::host::*;
}

/// What is found in spaces, and the indexes that find it.
pub mod search {
    pub use stoa_kernel::caller::{Found, Looked, SearchPage};
    pub use stoa_kernel::search::*;
}

/// Every limit, with its default.
pub mod config {
    pub use stoa_api::limits::DoorLimits;
    pub use stoa_kernel::limits::*;
    pub use stoa_research::limits::{ResearchLimits, SourceLimits};
}

/// An open data directory and all that lives in it.
pub mod runtime {
    pub use stoa_api::kinds;
    pub use stoa_kernel::runtime::*;
}
