//! From lines to what is taken in. A file is looked through whole before anything of it is.

use super::fields::{Fields, Invalid, invalid};
use super::json::{fits, moment, value};
use super::{Exported, FORM};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use stoa_actors::atom::{Content, Deprecation, Embedding, Metadata, Reference};
use stoa_actors::id::{AtomId, Position, SessionId};
use stoa_actors::limits::Limits;
use stoa_actors::log::Cause;
use stoa_actors::space::{ImportedVersion, Merge, Origin};

/// A line: the largest content, with every byte of it escaped, and what surrounds it.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// What some editors put in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What a backup begins with.
const BACKUP: &[u8] = b"stoa backup";
/// Keys of a foreign line that are told.
const KEYS_TOLD: usize = 6;
/// Bytes of one batch; a larger event is one alone.
const CARRY_BYTES_MAX: usize = 2 << 20;

/// Why a file is not taken in: on which line, and in which field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {why}", field_of(.field))]
#[expect(missing_docs, reason = "a field is told where its name and type do not say it")]
pub struct Flaw {
    pub line: u64,
    /// For instance `body.version`; empty where it is the whole line.
    pub field: String,
    /// What is damaged.
    pub why: String,
    /// What it is instead, where it is no export at all.
    pub foreign: Option<Foreign>,
}

/// What a file is that is no export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A backup of a whole directory.
    Backup,
    /// What another program has written.
    Other,
}

fn field_of(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(", {field}") }
}

/// What a whole file holds.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its first line.
    pub exported: Exported,
    /// How many events.
    pub events: u64,
    /// The atoms, and how many versions there are of each.
    pub atoms: BTreeMap<AtomId, u64>,
}

/// The lines of a file, each with its number.
struct Lines<R> {
    from: R,
    line: u64,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn new(from: R) -> Lines<R> {
        Lines { from, line: 0, bytes: Vec::new() }
    }

    fn flaw(&self, it: Invalid) -> Flaw {
        Flaw { line: self.line, field: it.field, why: it.why, foreign: None }
    }

    /// The same of what no export begins with.
    fn foreign(&self, it: Invalid) -> Flaw {
        Flaw { foreign: Some(Foreign::Other), ..self.flaw(it) }
    }

    /// The next object; nothing at the end of the file.
    fn next(&mut self) -> Result<Option<Map<String, Json>>, Flaw> {
        self.line += 1;
        self.bytes.clear();
        let read = (&mut self.from).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut self.bytes);
        let read =
            read.map_err(|error| self.flaw(invalid("", format!("cannot be read: {error}"))))?;
        if read == 0 {
            return Ok(None);
        }
        if read as u64 > LINE_BYTES_MAX {
            let why = format!("it is longer than {LINE_BYTES_MAX} bytes");
            return Err(self.flaw(invalid("", why)));
        }
        self.object().map(Some).map_err(|it| self.flaw(it))
    }

    fn object(&self) -> Result<Map<String, Json>, Invalid> {
        let mark = if self.line == 1 { BYTE_ORDER_MARK } else { b"" };
        let bytes = self.bytes.strip_prefix(mark).unwrap_or(&self.bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| invalid("", "not UTF-8 text"))?;
        let json = serde_json::from_str(text).map_err(|error| {
            // The position within the line; its number is ours to tell.
            let text = error.to_string();
            let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why);
            invalid("", format!("not JSON: {why} (column {})", error.column()))
        })?;
        fits(text).map_err(|error| invalid("", error))?;
        match json {
            Json::Object(map) => Ok(map),
            _ => Err(invalid("", "not an object")),
        }
    }
}

