//! What bounds the reading of documents.
//!
//! # What cannot be set
//!
//! A stored form, a protocol or a measurement rests on these, so they are constants where they are
//! used:
//!
//! | constant | value | why it is fixed |
//! |---|---|---|
//! | `HEADING_CHARS_MAX` | `160` | the form of a passage: what is said again with each |
//! | `TAG_BYTES_MAX` | `64 << 10` | what counts as a tag of HTML |
//! | `ENTITY_BYTES_MAX` | `33` | the longest name of a character in HTML has 31, `&` and `;` |
//! | `HEAD_BYTES` | `4 << 10` | how much of a text says what it is written in |
//! | `PASSAGE_CHARS_MAX` | `1_200` | the form of a passage: with another every file is read anew |
//! | `BLANK_LINES_MAX` | `12` | the form of a passage |
//! | `NOTICE_CHARS_MAX` | `240` | the form of a passage: what counts as a notice of copyright |
//! | `DEPTH_MAX` | `6` | the form of a passage: headings above it |
