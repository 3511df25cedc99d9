//! Every limit that a decision enforces, with its unit last and its default.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `WHY_BYTES` | `1 << 10` | what is kept of the reason of a failed turn: its end |
//! | `VALUE_BYTES_MAX` | `24 << 20` | what one stored value or frame decodes to at most |
//! | `STATE_BYTES_MAX` | `1 << 30` | a snapshot's state; one that is larger is replayed instead |
//! | `VALUE_DEPTH_MAX` | `32` | what is stored must be readable by every later build |
//! | `HEADER_BYTES` | `88` | the stored form of an entry |
//! | `OWED_FACTOR` | `4` | the part of a window that what an agent owes may take |
//! | `WOKEN_FACTOR` | `8` | the part of a window that what has woken it may take |
//! | `TOLD_TOGETHER_MAX` | `20` | comments of words that are told together |
//! | `COMMENT_BYTES` | `512` | what a comment counts at most in what an agent went through |
//! | `OBSERVATION_FACTOR` | `4` | the part of a window that is shown of one observation |
//! | `UNUSABLE_BYTES_MAX` | `4 << 10` | what a model is told of why its reply is not acted upon |
//! | `CLOSING_MAX` | `64` | fences looked at for the one that closes a block of code |
//! | `WAIT_MS_MAX` | `86_400_000` | no provider is waited for longer at a time: a day |
//! | `FLOOR_FACTOR` | `10` | the shortest waits between two requests to a provider that says a moment each time |
//! | `SPREAD_FACTOR` | `4` | the part of a wait that one agent may come back later than another |
//! | `SPREAD_MS_MAX` | `60_000` | the most of it |
//! | `SPREAD_OF_MS` | `1_000` | what is spread where a provider names no wait |
//! | `PART_BYTES` | `64` | what something counts that a model says, besides its text |
//! | `PIECE_BYTES` | `1 << 10` | what is said at once, and goes at once where there is no room |
//! | `SMALL_NOTE_BYTES` | `1 << 10` | a note that is taken in also over `notes_bytes_max` |
//! | `COLUMN_BYTES` | `160` | what a key of metadata counts towards `standing_bytes_max`, besides its name |
//! | `FACET_BYTES` | `160` | the same of a value, besides what it says |
//! | `POSTING_BYTES` | `8` | the same of one more atom that has it |
//! | `MISSED_MAX` | `256` | how many of the best a search tries before it looks at all |
//! | `STALE_PERCENT_MAX` | `25` | changed vectors of a segment before it is given up |
//! | `LINE_BYTES` | `64` | the processor's: what comes from memory at once |
//! | `FEW_FACTOR` | `16` | when a search looks its atoms up in a word's list instead of walking it |
//! | `NEAR_MISSED_FACTOR` | `3` | how many of the best it tries, in those asked for, with segments |
//! | `CHILDREN_MAX` | `65_536` | children of one supervisor; `addresses_max` stays far below |
//! | `WORDS_BYTES_MAX` | `32 << 10` | how much of an atom its stored embedding speaks for |
//! | `TOKEN_BYTES_MAX` | `64` | what counts as a word |
//! | `TEXT_BYTES_MAX` | `256` | longer metadata is indexed by its beginning and its hash |
//! | `SAID_BYTES_MAX` | `64` | a word that is compared with those there are |
//! | `PATH_BYTES_MAX` | `128` | a path into the maps of metadata that a condition asks for |
//! | `RANGE_BYTES_MAX` | `256` | so far an index keeps the order of texts |
//! | `COUNT_MAX` | `(1 << COUNT_BITS) - 1` | the layout of a posting |
//! | `SLOTS_MAX` | `1 << (u32::BITS - COUNT_BITS)` | the layout of a posting; atoms in one index |
//! | `DOUBLED_MAX` | `16` | failures after which a wait is doubled no more |
//! | `DEBOUNCES_MAX` | `10` | what a debounce promises: how long nothing at most waits for a pause |
//! | `ORDER_KEYS_MAX` | `4` | keys of one order |
//! | `NEAREST_AMONG_MAX` | `1_000` | names that another is compared with, to tell which was meant |
//! | `RELATIONS_COUNTED_MAX` | `1_000` | relations of a space that are counted; of more it is looked up |
//! | `ELEMENTS_MAX` | `2 + 64` | fields of one case of a stored type |
//! | `OWN_KEY_BYTES_MAX` | `1 << 10` | the key of a row that a kind of actor keeps for itself |

