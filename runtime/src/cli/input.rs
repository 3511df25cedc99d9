//! What was typed after a verb, read as what it stands for: contents, metadata, references, times.

use super::args::{BodyArgs, Verb};
use super::json;
use super::stdin::{Needed, read, utf8};
use super::value::{check_key, typed, value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::AtomId;
use stoa_actors::rights::Level;
use stoa_actors::session::Budget;
use stoa_actors::space::{Draft, Fence, Patch, Resource};
use stoa_actors::value::Value;
use stoa_runtime::agents::{SpaceAsk, SpawnAsk};
use stoa_runtime::clock::span_ms;
use stoa_runtime::problem::{Kind, Problem};

/// What an atom cannot do without, when it is put.
const NEW: Needed = Needed { what: "the atom", hint: "stoa put SPACE 'TEXT'" };

/// What an update cannot do without where nothing else is named.
const CHANGED: Needed = Needed { what: "the change", hint: "stoa update ID 'TEXT' --if-version N" };

pub(super) fn draft(body: BodyArgs) -> Result<Draft, Problem> {
    let content = content(&body, &NEW)?.map_or_else(|| piped(&body, &NEW), Ok)?;
    let says = body.annotation.as_ref().is_some_and(|it| !it.is_empty())
        || !body.meta.is_empty()
        || !body.references.is_empty();
    if content == Content::default() && !says {
        return Err(NEW.lacking());
    }
    Ok(Draft {
        id: None,
        content,
        annotation: body.annotation.clone().unwrap_or_default(),
        metadata: metadata(&body.meta, "--meta")?
            .into_iter()
            .filter(|(_, it)| *it != Value::Null)
            .collect(),
        references: references(&body.references)?,
        embedding: None,
    })
}

/// `also` says whether something is changed that is not in the body.
pub(super) fn patch(body: BodyArgs, also: Also) -> Result<Patch, Problem> {
    let else_named = also == Also::More
        || body.annotation.is_some()
        || !body.meta.is_empty()
        || !body.references.is_empty();
    let content = match content(&body, &CHANGED)? {
        None if !else_named || body.media_type.is_some() => Some(piped(&body, &CHANGED)?),
        content => content,
    };
    Ok(Patch {
        expect: Metadata::new(),
        content,
        annotation: body.annotation.clone(),
        metadata: metadata(&body.meta, "--meta")?,
        references: references(&body.references)?,
        attempts: None,
        embedding: None,
    })
}

/// Whether an update changes more than what its body names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Also {
    More,
    Nothing,
}

/// The content that is typed or in a file; nothing where neither is named.
fn content(body: &BodyArgs, needed: &Needed) -> Result<Option<Content>, Problem> {
    if body.json_content.as_deref() == Some("-") {
        let text = utf8(needed.bytes(true)?, "stoa put SPACE --json-content JSON")?;
        if text.trim().is_empty() {
            return Err(needed.lacking());
        }
        return Ok(Some(Content::Json(json::parse(&text)?)));
    }
    if let Some(text) = &body.json_content {
        return Ok(Some(Content::Json(json::parse(text)?)));
    }
    let bytes = match (&body.text, &body.file) {
        (Some(dash), _) if dash == "-" => {
            return Ok(Some(kept(needed.bytes(true)?, body, needed)?));
        }
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(path)) => {
            let file = std::fs::File::open(path).map_err(|error| {
                let text = format!("cannot read {}: {error}", path.display());
                Problem::new(Kind::Invalid, text).hint("stoa put SPACE --file PATH")
            })?;
            read(file, &path.display().to_string())?
        }
        (None, None) => return Ok(None),
    };
    as_content(bytes, body).map(Some)
}

/// The content that is piped in.
fn piped(body: &BodyArgs, needed: &Needed) -> Result<Content, Problem> {
    kept(needed.bytes(false)?, body, needed)
}

