//! Actors kept alive: one host of every actor, supervision, spaces and rights at hand, agents and
//! what their code can call.
//!
//! What is not here: decisions, which are pure and live in `stoa_actors`; and anything that prints,
//! reads the environment or ends the process, which only the command does.
//!
//! In reading order, each built on those before it alone: [`limits`] is every limit, and [`problem`]
//! the no that people see; [`host`] keeps actors alive, and [`runtime`] those of one data directory;
//! [`moment`] is a place in its past; `vectors` come from an embedder that is asked, and [`search`]
//! has the indexes of spaces; [`caller`] is what one session can do, and [`identity`] which asks; [`session`] is what its code can; [`agents`] are sessions that
//! live, thinking by a [`model`] and acting by code and [`tool`]s. `open` puts all of it together.
//! Besides, [`envelope`] is a space as a file, and [`trust`] says which directories count on this
//! machine.

pub mod agents;
pub mod caller;
pub mod envelope;
mod facts;
pub mod host;
pub mod identity;
pub mod limits;
mod lines;
pub mod model;
pub mod moment;
mod open;
pub mod problem;
pub mod runtime;
pub mod search;
pub mod session;
pub mod tool;
pub mod trust;
mod turnstile;
mod vectors;

pub use stoa_embedder as embedder;
pub use stoa_log::{audit, backup, clock, failure, part, store};
use stoa_log::{blocking, decoders, log};
#[doc(hidden)]
pub use stoa_log::{fault, order};
pub use stoa_sandbox as sandbox;

pub use lines::unified;
pub use open::kinds;
pub use vectors::VectorStatus;
