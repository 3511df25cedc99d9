//! Lines that have the same columns. How wide the columns are is for whoever prints them.

use super::Line;

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// To the left, as words are.
    Left,
    /// To the right, as numbers are.
    Right,
}

/// What becomes of a column where all of them are too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Give {
    /// It is cut last.
    Last,
    /// It is cut first, as far as to so many cells of the terminal.
    First(usize),
    /// It is left out: those with the lowest number before the others.
    Out(u8),
    /// It is cut first, and then left out.
    FirstOut(usize, u8),
}

/// One column of a table that people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it; nothing above a column that says by itself what it is.
    pub name: &'static str,
    /// On which side its cells stand.
    pub align: Align,
    /// What becomes of it where there is no room.
    pub give: Give,
    /// How wide it is at least, so that lines that come one by one stand below each other.
    pub least: usize,
}

impl Column {
    /// One of words that is cut last.
    pub const fn new(name: &'static str) -> Column {
        Column { name, align: Align::Left, give: Give::Last, least: 0 }
    }

    /// One of numbers.
    pub const fn number(name: &'static str) -> Column {
        Column { align: Align::Right, ..Column::new(name) }
    }

    /// That is cut first.
    #[must_use]
    pub const fn cut_to(self, cells: usize) -> Column {
        Column { give: Give::First(cells), ..self }
    }

    /// That is left out; one that is cut first is cut before that.
    #[must_use]
    pub const fn left_out(self, rank: u8) -> Column {
        let give = match self.give {
            Give::First(cells) => Give::FirstOut(cells, rank),
            _ => Give::Out(rank),
        };
        Column { give, ..self }
    }

    /// That is so wide at least.
    #[must_use]
    pub const fn least(self, cells: usize) -> Column {
        Column { least: cells, ..self }
    }
}

/// The columns of lines that belong together.
#[derive(Debug, PartialEq, Eq)]
pub struct TextTable {
    /// Its columns, from the left.
    pub columns: &'static [Column],
    /// Whether the names of the columns stand above them.
    pub headed: bool,
    /// Whether its lines are a tree: its first column is drawn with branches.
    pub tree: bool,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Whose columns it has.
    pub table: &'static TextTable,
    /// One for each column.
    pub cells: Vec<Line>,
    /// How far it is from the top of the tree.
    pub depth: u32,
}

impl TableRow {
    /// One that stands at the top.
    pub fn new(table: &'static TextTable, cells: Vec<Line>) -> TableRow {
        debug_assert_eq!(table.columns.len(), cells.len(), "a cell for each column");
        TableRow { table, cells, depth: 0 }
    }
}
