//! What looks back and what is followed, for people.

use super::json::instant;
use super::screen::{Line, Screen};
use anstyle::{AnsiColor, Style};
use std::io;
use stoa_actors::atom::Reference;
use stoa_actors::difference::{Difference, Edition, InUse};
use stoa_actors::space::{Filter, Wake};
use stoa_runtime::caller::SubscriptionCard;
use stoa_runtime::unified;

pub(super) fn subscription(to: &mut Screen, card: &SubscriptionCard) -> io::Result<()> {
    let Filter { types, metadata, references } = &card.filter;
    let mut what: Vec<String> = types.clone();
    what.extend(metadata.iter().map(|(key, value)| format!("{key}={value}")));
    for (relation, targets) in references {
        what.push(format!("{relation} ->"));
        what.extend(targets.iter().map(ToString::to_string));
    }
    let what = if what.is_empty() { "everything".to_owned() } else { what.join(" ") };
    let mut terms = card.who.as_ref().map_or_else(String::new, |who| format!("  for {who}"));
    if card.terms.debounce_ms > 0 {
        terms += &format!("  after {} ms of quiet", card.terms.debounce_ms);
    }
    if let Some(until) = card.terms.until {
        terms += &format!("  until {}", instant(until));
    }
    let name = card.name.clone().unwrap_or_else(|| card.space.to_string());
    let id = card.id.map_or_else(|| card.subscriber.to_string(), |it| it.to_string());
    let line = Line::new()
        .bold(format!("{name:<20}"))
        .plain(format!(" at {:<8} {:>6} behind  ", card.cursor.0, card.behind))
        .dim(id)
        .plain(format!("  {what}"))
        .dim(terms);
    to.line(line)
}

/// One line for all that is skipped, and its first comments below.
pub(super) fn lag(to: &mut Screen, wake: &Wake) -> io::Result<()> {
    let Wake { count, first, last, comments, .. } = wake;
    let skipped = format!("skipped {count} changes");
    let line = Line::new().colour(AnsiColor::Yellow, skipped);
    to.line(line.dim(format!("  from {first} to {last}")))?;
    comments.iter().try_for_each(|it| to.line(Line::new().plain(format!("  {it}"))))
}

/// In the colours of a diff.
pub(super) fn difference(to: &mut Screen, it: &Difference) -> io::Result<()> {
    let (old, new) = (AnsiColor::Red, AnsiColor::Green);
    let edition = |colour: AnsiColor, sign: &str, of: &Edition| {
        let line = Line::new().colour(colour, format!("{sign} version {}", of.version));
        line.dim(format!("  {}, by {}", instant(of.at), of.author))
    };
    to.line(Line::new().bold(it.id))?;
    to.line(edition(old, "---", &it.from))?;
    to.line(edition(new, "+++", &it.to))?;
    let minus = |what: String| Line::new().colour(old, format!("- {what}"));
    let plus = |what: String| Line::new().colour(new, format!("+ {what}"));
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
    lines.into_iter().try_for_each(|line| to.line(line))?;
    if it.is_none() {
        return to.line(Line::new().dim("they say the same"));
    }
    let Some((before, after)) = &it.content else { return Ok(()) };
    for line in unified(before, after).split_terminator('\n') {
        let style = match line.as_bytes().first() {
            Some(b'-') => old.on_default(),
            Some(b'+') => new.on_default(),
            Some(b'@') => Style::new().dimmed(),
            _ => Style::new(),
        };
        to.text_in(style, line)?;
    }
    Ok(())
}
