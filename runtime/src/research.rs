//! `stoa research`: a question answered from documents, each sentence with the line it stands on.
//!
//! `run` has agents answer from the passages of a space, `report` is what is told of it. The rest
//! makes such passages of real documents.
//!
//! In reading order: `walk` turns paths into files; `source` reads one, and `kind` tells
//! what it is; `html`, `man` and `prose` make a `document` of it, line by line, and
//! `passages` cuts that; `known` is what a space says of it already, `plan` what of it is
//! new; `desk` writes that for one file, `ingest` for all.
//!
//! The law of it: line `i` of a passage's text (from 0) is line `first + i` of its file without
//! the markup, so whoever is told `[file:line]` finds there what was quoted.
//!
//! What is not here: how an answer is found. That is in the texts that the agents are given.

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
mod report;
mod run;
mod source;
mod texts;
mod walk;

pub use document::{Document, Line, Mark, Start};
pub use ingest::{Ingested, Progress, ingest};
pub use kind::Kind;
pub use passages::{Passage, passages};
pub use report::{Citation, Doing, How, Report};
pub use run::ResearchAsk;
pub use source::document;
pub use walk::{Reason, Skipped};
