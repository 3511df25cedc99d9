//! Answers for people: aligned, dim where it is not the point, plain when it is not a terminal.

use super::json::instant;
use super::looking::{difference, lag, subscription};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use std::path::Path;
use stoa_actors::atom::{Atom, Content};
use stoa_actors::code::{Ending, Outcome};
use stoa_actors::id::Position;
use stoa_actors::space::{Lease, Resource};
use stoa_runtime::agents::{AgentCard, Happening};
use stoa_runtime::audit::Audited;
use stoa_runtime::caller::{Change, SpaceCard};
use stoa_runtime::door::{Answer, Status};
use stoa_runtime::research::{How, Report};
use stoa_runtime::search::Found;

pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

pub(crate) fn answer(to: &mut impl Write, answer: &Answer) -> io::Result<()> {
    match answer {
        Answer::Space(card) => space(to, card),
        Answer::Granted(granted) => {
            let new = if granted.born { " (a new session)" } else { "" };
            writeln!(to, "granted to {}{new}", granted.session)
        }
        Answer::Revoked { links } => {
            writeln!(to, "revoked: {links} right{}", if *links == 1 { "" } else { "s" })
        }
        Answer::Atom(read) => atom(to, &read.atom, read.position),
        Answer::Taken(taken) => {
            atom(to, &taken.read.atom, taken.read.position)?;
            lease(to, &taken.lease)
        }
        Answer::Lease(it) => lease(to, it),
        Answer::Released => writeln!(to, "released"),
        Answer::Change(change) => self::change(to, change),
        Answer::Difference(it) => difference(to, it),
        Answer::Subscription(card) => subscription(to, card),
        Answer::Unsubscribed => writeln!(to, "removed"),
        Answer::Lag(wake) => lag(to, wake),
        Answer::Read { id, cursor } => {
            writeln!(to, "{DIM}read; then: stoa subscription ack {id} {cursor}{DIM:#}")
        }
        Answer::Hit { found, .. } => hit(to, found),
        Answer::Outcome(outcome) => self::outcome(to, outcome),
        Answer::Agent { card, depth } => agent(to, card, *depth),
        Answer::Happening(it) => happening(to, it),
        Answer::Wiped { agents } => {
            writeln!(to, "wiped: {agents} agent{}", if *agents == 1 { "" } else { "s" })
        }
        Answer::Report(report) => self::report(to, report),
        Answer::Status(status) => self::status(to, status),
        Answer::Audited(audited) => self::audited(to, audited),
        Answer::Backup(backup) => super::copies::print(to, "backed up to", &backup.path, backup),
        other => writeln!(to, "{other:?}"),
    }
}

fn space(to: &mut impl Write, card: &SpaceCard) -> io::Result<()> {
    let name = card.name.as_deref().unwrap_or("-");
    let level = card.level.map_or("-".into(), |it| it.to_string());
    let about = card.description.lines().next().unwrap_or_default();
    writeln!(
        to,
        "{BOLD}{name:<20}{BOLD:#} {level:<7} {:>6} {:<8} {DIM}{}{DIM:#}  {about}",
        card.entries,
        if card.entries == 1 { "entry" } else { "entries" },
        card.id,
    )
}

fn atom(to: &mut impl Write, atom: &Atom, position: Position) -> io::Result<()> {
    writeln!(
        to,
        "{BOLD}{}{BOLD:#}  version {}  {DIM}at {position}, {}, by {}{DIM:#}",
        atom.id,
        atom.version,
        instant(atom.at),
        atom.author,
    )?;
    if !atom.annotation.is_empty() {
        writeln!(to, "{DIM}about{DIM:#} {}", atom.annotation)?;
    }
    for (key, value) in &atom.metadata {
        writeln!(to, "{DIM}{key}{DIM:#} {value}")?;
    }
    for reference in &atom.references {
        writeln!(to, "{DIM}{} ->{DIM:#} {}", reference.relation, reference.target)?;
    }
    if let Some(deprecated) = &atom.deprecated {
        let red = AnsiColor::Red.on_default();
        let by = deprecated.superseded_by.map_or(String::new(), |id| format!(", see {id}"));
        writeln!(to, "{red}deprecated{by}{red:#}")?;
    }
    match &atom.content {
        Content::Erased => {
            writeln!(to, "\n{DIM}erased at {} by {}{DIM:#}", instant(atom.at), atom.author)
        }
        Content::Redacted => writeln!(to, "\n{DIM}erased later{DIM:#}"),
        Content::Text(text) if text.is_empty() => Ok(()),
        Content::Text(text) => writeln!(to, "\n{}", text.trim_end_matches('\n')),
        Content::Json(value) => writeln!(to, "\n{value}"),
        Content::Bytes { media_type, bytes } => {
            writeln!(to, "\n{DIM}{} bytes of {media_type}; --json shows them{DIM:#}", bytes.len())
        }
    }
}

/// Characters of an atom's first line that one hit shows.
const HIT_CHARS: usize = 60;

fn lease(to: &mut impl Write, lease: &Lease) -> io::Result<()> {
    let about = if lease.intent.is_empty() { "" } else { "  " };
    writeln!(
        to,
        "{DIM}leased{DIM:#} {}  token {BOLD}{}{BOLD:#}  until {}  {DIM}by {}{DIM:#}{about}{}",
        resource(&lease.resource),
        lease.token,
        instant(lease.until),
        lease.holder,
        one_line(&lease.intent),
    )
}

