//! Reading JSON that may say anything.

use serde_json::Value as Json;

/// A text; nothing where there is none, or an empty one.
pub(super) fn text<'a>(of: &'a Json, key: &str) -> Option<&'a str> {
    of.get(key)?.as_str().filter(|it| !it.is_empty())
}

/// A number, also where a server writes one as `12.0`.
pub(super) fn number(of: &Json, key: &str) -> Option<u64> {
    let value = of.get(key)?;
    let whole = |it: f64| (it >= 0.0 && it.fract() == 0.0 && it < 9e15).then_some(it as u64);
    let found = value.as_u64().or_else(|| value.as_f64().and_then(whole));
    found.map(|it| it.min(COUNT_MAX))
}

/// What a server counts is no more than this: sums of it are never too large.
const COUNT_MAX: u64 = 1 << 48;

/// The values of a list; none where there is no list.
pub(super) fn list<'a>(of: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    of.get(key).and_then(Json::as_array).into_iter().flatten()
}

/// Something that is there and is not null.
pub(super) fn some<'a>(of: &'a Json, key: &str) -> Option<&'a Json> {
    of.get(key).filter(|it| !it.is_null())
}

/// A number that replaces what was told before. Servers in between send 0 for what they do not know.
pub(super) fn tell(to: &mut u64, of: &Json, key: &str) {
    if let Some(said) = number(of, key).filter(|it| *it > 0) {
        *to = said;
    }
}
