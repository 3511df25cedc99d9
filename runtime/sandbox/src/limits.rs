//! What Python may use up: one action, and the processes that run it.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `WORKER_TOLD_BYTES_MAX` | `64 << 10` | what of a worker's words reaches diagnostics, in its life |
//! | `FRAME_BYTES_MAX` | `32 << 20` | the worker's protocol; the limits of an action are lower |
//! | `PREFIX_BYTES` | `4` | the worker's protocol |
//! | `ITEM_DEPTH_MAX` | `VALUE_DEPTH_MAX + 8` | the worker's protocol |
//! | `ENTRY_BYTES` | `8` | what an element of a collection counts towards a call's size |
//! | `FRAMING_BYTES` | `1 << 10` | the worker's protocol: what surrounds the content of an ending |
//! | `READ_BYTES` | `64 << 10` | one read of a worker's pipe |
//! | `LAST_WORDS_BYTES_MAX` | `4 << 10` | what is kept of a worker's last words |
//! | `REAP` | `Duration::from_millis(250)` | how long a dead worker may take to be reaped |
//! | `COMPUTING_TICK` | `Duration::from_millis(5)` | how often a worker's memory is measured |
//! | `WAITING_TICK` | `Duration::from_millis(20)` | how often a worker looks for its parent |
//! | `OVERDUE_FACTOR` | `4` | the worker's own wall behind `compute_ms_max` |
//! | `CPU_FACTOR` | `4` | the kernel's wall behind `compute_ms_max` |
//! | `STACK_BYTES` | `256 << 20` | the parser recurses over the source |
//! | `PROGRAM_BYTES` | `64 << 20` | what a worker needs before any Python |
//! | `MAPPINGS_BYTES` | `1 << 30` | the same for mappings without data |
//! | `FILES_MAX` | `16` | files a worker may have open |
//! | `RETIRE_BYTES` | `64 << 20` | growth at which a worker asks to be replaced |
//! | `DAY_MS` | `86_400_000` | a day |

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What one action may use up. Everything has a limit; each error names the one it met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct ActionLimits {
    /// Source code; more is refused unread.
    pub source_bytes_max: usize,
    /// Time the code itself computes. Past it the action is stopped, at the latest by killing its
    /// worker `grace_ms` later.
    pub compute_ms_max: u64,
    /// Time all host calls of the action together may take.
    pub host_wait_ms_max: u64,
    pub host_calls_max: u32,
    /// Arguments of one host call, as they travel.
    pub call_bytes_max: usize,
    /// The answer to one host call, as it travels.
    pub answer_bytes_max: usize,
    /// What is kept of the printed text.
    pub printed_bytes_max: usize,
    /// What is kept of the `repr` of the last expression.
    pub value_bytes_max: usize,
    /// What is kept of a traceback.
    pub traceback_bytes_max: usize,
    /// The REPL's state between actions; past it the next action has a fresh one.
    pub dump_bytes_max: usize,
    /// Memory above what the worker had before the action.
    pub memory_bytes_max: usize,
    /// Nested Python calls.
    pub recursion_depth_max: usize,
}

impl Default for ActionLimits {
    fn default() -> Self {
        Self {
            source_bytes_max: 32 << 10,
            compute_ms_max: 5_000,
            host_wait_ms_max: 600_000,
            host_calls_max: 1_000,
            call_bytes_max: 1 << 20,
            answer_bytes_max: 4 << 20,
            printed_bytes_max: 64 << 10,
            value_bytes_max: 8 << 10,
            traceback_bytes_max: 16 << 10,
            dump_bytes_max: 4 << 20,
            memory_bytes_max: 128 << 20,
            recursion_depth_max: 1_000,
        }
    }
}

/// The worker processes a [`Workers`](crate::Workers) keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkersConfig {
    /// An executable that calls [`worker_main_if_asked`](crate::worker_main_if_asked) first thing;
    /// nothing is this program itself.
    pub worker: Option<PathBuf>,
    /// Actions at a time, hence processes.
    pub workers_max: usize,
    /// Actions that may wait for a free worker; more are refused.
    pub queue_actions_max: usize,
    /// Actions after which a worker is replaced, against slow leaks. With 1 every action has a
    /// process of its own, so that not even a broken interpreter carries over to another session,
    /// for some three milliseconds each.
    pub worker_actions_max: u32,
    /// Memory of one worker as the kernel counts it, above its stacks: the wall behind
    /// [`ActionLimits::memory_bytes_max`].
    pub worker_memory_bytes_max: u64,
    /// How long past its limit an action may take to stop by itself.
    pub grace_ms: u64,
}

impl WorkersConfig {
    /// Two workers of this executable: mostly `std::env::current_exe()`, asked for in `main`.
    pub fn new(worker: impl Into<PathBuf>) -> Self {
        Self { worker: Some(worker.into()), ..Self::default() }
    }
}

impl Default for WorkersConfig {
    /// Two workers of this program itself.
    fn default() -> Self {
        Self {
            worker: None,
            workers_max: 2,
            queue_actions_max: 256,
            worker_actions_max: 1_000,
            worker_memory_bytes_max: 512 << 20,
            grace_ms: 500,
        }
    }
}
