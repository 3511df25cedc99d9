//! Tables as wide as their terminal: columns as wide as what is in them, the widest text cut first.

mod fit;
#[cfg(test)]
mod tests;

use super::width::{Pieces, cells_of, cut};
use fit::{GAP, fit};
use std::borrow::Cow;
use stoa_actors::printable::one_line;
use stoa_api::operation::{Align, Line, TableRow, TextTable, Tone};

/// Lines of one table that are drawn together.
const DRAWN_TOGETHER: usize = 200;

/// A table on a terminal. Its lines are held until there are enough of them to know how wide they are.
#[derive(Default)]
pub(super) struct Sheet {
    held: Vec<Held>,
    /// The table that is being drawn, and how wide its columns have become.
    table: Option<&'static TextTable>,
    widths: Vec<usize>,
    headed: bool,
    /// A line is begun that the next words go on with.
    pub(super) open: bool,
}

enum Held {
    Row(TableRow),
    Detail(Line),
}

/// A line that is drawn.
#[derive(Debug, PartialEq)]
pub(super) enum Drawn {
    /// One that fits.
    Line(Pieces<'static>),
    /// One below it, which is broken at words.
    Detail(Pieces<'static>),
}

impl Sheet {
    /// Whether lines wait to be drawn.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether a line belongs to what is being drawn, and there is room for it.
    pub(super) fn takes(&self, row: &TableRow) -> bool {
        let same = self.table.is_none_or(|it| std::ptr::eq(it, row.table));
        same && (row.table.tree || self.held.len() < DRAWN_TOGETHER)
    }

    pub(super) fn row(&mut self, row: TableRow) {
        if self.table.is_none_or(|it| !std::ptr::eq(it, row.table)) {
            (self.widths, self.headed) = (Vec::new(), false);
        }
        self.table = Some(row.table);
        self.held.push(Held::Row(row));
    }

    pub(super) fn detail(&mut self, line: Line) {
        self.held.push(Held::Detail(line));
    }

    /// All that is held. Without a width nothing is cut.
    pub(super) fn draw(&mut self, width: Option<usize>) -> Vec<Drawn> {
        let held = std::mem::take(&mut self.held);
        let Some(table) = self.table else { return held.into_iter().map(detail).collect() };
        let depths: Vec<u32> = held.iter().filter_map(Held::depth).collect();
        let mut branches = if table.tree { branches(&depths) } else { Vec::new() }.into_iter();
        let rows: Vec<Result<Vec<Pieces<'static>>, Drawn>> = held
            .into_iter()
            .map(|it| match it {
                Held::Row(row) => Ok(pieces(row, branches.next().unwrap_or_default())),
                other => Err(detail(other)),
            })
            .collect();
        let header = (table.headed && !self.headed).then(|| header(table));
        let known: Vec<&Vec<Pieces<'static>>> = rows.iter().flatten().collect();
        self.widen(table, &known);
        let widths = fit(table.columns, &self.widths, width);
        let mut out = Vec::with_capacity(rows.len() + 1);
        // What stands above is cut to what stands below it.
        self.headed |= header.is_some();
        let drawn = |cells: &[Pieces<'static>]| Drawn::Line(laid_out(table, &widths, cells));
        out.extend(header.as_deref().map(drawn));
        for row in rows {
            out.push(match row {
                Ok(cells) => drawn(&cells),
                Err(detail) => detail,
            });
        }
        out
    }

    /// Lets the columns grow to what is in them. They never shrink: lines that come later stand
    /// below those that came before.
    fn widen(&mut self, table: &TextTable, rows: &[&Vec<Pieces<'static>>]) {
        self.widths.resize(table.columns.len(), 0);
        for (number, column) in table.columns.iter().enumerate() {
            let cells = rows.iter().map(|row| wide(&row[number]));
            let widest = cells.max().unwrap_or_default();
            // A column in which there is nothing is not there.
            let name =
                if table.headed && widest > 0 { super::width::cells(column.name) } else { 0 };
            let widest = widest.max(name).max(column.least);
            self.widths[number] = self.widths[number].max(widest);
        }
    }
}

/// How wide a cell is; one cell at least where there is anything in it.
fn wide(cell: &Pieces<'static>) -> usize {
    let empty = cell.iter().all(|(_, text)| text.is_empty());
    cells_of(cell).max(usize::from(!empty))
}

impl Held {
    fn depth(&self) -> Option<u32> {
        match self {
            Held::Row(row) => Some(row.depth),
            Held::Detail(_) => None,
        }
    }
}

fn detail(held: Held) -> Drawn {
    match held {
        Held::Detail(line) => Drawn::Detail(seen(line)),
        Held::Row(row) => Drawn::Line(pieces(row, String::new()).concat()),
    }
}

/// What a terminal is shown of a line.
pub(super) fn seen(line: Line) -> Pieces<'static> {
    line.0.into_iter().map(|(tone, it)| (tone, Cow::Owned(one_line(&it).into_owned()))).collect()
}

fn pieces(row: TableRow, branch: String) -> Vec<Pieces<'static>> {
    let mut cells: Vec<_> = row.cells.into_iter().map(seen).collect();
    if let Some(first) = cells.first_mut().filter(|_| !branch.is_empty()) {
        first.insert(0, (Tone::Dim, Cow::Owned(branch)));
    }
    cells
}

fn header(table: &TextTable) -> Vec<Pieces<'static>> {
    table.columns.iter().map(|it| vec![(Tone::Dim, Cow::Borrowed(it.name))]).collect()
}

/// What is drawn in front of each line of a tree, by how far it is from the top.
fn branches(depths: &[u32]) -> Vec<String> {
    let mut out = vec![String::new(); depths.len()];
    // From the last line up: whether a line of that depth is still to come.
    let mut comes: Vec<bool> = Vec::new();
    for (number, depth) in depths.iter().enumerate().rev() {
        let depth = *depth as usize;
        comes.resize(comes.len().max(depth + 1), false);
        let mut branch = String::new();
        for goes_on in comes.iter().take(depth).skip(1) {
            branch += if *goes_on { "│  " } else { "   " };
        }
        if depth > 0 {
            branch += if comes[depth] { "├─ " } else { "└─ " };
        }
        comes.truncate(depth + 1);
        comes[depth] = true;
        out[number] = branch;
    }
    out
}

/// One line, each cell in its column.
fn laid_out(
    table: &TextTable,
    widths: &[Option<usize>],
    cells: &[Pieces<'static>],
) -> Pieces<'static> {
    let mut out = Pieces::new();
    let mut blanks = 0;
    for ((column, width), cell) in table.columns.iter().zip(widths).zip(cells) {
        let Some(width) = *width else { continue };
        let cell = cut(cell, width);
        let room = width.saturating_sub(cells_of(&cell));
        let before = if column.align == Align::Right { room } else { 0 };
        let empty = cell.iter().all(|(_, text)| text.is_empty());
        if !empty {
            let pad = " ".repeat(blanks + before);
            out.push((Tone::Plain, Cow::Owned(pad)));
            out.extend(cell.into_iter().filter(|(_, text)| !text.is_empty()));
            blanks = 0;
        }
        // Blanks are drawn when something stands behind them.
        blanks += GAP + if empty { width } else { room - before };
    }
    out.retain(|(_, text)| !text.is_empty());
    out
}
