//! Where everything that is printed goes: the one place that decides how.
//!
//! A program that reads a pipe or a file gets data exactly, byte for byte. A person at a terminal
//! sees every character of what agents and files have written, and the terminal obeys none of them.
//! Colours come from here alone, so nothing that looks like one can be part of the data.

use super::again;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use stoa_actors::printable;
use stoa_runtime::operation::{Block, Line, Page, Tone};

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Program,
    Terminal,
}

/// Standard output or standard error, locked.
pub(crate) struct Screen {
    to: Box<dyn Write>,
    reader: Reader,
    colours: bool,
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Bold => Style::new().bold(),
        Tone::Dim => Style::new().dimmed(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Warn => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default(),
    }
}

impl Screen {
    /// Data.
    pub(crate) fn out() -> Screen {
        let to = io::stdout();
        let colours = AutoStream::choice(&to) != ColorChoice::Never;
        let reader = if to.is_terminal() { Reader::Terminal } else { Reader::Program };
        Screen { to: Box::new(to.lock()), reader, colours }
    }

    /// What is said about it. It is for people, wherever it goes: nothing in it is obeyed.
    pub(crate) fn aside() -> Screen {
        let to = io::stderr();
        let colours = AutoStream::choice(&to) != ColorChoice::Never;
        Screen { to: Box::new(to.lock()), reader: Reader::Terminal, colours }
    }

    /// An answer; what is said about it goes to standard error.
    pub(crate) fn page(&mut self, page: Page) -> io::Result<()> {
        for block in page.blocks {
            match block {
                Block::Line(line) => self.line(line)?,
                Block::Text(text) => self.text(&text)?,
                Block::Lines(text) => self.whole_lines(&text)?,
                Block::Verbatim(tone, text) => self.text_in(style(tone), &text)?,
                Block::Aside(line) => {
                    self.flush()?;
                    let carried = |(tone, text): (Tone, String)| (tone, again::in_text(&text));
                    let line = Line(line.0.into_iter().map(carried).collect());
                    drop(Screen::aside().line(line));
                }
            }
        }
        Ok(())
    }

    /// One line, whatever the data in it holds.
    pub(crate) fn line(&mut self, line: Line) -> io::Result<()> {
        for (tone, text) in &line.0 {
            let style = style(*tone);
            let text = match self.reader {
                Reader::Terminal => printable::one_line(text),
                Reader::Program if text.contains(['\n', '\r']) => {
                    Cow::Owned(text.replace(['\n', '\r'], " "))
                }
                Reader::Program => Cow::Borrowed(text.as_str()),
            };
            match self.colours && style != Style::new() {
                true => write!(self.to, "{style}{text}{style:#}")?,
                false => write!(self.to, "{text}")?,
            }
        }
        self.to.write_all(b"\n")
    }

    /// Text with the lines that it has.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        match self.reader {
            Reader::Program => self.to.write_all(text.as_bytes()),
            Reader::Terminal => self.to.write_all(printable::lines(text).as_bytes()),
        }
    }

    /// The same; its last line has an end in any case.
    pub(crate) fn whole_lines(&mut self, text: &str) -> io::Result<()> {
        self.text(text)?;
        if text.ends_with('\n') { Ok(()) } else { self.to.write_all(b"\n") }
    }

    /// A line of a text, as it is in it, in a style of ours.
    fn text_in(&mut self, style: Style, text: &str) -> io::Result<()> {
        let style = if self.colours { style } else { Style::new() };
        write!(self.to, "{style}")?;
        self.text(text)?;
        writeln!(self.to, "{style:#}")
    }

    /// One line of JSON, which means the same to whoever reads it.
    pub(crate) fn json(&mut self, json: &Json) -> io::Result<()> {
        self.json_text(&json.to_string())
    }

    /// The same of one that is written already.
    pub(crate) fn json_text(&mut self, text: &str) -> io::Result<()> {
        match self.reader {
            Reader::Program => writeln!(self.to, "{text}"),
            Reader::Terminal => writeln!(self.to, "{}", printable::json(text)),
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Says something about the work, in one line on standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // Where nobody can be told there is nobody to tell that to.
    drop(Screen::aside().line(Line::new().plain(again::in_text(text.as_ref()))));
}

/// Says why the work is not done. Only the traceback of an action has lines of its own.
pub(crate) fn error(text: &str, lines: Lines) {
    let (first, rest) = match lines {
        Lines::One => (text, None),
        Lines::Many => text.split_once('\n').map_or((text, None), |(one, it)| (one, Some(it))),
    };
    let mut to = Screen::aside();
    drop(to.line(Line::new().piece(Tone::Bad, "error:").plain(format!(" {first}"))));
    drop(rest.map(|rest| to.whole_lines(rest)));
}

/// Says what to type next.
pub(crate) fn hint(text: &str) {
    let line = Line::new().bold("hint:").plain(format!(" {text}"));
    drop(Screen::aside().line(line));
}

/// Whether a text may go over several lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    One,
    Many,
}
