//! All that can be asked, one verb a file, and the socket that other processes ask it through.
//!
//! [`operation`] is what every surface makes of a verb, [`operations`] the verbs, [`answer`] what
//! they are answered with, [`status`] how a directory is, and [`door`] serves other processes.

pub mod answer;
mod ceiling;
pub mod door;
pub mod limits;
pub mod operation;
pub mod operations;
pub mod status;

pub use limits::DoorLimits;

use runtime::{Kinds, Runtime};
use stoa_kernel::limits::Config;
use stoa_log::failure::StoreError;

/// Every kind of actor that this build knows, and all that code can call.
pub fn kinds() -> Kinds {
    stoa_kernel::kinds().callable(operations::methods())
}

/// Opens a directory, made if it is not there, for this process alone; [`door::reach`] where others
/// may have it open.
///
/// Errors: as those of [`Runtime::open_with`], which also takes kinds of actor of your own.
pub async fn open(config: Config) -> Result<Runtime, StoreError> {
    Runtime::open_with(config, kinds()).await
}

// The rooms of the packages below, under their own names: `crate::caller` is the kernel's.
use stoa_kernel::{VectorStatus, unified};
use stoa_kernel::{agents, as_of, caller, envelope, host, live, problem, runtime, search, session};
use stoa_log::{audit, backup, blocking, clock, failure, store};
use stoa_research as research;
