//! Spans on their way to an OpenTelemetry collector: OTLP over HTTP, in protobuf.
//!
//! What is sent is what [`SpanAnswer`](stoa_api::answer::SpanAnswer) says and nothing else. Headers,
//! which may hold a key, go to `https` or this machine only, and no redirect is followed.

mod collector;
mod fault;
mod headers;
pub mod limits;
mod otlp;

pub use collector::{Collector, Taken};
pub use fault::{CollectorError, SendFault};
pub use otlp::{ServiceResource, request};
