//! What bounds the command line.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `QUIET_WAIT` | `Duration::from_secs(1)` | how long a `spawn` waits before it says that it does |
//! | `TRIES_MAX` | `4` | how often in a row it is asked again by who does not follow |
//! | `LOOK` | `Duration::from_secs(1)` | how often who sends traces looks for what is new |
//! | `LOST_MAX` | `25` | how often in a row whoever has the directory is asked again without anything sent |
//! | `LOST_WAIT` | `Duration::from_millis(200)` | how long is waited before that |
//! | `HANDING_ON` | `Duration::from_millis(500)` | how long who is at work has when a follower that serves them is interrupted |
//! | `LOOKED_BYTES` | `1 << 20` | answers that are looked through for what completes a word |
//! | `PATIENCE_MS` | `Duration::from_millis(2_000)` | how long a shell that completes waits at most |
//! | `RETYPED_BYTES_MAX` | `400` | longer than any command that somebody types again from the screen |
//! | `SETTINGS_BYTES_MAX` | `64 << 10` | what counts as a file of settings |
//! | `WATCHDOG` | `Duration::from_millis(500)` | how long the process outlasts `shutdown_ms_max` |