use serde::{Deserialize, Serialize};

/// What one mutation may carry. Over a limit is a refusal that names it; nothing is cut silently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Limits {
    /// Content of one atom.
    pub content_bytes_max: usize,
    /// Annotation of one atom.
    pub annotation_bytes_max: usize,
    /// Metadata of one atom, keys and values.
    pub metadata_bytes_max: usize,
    /// Dimensions of an embedding that comes with an atom.
    pub embedding_dims_max: usize,
    /// References of one atom.
    pub references_max: usize,
    /// Atoms that are looked at to tell whether a reference closes a circle of a relation that is
    /// declared acyclic.
    pub acyclic_atoms_max: usize,
    /// A relation's name, a metadata key or an alias.
    pub name_bytes_max: usize,
    pub comment_bytes_max: usize,
    /// A space's description.
    pub description_bytes_max: usize,
    /// Keys and relations that one space declares.
    pub declarations_max: usize,
    /// An idempotency key.
    pub key_bytes_max: usize,
    /// Durable subscriptions of one space.
    pub subscriptions_max: usize,
    /// Of these, those of one session.
    pub subscriber_subscriptions_max: usize,
    /// How long a subscription may wait for a pause before it tells.
    pub debounce_ms_max: u64,
    /// Mutations of one transaction, and leases that it may rest on.
    pub transaction_mutations_max: usize,
    /// Leases of one space, those included whose end is not recorded yet.
    pub leases_max: usize,
    /// Conditions of claims that a space follows; what matches another one is looked up anew.
    pub standing_sets_max: usize,
    /// What a space keeps in memory to look that up: sets of what matches, an eighth of a byte an
    /// atom each, and as much again for who says what. Besides it 24 bytes an atom.
    pub standing_bytes_max: usize,
    /// How long a lease may last from when it is got or renewed.
    pub lease_ms_max: u64,
    /// Leases whose end one entry records.
    pub expire_leases_max: usize,
    /// Atoms whose attempts are used up that one claim puts out of the way.
    pub exhausted_atoms_max: usize,
    /// What a lease is for, in UTF-8 bytes.
    pub intent_bytes_max: usize,
    /// The name of a leased resource, in UTF-8 bytes.
    pub resource_bytes_max: usize,
    /// Comments quoted in one wake; the count beyond them is exact.
    pub wake_comments_max: usize,
    /// What one agent may do and take.
    pub session: SessionLimits,
    /// Entries of a stream between two snapshots of its state, at least: a state that is larger
    /// than what was written since the last waits until it is not. So snapshots take no more room
    /// than the log, and a load reads no more after one than the state itself.
    pub snapshot_entries: u64,
    /// Who may do what.
    pub rights: RightsLimits,
    pub search: SearchLimits,
}

/// What bounds the rights actor. Each has a refusal of its own; what was given under a higher
/// limit stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsLimits {
    /// Live links to one holder: each child costs its parent one.
    pub links_per_holder_max: usize,
    /// Aliases in one holder's table.
    pub names_per_holder_max: usize,
    /// Rights asked for in one spawn.
    pub asks_per_spawn_max: usize,
    /// Links from a right to its origin, both ends counted.
    pub chain_links_max: usize,
    /// Sessions from one to the root, itself not counted.
    pub ancestors_max: usize,
    /// UTF-8 bytes of a reason.
    pub reason_bytes_max: usize,
    /// UTF-8 bytes of an alias, and of the name of a tool, secret or model.
    pub name_bytes_max: usize,
}

impl Default for RightsLimits {
    fn default() -> Self {
        RightsLimits {
            links_per_holder_max: 200_000,
            names_per_holder_max: 200_000,
            asks_per_spawn_max: 64,
            chain_links_max: 64,
            ancestors_max: 64,
            reason_bytes_max: 1 << 10,
            name_bytes_max: 128,
        }
    }
}

