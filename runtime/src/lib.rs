//! What keeps stoa's actors alive.
pub mod clock;
pub mod config;
pub mod embedder;
mod face;
pub mod failure;
mod host;
pub mod kinds;
mod log;
pub mod runtime;
pub mod search;
pub mod seat;
pub mod store;
mod tree;
pub mod audit;
pub mod caller;
pub mod door;
pub mod problem;