/// Looks through a whole file: every line, every version of every atom, and that nothing of it is
/// cut off. Nothing is kept of it but which atoms there are.
pub fn check(from: impl BufRead, limits: &Limits) -> Result<Checked, Flaw> {
    let mut lines = Lines::new(from);
    let first = lines.next();
    if lines.bytes.starts_with(BACKUP) {
        let why = "a backup of a whole directory, no export of a space".to_owned();
        return Err(Flaw { foreign: Some(Foreign::Backup), ..lines.flaw(invalid("", why)) });
    }
    let first = first.map_err(|flaw| Flaw {
        why: format!("{}; {EXPECTED}", flaw.why),
        foreign: Some(Foreign::Other),
        ..flaw
    })?;
    let exported = match first {
        Some(map) => {
            if let Some(why) = foreign(&map) {
                return Err(lines.foreign(invalid("", why)));
            }
            header(map).map_err(|it| lines.flaw(it))?
        }
        None => return Err(lines.foreign(invalid("", format!("an empty file; {EXPECTED}")))),
    };
    let (mut events, mut atoms) = (0, BTreeMap::new());
    while let Some(map) = lines.next()? {
        if let Some(count) = trailer(&map).map_err(|it| lines.flaw(it))? {
            if count != events {
                let why = format!("{count}, but there are {events}: lines are missing");
                return Err(lines.flaw(invalid("events", why)));
            }
            if lines.next()?.is_some() {
                return Err(lines.flaw(invalid("", "there is something after the end")));
            }
            return Ok(Checked { exported, events, atoms });
        }
        let it = event(map).map_err(|it| lines.flaw(it))?;
        it.check(limits).map_err(|no| lines.flaw(invalid("body", no)))?;
        let newest: &mut u64 = atoms.entry(it.id).or_default();
        if it.version != *newest + 1 {
            let why = format!("{} of atom {} follows version {newest}", it.version, it.id);
            return Err(lines.flaw(invalid("body.version", why)));
        }
        *newest = it.version;
        events += 1;
    }
    Err(lines.flaw(invalid("", "the file is cut short: its last line is not export.ended")))
}

/// The events of a file that was looked through, in pieces that one entry can hold.
pub struct Batches<R> {
    lines: Lines<R>,
    events_max: usize,
    next: Option<ImportedVersion>,
    begun: bool,
}

impl<R: BufRead> Batches<R> {
    /// From the beginning of the file.
    pub fn new(from: R, limits: &Limits) -> Batches<R> {
        let events_max = limits.transaction_mutations_max;
        Batches { lines: Lines::new(from), events_max, next: None, begun: false }
    }

    fn one(&mut self) -> Result<Option<ImportedVersion>, Flaw> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.lines.next()?;
        }
        let Some(map) = self.lines.next()? else { return Ok(None) };
        if trailer(&map).map_err(|it| self.lines.flaw(it))?.is_some() {
            return Ok(None);
        }
        event(map).map(Some).map_err(|it| self.lines.flaw(it))
    }

    /// The next piece; empty at the end.
    pub fn batch(&mut self) -> Result<Vec<ImportedVersion>, Flaw> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < self.events_max {
            let Some(it) = self.one()? else { break };
            bytes += it.bytes();
            if bytes > CARRY_BYTES_MAX && !batch.is_empty() {
                self.next = Some(it);
                break;
            }
            batch.push(it);
        }
        Ok(batch)
    }
}

/// What a file begins with that is an export.
const EXPECTED: &str =
    "import takes what stoa export has written, which begins with {\"type\":\"space.exported\"";

/// What was seen, where it is not the first line of an export.
fn foreign(map: &Map<String, Json>) -> Option<String> {
    let kind = map.get("type").and_then(Json::as_str);
    if kind == Some("space.exported") {
        return None;
    }
    if let Some(kind) = kind.filter(|it| it.starts_with("atom.") && map.contains_key("event_id")) {
        return Some(format!("an export without its first line: this one is {kind}; {EXPECTED}"));
    }
    let told: Vec<String> = map.keys().take(KEYS_TOLD).map(|it| format!("{it:?}")).collect();
    let more = if map.len() > KEYS_TOLD { ", …" } else { "" };
    let keys = if told.is_empty() { "no keys".to_owned() } else { told.join(", ") };
    Some(format!("no export of stoa, but an object with {keys}{more}; {EXPECTED}"))
}

