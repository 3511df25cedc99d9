//! An answer as people are shown it: pieces of data, and what each is. Which colour that is, how wide
//! the terminal is and what it must not obey is for whoever prints it.

use super::table::{TableRow, TextTable};
use super::times::Times;
use std::path::{Path, PathBuf};

/// What a piece of a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// What the eye looks for first.
    Bold,
    /// What is not the point.
    Dim,
    /// It goes well.
    Good,
    /// It waits, or wants a look.
    Warn,
    /// It has failed, or is out of use.
    Bad,
    /// It was not there before.
    New,
}

/// A line that is put together from pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<(Tone, String)>);

impl Line {
    /// One without anything.
    pub fn new() -> Line {
        Line::default()
    }

    /// With a piece behind it.
    #[must_use]
    pub fn piece(mut self, tone: Tone, text: impl ToString) -> Line {
        self.0.push((tone, text.to_string()));
        self
    }

    /// With plain text behind it.
    #[must_use]
    pub fn plain(self, text: impl ToString) -> Line {
        self.piece(Tone::Plain, text)
    }

    /// With what the eye looks for.
    #[must_use]
    pub fn bold(self, text: impl ToString) -> Line {
        self.piece(Tone::Bold, text)
    }

    /// With what is not the point.
    #[must_use]
    pub fn dim(self, text: impl ToString) -> Line {
        self.piece(Tone::Dim, text)
    }
}

/// One part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// One line, whatever the data in it holds.
    Line(Line),
    /// Text with the lines that it has; nothing is added.
    Text(String),
    /// The same; its last line has an end in any case.
    Lines(String),
    /// A line of a text as it is in it.
    Verbatim(Tone, String),
    /// More of what is being said: nothing is added, and the next words go on in the same line.
    Words(Tone, String),
    /// A line about the answer: to standard error.
    Aside(Line),
    /// One of several lines of the same columns.
    Row(TableRow),
    /// What is said besides of the line above.
    Detail(Line),
    /// Text that is read: a terminal breaks its lines at words.
    Prose(String),
}

/// An answer for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Its parts, in order.
    pub blocks: Vec<Block>,
    /// Whether code is shown whole; else its first line stands for it.
    pub code: bool,
    here: PathBuf,
    times: Times,
}

impl Page {
    /// One for somebody who works in this directory.
    pub fn at(here: PathBuf) -> Page {
        Page { here, ..Page::default() }
    }

    /// With times told so.
    #[must_use]
    pub fn with_times(self, times: Times) -> Page {
        Page { times, ..self }
    }

    /// A time of an answer as its reader is told it.
    pub fn time(&self, time: &str) -> String {
        self.times.told(time)
    }

    /// A path as its reader would type it.
    pub fn near(&self, path: &str) -> String {
        let near = Path::new(path).strip_prefix(&self.here).map(|it| it.display().to_string());
        near.ok().filter(|it| !it.is_empty()).unwrap_or_else(|| path.to_owned())
    }

    /// Adds one line to the answer.
    pub fn line(&mut self, line: Line) {
        self.blocks.push(Block::Line(line));
    }

    /// One line of plain text.
    pub fn plain(&mut self, text: impl ToString) {
        self.line(Line::new().plain(text));
    }

    /// Text with the lines that it has.
    pub fn text(&mut self, text: impl ToString) {
        self.blocks.push(Block::Text(text.to_string()));
    }

    /// The same; its last line has an end in any case.
    pub fn lines(&mut self, text: impl ToString) {
        self.blocks.push(Block::Lines(text.to_string()));
    }

    /// A line of a text as it is in it, all of one tone.
    pub fn verbatim(&mut self, tone: Tone, text: impl ToString) {
        self.blocks.push(Block::Verbatim(tone, text.to_string()));
    }

    /// More of what is being said.
    pub fn words(&mut self, tone: Tone, text: impl ToString) {
        self.blocks.push(Block::Words(tone, text.to_string()));
    }

    /// One line of a table.
    pub fn row<const N: usize>(&mut self, table: &'static TextTable, cells: [Line; N]) {
        self.blocks.push(Block::Row(TableRow::new(table, cells.into())));
    }

    /// One line of a tree, so many branches from its top.
    pub fn branch<const N: usize>(
        &mut self,
        table: &'static TextTable,
        depth: u32,
        cells: [Line; N],
    ) {
        self.blocks.push(Block::Row(TableRow { depth, ..TableRow::new(table, cells.into()) }));
    }

    /// What is said besides of the line above.
    pub fn detail(&mut self, line: Line) {
        self.blocks.push(Block::Detail(line));
    }

    /// Text that is read; its last line has an end in any case.
    pub fn prose(&mut self, text: impl ToString) {
        self.blocks.push(Block::Prose(text.to_string()));
    }

    /// A line about the answer.
    pub fn aside(&mut self, line: Line) {
        self.blocks.push(Block::Aside(line));
    }
}
