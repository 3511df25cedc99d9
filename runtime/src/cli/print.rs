//! Answers for people: aligned, dim where it is not the point, plain when it is not a terminal.

use super::json::instant;
use super::looking::{difference, lag, subscription};
use super::screen::{Line, Screen};
use anstyle::{AnsiColor, Style};
use std::io;
use std::path::Path;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::code::{Ending, Outcome};
use stoa_actors::id::Position;
use stoa_actors::printable::one_line;
use stoa_actors::space::{Lease, Resource};
use stoa_runtime::agents::{AgentCard, Happening};
use stoa_runtime::audit::Audited;
use stoa_runtime::caller::{Change, SpaceCard};
use stoa_runtime::door::{Answer, Status};
use stoa_runtime::research::{How, Report};
use stoa_runtime::search::Found;

pub(crate) fn answer(to: &mut Screen, answer: &Answer) -> io::Result<()> {
    match answer {
        Answer::Space(card) => space(to, card),
        Answer::Granted(granted) => {
            let new = if granted.born { " (a new session)" } else { "" };
            plain(to, format!("granted to {}{new}", granted.session))
        }
        Answer::Revoked { links } => {
            plain(to, format!("revoked: {links} right{}", if *links == 1 { "" } else { "s" }))
        }
        Answer::Atom(read) => atom(to, &read.atom, read.position),
        Answer::Taken(taken) => {
            atom(to, &taken.read.atom, taken.read.position)?;
            lease(to, &taken.lease)
        }
        Answer::Lease(it) => lease(to, it),
        Answer::Released => plain(to, "released"),
        Answer::Change(change) => self::change(to, change),
        Answer::Difference(it) => difference(to, it),
        Answer::Subscription(card) => subscription(to, card),
        Answer::Unsubscribed => plain(to, "removed"),
        Answer::Lag(wake) => lag(to, wake),
        Answer::Read { id, cursor } => {
            let next = format!("read; then: stoa subscription ack {id} {cursor}");
            to.line(Line::new().dim(next))
        }
        Answer::Hit { found, .. } => hit(to, found),
        Answer::Outcome(outcome) => self::outcome(to, outcome),
        Answer::Agent { card, depth } => agent(to, card, *depth),
        Answer::Happening(it) => happening(to, it),
        Answer::Wiped { agents } => {
            plain(to, format!("wiped: {agents} agent{}", if *agents == 1 { "" } else { "s" }))
        }
        Answer::Report(report) => self::report(to, report),
        Answer::Status(status) => self::status(to, status),
        Answer::Audited(audited) => self::audited(to, audited),
        Answer::Backup(backup) => super::copies::print(to, "backed up to", &backup.path, backup),
        other => plain(to, format!("{other:?}")),
    }
}

fn space(to: &mut Screen, card: &SpaceCard) -> io::Result<()> {
    let name = card.name.as_deref().unwrap_or("-");
    let level = card.level.map_or("-".into(), |it| it.to_string());
    let about = card.description.lines().next().unwrap_or_default();
    let entries = if card.entries == 1 { "entry" } else { "entries" };
    let line = Line::new()
        .bold(format!("{name:<20}"))
        .plain(format!(" {level:<7} {:>6} {entries:<8} ", card.entries))
        .dim(card.id)
        .plain(format!("  {about}"));
    to.line(line)
}

fn atom(to: &mut Screen, atom: &Atom, position: Position) -> io::Result<()> {
    let (id, version, author) = (atom.id, atom.version, atom.author);
    let head = Line::new().bold(id).plain(format!("  version {version}  "));
    to.line(head.dim(format!("at {position}, {}, by {author}", instant(atom.at))))?;
    let field = |key: &str, value: String| Line::new().dim(key).plain(format!(" {value}"));
    if !atom.annotation.is_empty() {
        to.line(field("about", atom.annotation.clone()))?;
    }
    for (key, value) in &atom.metadata {
        to.line(field(&one_line(key), value.to_string()))?;
    }
    for reference in &atom.references {
        let relation = format!("{} ->", one_line(&reference.relation));
        to.line(field(&relation, reference.target.to_string()))?;
    }
    if let Some(deprecated) = &atom.deprecated {
        let by = deprecated.superseded_by.map_or(String::new(), |id| format!(", see {id}"));
        to.line(Line::new().colour(AnsiColor::Red, format!("deprecated{by}")))?;
    }
    if atom.content == Content::default() {
        return Ok(());
    }
    plain(to, "")?;
    match &atom.content {
        Content::Erased => {
            to.line(Line::new().dim(format!("erased at {} by {author}", instant(atom.at))))
        }
        Content::Redacted => to.line(Line::new().dim("erased later")),
        Content::Text(text) => to.whole_lines(text),
        Content::Json(value) => plain(to, value),
        Content::Bytes { media_type, bytes } => {
            let about = format!("{} bytes of {media_type}; --json shows them", bytes.len());
            to.line(Line::new().dim(about))
        }
    }
}

/// Characters of an atom's first line that one hit shows.
const HIT_CHARS: usize = 60;

