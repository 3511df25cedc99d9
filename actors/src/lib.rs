//! What stoa's actors *are*: the contract between a decision and its host, and the decisions of
//! spaces, rights and supervisors. Nothing here has a clock, a file, a thread, chance or a log
//! line: those arrive as arguments, so that everything can be simulated.
//!
//! In reading order: [`id`], [`value`], [`atom`], [`rights`], [`supervisor`];
//! [`mutant`] is for the tests.

pub mod atom;
pub mod code;
pub mod id;
pub mod mutant;
pub mod rights;
pub mod supervisor;
pub mod value;
