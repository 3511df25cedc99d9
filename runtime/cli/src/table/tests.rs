use super::super::width::{CUT, cells, cells_of, cut, prose, wrapped};
use super::*;
use proptest::prelude::*;
use stoa_api::operation::{Column, Give};
use unicode_width::UnicodeWidthStr;

static WIDE: TextTable = TextTable {
    columns: &[
        Column::new("NAME"),
        Column::number("COUNT").left_out(1),
        Column::new("ID").left_out(2),
        Column::new("ABOUT").cut_to(8),
        Column::new("BY"),
        Column::new("MORE").cut_to(6).left_out(3),
    ],
    headed: true,
    tree: false,
};

static TREE: TextTable = TextTable { columns: WIDE.columns, headed: false, tree: true };

/// What people and agents write: wide, combining, from the right, joined, and what must be escaped.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,12}",
        "[ -~]{0,6}",
        Just("日本語テキスト".to_owned()),
        Just("e\u{301}o\u{308}".to_owned()),
        Just("שלום עולם".to_owned()),
        Just("لا السلام".to_owned()),
        Just("👍🏽❤\u{fe0f}🇩🇪".to_owned()),
        Just("👨\u{200d}👩\u{200d}👧".to_owned()),
        Just("हिन्दी".to_owned()),
        Just("\u{1b}[2J\u{7}\u{202e}\n\t".to_owned()),
        Just("\u{301}\u{301}".to_owned()),
        any::<String>().prop_map(|it| it.chars().take(12).collect()),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|it| it.concat())
}

fn row(table: &'static TextTable) -> impl Strategy<Value = TableRow> {
    let cells = prop::collection::vec(text(), table.columns.len());
    (cells, 0..4_u32).prop_map(move |(cells, depth)| {
        let cells = cells.into_iter().map(|it| Line::new().bold(it)).collect();
        TableRow { depth, ..TableRow::new(table, cells) }
    })
}

fn drawn(rows: &[TableRow], width: Option<usize>) -> Vec<String> {
    let mut sheet = Sheet::default();
    rows.iter().for_each(|it| sheet.row(it.clone()));
    let text = |it: &Drawn| match it {
        Drawn::Line(it) | Drawn::Detail(it) => it.iter().map(|(_, text)| &**text).collect(),
    };
    sheet.draw(width).iter().map(text).collect()
}

fn shown(row: &TableRow, column: usize) -> String {
    seen(row.cells[column].clone()).iter().map(|(_, text)| &**text).collect()
}

