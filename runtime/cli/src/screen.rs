//! Where everything that is printed goes: the one place that decides how.
//!
//! A program that reads a pipe or a file gets data exactly, byte for byte. A person at a terminal
//! sees every character of what agents and files have written, and the terminal obeys none of them.
//! Colours come from here alone, so nothing that looks like one can be part of the data.

use super::again;
use super::look::{self, look, writes_over};
use super::table::{Drawn, Sheet, seen};
use super::width::{prose, wrapped};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use stoa_actors::ending::short_ids;
use stoa_actors::printable;
use stoa_api::operation::{Block, Line, Page, TableRow, Tone};
use stoa_kernel::problem::{Problem, ProblemKind};

/// Why an answer did not come to whoever asked.
pub(crate) fn unwritten(error: io::Error) -> Problem {
    Problem::new(ProblemKind::Store, format!("cannot write the answer: {error}"))
        .hint("stoa status")
}

/// Who reads what is printed: a person or a program.
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
    /// How many cells a line has; nothing where lines are not broken and not cut.
    cells: Option<usize>,
}

/// How wide something is that is a terminal.
fn cells(of: &(impl AsFd + IsTerminal)) -> Option<usize> {
    let own = || rustix::termios::tcgetwinsize(of).ok().map(|it| it.ws_col);
    of.is_terminal().then(|| look::cells(own()))
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Bold => Style::new().bold(),
        Tone::Dim => Style::new().dimmed(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Warn => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default(),
        Tone::New => AnsiColor::Cyan.on_default(),
    }
}

/// A line with each command in it as it is to be typed here.
fn carried(line: Line) -> Line {
    Line(line.0.into_iter().map(|(tone, text)| (tone, again::in_text(&text))).collect())
}

impl Screen {
    /// Standard output, where data goes.
    pub(crate) fn out() -> Screen {
        let to = io::stdout();
        let colours = AutoStream::choice(&to) != ColorChoice::Never;
        let reader = if to.is_terminal() { Reader::Terminal } else { Reader::Program };
        let cells = cells(&to).filter(|_| !look().whole);
        Screen { to: Box::new(to.lock()), reader, colours, cells }
    }

    /// What is said about it. It is for people, wherever it goes: nothing in it is obeyed.
    pub(crate) fn aside() -> Screen {
        let to = io::stderr();
        let colours = AutoStream::choice(&to) != ColorChoice::Never;
        let cells = cells(&to);
        Screen { to: Box::new(to.lock()), reader: Reader::Terminal, colours, cells }
    }

    /// Whether a person looks at it.
    pub(crate) fn is_seen(&self) -> bool {
        self.reader == Reader::Terminal
    }