fn lease(to: &mut Screen, lease: &Lease) -> io::Result<()> {
    let about = if lease.intent.is_empty() { "" } else { "  " };
    let line = Line::new()
        .dim("leased")
        .plain(format!(" {}  token ", resource(&lease.resource)))
        .bold(lease.token)
        .plain(format!("  until {}  ", instant(lease.until)))
        .dim(format!("by {}", lease.holder))
        .plain(format!("{about}{}", lease.intent));
    to.line(line)
}

fn resource(of: &Resource) -> String {
    match of {
        Resource::Atom(id) => id.to_string(),
        Resource::Name(name) => one_line(name).into_owned(),
    }
}

fn hit(to: &mut Screen, found: &Found) -> io::Result<()> {
    let atom = &found.read.atom;
    let about = match &atom.content {
        _ if !atom.annotation.is_empty() => atom.annotation.clone(),
        Content::Text(text) => text.clone(),
        Content::Json(value) => value.to_string(),
        Content::Bytes { media_type, bytes } => format!("{} bytes of {media_type}", bytes.len()),
        Content::Erased | Content::Redacted => "erased".to_owned(),
    };
    let first = about.lines().find(|it| !it.trim().is_empty()).unwrap_or_default().trim();
    let mut line: String = first.chars().take(HIT_CHARS).collect();
    if line.len() < first.len() {
        line.pop();
        line.push('…');
    }
    let metadata = atom.metadata.iter().map(|(key, it)| format!("  {}={it}", one_line(key)));
    let old = if atom.deprecated.is_some() { "  deprecated" } else { "" };
    let (id, version) = (atom.id, format!("v{}", atom.version));
    let line = Line::new()
        .bold(format!("{:>6.3}", found.score))
        .plain("  ")
        .dim(format!("{id}  {version:<4}"))
        .plain(format!("  {line:<HIT_CHARS$}"))
        .dim(format!("{old}{}", metadata.collect::<String>()));
    to.line(line)
}

fn change(to: &mut Screen, change: &Change) -> io::Result<()> {
    let mut atom = change.atom.map_or(String::new(), |(id, version)| format!("{id} v{version}"));
    if let Some(it) = &change.lease {
        atom =
            format!("{}  token {} until {}", resource(&it.resource), it.token, instant(it.until));
    }
    let line = Line::new()
        .dim(format!("{:>8}  {}", change.position.0, instant(change.at)))
        .plain("  ")
        .bold(format!("{:<16}", change.kind))
        .plain(format!(" {atom}  {}", change.comment));
    to.line(line)
}

/// Characters of a task that one line shows.
const TASK_CHARS: usize = 48;

fn agent(to: &mut Screen, card: &AgentCard, depth: u32) -> io::Result<()> {
    let name = card.name.clone().unwrap_or_else(|| card.id.to_string());
    let name = format!("{:indent$}{name}", "", indent = depth as usize * 2);
    let colour = match card.state.as_str() {
        "running" => AnsiColor::Green.on_default(),
        "waiting" | "parked" | "stopped" | "exhausted" => AnsiColor::Yellow.on_default(),
        "quarantined" => AnsiColor::Red.on_default(),
        _ => Style::new(),
    };
    let task: String =
        card.task.lines().next().unwrap_or_default().chars().take(TASK_CHARS).collect();
    let turns = if card.turns == 1 { "turn" } else { "turns" };
    let line = Line::new()
        .bold(format!("{name:<28}"))
        .plain(" ")
        .in_style(colour, format!("{:<11}", card.state))
        .plain(format!(" {:>4} {turns:<5} ", card.turns))
        .dim(card.id)
        .plain(format!("  {task}"));
    to.line(line)?;
    let indented = |text: &str| Line::new().dim(format!("{:>28} {text}", ""));
    if let Some(why) = &card.why {
        to.line(indented(why.lines().last().unwrap_or_default()))?;
    }
    if card.left.is_unbounded() {
        return Ok(());
    }
    to.line(indented(&format!("left: {}", card.left)))
}

fn happening(to: &mut Screen, it: &Happening) -> io::Result<()> {
    let mut lines = it.text.lines();
    let first = lines.next().unwrap_or_default();
    let line = Line::new()
        .dim(format!("{:>8}  {}", it.position.0, instant(it.at)))
        .plain("  ")
        .bold(format!("{:<18}", it.kind))
        .plain(format!(" {first}"));
    to.line(line)?;
    lines.try_for_each(|line| plain(to, format!("{:>56}{line}", "")))
}

fn outcome(to: &mut Screen, outcome: &Outcome) -> io::Result<()> {
    to.text(&outcome.printed)?;
    match &outcome.ending {
        Ending::Done { value: Some(value) } => to.whole_lines(value),
        _ => Ok(()),
    }
}

/// Skipped files that are named.
const SKIPPED_SHOWN: usize = 5;