/// The naive model of one line: where each cell must stand, if it is there at all, is found by
/// walking the line from the left.
fn holds(line: &str, row: &TableRow, whole: bool) -> Result<(), String> {
    let mut rest = line;
    for column in 0..row.cells.len() {
        let cell = shown(row, column);
        let cell = cell.trim_matches(' ');
        if cell.is_empty() {
            continue;
        }
        if let Some(at) = rest.find(cell) {
            rest = &rest[at + cell.len()..];
            continue;
        }
        if whole {
            return Err(format!("{cell:?} is not in {line:?}, or not in its order"));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_line_is_wider_than_the_terminal(
        rows in prop::collection::vec(row(&WIDE), 1..6),
        width in 1..160_usize,
    ) {
        let lines = drawn(&rows, Some(width));
        prop_assert_eq!(lines.len(), rows.len() + 1, "a line each, and what stands above");
        for line in &lines {
            prop_assert!(line.width() <= width, "{} cells: {:?}", line.width(), line);
            prop_assert!(cells(line) <= width, "{:?}", line);
            prop_assert!(line.chars().all(stoa_actors::printable::is_printable), "{:?}", line);
        }
    }

    #[test]
    fn nothing_is_cut_where_there_is_room_or_nothing_is_to_be_cut(
        rows in prop::collection::vec(row(&WIDE), 1..6),
    ) {
        let whole = drawn(&rows, None);
        for (line, row) in whole[1..].iter().zip(&rows) {
            let said = holds(line, row, true);
            prop_assert!(said.is_ok(), "{:?}", said);
        }
        let widest = whole.iter().map(|it| cells(it)).max().unwrap_or_default();
        let natural: usize = 2 * WIDE.columns.len() + widest;
        prop_assert_eq!(drawn(&rows, Some(natural)), whole);
    }

    /// By the model: a column that must not give way is cut only once all text is at its least and
    /// everything that may be left out is.
    #[test]
    fn the_text_gives_way_first(
        natural in prop::collection::vec(0..60_usize, WIDE.columns.len()),
        width in 1..200_usize,
    ) {
        let widths = fit(WIDE.columns, &natural, Some(width));
        let drawn: Vec<usize> = widths.iter().flatten().copied().collect();
        let taken = drawn.iter().sum::<usize>() + GAP * drawn.len().saturating_sub(1);
        prop_assert!(taken <= width);
        let all = natural.iter().filter(|it| **it > 0).count();
        let wanted = natural.iter().sum::<usize>() + GAP * all.saturating_sub(1);
        if wanted <= width {
            let whole: Vec<usize> = natural.iter().copied().filter(|it| *it > 0).collect();
            prop_assert_eq!(drawn, whole);
            return Ok(());
        }
        let columns = || WIDE.columns.iter().zip(&natural).zip(&widths);
        let mut cut_hard = false;
        for ((column, natural), width) in columns() {
            if column.give == Give::Last {
                cut_hard |= width.unwrap_or_default() < *natural;
            }
        }
        for ((column, natural), width) in columns().filter(|_| cut_hard) {
            match column.give {
                Give::First(least) => {
                    prop_assert!(width.unwrap_or_default() <= least.min(*natural), "{:?}", widths);
                }
                Give::Out(_) | Give::FirstOut(..) => prop_assert_eq!(*width, None),
                Give::Last => {}
            }
        }
        // What is left out later is not there without what is left out sooner having gone.
        if widths[1].is_some() {
            prop_assert!(natural[2] == 0 || widths[2].is_some());
        }
    }

    #[test]
    fn a_text_is_cut_between_characters(text in text(), most in 0..40_usize) {
        let pieces = vec![(Tone::Plain, Cow::Owned(text.clone()))];
        let short = cut(&pieces, most);
        prop_assert!(cells_of(&short) <= most);
        let short: String = short.iter().map(|(_, it)| &**it).collect();
        match short.strip_suffix(CUT) {
            Some(head) if !text.starts_with(&short) => {
                prop_assert!(text.starts_with(head));
                use unicode_segmentation::UnicodeSegmentation;
                let mut ends = text.grapheme_indices(true).map(|(at, it)| at + it.len());
                prop_assert!(head.is_empty() || ends.any(|it| it == head.len()));
            }
            _ => prop_assert!(short == text || most == 0),
        }
    }

    #[test]
    fn prose_is_broken_at_words_alone(text in "[a-zé ]{0,200}", most in 1..60_usize) {
        let broken = prose(&text, most);
        let words = |it: &str| it.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(words(&broken), words(&text));
        for line in broken.lines() {
            prop_assert!(cells(line) <= most || !line.trim().contains(' '), "{:?}", line);
        }
        let styled = [(Tone::Bold, Cow::Borrowed("b ")), (Tone::Dim, Cow::Borrowed(&*text))];
        let lines = wrapped(&styled, most);
        let whole: String = lines.iter().flatten().map(|(_, it)| format!("{it} ")).collect();
        prop_assert_eq!(words(&whole).concat(), words(&format!("b {text}")).concat());
        for (tone, it) in lines.iter().flatten() {
            prop_assert!(*tone == Tone::Dim || it.trim().is_empty() || it.trim() == "b", "{:?}", it);
        }
    }

    #[test]
    fn a_tree_is_drawn_as_its_depths_say(rows in prop::collection::vec(row(&TREE), 1..12)) {
        let depths: Vec<u32> = rows.iter().map(|it| it.depth).collect();
        for (number, branch) in branches(&depths).iter().enumerate() {
            let depth = depths[number];
            prop_assert_eq!(cells(branch), 3 * depth as usize);
            let later = &depths[number + 1..];
            let goes_on = |depth: u32| {
                later.iter().find(|it| **it <= depth).is_some_and(|it| *it == depth)
            };
            for above in 1..depth {
                let at = branch.chars().nth(3 * (above as usize - 1));
                prop_assert_eq!(at == Some('│'), goes_on(above));
            }
            if depth > 0 {
                prop_assert_eq!(branch.contains('├'), goes_on(depth));
                prop_assert_eq!(branch.contains('└'), !goes_on(depth));
            }
        }
    }
}

#[test]
fn lines_that_come_later_stand_below_those_that_came_before() {
    let row = |cells: [&str; 6]| TableRow::new(&WIDE, cells.map(|it| Line::new().plain(it)).into());
    let mut sheet = Sheet::default();
    let mut draw = |it| {
        sheet.row(it);
        let lines = sheet.draw(Some(60));
        let text = |it: &Drawn| match it {
            Drawn::Line(it) | Drawn::Detail(it) => {
                it.iter().map(|(_, text)| &**text).collect::<String>()
            }
        };
        lines.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(
        draw(row(["tasks", "12", "4F7QZ2X9", "what is to be done", "bob", ""])),
        [
            "NAME   COUNT  ID        ABOUT               BY",
            "tasks     12  4F7QZ2X9  what is to be done  bob"
        ]
    );
    assert_eq!(
        draw(row(["a", "1", "00000000", "b", "c", ""])),
        ["a          1  00000000  b                   c"]
    );
}

#[test]
fn at_forty_columns_what_counts_is_left() {
    let row = |cells: [&str; 6]| TableRow::new(&WIDE, cells.map(|it| Line::new().plain(it)).into());
    let rows = [row(["tasks", "12", "4F7QZ2X9", "what is to be done here", "bob", ""])];
    assert_eq!(drawn(&rows, Some(40))[1], "tasks     12  4F7QZ2X9  what is to…  bob");
    assert_eq!(drawn(&rows, Some(30))[1], "tasks  4F7QZ2X9  what is…  bob");
    assert_eq!(drawn(&rows, Some(12))[1], "ta…  wh…  b…");
    assert_eq!(drawn(&rows, Some(1))[1], "…");
}
