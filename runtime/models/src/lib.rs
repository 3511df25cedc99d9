//! Models over HTTP: how providers are spoken to, and what becomes of it when they fail.
//!
//! The protocols are pure functions of bytes, in [`wire`]. A reply is complete, or it is one typed
//! [`Fault`](fault::Fault): nothing that is half said is ever acted upon.
//!
//! In reading order: [`request`] and [`reply`] are what is asked and said, whoever the provider is;
//! [`wire`] makes bytes of one and the other of bytes; [`config`] is what people write, and where keys
//! are; [`pace`] is how fast a provider is asked; [`provider`] is the connection; [`cassette`] keeps what
//! went over it, and answers in its place; [`conversation`] makes a request of what a model is told, and a
//! thought of its reply; [`model`] hands it to agents.

pub mod cassette;
pub mod config;
pub mod conversation;
pub mod fault;
pub mod limits;
pub mod model;
pub mod pace;
#[cfg(not(feature = "http"))]
#[path = "no_provider.rs"]
pub mod provider;
#[cfg(feature = "http")]
pub mod provider;
pub mod reply;
pub mod request;
pub mod wire;
