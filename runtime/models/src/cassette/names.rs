//! What differs from run to run in what a model is told: ids, times and positions in the log. Pure.
//!
//! They are found by their form. An id is 26 letters of Crockford's alphabet, or the last eight of one
//! that was named before; a time is `2026-11-29T03:11:54Z`, or seconds or milliseconds since 1970 of
//! this age; a position is a number behind the word, as atoms are printed: others write to the log
//! meanwhile. In a request each is replaced by its number, by the order in which they are named first.

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::ops::Range;

/// Letters of an id.
const ID_LETTERS: usize = 26;

/// Letters of an id that people are shown.
const SHORT_LETTERS: usize = 8;

/// A request without what differs from run to run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedRequest {
    /// The request: its objects are in the order of their keys.
    pub json: Json,
    /// What was in the place of each number, from 1.
    pub names: Vec<String>,
}

impl NamedRequest {
    /// Of a request.
    pub fn of(request: &Json) -> NamedRequest {
        let mut finder = Finder::default();
        let json = finder.replaced(request);
        NamedRequest { json, names: finder.names }
    }
}

#[derive(Default)]
struct Finder {
    names: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Finder {
    fn replaced(&mut self, json: &Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.text(text)),
            Json::Array(all) => Json::Array(all.iter().map(|it| self.replaced(it)).collect()),
            Json::Object(fields) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_by_key(|it| it.0);
                let field = |(key, value): (&String, &Json)| (key.clone(), self.replaced(value));
                Json::Object(sorted.into_iter().map(field).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut told = 0;
        for found in found(text) {
            let name = &text[found.clone()];
            let known = self.numbers.get(name).copied();
            let number = match known {
                Some(number) => number,
                // Eight letters alone are a word, unless they are the end of an id.
                None if name.len() == SHORT_LETTERS && !self.is_end_of_known(name) => continue,
                None => {
                    self.names.push(name.to_owned());
                    self.numbers.insert(name.to_owned(), self.names.len());
                    self.names.len()
                }
            };
            out.push_str(&text[told..found.start]);
            out.push_str(&format!("⟨{number}⟩"));
            told = found.end;
        }
        out.push_str(&text[told..]);
        out
    }

    fn is_end_of_known(&self, name: &str) -> bool {
        self.names.iter().any(|it| it.len() == ID_LETTERS && it.ends_with(name))
    }
}

/// Where in a text is what may differ from run to run.
fn found(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let from = at;
        if let Some(length) = time(&bytes[from..]) {
            all.push(from..from + length);
            at = from + length;
            continue;
        }
        while at < bytes.len() && bytes[at].is_ascii_alphanumeric() {
            at += 1;
        }
        let word = &bytes[from..at];
        if let Some(length) = since_1970(word, &bytes[at..]) {
            at = from + length;
            all.push(from..at);
        } else if is_id(word) || is_position(&bytes[..from], word) {
            all.push(from..at);
        }
    }
    all
}

fn is_id(word: &[u8]) -> bool {
    let crockford = |it: &u8| it.is_ascii_digit() || b"ABCDEFGHJKMNPQRSTVWXYZ".contains(it);
    let length = word.len() == ID_LETTERS && word[0] <= b'7' || word.len() == SHORT_LETTERS;
    length && word.iter().all(crockford) && word.iter().any(u8::is_ascii_digit)
}

/// Whether a word is the number in `position=77` or `"position": 77`.
fn is_position(before: &[u8], word: &[u8]) -> bool {
    let mark = |it: &u8| b"=:'\"\\ ".contains(it);
    let marks = before.iter().rev().take_while(|it| mark(it)).count();
    let marked = before[..before.len() - marks].ends_with(b"position")
        && before[before.len() - marks..].iter().any(|it| matches!(it, b'=' | b':'));
    marked && word.iter().all(u8::is_ascii_digit)
}

/// Bytes of the time that begins here: a date, a time of day, and perhaps a fraction and a zone.
fn time(bytes: &[u8]) -> Option<usize> {
    let form = b"0000-00-00T00:00:00";
    let fits = |(is, form): (&u8, &u8)| match form {
        b'0' => is.is_ascii_digit(),
        b'T' => matches!(is, b'T' | b' '),
        mark => is == mark,
    };
    let begins = bytes.len() >= form.len() && bytes.iter().zip(form).all(fits);
    let mut length = begins.then_some(form.len())?;
    let digits = |from: usize| {
        bytes[from.min(bytes.len())..].iter().take_while(|it| it.is_ascii_digit()).count()
    };
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    match bytes.get(length) {
        Some(b'Z') => length += 1,
        Some(b'+' | b'-') if digits(length + 1) == 2 && bytes.get(length + 3) == Some(&b':') => {
            length += 4 + digits(length + 4).min(2);
        }
        _ => {}
    }
    Some(length)
}

