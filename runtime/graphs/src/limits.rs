//! What bounds a graph over vectors.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `SEALED_BYTES` | `900` | what a vector takes in a segment |
