//! What bounds the log and its tables.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `SLOT_BYTES` | `4096` | the stored form of the witness |
//! | `RECORD_BYTES` | `48` | the stored form of the witness |
//! | `NOTE_BYTES` | `104` | the form of the scrub's note |
//! | `TOLD_COMMITS_MAX` | `64` | commits in the store that are told of together, and that wait for it |
//! | `BATCH_ENTRIES` | `512` | entries of one batch while tables are derived anew |
//! | `UNSORTED_IDS_MAX` | `1_024` | new ids that whoever looks for the end of one reads one by one |
//! | `SEAL_BYTES` | `72 << 20` | the engine's: its journal is sealed behind 64 MB |
//! | `FILL_BYTES` | `1 << 20` | one value of what fills a journal up |
//! | `FILL_ENTRIES` | `8` | of those in memory at a time |
//! | `SEALED_MS` | `10_000` | how long the engine may take to remove a journal |
//! | `ENGINE_LOOK` | `Duration::from_millis(1)` | how often it is looked what the engine has put away |
//! | `JOIN_LOOK` | `Duration::from_millis(1)` | how often it is looked whether the threads have ended |
//! | `ORDER_LOOK` | `Duration::from_millis(10)` | how often who waits for an order looks at the store |
//! | `SPARE_BYTES` | `16 << 20` | room that a purge leaves free |
//! | `LEAVE_ENTRIES` | `512` | versions of an erased atom that one commit looks at |
//! | `BATCH_BYTES` | `8 << 20` | the same in bytes, while a log is restored |
//! | `CHUNK_BYTES` | `1 << 20` | the form of a backup |
//! | `CHUNK_BYTES_MAX` | `CHUNK_BYTES + VALUE_BYTES_MAX + HEADER_BYTES + 8` | the form of a backup |
//! | `UNSYNCED_BYTES_MAX` | `4 << 20` | of a backup: what one sync of it makes others wait for |
//! | `PIECE_BYTES` | `1 << 20` | what a backup reads between two rests |
//! | `YIELD_ENTRIES` | `16` | entries that a reading thread reads before others get a turn |
//! | `LOOK_ENTRIES` | `4_096` | entries after which one who looks on is told |
//! | `ATOM_BYTES` | `512` | what an atom that is kept decoded takes besides what it says |
//! | `PASSED_MAX` | `32` | entries of others that reading a stream passes over |
//! | `BREACHES_MAX` | `100` | breaches listed by an audit; all are counted as one failure |
//! | `FOLDERS_DEPTH_MAX` | `8` | the engine's: how deep its folders are, and more |

use crate::fault::Faults;
use crate::order::Orders;
use std::path::{Path, PathBuf};

/// Which directory, and what its log may take.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// The data directory.
    pub data: PathBuf,
    /// Entries in one commit. More buys latency, no throughput.
    pub commit_entries_max: usize,
    /// Bytes in one commit: bodies, rows and states to come back to; one entry at least.
    pub commit_bytes_max: usize,
    /// Bytes on their way through the log, states to come back to included, from when they are decided
    /// until they are told: at more of them actors wait with what they are asked next. Over it goes
    /// what is decided in that moment, one entry a thread. At least two commits fit.
    pub log_bytes_max: usize,
    /// How long one commit may take before the store counts as failed.
    pub commit_ms_max: u64,
    /// How long the engine may take to write anything of what it was asked to put away.
    pub engine_ms_max: u64,
    /// Streams whose last number the log writer keeps in memory before it forgets them all.
    pub commit_streams_max: usize,
    /// Lazy entries that wait for a synced one before they are written anyway.
    pub lazy_entries_max: usize,
    /// Entries between two checkpoints of a running store: bounds the walk at the next open.
    pub checkpoint_entries: u64,
    /// Entries since the last checkpoint from which on an orderly stop makes one.
    pub checkpoint_stop_entries: u64,
    /// Bytes of the log that the scrub reads at once; one entry at least.
    pub scrub_piece_bytes: usize,
    /// How long it rests after each: with the piece this bounds what it takes from writers.
    pub scrub_pause_ms: u64,
    /// How long after a pass over the old log began the next begins.
    pub scrub_every_ms: u64,
    /// How often it looks whether something is due.
    pub scrub_look_ms: u64,
    /// How often it notes how far it came; more is walked again after a crash.
    pub scrub_note_ms: u64,
    /// How long a backup rests for its work, in percent, while somebody writes.
    pub backup_rest_percent: u32,
    /// Block cache of the store.
    pub cache_bytes: u64,
    /// Atoms that were read last, kept as they are decoded.
    pub atoms_bytes_max: u64,
    /// Journals of the store: bounds what an open after a crash replays.
    pub journal_bytes_max: u64,
    /// How far ahead of the wall clock the last entry of a log may set the host's when it is opened.
    pub clock_ahead_ms_max: u64,
    /// Writes that fail on demand; nothing can be asked of it without the feature `faults`.
    #[doc(hidden)]
    pub faults: Faults,
    /// In which sequence commits stand: this process alone decides that, unless it is shared.
    #[doc(hidden)]
    pub order: Orders,
}

impl LogConfig {
    /// The defaults, for a directory.
    pub fn at(data: impl AsRef<Path>) -> LogConfig {
        LogConfig {
            data: data.as_ref().to_owned(),
            commit_entries_max: 512,
            commit_bytes_max: 1 << 20,
            log_bytes_max: 64 << 20,
            commit_ms_max: 30_000,
            engine_ms_max: 30_000,
            commit_streams_max: 1 << 20,
            lazy_entries_max: 1_024,
            checkpoint_entries: 200_000,
            checkpoint_stop_entries: 2_000,
            scrub_piece_bytes: 256 << 10,
            scrub_pause_ms: 25,
            scrub_every_ms: 7 * 24 * 3_600 * 1_000,
            scrub_look_ms: 60_000,
            scrub_note_ms: 5_000,
            backup_rest_percent: 200,
            cache_bytes: 32 << 20,
            atoms_bytes_max: 32 << 20,
            journal_bytes_max: 128 << 20,
            clock_ahead_ms_max: 3_600_000,
            faults: Faults::default(),
            order: Orders::default(),
        }
    }
}
