//! What was typed after a verb, as the request of its operation.

use super::conditions::{conditions, wanted};
use super::content::Body;
use super::stdin::{self, read, utf8};
use super::value::{self, pairs};
use clap::ArgMatches;
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use stoa_actors::rights::Level;
use stoa_actors::session::Budget;
use stoa_api::operation::{AnyOperation, Arg, ArgForm, Conditions, Needed};
use stoa_kernel::envelope::from_map;
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// Whether a flag was typed, of those that a verb may not have.
pub(super) fn flag(typed: &ArgMatches, name: &str) -> bool {
    typed.try_get_one::<bool>(name).is_ok_and(|it| it == Some(&true))
}

/// What is asked: one request, or one for each of several ids.
pub(super) fn bodies(entry: &AnyOperation, typed: &ArgMatches) -> Result<Vec<Json>, Problem> {
    let mut body = Map::new();
    let args = || entry.args.iter().copied().flatten();
    for arg in args() {
        if let Some(value) = field(arg, typed)? {
            body.insert(arg.field.to_owned(), value);
        }
    }
    if args().any(|it| matches!(it.how, ArgForm::ContentText(_))) {
        Body::of(typed).fill(entry, typed, &mut body)?;
    }
    let Some(ids) = args().find(|it| it.how == ArgForm::Ids) else { return Ok(vec![body.into()]) };
    let single = entry.request().as_value()["properties"][ids.field]["type"] == "string";
    match (single, body.remove(ids.field)) {
        (true, Some(Json::Array(all))) if all.len() > 1 && one_alone(&body).is_some() => {
            let flag = one_alone(&body).unwrap_or_default();
            let text = format!("{flag} is of one thing, and {} are named", all.len());
            Err(Problem::new(ProblemKind::Invalid, text).hint("--help"))
        }
        (true, Some(Json::Array(all))) => Ok(all
            .into_iter()
            .map(|id| {
                let mut body = body.clone();
                body.insert(ids.field.to_owned(), id);
                body.into()
            })
            .collect()),
        (_, all) => {
            body.extend(all.map(|all| (ids.field.to_owned(), all)));
            Ok(vec![body.into()])
        }
    }
}

/// What was typed that cannot be said of several.
fn one_alone(body: &Map<String, Json>) -> Option<&'static str> {
    [("key", "--key"), ("if_version", "--if-version")]
        .into_iter()
        .find_map(|(field, flag)| body.contains_key(field).then_some(flag))
}

fn one<'a>(arg: &Arg, typed: &'a ArgMatches) -> Option<&'a String> {
    typed.get_one::<String>(arg.name())
}

fn all(arg: &Arg, typed: &ArgMatches) -> Option<Vec<String>> {
    let all: Vec<String> = typed.get_many(arg.name())?.cloned().collect();
    Some(all)
}

fn path<'a>(arg: &Arg, typed: &'a ArgMatches) -> Option<&'a PathBuf> {
    typed.get_one::<PathBuf>(arg.name())
}

fn field(arg: &Arg, typed: &ArgMatches) -> Result<Option<Json>, Problem> {
    let flag = || format!("--{}", arg.name());
    Ok(match arg.how {
        ArgForm::Text => one(arg, typed).map(|it| json!(it)),
        ArgForm::Texts | ArgForm::EachText | ArgForm::Ids => all(arg, typed).map(|it| json!(it)),
        ArgForm::Long(needed) => match (one(arg, typed), arg.unless) {
            // Something else is said instead, and stdin is left alone.
            (None, Some(other)) if typed.contains_id(other) => None,
            (text, _) => Some(json!(needed.text(text.cloned())?)),
        },
        ArgForm::Also(needed) => match one(arg, typed) {
            Some(text) => Some(json!(needed.text(Some(text.clone()))?)),
            None => None,
        },
        ArgForm::Number => typed.get_one::<u64>(arg.name()).map(|it| json!(it)),
        ArgForm::Switch => typed.get_flag(arg.name()).then(|| json!(true)),
        ArgForm::Pairs => match all(arg, typed) {
            Some(texts) => Some(from_map(&pairs(&texts, &flag())?)),
            None => None,
        },
        ArgForm::Wanted => match all(arg, typed) {
            Some(texts) => Some(from_map(&wanted(&texts, &flag())?)),
            None => None,
        },
        ArgForm::Conditions => match all(arg, typed) {
            Some(texts) => Some(plain(&Conditions(conditions(&texts)?))?),
            None => None,
        },
        ArgForm::References => all(arg, typed).map(|it| targets(&it, false)).transpose()?,
        ArgForm::Relations => all(arg, typed).map(|it| targets(&it, true)).transpose()?,
        ArgForm::Spaces => all(arg, typed).map(|it| spaces(&it)).transpose()?,
        ArgForm::Budget => one(arg, typed).map(|it| budget(it)).transpose()?,
        ArgForm::Path => path(arg, typed).map(|it| absolute(it)).transpose()?,
        ArgForm::Documents => {
            let paths = typed.get_many::<PathBuf>(arg.name()).into_iter().flatten();
            Some(Json::Array(paths.map(|it| document(it)).collect::<Result<_, _>>()?))
        }
        ArgForm::Code => Some(json!(source(path(arg, typed).map(PathBuf::as_path))?)),
        ArgForm::JsonLines(needed) => Some(json_lines(one(arg, typed), &needed)?),
        // What an atom says is looked at together; the rest is the command line's own.
        ArgForm::ContentText(_)
        | ArgForm::ContentFile
        | ArgForm::ContentJson
        | ArgForm::ContentType
        | ArgForm::Local
        | ArgForm::LocalText
        | ArgForm::LocalPath => None,
    })
}

