//! What keeps stoa's actors alive: one durable log, one host of every actor, supervision, spaces
//! and rights at hand, Python in worker processes, and a door for other processes.
//!
//! What is not here: decisions, which are pure and live in `stoa_actors`; and anything that prints,
//! reads the environment or ends the process, which only the binary does.
//!
//! In reading order: [`config`] is every limit; [`runtime`] opens a data directory, [`caller`] is
//! what one session can do in it, [`search`] how it finds, by the meaning that [`embedder`] gives
//! words, [`research`] how documents become something to find, [`session`] what its code can;
//! [`agents`] are sessions that live, thinking by a [`model`] and acting by code and [`tool`]s;
//! [`seat`] is the address of an actor; [`store`] is what is durable, [`moment`] where it was at a
//! time, [`audit`] proves it, and [`backup`] copies it; [`envelope`] is a space as a file, and a
//! [`part`] one that is not yet whole; [`sandbox`] runs Python; [`door`] serves other processes;
//! [`operations`] is all that can be asked, each in one file, [`answer`] what is told, and
//! [`operation`] what every surface makes of both;
//! [`trust`] says which directories count on this machine;
//! [`problem`] and [`failure`] are the two kinds of no. The [`guide`] shows how to build on it.

pub mod agents;
pub mod answer;
pub mod audit;
pub mod backup;
mod blocking;
pub mod caller;
pub mod clock;
pub mod config;
pub mod door;
mod due;
pub mod embedder;
pub mod envelope;
mod face;
mod facts;
pub mod failure;
#[doc(hidden)]
pub mod fault;
#[doc = include_str!("guide.md")]
pub mod guide {}
mod host;
pub mod kinds;
mod lines;
mod log;
pub mod model;
pub mod moment;
mod news;
pub mod operation;
pub mod operations;
#[doc(hidden)]
pub mod order;
pub mod part;
mod post;
pub mod problem;
pub mod research;
pub mod runtime;
pub mod sandbox;
pub mod search;
pub mod seat;
mod seats;
pub mod session;
pub mod store;
pub mod tool;
mod tree;
pub mod trust;
mod turnstile;
mod vectors;

pub use lines::unified;
pub use sandbox::worker_main_if_asked;
pub use vectors::VectorStatus;