/// What came from stdin, if it says anything: a text of blanks is what a failed command leaves.
fn kept(bytes: Vec<u8>, body: &BodyArgs, needed: &Needed) -> Result<Content, Problem> {
    let content = as_content(bytes, body)?;
    match &content {
        Content::Text(text) if text.trim().is_empty() => Err(needed.lacking()),
        _ => Ok(content),
    }
}

fn as_content(bytes: Vec<u8>, body: &BodyArgs) -> Result<Content, Problem> {
    if let Some(media_type) = &body.media_type {
        return Ok(Content::Bytes { media_type: media_type.clone(), bytes });
    }
    let hint = "stoa put SPACE --file PATH --media-type application/octet-stream";
    utf8(bytes, hint).map(Content::Text)
}

pub(super) fn pair<'a>(
    text: &'a str,
    flag: &str,
    shape: &str,
) -> Result<(&'a str, &'a str), Problem> {
    text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
        Problem::new(Kind::Invalid, format!("{flag} {text:?} is not {shape}"))
            .hint(format!("{flag} {shape}"))
    })
}

/// `key=value`, or `key:=json`.
pub(super) fn metadata(pairs: &[String], flag: &str) -> Result<Metadata, Problem> {
    let mut out = Metadata::new();
    for text in pairs {
        let (key, said) = pair(text, flag, "KEY=VALUE")?;
        let (key, typed) = typed(key);
        if key.is_empty() {
            let problem = Problem::new(Kind::Invalid, format!("{flag} {text:?} names no key"));
            return Err(problem.hint(format!("{flag} 'KEY:=JSON'")));
        }
        check_key(flag, text, key)?;
        out.insert(key.to_owned(), value(flag, key, said, typed)?);
    }
    Ok(out)
}

pub(super) fn references(pairs: &[String]) -> Result<BTreeMap<String, Vec<AtomId>>, Problem> {
    let mut out: BTreeMap<String, Vec<AtomId>> = BTreeMap::new();
    for text in pairs {
        let (relation, id) = reference(text)?;
        out.entry(relation).or_default().push(id);
    }
    Ok(out)
}

/// `RELATION=ID`.
pub(super) fn reference(text: &str) -> Result<(String, AtomId), Problem> {
    let (relation, id) = pair(text, "--ref", "RELATION=ID")?;
    let amiss = |error| Problem::new(Kind::Invalid, error).hint("stoa search SPACE --json");
    Ok((relation.to_owned(), id.parse().map_err(amiss)?))
}

/// The patch without these relations, and the single references that are to go.
pub(super) fn unreferenced(
    mut patch: Patch,
    texts: &[String],
) -> Result<(Patch, Vec<(String, AtomId)>), Problem> {
    let mut single = Vec::new();
    for text in texts {
        let relation = text.split_once('=').map_or(text.as_str(), |(relation, _)| relation);
        if patch.references.get(relation).is_some_and(|targets| !targets.is_empty()) {
            let text = format!("--ref and --unref of {relation:?} together; --ref alone replaces");
            return Err(Problem::new(Kind::Invalid, text).hint("stoa update --help"));
        }
        if text.contains('=') {
            let (relation, id) = pair(text, "--unref", "RELATION=ID")?;
            let id = id
                .parse()
                .map_err(|error| Problem::new(Kind::Invalid, error).hint("stoa get ID --json"))?;
            single.push((relation.to_owned(), id));
        } else if relation.is_empty() {
            let problem = Problem::new(Kind::Invalid, "--unref \"\" names no relation");
            return Err(problem.hint("--unref RELATION"));
        } else {
            patch.references.insert(relation.to_owned(), Vec::new());
        }
    }
    Ok((patch, single))
}

/// `RESOURCE=TOKEN`; the name of a resource may hold a `=` itself.
pub(super) fn fence(text: &str) -> Result<Fence, Problem> {
    let parts = text.rsplit_once('=').filter(|(name, _)| !name.is_empty());
    let token = parts.and_then(|(name, token)| Some((name, token.parse().ok()?)));
    let (name, token) = token.ok_or_else(|| {
        Problem::new(Kind::Invalid, format!("--under {text:?} is not RESOURCE=TOKEN"))
            .hint("stoa lease list SPACE --json")
    })?;
    Ok(Fence { resource: Resource::named(name), token })
}