fn plain(of: &impl serde::Serialize) -> Result<Json, Problem> {
    serde_json::to_value(of).map_err(|error| Problem::new(ProblemKind::Invalid, error))
}

fn pair<'a>(text: &'a str, flag: &str, shape: &str) -> Result<(&'a str, &'a str), Problem> {
    text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
        let meant = match (text.strip_prefix('='), text.is_empty()) {
            (Some(value), _) => format!("RELATION={value}"),
            (None, true) => shape.to_owned(),
            (None, false) if flag == "--spaces" => format!("{text}=read"),
            (None, false) => format!("{text}=ID"),
        };
        Problem::new(ProblemKind::Invalid, format!("{flag} {text:?} is not {shape}"))
            .hint(format!("{flag} {}", quoted(&meant)))
    })
}

/// `RELATION=ID`; where any target will do `RELATION` as well.
fn targets(texts: &[String], any: bool) -> Result<Json, Problem> {
    let mut out = Map::new();
    for text in texts {
        let (relation, id) = match any && !text.contains('=') && !text.is_empty() {
            true => (text.as_str(), None),
            false => {
                pair(text, "--ref", "RELATION=ID").map(|(relation, id)| (relation, Some(id)))?
            }
        };
        let ids = out.entry(relation).or_insert_with(|| json!([]));
        if let (Json::Array(ids), Some(id)) = (ids, id) {
            ids.push(json!(id));
        }
    }
    Ok(out.into())
}

/// `NAME=LEVEL`, or `NAME=LEVEL:LEVEL` with what may be handed on.
fn spaces(texts: &[String]) -> Result<Json, Problem> {
    let each = texts.iter().map(|text| {
        let (name, levels) = pair(text, "--spaces", "NAME=LEVEL[:LEVEL]")?;
        let level = |text: &str| {
            text.parse::<Level>().map(|it| it.to_string()).map_err(|error| {
                Problem::new(ProblemKind::Invalid, error)
                    .hint(format!("--spaces {}", quoted(&format!("{name}=write:append"))))
            })
        };
        Ok(match levels.split_once(':') {
            Some((level_, delegate)) => {
                json!({"space": name, "level": level(level_)?, "delegate": level(delegate)?})
            }
            None => json!({"space": name, "level": level(levels)?}),
        })
    });
    Ok(Json::Array(each.collect::<Result<_, Problem>>()?))
}

/// Reads a budget: `tokens=50000,money=1.50`.
fn budget(text: &str) -> Result<Json, Problem> {
    let budget: Budget = text.parse().map_err(|error| {
        Problem::new(ProblemKind::Invalid, error).hint("--budget tokens=50000,money=1.50")
    })?;
    let units = budget.units().into_iter().map(|(unit, n)| {
        let n = match (n, unit.whole()) {
            (None, _) => Json::Null,
            (Some(n), 1) => json!(n),
            (Some(n), whole) => json!(n as f64 / whole as f64),
        };
        (unit.name().to_owned(), n)
    });
    Ok(Json::Object(units.collect()))
}

fn absolute(path: &Path) -> Result<Json, Problem> {
    let failed = |error| Problem::new(ProblemKind::Invalid, format!("no such path: {error}"));
    plain(&std::path::absolute(path).map_err(failed)?)
}

/// A document or a folder of them, by the one name it has.
fn document(path: &Path) -> Result<Json, Problem> {
    let path = path.canonicalize().map_err(|error| {
        let text = format!("cannot read {}: {error}", path.display());
        Problem::new(ProblemKind::Invalid, text).hint("stoa research QUESTION --files PATH")
    })?;
    plain(&path)
}

/// Without the mark that some editors put in front of UTF-8 text.
fn unmarked(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// Python source: a file, or stdin.
fn source(file: Option<&Path>) -> Result<String, Problem> {
    const CODE: Needed = Needed { what: "the code", hint: "stoa exec FILE" };
    let asked = file.is_some();
    let Some(file) = file.filter(|it| it.as_os_str() != "-") else {
        let code = unmarked(utf8(stdin::bytes(&CODE, asked)?, CODE.hint)?);
        return if code.trim().is_empty() { Err(stdin::lacking(&CODE)) } else { Ok(code) };
    };
    let name = file.display().to_string();
    let open = std::fs::File::open(file).map_err(|error| {
        Problem::new(ProblemKind::Invalid, format!("cannot read {name}: {error}")).hint(CODE.hint)
    })?;
    String::from_utf8(read(open, &name)?).map(unmarked).map_err(|_| {
        Problem::new(ProblemKind::Invalid, format!("{name} is not UTF-8 text")).hint(CODE.hint)
    })
}

/// One JSON value a line, from a file or stdin; lines of blanks are passed over.
fn json_lines(typed: Option<&String>, needed: &Needed) -> Result<Json, Problem> {
    let bytes = match typed.map(String::as_str) {
        None | Some("-") => stdin::bytes(needed, typed.is_some())?,
        Some(name) => stdin::file(name.as_ref(), needed.hint)?,
    };
    let text = utf8(bytes, needed.hint)?;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, it)| !it.trim().is_empty()) {
        let parsed = value::parse(line).map_err(|problem| {
            let text = format!("line {number}: {}", problem.text);
            Problem::new(problem.kind, text).hint(needed.hint)
        })?;
        lines.push(stoa_kernel::envelope::from_value(&parsed));
    }
    if lines.is_empty() { Err(stdin::lacking(needed)) } else { Ok(lines.into()) }
}

/// A text that may be `-` or `@FILE`, for what reads it.
trait Texts {
    fn text(&self, typed: Option<String>) -> Result<String, Problem>;
}

impl Texts for Needed {
    fn text(&self, typed: Option<String>) -> Result<String, Problem> {
        stdin::text(self, typed)
    }
}