/// What bounds one search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct SearchLimits {
    pub hits_max: usize,
    /// UTF-8 bytes of the text searched for.
    pub text_bytes_max: usize,
    /// Metadata keys, also those in conditions, and relations.
    pub conditions_max: usize,
}

impl Default for SearchLimits {
    fn default() -> Self {
        SearchLimits { hits_max: 1_000, text_bytes_max: 32 << 10, conditions_max: 100 }
    }
}

/// What one agent may do and take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct SessionLimits {
    /// A task, in UTF-8 bytes.
    pub task_bytes_max: usize,
    /// Atoms of its instructions that a model is told.
    pub instructions_max: usize,
    /// Spaces an agent follows.
    pub follows_max: usize,
    /// Actions of one turn.
    pub turn_steps_max: u32,
    /// One turn, from its first thought on; looked at when an action ends.
    pub turn_ms_max: u64,
    /// What a model says at once, words and code.
    pub thought_bytes_max: usize,
    /// What is kept of what an action printed.
    pub observation_bytes_max: usize,
    /// Calls of one action that are noted: above what the sandbox lets it make.
    pub notes_max: usize,
    /// What these notes take in memory: they are in the session's state while the action runs. At
    /// more of it only what is small is noted, so at most a kibibyte a note more.
    pub notes_bytes_max: usize,
    /// Words that wait to be told to a model which is being asked; one more is told in the next turn.
    pub steered_max: usize,
    /// Reactions in a row before a chain is parked.
    pub hops_max: u16,
    /// Bytes of a summary of what came before; of a longer one that is the end.
    pub summary_bytes_max: usize,
    /// How often a thought is asked for whose model gives no answer, where that may pass.
    pub model_tries_max: u32,
    /// The wait before a model is asked again, where its provider names none; doubled each time.
    pub deferral_first_ms: u64,
    /// The longest of these waits.
    pub deferral_ms_max: u64,
    /// Failed turns within the window before an agent is quarantined.
    pub failures_max: u32,
    pub failures_within_ms: u64,
    /// The wait after the first failed turn; doubled with each.
    pub backoff_first_ms: u64,
    /// The longest wait after a failed turn.
    pub backoff_ms_max: u64,
    /// The rest after a turn that changed nothing; doubled with each in a row.
    pub rest_first_ms: u64,
    /// The longest rest.
    pub rest_ms_max: u64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        SessionLimits {
            task_bytes_max: 64 << 10,
            instructions_max: 100,
            follows_max: 1_000,
            turn_steps_max: 64,
            turn_ms_max: 600_000,
            thought_bytes_max: 256 << 10,
            observation_bytes_max: 32 << 10,
            notes_max: 2_048,
            notes_bytes_max: 16 << 20,
            steered_max: 16,
            hops_max: 64,
            summary_bytes_max: 16 << 10,
            model_tries_max: 4,
            deferral_first_ms: 1_000,
            deferral_ms_max: 60_000,
            failures_max: 3,
            failures_within_ms: 600_000,
            backoff_first_ms: 250,
            backoff_ms_max: 30_000,
            rest_first_ms: 50,
            rest_ms_max: 30_000,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            content_bytes_max: 8 << 20,
            annotation_bytes_max: 16 << 10,
            embedding_dims_max: 4_096,
            metadata_bytes_max: 64 << 10,
            references_max: 1_000,
            acyclic_atoms_max: 10_000,
            name_bytes_max: 256,
            comment_bytes_max: 4 << 10,
            description_bytes_max: 64 << 10,
            declarations_max: 256,
            key_bytes_max: 256,
            subscriptions_max: 10_000,
            subscriber_subscriptions_max: 100,
            debounce_ms_max: 86_400_000,
            transaction_mutations_max: 256,
            leases_max: 100_000,
            standing_sets_max: 64,
            standing_bytes_max: 32 << 20,
            lease_ms_max: 30 * 86_400_000,
            expire_leases_max: 256,
            exhausted_atoms_max: 256,
            intent_bytes_max: 1 << 10,
            resource_bytes_max: 1 << 10,
            wake_comments_max: 20,
            session: SessionLimits::default(),
            snapshot_entries: 1_000,
            rights: RightsLimits::default(),
            search: SearchLimits::default(),
        }
    }
}
