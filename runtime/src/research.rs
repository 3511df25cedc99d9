//! Research: real documents as atoms of a space, to be found and cited.
//!
//! In reading order: `walk` turns paths into files; `source` reads one, and `kind` tells
//! what it is; `html`, `man` and `prose` make a `document` of it, line by line, and
//! `passages` cuts that; `known` is what a space says of it already, `plan` what of it is
//! new; `desk` writes that for one file, `ingest` for all.
//!
//! The law of it: line `i` of a passage's text (from 0) is line `first + i` of its file without
//! the markup, so whoever is told `[file:line]` finds there what was quoted.
//!
//! What is not here: who reads the passages, and what is asked of them.

mod desk;
mod document;
mod html;
mod ingest;
mod kind;
mod known;
mod man;
mod passages;
mod plan;
mod prose;
mod source;
mod walk;

pub use document::{Document, Line, Mark, Start};
pub use ingest::{Ingested, Progress, ingest};
pub use kind::Kind;
pub use passages::{Passage, passages};
pub use source::document;
pub use walk::{Reason, Skipped};
