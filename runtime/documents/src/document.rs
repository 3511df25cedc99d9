//! A document as lines: what every reader of a format makes, and what passages are cut from.

/// A document, line by line as in its file.
///
/// The law that citations rest on: `lines[i]` is line `i + 1` of the file (of the unpacked one, if
/// it is packed) without its markup, and blank if it held nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What it calls itself, if it does.
    pub title: Option<String>,
    /// Its lines, every one.
    pub lines: Vec<DocumentLine>,
}

/// One line, without markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentLine {
    /// What it says.
    pub text: String,
    /// Where something begins in it, in order.
    pub marks: Vec<Mark>,
}

/// Something begins here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Mark {
    /// The byte of the text before which it does.
    pub at: usize,
    pub what: Start,
}

/// What can begin within a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A paragraph, an item, a definition: a passage may begin here.
    Block,
    /// A section: a passage does begin here.
    Section {
        /// 1 for the widest.
        level: u8,
        /// What stands above it.
        heading: String,
    },
}

/// Longer headings are cut: they are said again with each of their passages.
const HEADING_CHARS_MAX: usize = 160;

impl Document {
    /// The text of a line of the file, counted from 1, without markup.
    pub fn line(&self, number: usize) -> Option<&str> {
        self.lines.get(number.checked_sub(1)?).map(|line| &*line.text)
    }

    pub(crate) fn last(&mut self) -> &mut DocumentLine {
        if self.lines.is_empty() {
            self.lines.push(DocumentLine::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    /// A whole line at once.
    pub(crate) fn push(&mut self, text: impl Into<String>, start: Option<Start>) {
        let marks = start.map(|what| Mark { at: 0, what }).into_iter().collect();
        self.lines.push(DocumentLine { text: text.into(), marks });
    }
}

/// A heading on one line and of bounded length.
pub(crate) fn heading(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(HEADING_CHARS_MAX) {
        line.truncate(end);
    }
    line
}

/// The lines of a file, as every tool counts them: `\n` ends one, a `\r` before it is no part.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))
}
