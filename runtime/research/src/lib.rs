//! `stoa research`: a question answered from documents, each sentence with the line it stands on.
//!
//! `run` has agents answer from the passages of a space, `attempt` brings them up, `report` is what is
//! told of it. The rest makes such passages of real documents.
//!
//! In reading order: `walk` turns paths into files; `source` reads one as a document, which
//! `stoa_documents` cuts into passages; `known` is what a space says of it already, `plan` what of it is
//! new; `writer` writes that for one file, `ingest` for all.
//!
//! The law of it: line `i` of a passage's text (from 0) is line `first + i` of its file without
//! the markup, so whoever is told `[file:line]` finds there what was quoted.
//!
//! Where a model writes the answer, `draft` reads what it has written, `holds` decides whether lines
//! hold a sentence, `places` reads these lines, and `review` makes an answer of it or sends it back.
//!
//! What is not here: how an answer is found. That is in the texts that the agents are given.

mod attempt;
mod draft;
mod holds;
mod ingest;
mod ingest_writer;
mod known;
pub mod limits;
mod places;
mod plan;
mod report;
mod review;
mod run;
mod source;
mod texts;
mod walk;

pub use ingest::{IngestProgress, Ingested, ingest};
pub use limits::{ResearchLimits, SourceLimits};
pub use report::{AnswerSentence, AnswerSource, Citation, Report, ResearchStep};
pub use run::{READS, RESEARCH, ResearchAsk, research};
pub use source::document;
pub use walk::{Reason, Skipped};

// The rooms of the packages below, under their own names: `crate::caller` is the kernel's.
use stoa_kernel::{agents, caller, model, problem};
use stoa_log::{blocking, failure};
