//! What stoa's actors *are*: the contract between a decision and its host, and the decisions of
//! spaces, rights and supervisors.
//!
//! In reading order: [`id`], [`value`], [`atom`], [`rights`], [`supervisor`];
//! [`mutant`] is for the tests.

pub mod atom;
pub mod behaviour;
pub mod code;
pub mod codec;
pub mod id;
pub mod incarnation;
pub mod limits;
pub mod log;
pub mod mutant;
pub mod rights;
pub mod supervisor;
pub mod value;