/// `NAME=LEVEL`, or `NAME=LEVEL:LEVEL` with what may be handed on.
pub(super) fn space_level(text: &str) -> Result<(String, Level, Option<Level>), Problem> {
    let (name, levels) = pair(text, "--spaces", "NAME=LEVEL[:LEVEL]")?;
    let level = |text: &str| {
        text.parse::<Level>().map_err(|error| {
            Problem::new(Kind::Invalid, error).hint(format!("--spaces {name}=write:append"))
        })
    };
    let (use_, delegate) = match levels.split_once(':') {
        Some((use_, delegate)) => (level(use_)?, Some(level(delegate)?)),
        None => (level(levels)?, None),
    };
    Ok((name.to_owned(), use_, delegate))
}

fn space_ask(text: &str) -> Result<SpaceAsk, Problem> {
    let (name, use_, delegate) = space_level(text)?;
    Ok(SpaceAsk { delegate, ..SpaceAsk::to_use(&name, use_) })
}

/// `thoughts=20,tokens=50000`.
pub(super) fn budget(text: &str) -> Result<Budget, Problem> {
    text.parse().map_err(|error| {
        Problem::new(Kind::Invalid, error).hint("--budget thoughts=20,tokens=50000")
    })
}

/// What an agent is to be and to have.
pub(super) fn spawn_ask(verb: Verb) -> Result<SpawnAsk, Problem> {
    let Verb::Spawn {
        task,
        name,
        instructions,
        spaces,
        tools,
        secrets,
        model,
        subscribe: follows,
        budget,
    } = verb
    else {
        unreachable!("no other verb spawns")
    };
    const TASK: Needed = Needed { what: "the task", hint: "stoa spawn TASK --instructions SPACE" };
    let spaces = spaces.iter().map(|it| space_ask(it)).collect::<Result<_, _>>()?;
    let task = TASK.text(task)?;
    let budget = budget.as_deref().map(self::budget).transpose()?.unwrap_or_default();
    Ok(SpawnAsk { task, name, instructions, spaces, tools, secrets, model, follows, budget })
}

/// A document or a folder of them, by the one name it has.
pub(super) fn document(path: &Path) -> Result<PathBuf, Problem> {
    path.canonicalize().map_err(|error| {
        let text = format!("cannot read {}: {error}", path.display());
        Problem::new(Kind::Invalid, text).hint("stoa research 'QUESTION' --files PATH")
    })
}

/// Without the mark that some editors put in front of UTF-8 text.
fn unmarked(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// Python source: a file, or stdin.
pub(super) fn source(file: Option<&Path>) -> Result<String, Problem> {
    const CODE: Needed = Needed { what: "the code", hint: "stoa exec FILE --spaces NAME=LEVEL" };
    let asked = file.is_some();
    let Some(file) = file.filter(|it| it.as_os_str() != "-") else {
        let code = unmarked(utf8(CODE.bytes(asked)?, CODE.hint)?);
        return if code.trim().is_empty() { Err(CODE.lacking()) } else { Ok(code) };
    };
    let name = file.display().to_string();
    let open = std::fs::File::open(file).map_err(|error| {
        Problem::new(Kind::Invalid, format!("cannot read {name}: {error}")).hint(CODE.hint)
    })?;
    String::from_utf8(read(open, &name)?).map(unmarked).map_err(|_| {
        Problem::new(Kind::Invalid, format!("{name} is not UTF-8 text")).hint(CODE.hint)
    })
}

/// A time that is not nothing, in milliseconds.
pub(super) fn span(text: &str, flag: &str) -> Result<u64, Problem> {
    span_ms(text).filter(|it| *it > 0).ok_or_else(|| no_span(text, flag))
}

fn no_span(text: &str, flag: &str) -> Problem {
    Problem::new(Kind::Invalid, format!("{text:?} is not a time like 90s, 10m, 2h or 7d"))
        .hint(format!("{flag} 10m"))
}
