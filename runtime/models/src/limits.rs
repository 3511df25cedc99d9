//! What bounds a request to a model and its reply.
//!
//! # What cannot be set
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `LINE_BYTES_MAX` | `1 << 20` | one line of a stream |
//! | `EVENT_BYTES_MAX` | `4 << 20` | one event of it: several lines of data |
//! | `REPLY_BYTES_MAX` | `16 << 20` | all of it, as it comes |
//! | `SHOWN_BYTES` | `200` | what is shown of bytes that are not understood |
//! | `TEXT_BYTES_MAX` | `500` | what is told of a fault |
//! | `WAIT_S_MAX` | `24.0 * 3_600.0` | longer waits are not taken from a header |
//! | `WAIT_SECONDS_MAX` | `86_400.0` | a day: what can be configured to be waited for |
//! | `KEY_BYTES_MAX` | `64 << 10` | what a file or a command may say that has a key |
//! | `COMMAND_MS_MAX` | `10_000` | until a command has said one |
//! | `BLOCKS_BYTES_MAX` | `128 << 10` | what is kept of a reply as its provider wants it back |
//! | `OUTPUT_MAX` | `8_192` | tokens that a model may say at once, where nothing is configured |
//! | `SAID_BYTES_MAX` | `1 << 20` | words and arguments of a reply that are read |
//! | `TOKEN_BYTES` | `3` | bytes of a token, where nothing was counted |
//! | `UNUSABLE_BYTES` | `4 << 10` | what is kept of a reply that cannot be used |
//! | `ID_BYTES_MAX` | `256` | the names that a server has for a reply and for who made it |
//! | `COUNT_MAX` | `1 << 48` | what a server counts, so that sums of it are never too large |
//! | `OWED_MINUTES_MAX` | `10.0` | what one request may take of the minutes that follow it |
//! | `BESIDES_MS` | `30_000` | what a thought may take besides the waits of its provider |
//! | `COMPLAINT_BYTES` | `64 << 10` | what is read of an answer that is no reply |
//! | `USAGE_MS_MAX` | `2_000` | until a server that has said all says what it took |
//! | `CASSETTE_BYTES_MAX` | `256 << 20` | what one cassette holds |
//! | `LIST_BYTES_MAX` | `4 << 20` | what is read of a list of models |

/// How long a provider is waited for, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderWaits {
    /// Until it takes the connection.
    pub connect_ms: u64,
    /// Until it answers at all, and from then until the first byte of the reply.
    pub first_ms: u64,
    /// Between two pieces of a reply. Comments and pings are signs of life.
    pub gap_ms: u64,
    /// Until the reply is complete.
    pub total_ms: u64,
    /// Until a request may be sent, by what the provider is asked for at most.
    pub queue_ms: u64,
}

impl Default for ProviderWaits {
    fn default() -> Self {
        ProviderWaits {
            connect_ms: 5_000,
            first_ms: 120_000,
            gap_ms: 60_000,
            total_ms: 600_000,
            queue_ms: 30_000,
        }
    }
}
