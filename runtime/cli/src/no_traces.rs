//! A build that sends no traces.

use clap::ArgMatches;
use stoa_api::door::Identity;
use stoa_api::operation::AnyOperation;
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};

/// Says which build does.
pub(super) async fn send(
    _: Config,
    _: Identity,
    _: &'static AnyOperation,
    _: (&ArgMatches, &str),
    _: bool,
) -> Result<(), Problem> {
    let text = "this build sends no traces: it was built without the feature otel";
    Err(Problem::new(ProblemKind::Invalid, text).hint("cargo build --release --features otel"))
}
