//! Actors kept alive: one host of every actor, supervision, spaces and rights at hand, agents and
//! what their code can call.
//!
//! What is not here: decisions, which are pure and live in `stoa_actors`; and anything that prints,
//! reads the environment or ends the process, which only the command does.
//!
//! In reading order, each built on those before it alone: [`live`] is what models are
//! saying, [`model`] who thinks for agents, and [`tool`] what they can be given; [`limits`] is every limit; [`problem`] the no that people see;
//! [`envelope`] a space as a file; [`host`] keeps actors alive, and [`runtime`] those of one data
//! directory; [`as_of`] is a place in its past; `vectors` come from an embedder that is asked, and
//! [`search`] has the indexes of spaces; [`caller`] is what one session can do, and [`identity`] which
//! one asks; [`session`] is what its code can; [`agents`] are sessions that live. `open` puts all of it
//! together. Apart from it [`trust`] says which directories count on this machine.

pub mod agents;
pub mod as_of;
pub mod caller;
mod diff;
pub mod envelope;
mod facts;
pub mod host;
pub mod identity;
mod keyed_lock;
pub mod limits;
pub mod live;
pub mod model;
mod open;
pub mod problem;
pub mod runtime;
pub mod search;
pub mod session;
pub mod tool;
pub mod trust;
mod vectors;

pub use stoa_embedder as embedder;
pub use stoa_log::{atomic_file, audit, backup, clock, failure, store};
use stoa_log::{blocking, decoders, log};
#[doc(hidden)]
pub use stoa_log::{fault, order};
pub use stoa_sandbox as sandbox;

pub use diff::unified;
pub use open::kinds;
pub use vectors::VectorStatus;
