//! Every setting and every limit of the runtime, in one table, with its unit and its default.
//!
//! The unit stands last in the name: `_bytes`, `_ms`, `_entries`. What a decision enforces is in
//! [`Limits`], and comes to it with the delivery. `runtime/tests/limits.rs` sees that nothing is
//! bounded in a place of its own.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `VALUE_BYTES_MAX` | `24 << 20` | what one stored value or frame decodes to at most |
//! | `STATE_BYTES_MAX` | `1 << 30` | a snapshot's state; one that is larger is replayed instead |
//! | `VALUE_DEPTH_MAX` | `32` | what is stored must be readable by every later build |
//! | `HEADER_BYTES` | `88` | the stored form of an entry |
//! | `SLOT_BYTES` | `4096` | the stored form of the witness |
//! | `RECORD_BYTES` | `48` | the stored form of the witness |
//! | `NOTE_BYTES` | `104` | the form of the scrub's note |
//! | `TOLD_SPACES_MAX` | `256` | spaces of which it is kept what they say to agents at every step |
//! | `TOLD_BYTES_MAX` | `16 << 10` | longer instructions are read for every thought |
//! | `TOLD_COMMITS_MAX` | `64` | commits in the store that are told of together, and that wait for it |
//! | `STRIDE_BYTES` | `64 << 10` | what a client takes or sends at once; no more is small |
//! | `SMALL_FACTOR` | `8` | which part of the door's room is kept for what is small |
//! | `SMALL_NOTE_BYTES` | `1 << 10` | a note that is taken in also over `notes_bytes_max` |
//! | `BATCH_ENTRIES` | `512` | entries of one batch while tables are derived anew |
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
//! | `LINE_BYTES_MAX` | `64 << 20` | the form of an export: one content, all of it escaped |
//! | `CARRY_BYTES_MAX` | `2 << 20` | what one entry of an import holds; one event at least |
//! | `YIELD_ENTRIES` | `16` | entries that a reading thread reads before others get a turn |
//! | `LOOK_ENTRIES` | `4_096` | entries after which one who looks on is told |
//! | `COLUMN_BYTES` | `160` | what a key of metadata counts towards `standing_bytes_max`, besides its name |
//! | `FACET_BYTES` | `160` | the same of a value, besides what it says |
//! | `POSTING_BYTES` | `8` | the same of one more atom that has it |
//! | `MISSED_MAX` | `256` | how many of the best a search tries before it looks at all |
//! | `STALE_PERCENT_MAX` | `25` | changed vectors of a segment before it is given up |
//! | `SEGMENT_FACTOR` | `4` | vectors of one segment, in those that it takes to begin one |
//! | `SEALED_BYTES` | `900` | what a vector takes in a segment |
//! | `LINE_BYTES` | `64` | the processor's: what comes from memory at once |
//! | `FEW_FACTOR` | `16` | when a search looks its atoms up in a word's list instead of walking it |
//! | `NEAR_MISSED_FACTOR` | `3` | how many of the best it tries, in those asked for, with segments |
//! | `ATOM_BYTES` | `512` | what an atom that is kept decoded takes besides what it says |
//! | `PASSED_MAX` | `32` | entries of others that reading a stream passes over |
//! | `BREACHES_MAX` | `100` | breaches listed by an audit; all are counted as one failure |
//! | `CHILDREN_MAX` | `65_536` | children of one supervisor; `seats_max` stays far below |
//! | `WORDS_BYTES_MAX` | `32 << 10` | how much of an atom its stored embedding speaks for |
//! | `TOKEN_BYTES_MAX` | `64` | what counts as a word |
//! | `WORD_CHARS_MAX` | `100` | what counts as a word in the embedding's vocabulary |
//! | `TEXT_BYTES_MAX` | `256` | longer metadata is indexed by its beginning and its hash |
//! | `NEAR_ENTRIES` | `64` | how far a moment is looked for one by one, from the end |
//! | `CLOCK_TOLD_MS` | `1_000` | a difference between the clocks that status tells |
//! | `SAID_BYTES_MAX` | `64` | a word that is compared with those there are |
//! | `PATH_BYTES_MAX` | `128` | a path into the maps of metadata that a condition asks for |
//! | `RANGE_BYTES_MAX` | `256` | so far an index keeps the order of texts |
//! | `COUNT_MAX` | `(1 << COUNT_BITS) - 1` | the layout of a posting |
//! | `SLOTS_MAX` | `1 << (u32::BITS - COUNT_BITS)` | the layout of a posting; atoms in one index |
//! | `HEADING_CHARS_MAX` | `160` | the form of a passage: what is said again with each |
//! | `TAG_BYTES_MAX` | `64 << 10` | what counts as a tag of HTML |
//! | `ENTITY_BYTES_MAX` | `33` | the longest name of a character in HTML has 31, `&` and `;` |
//! | `HEAD_BYTES` | `4 << 10` | how much of a text says what it is written in |
//! | `PROBE_BYTES` | `8 << 10` | how much of a file is read before it is told from a binary |
//! | `HIGH_PERCENT_MAX` | `15` | what counts as a text in Latin-1 |
//! | `CONTROL_PERMILLE_MAX` | `5` | what counts as a text |
//! | `PASSAGE_CHARS_MAX` | `1_200` | the form of a passage: with another every file is read anew |
//! | `BLANK_LINES_MAX` | `12` | the form of a passage |
//! | `NOTICE_CHARS_MAX` | `240` | the form of a passage: what counts as a notice of copyright |
//! | `DEPTH_MAX` | `6` | the form of a passage: headings above it |
//! | `CATALOGUE_ENTRIES` | `1_000` | the form of a space of sources: where its catalogue is |
//! | `FRAME_BYTES` | `64` | what something told takes on its way besides what it says |
//! | `LENGTH_BYTES` | `4` | the form of a frame of the socket |
//! | `LOOKED_MAX` | `10_000` | atoms that end alike, looked through for one that may be read |
//! | `FOLLOWERS_LOOKED_MAX` | `64` | followers of a space looked at to say whom a write wakes |
//! | `WROTE_SPACES_MAX` | `64` | spaces of one request of which it is said whom it wakes |
//! | `FAILING_MAX` | `10` | agents that fail which `status` lists |
//! | `FAILED_LOOKED_MAX` | `64` | agents that have failed last which it looks at for that |
//! | `INCIDENTS_MAX` | `256` | what goes wrong with agents and waits to be shown; the oldest goes |
//! | `WHY_BYTES` | `1 << 10` | what is kept of the reason of a failed turn: its end |
//! | `QUIET_WAIT` | `Duration::from_secs(1)` | how long a `spawn` waits before it says that it does |
//! | `WAITING_MAX` | `100` | atoms that wait and are looked at where nothing can be claimed |
//! | `NAMED_MAX` | `4` | ids that are named where an end fits several |
//! | `FRAME_BYTES_MAX` | `32 << 20` | the worker's protocol; the limits of an action are lower |
//! | `PREFIX_BYTES` | `4` | the worker's protocol |
//! | `ITEM_DEPTH_MAX` | `VALUE_DEPTH_MAX + 8` | the worker's protocol |
//! | `ENTRY_BYTES` | `8` | what an element of a collection counts towards a call's size |
//! | `FRAMING_BYTES` | `1 << 10` | the worker's protocol: what surrounds the content of an ending |
//! | `READ_BYTES` | `64 << 10` | one read of a worker's pipe |
//! | `LAST_WORDS_BYTES_MAX` | `4 << 10` | what is kept of a worker's last words |
//! | `WORKER_TOLD_BYTES_MAX` | `64 << 10` | what of a worker's words reaches diagnostics, in its life |
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
//! | `DOUBLED_MAX` | `16` | failures after which a wait is doubled no more |
//! | `DEBOUNCES_MAX` | `10` | what a debounce promises: how long nothing at most waits for a pause |
//! | `DIFF_MS_MAX` | `Duration::from_millis(500)` | how long the shortest of all diffs is looked for |
//! | `STAMPS_APART_ENTRIES` | `1_024` | how far a moment's last entry is looked for |
//! | `STAMPS_APART_MS` | `1_000` | the same, in time |
//! | `INDEX_LOOK` | `Duration::from_millis(500)` | how often who waits for an index hears how far it is |
//! | `SETTINGS_BYTES_MAX` | `64 << 10` | what counts as a file of settings |
//! | `FOLDERS_DEPTH_MAX` | `8` | the engine's: how deep its folders are, and more |
//! | `TRUST_BYTES_MAX` | `64 << 10` | what counts as a record of trust |
//! | `NUMBER_BYTES_MAX` | `32` | an embedder's protocol: one number of an answer |
//! | `AROUND_BYTES` | `64 << 10` | an embedder's protocol: what surrounds the numbers |
//! | `COMPLAINT_BYTES` | `4 << 10` | bytes of an endpoint's complaint that are read |
//! | `COMPLAINT_CHARS_MAX` | `300` | characters of it that are told on |
//! | `SHORT_TEXT_BYTES` | `2_000` | what is embedded of a text that is refused whole |
//! | `REFUSALS_MAX` | `64` | clients that are told at once that there is no place for them |
//! | `GOODBYE` | `Duration::from_millis(500)` | how long clients have to go when the owner stops |
//! | `FAREWELL` | `Duration::from_millis(200)` | how long one has to take in why |
//! | `WATCHDOG` | `Duration::from_millis(500)` | how long the process outlasts `shutdown_ms_max` |
//! | `NOTICES_MAX` | `16` | what one action is told besides its answers |
//! | `SHARE_FACTOR` | `4` | which part of an answer one atom of a list may take whole |
//! | `PREVIEW_BYTES` | `16 << 10` | what is shown of one that takes more |
//! | `ATOM_FRAME_BYTES` | `1 << 10` | what surrounds the content of an atom in an answer |
//! | `ORDER_KEYS_MAX` | `4` | keys of one order |
//! | `NEAREST_AMONG_MAX` | `1_000` | names that another is compared with, to tell which was meant |
//! | `RELATIONS_COUNTED_MAX` | `1_000` | relations of a space that are counted; of more it is looked up |
//! | `ELEMENTS_MAX` | `2 + 64` | fields of one case of a stored type |
//! | `OWN_KEY_BYTES_MAX` | `1 << 10` | the key of a row that a kind of actor keeps for itself |
//! | `DAY_MS` | `86_400_000` | a day |
//! | `SOCKET_PATH_BYTES_MAX` | `100` | the system's: 107 bytes fit |