fn header(map: Map<String, Json>) -> Result<Exported, Invalid> {
    let mut fields = Fields { map, path: String::new() };
    fields.take("type")?;
    let form = fields.number("form")?;
    if form > FORM {
        let why = format!("{form}, this build reads {FORM}; use a newer stoa");
        return Err(invalid("form", why));
    }
    let at = at(&mut fields)?;
    let upto = Position(fields.number("cursor")?);
    let mut space = fields.fields("space")?;
    let (id, description) = (space.id("space_id")?, space.text("description")?);
    space.end()?;
    fields.end()?;
    Ok(Exported { space: id, description, upto, at })
}

/// How many events it says there are, if it is the last line.
fn trailer(map: &Map<String, Json>) -> Result<Option<u64>, Invalid> {
    if map.get("type") != Some(&Json::from("export.ended")) {
        return Ok(None);
    }
    let mut fields = Fields { map: map.clone(), path: String::new() };
    fields.take("type")?;
    let events = fields.number("events")?;
    fields.end()?;
    Ok(Some(events))
}

fn at(fields: &mut Fields) -> Result<stoa_actors::id::Millis, Invalid> {
    let text = fields.text("ts")?;
    moment(&text).ok_or_else(|| invalid(fields.path("ts"), format!("{text:?} is not a time")))
}

fn event(map: Map<String, Json>) -> Result<ImportedVersion, Invalid> {
    let mut fields = Fields { map, path: String::new() };
    let event = fields.id("event_id")?;
    let position = Position(fields.number("cursor")?);
    let at = at(&mut fields)?;
    let kind = fields.text("type")?;
    if !matches!(&*kind, "atom.put" | "atom.updated" | "atom.deprecated" | "atom.erased") {
        return Err(invalid("type", format!("{kind:?} is no event of an atom")));
    }
    let by = actor(fields.fields("actor")?)?;
    let mut refs = fields.fields("refs")?;
    let (space, atom): (_, AtomId) = (refs.id("space_id")?, refs.id("atom_id")?);
    refs.end()?;
    let key = match fields.map.contains_key("idempotency_key") {
        true => Some(fields.text("idempotency_key")?),
        false => None,
    };
    fields.maybe("imported");
    let mut body = fields.fields("body")?;
    fields.end()?;
    let comment = body.text("comment")?;
    let hop = u16::try_from(body.number("hop")?).map_err(|error| invalid("body.hop", error))?;
    let root = match body.map.contains_key("root") {
        true => Some(body.id("root")?),
        false => None,
    };
    let cause = Cause { root, hop };
    let (references, superseded_by) = (None, None);
    let origin = Origin {
        event,
        position,
        at,
        by,
        kind,
        comment,
        key,
        cause,
        space,
        atom,
        references,
        superseded_by,
    };
    let carried = ImportedVersion {
        id: atom,
        version: body.number("version")?,
        content: content(&mut body, &origin.kind)?,
        annotation: body.text("annotation")?,
        metadata: metadata(body.take("metadata")?)?,
        references: self::references(body.take("references")?)?,
        embedding: body.maybe("embedding").map(embedding).transpose()?,
        deprecated: deprecated(&mut body)?,
        attempts: attempts(&mut body)?,
        origin,
        imported: None,
        merge: Merge::default(),
    };
    body.end()?;
    if carried.origin.kind == "atom.erased" && carried.content != Content::Erased {
        return Err(invalid("body.erased", "it is missing"));
    }
    Ok(carried)
}

fn actor(mut fields: Fields) -> Result<SessionId, Invalid> {
    let mut id = |name: &str, prefix: &str| {
        let text = fields.text(name)?;
        let id = text.strip_prefix(prefix).and_then(|it| it.parse::<SessionId>().ok());
        id.ok_or_else(|| invalid(fields.path(name), format!("{text:?} is not {prefix}ID")))
    };
    let (agent, session) = (id("agent_id", "agent:")?, id("session_id", "sess:")?);
    if agent != session {
        return Err(invalid("actor", "agent and session are not the same"));
    }
    fields.end()?;
    Ok(session)
}

