//! What bounds the socket.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `FAILED_LOOKED_MAX` | `64` | agents that have failed last which it looks at for that |
//! | `FAILING_MAX` | `10` | agents that fail which `status` lists |
//! | `STRIDE_BYTES` | `64 << 10` | what a client takes or sends at once; no more is small |
//! | `SMALL_FACTOR` | `8` | which part of the door's room is kept for what is small |
//! | `CLOCK_TOLD_MS` | `1_000` | a difference between the clocks that status tells |
//! | `FRAME_BYTES` | `64` | what something told takes on its way besides what it says |
//! | `LENGTH_BYTES` | `4` | the form of a frame of the socket |
//! | `WAITING_MAX` | `100` | atoms that wait and are looked at where nothing can be claimed |
//! | `LOOK` | `Duration::from_millis(10)` | how soon who waits for room looks again at least, where nobody is waited for |
//! | `INDEX_LOOK` | `Duration::from_millis(500)` | how often who waits for an index hears how far it is |
//! | `ORIGINS_MAX` | `1_000` | atoms that one answer says the origin of |
//! | `REFUSALS_MAX` | `64` | clients that are told at once that there is no place for them |
//! | `GOODBYE` | `Duration::from_millis(500)` | how long clients have to go when the owner stops |
//! | `FAREWELL` | `Duration::from_millis(200)` | how long one has to take in why |
//! | `TAIL_MAX` | `10_000` | spans that are held for one answer, so that they can be told as trees |
//! | `TAIL_CONTENT_MAX` | `100` | the same where what was said is told |
//! | `SOCKET_PATH_BYTES_MAX` | `100` | the system's: 107 bytes fit |

/// How many clients a door serves at a time, how long it waits for one, and what they may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorLimits {
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
}

impl Default for DoorLimits {
    fn default() -> Self {
        DoorLimits {
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
        }
    }
}
