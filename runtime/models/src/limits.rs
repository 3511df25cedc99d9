//! What bounds a reply of a model.
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