fn content(body: &mut Fields, kind: &str) -> Result<Content, Invalid> {
    if let Some(erased) = body.maybe("erased") {
        return match (erased, kind) {
            (Json::Bool(true), "atom.erased") => Ok(Content::Erased),
            (Json::Bool(true), _) => Ok(Content::Redacted),
            _ => Err(invalid("body.erased", "not true")),
        };
    }
    let has = |name: &str| body.map.contains_key(name);
    match (has("content"), has("json"), has("base64")) {
        (true, false, false) => Ok(Content::Text(body.text("content")?)),
        (false, true, false) => {
            let json = body.take("json")?;
            Ok(Content::Json(value(json).map_err(|error| invalid("body.json", error))?))
        }
        (false, false, true) => {
            let (media_type, bytes) = (body.text("media_type")?, body.bytes("base64")?);
            Ok(Content::Bytes { media_type, bytes })
        }
        _ => Err(invalid("body", "it needs one of content, json, base64 and erased")),
    }
}

fn metadata(json: Json) -> Result<Metadata, Invalid> {
    let fields = Fields::of(json, "body.metadata")?;
    let mut out = Metadata::new();
    for (key, json) in fields.map {
        let value = value(json).map_err(|error| invalid(format!("body.metadata.{key}"), error))?;
        out.insert(key, value);
    }
    Ok(out)
}

fn references(json: Json) -> Result<Vec<Reference>, Invalid> {
    let fields = Fields::of(json, "body.references")?;
    let mut out = Vec::new();
    for (relation, targets) in fields.map {
        let path = format!("body.references.{relation}");
        let Json::Array(targets) = targets else { return Err(invalid(path, "not a list")) };
        for target in targets {
            let id = target.as_str().and_then(|it| it.parse().ok());
            let target = id.ok_or_else(|| invalid(&path, format!("{target} is not an id")))?;
            let reference = Reference { relation: relation.clone(), target };
            if out.contains(&reference) {
                return Err(invalid(path, format!("{target} stands there twice")));
            }
            out.push(reference);
        }
    }
    Ok(out)
}

fn embedding(json: Json) -> Result<Embedding, Invalid> {
    let mut fields = Fields::of(json, "body.embedding")?;
    let number = fields.number("fingerprint")?;
    let fingerprint =
        u32::try_from(number).map_err(|error| invalid("body.embedding.fingerprint", error))?;
    let scale = fields.take("scale")?.as_f64().map(|it| it as f32).filter(|it| it.is_finite());
    let scale = scale.ok_or_else(|| invalid("body.embedding.scale", "not a finite number"))?;
    let dims = fields.bytes("base64")?;
    fields.end()?;
    Ok(Embedding { fingerprint, scale, dims })
}

fn attempts(body: &mut Fields) -> Result<u64, Invalid> {
    let Some(said) = body.maybe("attempts") else { return Ok(0) };
    said.as_u64().ok_or_else(|| invalid("body.attempts", "not a whole number"))
}

fn deprecated(body: &mut Fields) -> Result<Option<Deprecation>, Invalid> {
    let by = body.maybe("superseded_by");
    match (body.maybe("deprecated"), by) {
        (None, None) => Ok(None),
        (Some(Json::Bool(true)), None | Some(Json::Null)) => {
            Ok(Some(Deprecation { superseded_by: None }))
        }
        (Some(Json::Bool(true)), Some(Json::String(id))) => {
            let id = id.parse().map_err(|error| invalid("body.superseded_by", error))?;
            Ok(Some(Deprecation { superseded_by: Some(id) }))
        }
        (Some(Json::Bool(true)), _) => Err(invalid("body.superseded_by", "not an id")),
        _ => Err(invalid("body.deprecated", "not true")),
    }
}