mod embedding;
mod sources;
mod workers;

pub use embedding::EmbeddingConfig;
pub use sources::SourceLimits;
pub use workers::{ActionLimits, WorkersConfig};

use crate::fault::Faults;
use crate::model::Models;
use crate::order::Orders;
use crate::tool::Tools;
use std::path::{Path, PathBuf};
use stoa_actors::limits::Limits;
use stoa_actors::trust::HostGrants;

/// How a data directory is opened and what its actors may use.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory.
    pub data: PathBuf,
    /// What one mutation and one search may carry, and how far rights go.
    pub limits: Limits,
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
    /// Requests an actor takes in before askers wait.
    pub mailbox_messages_max: usize,
    /// Bytes of requests in all mailboxes together before askers wait, until they are answered; a
    /// request counts a kibibyte at least, one that is larger than this is taken in alone.
    pub mailbox_bytes_max: usize,
    /// How long an asker waits for room in a mailbox before it is told to come back.
    pub mailbox_wait_ms_max: u64,
    /// Incarnations that a request is offered to before its asker is told to come back.
    pub mailbox_deliveries_max: u32,
    /// Tries of a write whose actor was restarted meanwhile; its key makes them one.
    pub write_tries_max: u32,
    /// How long an actor may have nothing to do before it is let go; the next message brings it
    /// back.
    pub passivate_idle_ms: u64,
    /// Entries since its last snapshot from which on it leaves one behind then.
    pub passivate_snapshot_entries: u64,
    /// How long to wait, while there are too many seats, before those in use are looked at again.
    pub passivate_retry_ms: u64,
    /// Actors of spaces, sessions and own kinds at a time; past it the least recently used that
    /// have nothing to do are let go. Those in use may be more.
    pub seats_max: usize,
    /// Block cache of the store.
    pub cache_bytes: u64,
    /// Atoms that were read last, kept as they are decoded.
    pub atoms_bytes_max: u64,
    /// Journals of the store: bounds what an open after a crash replays.
    pub journal_bytes_max: u64,
    /// How long a second process tries to reach the owner of the directory.
    pub connect_ms_max: u64,
    /// How long it waits before it tries again.
    pub connect_retry_ms: u64,
    /// How often a client that waits for the store to open hears that it still does.
    pub opening_ms: u64,
    /// How often an owner that is at work on a request says so; well under `connect_ms_max`.
    pub working_ms: u64,
    /// Connections the owner serves at once.
    pub connections_max: usize,
    /// How long a connection may ask nothing, or be at asking, before it is closed.
    pub idle_ms_max: u64,
    /// The same once it was answered: who prints what it was told into a pager asks again later.
    pub idle_answered_ms_max: u64,
    /// The largest frame on the socket.
    pub frame_bytes_max: usize,
    /// Answers on their way to one client before the work for it waits.
    pub answers_max: usize,
    /// Bytes of answers and of the frames made of them that are on their way to clients, over all
    /// connections: at more of them the work for an answer waits, and who takes nothing goes
    /// (`stalled_ms_max`). Besides it is what was collected for one answer a connection, so
    /// `read_piece_bytes` or one atom. A caller in this process has as much for itself.
    pub answers_bytes_max: usize,
    /// Bytes of requests of more than 64 KiB that come in or are worked on, over all connections; at
    /// more of them the next is not read, and who sends nothing of what it has announced goes.
    pub requests_bytes_max: usize,
    /// How long a client may take nothing of what it is told, or send nothing of what it has
    /// announced, while others wait for the room that it holds: then it is closed.
    pub stalled_ms_max: u64,
    /// Changes handed to a watcher at once.
    pub watch_changes_max: usize,
    /// Entries of a stream looked through before a follower is told of those that pass.
    pub follow_entries_max: usize,
    /// Spaces that a model is told of with what each is for, and that code finds in `spaces`; a session
    /// may hold more, and `coordinator.space(NAME)` opens any of them.
    pub context_spaces_max: usize,
    /// Bytes of entries that are read together on behalf of somebody who follows, exports or looks
    /// back; one entry at least. Between two pieces others get their turn.
    pub read_piece_bytes: usize,
    /// Bytes of atoms that are collected for one answer, one atom at least; the answer says where to
    /// go on.
    pub answer_bytes_max: usize,
    /// Changes the code of an action gets in one answer.
    pub history_changes_max: usize,
    /// How far ahead of the wall clock the last entry of a log may set the host's when it is opened.
    pub clock_ahead_ms_max: u64,
    /// How long an orderly stop waits for actors before it kills them.
    pub stop_ms_max: u64,
    /// How long a stop may take in all; past it the store is left as after a crash.
    pub shutdown_ms_max: u64,
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
    /// Spaces with an index in memory; the one searched longest ago makes room for another.
    pub search_spaces_max: usize,
    /// Indexes of spaces as they were, of the moments that were searched last; with at most
    /// `search_atoms_max` atoms together.
    pub search_pasts_max: usize,
    /// Atoms in all indexes together, at about 1.5 KB each. The index of the space that is searched
    /// stays, alone if it must.
    pub search_atoms_max: usize,
    /// Vectors of a space that no segment covers from which on one is made, while nobody writes or
    /// searches; 0 is never.
    pub search_segment_atoms: usize,
    /// Memory of all segments, at about 0.9 KB a vector; past it the rest is scanned.
    pub search_segment_bytes_max: usize,
    /// Fewer vectors than this are scanned, also where segments cover them: it takes less time.
    pub search_scan_atoms: usize,
    /// How long nobody has written or searched before segments are made.
    pub search_idle_ms: u64,
    /// Atom versions that are indexed together when an index is made; in between others search.
    pub index_batch_atoms: usize,
    /// Bytes of their contents.
    pub index_batch_bytes: usize,
    /// The same while an index is caught up: so long a search waits, and not for all there is.
    pub index_follow_atoms: usize,
    /// How often writes are taken into the indexes of spaces that were searched lately.
    pub index_follow_ms: u64,
    /// How long after its last search a space is followed so.
    pub index_follow_for_ms: u64,
    /// A text up to this size is embedded at once; a longer one beside the tasks.
    pub embed_inline_bytes_max: usize,
    /// Who makes the vectors that searches go by.
    pub embedding: EmbeddingConfig,
    /// Versions of atoms that a session remembers; one that it has forgotten needs `if_version` or
    /// `force`.
    pub seen_atoms_max: usize,
    /// How long the rights of a session without a name outlast the longest action.
    pub nameless_ms: u64,
    /// What one action in Python may use up.
    pub action: ActionLimits,
    /// Workers that may die under one action of an agent, killed by somebody else, before the
    /// action ends as failed; until then it goes on where it stopped.
    pub worker_deaths_max: u32,
    /// The processes that run Python.
    pub workers: WorkersConfig,
    /// Who may think for agents.
    pub models: Models,
    /// How long a model may take for one thought.
    pub model_ms_max: u64,
    /// The question of a piece of research, in UTF-8 bytes.
    pub question_bytes_max: usize,
    /// Researchers of one piece of research.
    pub researchers_max: usize,
    /// How often somebody who looks on at one is told how far it is.
    pub research_look_ms: u64,
    /// Agents that look for news at the same time.
    pub looks_max: usize,
    /// The wait after a message between actors was not answered; it is doubled each time.
    pub outbox_wait_first_ms: u64,
    /// The longest of these waits.
    pub outbox_wait_ms_max: u64,
    /// The nearest in meaning that a claim is tried with first; then with as many as a search
    /// gives.
    pub claim_candidates: usize,
    /// Rows of what is due that the timer looks at together.
    pub due_rows_max: usize,
    /// How often the timer looks whether a right has expired.
    pub due_look_ms: u64,
    /// How long a space is left alone that could not record what is over.
    pub due_retry_ms: u64,
    /// What agents may call, if they are given the right to.
    pub tools: Tools,
    /// Whether tools, secrets and models that the log of this directory grants take effect here.
    /// They do not until somebody says that the directory is trusted on this machine:
    /// [`crate::trust::TrustStore::verdict`], or the program that made the directory itself.
    pub host_grants: HostGrants,
    /// Documents that are read into spaces.
    pub sources: SourceLimits,
    /// Writes that fail on demand; nothing can be asked of it without the feature `faults`.
    #[doc(hidden)]
    pub faults: Faults,
    /// In which sequence commits stand: this process alone decides that, unless it is shared.
    #[doc(hidden)]
    pub order: Orders,
}