fn resource(of: &Resource) -> String {
    match of {
        Resource::Atom(id) => id.to_string(),
        Resource::Name(name) => one_line(name),
    }
}

fn hit(to: &mut impl Write, found: &Found) -> io::Result<()> {
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
    let metadata = atom.metadata.iter().map(|(key, value)| format!("  {key}={value}"));
    let old = if atom.deprecated.is_some() { "  deprecated" } else { "" };
    writeln!(
        to,
        "{BOLD}{:>6.3}{BOLD:#}  {DIM}{}  {:<4}{DIM:#}  {line:<HIT_CHARS$}{DIM}{old}{}{DIM:#}",
        found.score,
        atom.id,
        format!("v{}", atom.version),
        metadata.collect::<String>(),
    )
}

fn change(to: &mut impl Write, change: &Change) -> io::Result<()> {
    let mut atom = change.atom.map_or(String::new(), |(id, version)| format!("{id} v{version}"));
    if let Some(it) = &change.lease {
        atom =
            format!("{}  token {} until {}", resource(&it.resource), it.token, instant(it.until));
    }
    writeln!(
        to,
        "{DIM}{:>8}  {}{DIM:#}  {BOLD}{:<16}{BOLD:#} {atom}  {}",
        change.position.0,
        instant(change.at),
        change.kind,
        one_line(&change.comment),
    )
}

/// What somebody else has written makes no lines of its own where a line is one thing.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Characters of a task that one line shows.
const TASK_CHARS: usize = 48;

fn agent(to: &mut impl Write, card: &AgentCard, depth: u32) -> io::Result<()> {
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
    writeln!(
        to,
        "{BOLD}{name:<28}{BOLD:#} {colour}{:<11}{colour:#} {:>4} {turns:<5} {DIM}{}{DIM:#}  {task}",
        card.state, card.turns, card.id,
    )?;
    if let Some(why) = &card.why {
        writeln!(to, "{:>28} {DIM}{}{DIM:#}", "", why.lines().last().unwrap_or_default())?;
    }
    if card.left.is_unbounded() {
        return Ok(());
    }
    writeln!(to, "{:>28} {DIM}left: {}{DIM:#}", "", card.left)
}

fn happening(to: &mut impl Write, it: &Happening) -> io::Result<()> {
    let mut lines = it.text.lines();
    let first = lines.next().unwrap_or_default();
    writeln!(
        to,
        "{DIM}{:>8}  {}{DIM:#}  {BOLD}{:<18}{BOLD:#} {first}",
        it.position.0,
        instant(it.at),
        it.kind,
    )?;
    lines.try_for_each(|line| writeln!(to, "{:>56}{line}", ""))
}

fn outcome(to: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    to.write_all(outcome.printed.as_bytes())?;
    if let Ending::Done { value: Some(value) } = &outcome.ending {
        writeln!(to, "{value}")?;
    }
    Ok(())
}

/// Skipped files that are named.
const SKIPPED_SHOWN: usize = 5;

/// The answer to stdout, what is about it to stderr. Paths are as one would type them from here.
fn report(to: &mut impl Write, report: &Report) -> io::Result<()> {
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
    writeln!(to, "{}", text.trim_end())?;
    let mut aside = anstream::stderr().lock();
    let how = match report.how {
        How::Worked => "worked out now",
        How::Resumed => "gone on with after an interruption",
        How::Stored => "the stored answer; the documents are unchanged (--fresh asks anew)",
    };
    let Report { agents, tasks, findings, files, passages, run, .. } = report;
    writeln!(
        aside,
        "\n{DIM}{how}: {agents} agents, {tasks} tasks, {findings} findings of {files} files in \
         {passages} passages; see: stoa agent log {run}{DIM:#}"
    )?;
    for (path, why) in report.skipped.iter().take(SKIPPED_SHOWN) {
        writeln!(aside, "{DIM}skipped {}: {why}{DIM:#}", near(&path.display().to_string()))?;
    }
    match report.skipped.len().checked_sub(SKIPPED_SHOWN) {
        Some(more) if more > 0 => writeln!(aside, "{DIM}and {more} more; --json lists them{DIM:#}"),
        _ => Ok(()),
    }
}

fn status(to: &mut impl Write, status: &Status) -> io::Result<()> {
    let line = |to: &mut dyn Write, key: &str, value: String| {
        writeln!(to, "{DIM}{key:<12}{DIM:#} {value}")
    };
    line(to, "process", status.pid.to_string())?;
    line(to, "head", status.head.to_string())?;
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
            let yellow = AnsiColor::Yellow.on_default();
            writeln!(to, "{yellow}vectors lag{yellow:#}  {why}")?;
        }
    }
    for (stream, why) in &status.quarantined {
        let red = AnsiColor::Red.on_default();
        writeln!(to, "{red}quarantined  {stream}{red:#} {why}")?;
    }
    Ok(())
}

fn audited(to: &mut impl Write, audited: &Audited) -> io::Result<()> {
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
        writeln!(to, "{count:>10}  {what}")?;
    }
    for breach in &audited.breaches {
        let red = AnsiColor::Red.on_default();
        writeln!(to, "{red}breach{red:#} {breach}")?;
    }
    writeln!(to, "{DIM}head {}{DIM:#}", audited.head)
}