/// Bytes of a number that is a time of this age: milliseconds, or seconds with a fraction.
fn since_1970(word: &[u8], rest: &[u8]) -> Option<usize> {
    let age = word.iter().all(u8::is_ascii_digit) && (&b"16"[..]..&b"20"[..]).contains(&word);
    match word.len() {
        13 if age => Some(13),
        10 if age && rest.first() == Some(&b'.') => {
            let fraction = rest[1..].iter().take_while(|it| it.is_ascii_digit()).count();
            (fraction > 0).then_some(10 + 1 + fraction)
        }
        _ => None,
    }
}

/// The end of an id, as people are shown it.
fn end(name: &str) -> Option<&str> {
    (name.len() == ID_LETTERS && is_id(name.as_bytes()))
        .then(|| &name[ID_LETTERS - SHORT_LETTERS..])
}

/// From the names of a recorded run to those of the run that replays it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames(BTreeMap<String, String>);

impl Renames {
    /// Of two requests that are the same but for their names.
    pub fn between(recorded: &NamedRequest, now: &NamedRequest) -> Renames {
        let mut renames = BTreeMap::new();
        for (was, is) in recorded.names.iter().zip(&now.names).filter(|(was, is)| was != is) {
            if let (Some(was), Some(is)) = (end(was), end(is)) {
                renames.entry(was.to_owned()).or_insert_with(|| is.to_owned());
            }
            renames.insert(was.clone(), is.clone());
        }
        Renames(renames)
    }

    /// Whether nothing is another.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text with the names of this run.
    pub fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut told = 0;
        for found in found(text) {
            if let Some(name) = self.0.get(&text[found.clone()]) {
                out.push_str(&text[told..found.start]);
                out.push_str(name);
                told = found.end;
            }
        }
        out.push_str(&text[told..]);
        out
    }

    /// All texts of a value with the names of this run.
    pub fn json(&self, json: &mut Json) {
        match json {
            Json::String(text) => *text = self.text(text),
            Json::Array(all) => all.iter_mut().for_each(|it| self.json(it)),
            Json::Object(fields) => fields.values_mut().for_each(|it| self.json(it)),
            _ => {}
        }
    }
}

/// Where two values differ first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDifference {
    /// A JSON pointer.
    pub pointer: String,
    /// What stands there in the one, from shortly before the difference on.
    pub was: String,
    /// The same of the other.
    pub is: String,
}

/// Letters that are shown before and behind a difference.
const SHOWN_LETTERS: usize = 40;

/// The first difference between two values, by the order of keys; nothing where there is none.
pub fn difference(was: &Json, is: &Json) -> Option<RequestDifference> {
    let mut pointer = String::new();
    let (was, is) = first(was, is, &mut pointer)?;
    Some(RequestDifference { pointer, was, is })
}

const NOTHING: &str = "nothing";

fn first(was: &Json, is: &Json, pointer: &mut String) -> Option<(String, String)> {
    let depth = pointer.len();
    match (was, is) {
        _ if was == is => None,
        (Json::Object(a), Json::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            keys.into_iter().find_map(|key| {
                pointer.truncate(depth);
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                child(a.get(key), b.get(key), pointer)
            })
        }
        (Json::Array(a), Json::Array(b)) => (0..a.len().max(b.len())).find_map(|at| {
            pointer.truncate(depth);
            pointer.push_str(&format!("/{at}"));
            child(a.get(at), b.get(at), pointer)
        }),
        (Json::String(a), Json::String(b)) => {
            let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
            Some((around(a, same), around(b, same)))
        }
        _ => Some((shown(was), shown(is))),
    }
}

fn child(was: Option<&Json>, is: Option<&Json>, pointer: &mut String) -> Option<(String, String)> {
    match (was, is) {
        (Some(was), Some(is)) => first(was, is, pointer),
        (Some(was), None) => Some((shown(was), NOTHING.to_owned())),
        (None, Some(is)) => Some((NOTHING.to_owned(), shown(is))),
        (None, None) => None,
    }
}

fn shown(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(SHOWN_LETTERS * 2) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// A text around a letter of it, as a JSON string.
fn around(text: &str, at: usize) -> String {
    let from = at.saturating_sub(SHOWN_LETTERS);
    let part: String = text.chars().skip(from).take(SHOWN_LETTERS * 2).collect();
    let part = Json::String(part).to_string();
    let before = if from > 0 { "…" } else { "" };
    let behind = if text.chars().count() > from + SHOWN_LETTERS * 2 { "…" } else { "" };
    format!("{before}{part}{behind}")
}