impl Config {
    /// The defaults, for a directory.
    pub fn at(data: impl AsRef<Path>) -> Config {
        Config {
            data: data.as_ref().to_owned(),
            limits: Limits::default(),
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
            mailbox_messages_max: 1_024,
            mailbox_bytes_max: 64 << 20,
            mailbox_wait_ms_max: 10_000,
            mailbox_deliveries_max: 3,
            write_tries_max: 3,
            passivate_idle_ms: 60_000,
            passivate_snapshot_entries: 100,
            passivate_retry_ms: 20,
            seats_max: 4_096,
            cache_bytes: 32 << 20,
            atoms_bytes_max: 32 << 20,
            journal_bytes_max: 128 << 20,
            connect_ms_max: 5_000,
            connect_retry_ms: 15,
            opening_ms: 500,
            working_ms: 1_000,
            connections_max: 256,
            idle_ms_max: 30_000,
            idle_answered_ms_max: 600_000,
            frame_bytes_max: 64 << 20,
            answers_max: 64,
            answers_bytes_max: 128 << 20,
            requests_bytes_max: 128 << 20,
            stalled_ms_max: 1_000,
            watch_changes_max: 64,
            follow_entries_max: 1_000,
            context_spaces_max: 64,
            read_piece_bytes: 1 << 20,
            answer_bytes_max: 16 << 20,
            history_changes_max: 1_000,
            clock_ahead_ms_max: 3_600_000,
            stop_ms_max: 5_000,
            shutdown_ms_max: 10_000,
            restarts_max: 5,
            restarts_within_ms: 60_000,
            restart_backoff_ms: 10,
            restart_backoff_ms_max: 10_000,
            restart_healthy_ms: 30_000,
            search_spaces_max: 256,
            search_pasts_max: 4,
            search_atoms_max: 1_000_000,
            search_segment_atoms: 100_000,
            search_segment_bytes_max: 1 << 30,
            search_scan_atoms: 20_000,
            search_idle_ms: 2_000,
            index_batch_atoms: 1_024,
            index_batch_bytes: 8 << 20,
            index_follow_atoms: 64,
            index_follow_ms: 100,
            index_follow_for_ms: 60_000,
            embed_inline_bytes_max: 4 << 10,
            embedding: EmbeddingConfig::default(),
            seen_atoms_max: 10_000,
            nameless_ms: 60_000,
            action: ActionLimits::default(),
            worker_deaths_max: 8,
            workers: WorkersConfig::default(),
            models: Models::default(),
            model_ms_max: 600_000,
            question_bytes_max: 8 << 10,
            researchers_max: 64,
            research_look_ms: 100,
            looks_max: 64,
            outbox_wait_first_ms: 50,
            outbox_wait_ms_max: 5_000,
            claim_candidates: 64,
            due_rows_max: 1_024,
            due_look_ms: 60_000,
            due_retry_ms: 500,
            tools: Tools::default(),
            host_grants: HostGrants::Inert,
            sources: SourceLimits::default(),
            faults: Faults::default(),
            order: Orders::default(),
        }
    }
}