    /// An answer; what is said about it goes to standard error.
    ///
    /// Lines of a table are held in the sheet until it is drawn; a program gets each as it comes.
    pub(crate) fn page(&mut self, page: Page, sheet: &mut Sheet) -> io::Result<()> {
        for block in page.blocks {
            if let Block::Words(tone, text) = block {
                self.sheet(sheet)?;
                self.words(style(tone), &text)?;
                sheet.open = !text.ends_with('\n');
                continue;
            }
            self.end_line(sheet)?;
            match block {
                Block::Row(row) if self.is_seen() => {
                    if !sheet.takes(&row) {
                        self.sheet(sheet)?;
                    }
                    sheet.row(row);
                    continue;
                }
                Block::Row(row) => {
                    self.cells_apart(row)?;
                    continue;
                }
                Block::Detail(line) if !sheet.is_empty() => {
                    sheet.detail(carried(line));
                    continue;
                }
                Block::Detail(line) => {
                    self.detail(carried(line))?;
                    continue;
                }
                _ => self.sheet(sheet)?,
            }
            match block {
                Block::Row(_) | Block::Detail(_) | Block::Words(..) => {}
                Block::Prose(text) => self.prose(&text)?,
                Block::Line(line) => self.line(line)?,
                Block::Text(text) => self.text(&text)?,
                Block::Lines(text) => self.whole_lines(&text)?,
                Block::Verbatim(tone, text) => self.text_in(style(tone), &text)?,
                Block::Aside(line) => {
                    self.flush()?;
                    if !look().quiet {
                        drop(Screen::aside().said(carried(line)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Draws what is held.
    pub(crate) fn sheet(&mut self, sheet: &mut Sheet) -> io::Result<()> {
        for drawn in sheet.draw(self.cells) {
            match drawn {
                Drawn::Line(pieces) => self.pieces(&pieces)?,
                Drawn::Detail(pieces) => self.below(&pieces)?,
            }
        }
        Ok(())
    }

    /// The cells of a line for a program: whole, with a tab between each two. A tree is indented.
    fn cells_apart(&mut self, row: TableRow) -> io::Result<()> {
        let mut out = Line::new().plain("  ".repeat(row.depth as usize));
        for (number, cell) in row.cells.into_iter().enumerate() {
            if number > 0 {
                out = out.plain(TAB);
            }
            out.0.extend(cell.0.into_iter().map(|(tone, it)| (tone, it.replace(TAB, " "))));
        }
        self.line(out)
    }

    /// What is said besides of the line above.
    fn detail(&mut self, line: Line) -> io::Result<()> {
        match self.reader {
            Reader::Terminal => self.below(&seen(line)),
            Reader::Program => {
                self.to.write_all(BELOW.as_bytes())?;
                self.line(line)
            }
        }
    }

    fn below(&mut self, pieces: &[(Tone, Cow<'static, str>)]) -> io::Result<()> {
        let most = self.cells.map_or(usize::MAX, |it| it.saturating_sub(BELOW.len()).max(1));
        for line in wrapped(pieces, most) {
            self.to.write_all(BELOW.as_bytes())?;
            self.pieces(&line)?;
        }
        Ok(())
    }

    fn pieces(&mut self, pieces: &[(Tone, Cow<'_, str>)]) -> io::Result<()> {
        self.begun(pieces)?;
        self.to.write_all(b"\n")
    }

    fn unended(&mut self, line: Line) -> io::Result<()> {
        self.begun(&seen(line))
    }

    fn begun(&mut self, pieces: &[(Tone, Cow<'_, str>)]) -> io::Result<()> {
        for (tone, text) in pieces {
            let style = style(*tone);
            match self.colours && style != Style::new() {
                true => write!(self.to, "{style}{text}{style:#}")?,
                false => write!(self.to, "{text}")?,
            }
        }
        Ok(())
    }

    /// A line about the work: a terminal breaks it at its words.
    pub(crate) fn said(&mut self, line: Line) -> io::Result<()> {
        let most = self.cells.unwrap_or(usize::MAX);
        wrapped(&seen(line), most).iter().try_for_each(|it| self.pieces(it))
    }

    /// Text that is read: a terminal breaks its lines at words.
    fn prose(&mut self, text: &str) -> io::Result<()> {
        match self.cells {
            Some(cells) => self.whole_lines(&prose(&printable::lines(text), cells)),
            None => self.whole_lines(text),
        }
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

    /// Ends a line that words were said in.
    fn end_line(&mut self, sheet: &mut Sheet) -> io::Result<()> {
        match std::mem::take(&mut sheet.open) {
            true => self.to.write_all(b"\n"),
            false => Ok(()),
        }
    }

    /// Draws what is held, and ends the line: something else comes.
    pub(crate) fn close(&mut self, sheet: &mut Sheet) -> io::Result<()> {
        self.sheet(sheet)?;
        self.end_line(sheet)
    }

    /// More of a text that is being said.
    fn words(&mut self, style: Style, text: &str) -> io::Result<()> {
        let style = if self.colours { style } else { Style::new() };
        write!(self.to, "{style}")?;
        self.text(text)?;
        write!(self.to, "{style:#}")
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

/// Between two cells of a line that a program reads.
const TAB: &str = "\t";

/// In front of what is said besides of the line above.
const BELOW: &str = "    ";

/// Sets how it looks, as it is typed. A terminal that says of itself that it can do little gets no
/// colours unless they are asked for, on a build server too, where others colour everything.
pub(crate) fn set_colours(typed: Option<&str>) {
    match typed {
        Some("always") => ColorChoice::Always.write_global(),
        Some("never") => ColorChoice::Never.write_global(),
        _ if !writes_over() && !anstyle_query::clicolor_force() => {
            ColorChoice::Never.write_global();
        }
        _ => {}
    }
}

/// A text without its colours.
pub(crate) fn unstyled(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Says something about the work, in one line on standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // Where nobody can be told there is nobody to tell that to.
    drop(Screen::aside().said(Line::new().plain(again::in_text(text.as_ref()))));
}

/// Says why the work is not done. Only the traceback of an action has lines of its own.
pub(crate) fn error(text: &str, lines: Lines) {
    let (first, rest) = match lines {
        Lines::One => (text, None),
        Lines::Many => text.split_once('\n').map_or((text, None), |(one, it)| (one, Some(it))),
    };
    let mut to = Screen::aside();
    // Ids are shown as in tables: by their ends to people, whole to programs.
    let first = match to.cells.is_some() && !look().whole {
        true => Cow::Owned(short_ids(first)),
        false => Cow::Borrowed(first),
    };
    drop(to.said(Line::new().piece(Tone::Bad, "error:").plain(format!(" {first}"))));
    drop(rest.map(|rest| to.whole_lines(rest)));
}

/// Whether a person looks at standard output.
pub(crate) fn out_is_seen() -> bool {
    io::stdout().is_terminal()
}

/// Waits until nobody reads standard output any more: its pipe is closed, or its terminal is gone.
/// Returns as well where that cannot be told, and never where it is a file.
pub(crate) fn until_nobody_reads() {
    use rustix::event::{PollFd, PollFlags, poll};
    let to = io::stdout();
    let mut each = [PollFd::new(&to, PollFlags::empty())];
    while poll(&mut each, None).is_err_and(|it| it == rustix::io::Errno::INTR) {}
}

/// Says one line about the work.
pub(crate) fn say(line: Line) {
    drop(Screen::aside().said(line));
}

/// Says that something is done, unless only what was asked for is wanted.
pub(crate) fn done(text: impl ToString) -> io::Result<()> {
    match look().quiet {
        true => Ok(()),
        false => Screen::out().line(Line::new().plain(text)),
    }
}

/// Asks a person, who must say yes.
pub(crate) fn ask_yes(question: &str) -> bool {
    let line = Line::new().bold(question).plain(" [y/N] ");
    let mut to = Screen::aside();
    if to.unended(line).and_then(|()| to.flush()).is_err() {
        return false;
    }
    drop(to);
    let mut said = String::new();
    let read = io::stdin().read_line(&mut said).is_ok();
    read && matches!(said.trim().to_ascii_lowercase().as_str(), "y" | "yes")
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
