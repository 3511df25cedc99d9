//! What keeps stoa's actors alive.
pub mod config;
pub mod failure;
pub mod kinds;
pub mod log;
pub mod store;
