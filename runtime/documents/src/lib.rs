//! Documents as they are found: HTML, manual pages, Markdown, reStructuredText, programs, plain text.
//!
//! [`DocumentKind`] tells what a text is, [`read`] makes a [`Document`] of it line by line, and [`passages`]
//! cuts that.

mod document;
mod html;
mod kind;
pub mod limits;
mod man;
mod passages;
mod prose;

pub use document::{Document, DocumentLine, Mark, Start};
pub use kind::DocumentKind;
pub use passages::{Passage, passages};

/// Reads a text of a kind; there is none that cannot be read.
pub fn read(text: &str, kind: DocumentKind) -> Document {
    match kind {
        DocumentKind::Html => html::read(text),
        DocumentKind::Man => man::read(text),
        DocumentKind::Markdown
        | DocumentKind::Restructured
        | DocumentKind::Code
        | DocumentKind::Plain => prose::read(text, kind),
    }
}
