//! Actors kept alive: one host of every actor, supervision, spaces and rights at hand, agents and
//! what their code can call.
//!
//! What is not here: decisions, which are pure and live in `stoa_actors`; and anything that prints,
//! reads the environment or ends the process, which only the command does.
//!
//! In reading order: [`limits`] is every limit; [`runtime`] opens a data directory, [`caller`] is
//! what one session can do in it, [`search`] how it finds, [`session`] what its code can;
//! [`agents`] are sessions that live, thinking by a [`model`] and acting by code and [`tool`]s;
//! [`seat`] is the address of an actor, [`kinds`] which there are; [`moment`] is a place in the past;
//! [`envelope`] is a space as a file; [`trust`] says which directories count on this machine;
//! [`identity`] is who asks, and [`problem`] the no that people see.

pub mod agents;
pub mod caller;
mod due;
pub mod envelope;
mod face;
mod facts;
mod host;
pub mod identity;
pub mod kinds;
pub mod limits;
mod lines;
pub mod model;
pub mod moment;
mod news;
mod post;
pub mod problem;
pub mod runtime;
pub mod search;
pub mod seat;
mod seats;
pub mod session;
pub mod tool;
mod tree;
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
pub use vectors::VectorStatus;
