//! The process that has a directory open, beside many who want something of it: it leaves nobody
//! waiting for another, takes a bounded room for each, and is gone in time when it is told to.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "owner/answers.rs"]
mod answers;
#[path = "owner/followers.rs"]
mod followers;
mod harness;
#[path = "owner/stopping.rs"]
mod stopping;