/// The answer to stdout, what is about it to stderr. Paths are as one would type them from here.
fn report(to: &mut Screen, report: &Report) -> io::Result<()> {
    let here = std::env::current_dir().unwrap_or_default();
    let near = |path: &str| {
        let near = Path::new(path).strip_prefix(&here).map(|it| it.display().to_string());
        near.ok().filter(|it| !it.is_empty()).unwrap_or_else(|| path.to_owned())
    };
    let mut text = report.text.clone();
    for it in &report.citations {
        let (from, to) = (format!("[{}:", it.path), format!("[{}:", near(&it.path)));
        text = text.replace(&from, &to);
    }
    to.whole_lines(text.trim_end())?;
    let mut aside = Screen::aside();
    let how = match report.how {
        How::Worked => "worked out now",
        How::Resumed => "gone on with after an interruption",
        How::Stored => "the stored answer; the documents are unchanged (--fresh asks anew)",
    };
    let Report { agents, tasks, findings, files, passages, run, .. } = report;
    let mut say = |text: String| aside.line(Line::new().dim(text));
    say(String::new())?;
    say(format!(
        "{how}: {agents} agents, {tasks} tasks, {findings} findings of {files} files in \
         {passages} passages; see: stoa agent log {run}"
    ))?;
    for (path, why) in report.skipped.iter().take(SKIPPED_SHOWN) {
        say(format!("skipped {}: {why}", near(&path.display().to_string())))?;
    }
    match report.skipped.len().checked_sub(SKIPPED_SHOWN) {
        Some(more) if more > 0 => say(format!("and {more} more; --json lists them")),
        _ => Ok(()),
    }
}

/// A difference between the clocks that is told.
const CLOCK_TOLD_MS: i64 = 1_000;

fn status(to: &mut Screen, status: &Status) -> io::Result<()> {
    let line = |to: &mut Screen, key: &str, value: String| {
        to.line(Line::new().dim(format!("{key:<12}")).plain(format!(" {value}")))
    };
    line(to, "process", status.pid.to_string())?;
    line(to, "head", status.head.to_string())?;
    if status.clock_ahead_ms.abs() >= CLOCK_TOLD_MS {
        let way = if status.clock_ahead_ms > 0 { "ahead of" } else { "behind" };
        let seconds = status.clock_ahead_ms.abs() / 1_000;
        line(to, "clock", format!("{seconds} s {way} this machine's: so the log says"))?;
    }
    line(to, "spaces", status.spaces.to_string())?;
    line(to, "sessions", status.sessions.to_string())?;
    for (state, count) in &status.agents {
        line(to, "agents", format!("{count} {state}"))?;
    }
    line(to, "running", format!("{} actors, {} seats", status.running, status.seats))?;
    line(to, "commits", format!("{} since it was opened", status.commits))?;
    let scrubbed = status.scrubbed_at.map_or_else(
        || "nothing is due".to_owned(),
        |at| format!("to {} ({})", status.scrubbed, instant(at)),
    );
    line(to, "scrubbed", scrubbed)?;
    let being_made = status.indexes.iter().filter(|it| it.is_being_made());
    for it in being_made {
        let far = format!("of {}: {} of {} entries are read", it.space, it.entries, it.of);
        line(to, "index", far)?;
    }
    for it in &status.indexes {
        if let Some((done, of)) = it.sealing {
            let far = format!("of {}: {done} of {of} vectors are in a segment", it.space);
            line(to, "index", far)?;
        }
    }
    if let Some(it) = &status.vectors {
        let served = if it.serves { "" } else { ", not served yet" };
        let lag =
            if it.behind == 0 { "up to date".into() } else { format!("{} behind", it.behind) };
        line(to, "vectors", format!("{} ({} dims): {lag}{served}", it.embedder, it.dims))?;
        if it.refused > 0 {
            line(to, "", format!("{} texts were refused: found by words alone", it.refused))?;
        }
        if let Some(why) = &it.why {
            let lag = Line::new().colour(AnsiColor::Yellow, "vectors lag");
            to.line(lag.plain(format!("  {why}")))?;
        }
    }
    for (stream, why) in &status.quarantined {
        let who = Line::new().colour(AnsiColor::Red, format!("quarantined  {stream}"));
        to.line(who.plain(format!(" {why}")))?;
    }
    Ok(())
}

fn audited(to: &mut Screen, audited: &Audited) -> io::Result<()> {
    let counts = [
        ("entries chained and whole", audited.entries),
        ("streams dense", audited.streams),
        ("atoms with versions 1 to k", audited.atoms),
        ("versions", audited.versions),
        ("derived rows as the log says", audited.rows),
        ("references from both ends", audited.references),
        ("requests answered once", audited.answers),
        ("rights with a chain to the root", audited.rights),
        ("atoms erased", audited.erased),
    ];
    for (what, count) in counts {
        plain(to, format!("{count:>10}  {what}"))?;
    }
    for breach in &audited.breaches {
        to.line(Line::new().colour(AnsiColor::Red, "breach").plain(format!(" {breach}")))?;
    }
    to.line(Line::new().dim(format!("head {}", audited.head)))
}

fn plain(to: &mut Screen, text: impl ToString) -> io::Result<()> {
    to.line(Line::new().plain(text))
}
