//! What bounds it.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `SETTINGS_BYTES_MAX` | `64 << 10` | what counts as a file of settings |
//! | `WATCHDOG` | `Duration::from_millis(500)` | how long the process outlasts `shutdown_ms_max` |
