//! What keeps stoa's actors alive.

pub mod sandbox;

pub use sandbox::worker_main_if_asked;
