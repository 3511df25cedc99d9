//! Documents as they are found: HTML, manual pages, Markdown, reStructuredText, programs, plain text.
//!
//! [`Kind`] tells what a text is, [`read`] makes a [`Document`] of it line by line, and [`passages`]
//! cuts that.

mod document;
mod html;
mod kind;
pub mod limits;
mod man;
mod passages;
mod prose;

pub use document::{Document, Line, Mark, Start};
pub use kind::Kind;
pub use passages::{Passage, passages};

/// Reads a text of a kind; there is none that cannot be read.
pub fn read(text: &str, kind: Kind) -> Document {
    match kind {
        Kind::Html => html::read(text),
        Kind::Man => man::read(text),
        Kind::Markdown | Kind::Restructured | Kind::Code | Kind::Plain => prose::read(text, kind),
    }
}
