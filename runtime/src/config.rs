//! Every setting and every limit of the runtime, in one table, with its unit and its default.

use crate::fault::Faults;
use std::path::{Path, PathBuf};
use stoa_actors::limits::Limits;

/// How a data directory is opened and what its actors may use.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory.
    pub data: PathBuf,
    /// What one mutation may carry.
    pub limits: Limits,
    /// Entries in one commit. More buys latency, no throughput.
    pub commit_entries_max: usize,
    /// Bytes of bodies in one commit.
    pub commit_bytes_max: usize,
    /// How long one commit may take before the store counts as failed.
    pub commit_ms_max: u64,
    /// Lazy entries that wait for a synced one before they are written anyway.
    pub lazy_entries_max: usize,
    /// Entries between two checkpoints of a running store: bounds the walk at the next open.
    pub checkpoint_entries: u64,
    /// Entries since the last checkpoint from which on an orderly stop makes one.
    pub checkpoint_stop_entries: u64,
    /// Requests an actor takes in before askers wait.
    pub mailbox_messages_max: usize,
    /// Bytes of requests in all mailboxes together before askers wait.
    pub mailbox_bytes_max: usize,
    /// How long an asker waits for room in a mailbox before it is told to come back.
    pub mailbox_wait_ms_max: u64,
    /// Block cache of the store.
    pub cache_bytes: u64,
    /// Journals of the store: bounds what an open after a crash replays.
    pub journal_bytes_max: u64,
    /// How long a second process tries to reach the owner of the directory.
    pub connect_ms_max: u64,
    /// Connections the owner serves at once.
    pub connections_max: usize,
    /// The largest frame on the socket.
    pub frame_bytes_max: usize,
    /// How long an orderly stop waits for actors before it kills them.
    pub stop_ms_max: u64,
    /// Restarts of one actor within the window before it is quarantined.
    pub restarts_max: u32,
    /// That window.
    pub restarts_within_ms: u64,
    /// Wait before the first restart; doubled with each.
    pub restart_backoff_ms: u64,
    /// The longest wait before a restart.
    pub restart_backoff_ms_max: u64,
    /// Uptime after which a restart counts as the first again.
    pub restart_healthy_ms: u64,
    /// Results of one search.
    pub search_results_max: usize,
    /// Spaces with an index in memory; the one searched longest ago makes room for another.
    pub search_spaces_max: usize,
    /// Atoms in all indexes together, at about 1.5 KB each. The index of the space that is searched
    /// stays, alone if it must.
    pub search_atoms_max: usize,
    /// How the worker for Python is started; nothing is this program itself.
    pub worker: Option<PathBuf>,
    /// Writes that fail on demand; nothing can be asked of it without the feature `faults`.
    #[doc(hidden)]
    pub faults: Faults,
}

impl Config {
    /// The defaults, for a directory.
    pub fn at(data: impl AsRef<Path>) -> Config {
        Config {
            data: data.as_ref().to_owned(),
            limits: Limits::default(),
            commit_entries_max: 512,
            commit_bytes_max: 1 << 20,
            commit_ms_max: 30_000,
            lazy_entries_max: 1_024,
            checkpoint_entries: 200_000,
            checkpoint_stop_entries: 2_000,
            mailbox_messages_max: 1_024,
            mailbox_bytes_max: 64 << 20,
            mailbox_wait_ms_max: 10_000,
            cache_bytes: 32 << 20,
            journal_bytes_max: 128 << 20,
            connect_ms_max: 5_000,
            connections_max: 256,
            frame_bytes_max: 24 << 20,
            stop_ms_max: 5_000,
            restarts_max: 5,
            restarts_within_ms: 60_000,
            restart_backoff_ms: 10,
            restart_backoff_ms_max: 10_000,
            restart_healthy_ms: 30_000,
            search_results_max: 1_000,
            search_spaces_max: 256,
            search_atoms_max: 1_000_000,
            worker: None,
            faults: Faults::default(),
        }
    }
}
