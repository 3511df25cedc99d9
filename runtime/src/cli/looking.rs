//! What looks back and what is followed, for people.

use super::json::instant;
use super::print::{BOLD, DIM, one_line};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use stoa_actors::atom::Reference;
use stoa_actors::difference::{Difference, Edition, InUse};
use stoa_actors::space::{Filter, Wake};
use stoa_runtime::caller::SubscriptionCard;
use stoa_runtime::unified;

pub(super) fn subscription(to: &mut impl Write, card: &SubscriptionCard) -> io::Result<()> {
    let Filter { types, metadata, references } = &card.filter;
    let mut what: Vec<String> = types.clone();
    what.extend(metadata.iter().map(|(key, value)| format!("{key}={value}")));
    for (relation, targets) in references {
        what.push(format!("{relation} ->"));
        what.extend(targets.iter().map(ToString::to_string));
    }
    let what = if what.is_empty() { "everything".to_owned() } else { what.join(" ") };
    let mut terms = String::new();
    if card.terms.debounce_ms > 0 {
        terms += &format!("  after {} ms of quiet", card.terms.debounce_ms);
    }
    if let Some(until) = card.terms.until {
        terms += &format!("  until {}", instant(until));
    }
    writeln!(
        to,
        "{BOLD}{:<20}{BOLD:#} at {:<8} {:>6} behind  {DIM}{}{DIM:#}  {what}{DIM}{terms}{DIM:#}",
        card.name.clone().unwrap_or_else(|| card.space.to_string()),
        card.cursor.0,
        card.behind,
        card.id.map_or_else(|| card.subscriber.to_string(), |it| it.to_string()),
    )
}

/// One line for all that is skipped, and its first comments below.
pub(super) fn lag(to: &mut impl Write, wake: &Wake) -> io::Result<()> {
    let yellow = AnsiColor::Yellow.on_default();
    let Wake { count, first, last, comments, .. } = wake;
    writeln!(to, "{yellow}skipped {count} changes{yellow:#}  {DIM}from {first} to {last}{DIM:#}")?;
    comments.iter().try_for_each(|it| writeln!(to, "  {}", one_line(it)))
}

/// In the colours of a diff.
pub(super) fn difference(to: &mut impl Write, it: &Difference) -> io::Result<()> {
    let (old, new) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
    let edition = |style: Style, sign: &str, of: &Edition| {
        let (at, author) = (instant(of.at), of.author);
        format!("{style}{sign} version {}{style:#}  {DIM}{at}, by {author}{DIM:#}", of.version)
    };
    writeln!(to, "{BOLD}{}{BOLD:#}", it.id)?;
    writeln!(to, "{}\n{}", edition(old, "---", &it.from), edition(new, "+++", &it.to))?;
    let minus = |what: String| format!("{old}- {what}{old:#}");
    let plus = |what: String| format!("{new}+ {what}{new:#}");
    let mut lines = Vec::new();
    if let Some((before, after)) = &it.annotation {
        lines.extend([minus(format!("about {before}")), plus(format!("about {after}"))]);
    }
    for (key, (before, after)) in &it.metadata {
        lines.extend(before.iter().map(|it| minus(format!("{key} {it}"))));
        lines.extend(after.iter().map(|it| plus(format!("{key} {it}"))));
    }
    let reference = |it: &Reference| format!("{} -> {}", it.relation, it.target);
    lines.extend(it.dropped.iter().map(|it| minus(reference(it))));
    lines.extend(it.added.iter().map(|it| plus(reference(it))));
    let out_of_use = |it: InUse| match it {
        InUse::Yes => None,
        InUse::No(None) => Some("deprecated".to_owned()),
        InUse::No(Some(by)) => Some(format!("deprecated, see {by}")),
    };
    if let Some((before, after)) = it.deprecated {
        lines.extend(out_of_use(before).map(minus));
        lines.extend(out_of_use(after).map(plus));
    }
    lines.iter().try_for_each(|line| writeln!(to, "{line}"))?;
    if it.is_none() {
        return writeln!(to, "{DIM}they say the same{DIM:#}");
    }
    let Some((before, after)) = &it.content else { return Ok(()) };
    for line in unified(before, after).lines() {
        let style = match line.as_bytes().first() {
            Some(b'-') => old,
            Some(b'+') => new,
            Some(b'@') => DIM,
            _ => Style::new(),
        };
        writeln!(to, "{style}{line}{style:#}")?;
    }
    Ok(())
}
