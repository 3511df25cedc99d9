//! How wide columns are where all of them are too wide.

use stoa_api::operation::{Column, Give};

/// Cells between two columns.
pub(super) const GAP: usize = 2;

/// How wide each column is drawn; nothing for one that is left out. Without a width nothing is cut.
///
/// The text that is cut first gives way as far as it may, then columns are left out, and then what is
/// left is cut, the widest first. Together they take no more than there is.
pub(super) fn fit(
    columns: &[Column],
    natural: &[usize],
    width: Option<usize>,
) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> =
        natural.iter().map(|it| Some(*it).filter(|it| *it > 0)).collect();
    let Some(width) = width else { return widths };
    let mut ranks: Vec<u8> = columns.iter().filter_map(rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let mut ranks = ranks.into_iter();
    while least(columns, &widths) > width {
        let Some(out) = ranks.next() else { break };
        for (column, it) in columns.iter().zip(&mut widths) {
            if rank(column) == Some(out) {
                *it = None;
            }
        }
    }
    shrink(columns, &mut widths, width, text_least);
    shrink(columns, &mut widths, width, |_| Some(1));
    // Not even one cell for each: those on the left are what the line is about.
    while total(&widths) > width {
        let Some(last) = widths.iter().rposition(Option::is_some) else { break };
        widths[last] = None;
    }
    widths
}

fn rank(column: &Column) -> Option<u8> {
    match column.give {
        Give::Out(rank) | Give::FirstOut(_, rank) => Some(rank),
        Give::Last | Give::First(_) => None,
    }
}

/// To how many cells a text is cut before anything else is.
fn text_least(column: &Column) -> Option<usize> {
    match column.give {
        Give::First(cells) | Give::FirstOut(cells, _) => Some(cells),
        Give::Last | Give::Out(_) => None,
    }
}

/// What all columns take, with what is between them.
fn total(widths: &[Option<usize>]) -> usize {
    let drawn = || widths.iter().flatten();
    drawn().sum::<usize>() + GAP * drawn().count().saturating_sub(1)
}

/// The same, once the text has given way.
fn least(columns: &[Column], widths: &[Option<usize>]) -> usize {
    let each = columns.iter().zip(widths).map(|(column, it)| match text_least(column) {
        Some(cells) => it.map(|it| it.min(cells)),
        None => *it,
    });
    total(&each.collect::<Vec<_>>())
}

/// Takes what is too much from columns that may be cut to so many cells, the widest first.
fn shrink(
    columns: &[Column],
    widths: &mut [Option<usize>],
    width: usize,
    floor: impl Fn(&Column) -> Option<usize>,
) {
    let mut over = total(widths).saturating_sub(width);
    while over > 0 {
        let spare = |number: usize, it: &Option<usize>| {
            let floor = floor(&columns[number])?;
            it.filter(|it| *it > floor).map(|it| (it, number))
        };
        let can = widths.iter().enumerate().filter_map(|(number, it)| spare(number, it));
        let mut can: Vec<(usize, usize)> = can.collect();
        can.sort_unstable_by(|one, two| two.cmp(one));
        let Some(&(widest, number)) = can.first() else { return };
        let floor = floor(&columns[number]).unwrap_or_default();
        // Down to the next one, so that the widest are cut alike.
        let next = can.get(1).map_or(floor, |(next, _)| (*next).max(floor));
        let less = (widest - next).max(1).min(over).min(widest - floor);
        widths[number] = Some(widest - less);
        over -= less;
    }
}
