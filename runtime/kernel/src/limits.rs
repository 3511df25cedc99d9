//! Every setting and every limit of the runtime, in one table, with its unit and its default.
//!
//! The unit stands last in the name: `_bytes`, `_ms`, `_entries`. What a decision enforces is in
//! [`Limits`], and comes to it with the delivery. Each package has such a file;
//! `runtime/tests/limits.rs` sees that nothing is bounded in a place of its own.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `WROTE_SPACES_MAX` | `64` | spaces of one request of which it is said whom it wakes |
//! | `FOLLOWERS_LOOKED_MAX` | `64` | followers of a space looked at to say whom a write wakes |
//! | `INCIDENTS_MAX` | `256` | what goes wrong with agents and waits to be shown; the oldest goes |
//! | `DEFERRED_MS` | `3_000` | a shorter wait for a model is told to nobody |
//! | `TOLD_SPACES_MAX` | `256` | spaces of which it is kept what they say to agents at every step |
//! | `TOLD_BYTES_MAX` | `16 << 10` | longer instructions are read for every thought |
//! | `BRIEFED_SPACES_MAX` | `32` | spaces that a model is told of without asking |
//! | `DESCRIPTION_BYTES_MAX` | `16 << 10` | what it is told of one of them |
//! | `READ_FACTOR` | `2` | windows of what an agent went through that are read from a log of before windows |
//! | `KEPT_BYTES_MAX` | `64 << 20` | what all agents went through that is kept while they do nothing |
//! | `FOUND_FACTOR` | `16` | the part of a window for what is found for one turn |
//! | `LOOKS_MAX` | `16` | how often it is looked up what an agent has not heard, before it is told later |
//! | `HEARD_FACTOR` | `4` | the part of a window for what is said to an agent in many lines |
//! | `HEARD_ENTRIES` | `256` | entries that are looked through for it |
//! | `WANTED_BYTES_MAX` | `1 << 10` | what is searched for at the beginning of a turn |
//! | `WINDOW_BYTES` | `64 << 10` | the window of a model that says nothing of its own |
//! | `LAST_KEPT_FACTOR` | `3` | the same of the last step alone |
//! | `SUMMARY_FACTOR` | `6` | the part of a window for a summary |
//! | `KEPT_FACTOR` | `6` | the part of a window that stays as it was when it is made anew |
//! | `DIGEST_FACTOR` | `16` | the part of a window for a summary that no model makes |
//! | `OWED_IN_SPACE_MAX` | `64` | what an agent owes of one kind in one space |
//! | `SAID_ENTRIES` | `512` | how far back what is not answered is looked for |
//! | `LINE_BYTES_MAX` | `64 << 20` | the form of an export: one content, all of it escaped |
//! | `CARRY_BYTES_MAX` | `2 << 20` | what one entry of an import holds; one event at least |
//! | `SEGMENT_FACTOR` | `4` | vectors of one segment, in those that it takes to begin one |
//! | `NEAR_ENTRIES` | `64` | how far a moment is looked for one by one, from the end |
//! | `LOOKED_MAX` | `10_000` | atoms that end alike, looked through for one that may be read |
//! | `NEAREST_AMONG_MAX` | `1_000` | names that a misspelt one is compared with |
//! | `NAMED_MAX` | `4` | ids that are named where an end fits several |
//! | `DIFF_MS_MAX` | `Duration::from_millis(500)` | how long the shortest of all diffs is looked for |
//! | `STAMPS_APART_ENTRIES` | `1_024` | how far a moment's last entry is looked for |
//! | `STAMPS_APART_MS` | `1_000` | the same, in time |
//! | `TRUST_BYTES_MAX` | `64 << 10` | what counts as a record of trust |
//! | `SHORT_TEXT_BYTES` | `2_000` | what is embedded of a text that is refused whole |
//! | `NOTICES_MAX` | `16` | what one action is told besides its answers |
//! | `SHARE_FACTOR` | `4` | which part of an answer one atom of a list may take whole |
//! | `PREVIEW_BYTES` | `16 << 10` | what is shown of one that takes more |
//! | `ATOM_FRAME_BYTES` | `1 << 10` | what surrounds the content of an atom in an answer |

pub use stoa_embedder::EmbeddingConfig;
pub use stoa_log::LogConfig;
pub use stoa_sandbox::{ActionLimits, WorkersConfig};

use crate::clock::RunOrigin;
use crate::model::Models;
use crate::tool::Tools;
use std::path::Path;
use stoa_actors::limits::Limits;
use stoa_actors::trust::HostGrants;

/// How a data directory is opened and what its actors may use.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Config {
    /// Its log: which directory, and what bounds it.
    pub log: LogConfig,
    /// What one mutation and one search may carry, and how far rights go.
    pub limits: Limits,
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
    /// How long to wait, while there are too many addresses, before those in use are looked at again.
    pub passivate_retry_ms: u64,
    /// Actors of spaces, sessions and own kinds at a time; past it the least recently used that
    /// have nothing to do are let go. Those in use may be more.
    pub addresses_max: usize,
    /// Changes handed to a watcher at once.
    pub watch_changes_max: usize,
    /// Entries of a stream looked through before a follower is told of those that pass.
    pub follow_entries_max: usize,
    /// Agents at rest that are remembered by somebody who reads what agents did as spans.
    pub traced_agents_max: usize,
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
    /// How long an orderly stop waits for actors before it kills them.
    pub stop_ms_max: u64,
    /// How long a stop may take in all; past it the store is left as after a crash.
    pub shutdown_ms_max: u64,
    /// Restarts of one actor within the window before it is quarantined.
    pub restarts_max: u32,
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
    /// How long a model may take for one thought. A model of a provider has limits of its own, which are
    /// shorter.
    pub model_ms_max: u64,
    /// Agents that look for news at the same time.
    pub looks_max: usize,
    /// Bytes of what one model is saying that are held for those who look on; who reads more slowly
    /// misses some of it.
    pub live_bytes_max: usize,
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
    /// What a new log begins with, so that a run is told again with the same ids; by chance where
    /// nothing is said. One that has begun goes on as it is.
    pub origin: Option<RunOrigin>,
}

impl Config {
    /// The defaults, for a directory.
    pub fn at(data: impl AsRef<Path>) -> Config {
        Config {
            log: LogConfig::at(data),
            limits: Limits::default(),
            mailbox_messages_max: 1_024,
            mailbox_bytes_max: 64 << 20,
            mailbox_wait_ms_max: 10_000,
            mailbox_deliveries_max: 3,
            write_tries_max: 3,
            passivate_idle_ms: 60_000,
            passivate_snapshot_entries: 100,
            passivate_retry_ms: 20,
            addresses_max: 4_096,
            watch_changes_max: 64,
            follow_entries_max: 1_000,
            traced_agents_max: 4_096,
            context_spaces_max: 64,
            read_piece_bytes: 1 << 20,
            answer_bytes_max: 16 << 20,
            history_changes_max: 1_000,
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
            model_ms_max: 700_000,
            looks_max: 64,
            live_bytes_max: 16 << 10,
            outbox_wait_first_ms: 50,
            outbox_wait_ms_max: 5_000,
            claim_candidates: 64,
            due_rows_max: 1_024,
            due_look_ms: 60_000,
            due_retry_ms: 500,
            tools: Tools::default(),
            host_grants: HostGrants::Inert,
            origin: None,
        }
    }
}
