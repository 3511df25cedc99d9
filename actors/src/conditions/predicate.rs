//! What a condition asks of metadata: that a value is the same, or that it compares.
//!
//! `3` asks for the number three. A map is a range: `{">=": 3}`, `{">=": 3, "<": 7}`,
//! `{"!=": "done"}`, `{"in": ["a", "b"]}`, `{"contains": "x"}`; everything it says must hold. A
//! number compares with numbers, whole or not, by what they are worth; a text with texts, by the
//! code points of their letters; nothing else comes before or after anything. `contains` holds of a
//! list that has such an element. An atom without the key never fits, not even `!=`. A value that
//! *is* a map is asked for by `{"==": …}`.
//!
//! `o.k` is the value under `k` in the map under `o`, unless a key has the dot itself. The key `any`
//! with a list of conditions holds where one of them does.

use super::operators::{ANY, COMPARISONS, ConditionRefusal, joins, nearest};
use crate::atom::Metadata;
use crate::mutant::planted;
use crate::value::Value;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A text that others are compared with is at most this long: so far an index keeps the order of
/// texts.
pub const RANGE_BYTES_MAX: usize = 256;

/// A path into maps is at most this long: so an index of them stays near the size of what it is of.
pub const PATH_BYTES_MAX: usize = 128;

/// The comparisons that a value stands for; nothing where it stands for itself.
pub(crate) fn comparisons(wanted: &Value) -> Option<impl Iterator<Item = (&str, &Value)>> {
    let Value::Map(map) = wanted else { return None };
    Some(map.iter().map(|(operator, bound)| (operator.as_str(), bound)))
}

/// The conditions of which one is enough; nothing where the key is one of the metadata.
pub(crate) fn alternatives<'a>(
    key: &str,
    wanted: &'a Value,
) -> Option<impl Iterator<Item = &'a Metadata>> {
    let Value::List(list) = wanted else { return None };
    let each = |it: &'a Value| match it {
        Value::Map(map) => Some(map),
        _ => None,
    };
    (key == ANY).then(|| list.iter().filter_map(each))
}

/// The value that a key, or a path into maps, stands for. A key that has the dots itself goes first.
pub fn lookup<'a>(metadata: &'a Metadata, path: &str) -> Option<&'a Value> {
    let within = |(at, _): (usize, &str)| match metadata.get(&path[..at]) {
        Some(Value::Map(map)) => lookup(map, &path[at + 1..]),
        _ => None,
    };
    let whole = metadata.get(path);
    if whole.is_some() || path.len() > PATH_BYTES_MAX {
        return whole;
    }
    path.match_indices('.').find_map(within)
}

/// Every key and path with what it stands for.
pub(crate) fn paths(metadata: &Metadata) -> BTreeMap<String, &Value> {
    fn walk(map: &Metadata, above: &str, out: &mut Vec<String>) {
        for (key, value) in map {
            let path = format!("{above}{key}");
            if !above.is_empty() && path.len() > PATH_BYTES_MAX {
                continue;
            }
            if let Value::Map(inner) = value {
                walk(inner, &format!("{path}."), out);
            }
            out.push(path);
        }
    }
    let mut all = Vec::new();
    walk(metadata, "", &mut all);
    let found = |path: String| lookup(metadata, &path).map(|it| (path, it));
    all.into_iter().filter_map(found).collect()
}

/// Whether a value is as wanted.
pub(crate) fn fits(found: &Value, wanted: &Value) -> bool {
    match comparisons(wanted) {
        Some(mut all) if !planted("search.range_is_a_map") => {
            all.all(|(operator, bound)| compares(found, operator, bound))
        }
        _ => found.same(wanted),
    }
}

/// Whether it stands to the other as the comparison says.
fn compares(found: &Value, operator: &str, bound: &Value) -> bool {
    let order = || found.order(bound);
    let has = |list: &Value, one: &Value| matches!(list, Value::List(list) if list.iter().any(|it| it.same(one)));
    match operator {
        "<" => order().is_some_and(Ordering::is_lt),
        "<=" => order().is_some_and(Ordering::is_le),
        ">" => order().is_some_and(Ordering::is_gt),
        ">=" => order().is_some_and(Ordering::is_ge),
        "==" => found.same(bound),
        "!=" => !found.same(bound),
        "in" => has(bound, found),
        "contains" => has(found, bound),
        _ => false,
    }
}

/// Whether metadata says all of this.
pub(crate) fn says(metadata: &Metadata, wanted: &Metadata) -> bool {
    wanted.iter().all(|(key, value)| holds(metadata, key, value))
}

/// Whether one of the conditions of a query holds.
pub(crate) fn holds(metadata: &Metadata, key: &str, wanted: &Value) -> bool {
    match alternatives(key, wanted) {
        Some(mut any) if planted("search.any_is_all") => any.all(|it| says(metadata, it)),
        Some(mut any) => any.any(|it| says(metadata, it)),
        None => lookup(metadata, key).is_some_and(|it| fits(it, wanted)),
    }
}

/// Whether nothing fits any more once this is set, whatever else an atom says; null takes a key out.
pub(crate) fn excludes(set: &Metadata, wanted: &Metadata) -> bool {
    let said: Metadata = set.clone().into_iter().filter(|(_, it)| *it != Value::Null).collect();
    // A path may be looked up in a map under every front of it.
    let decides = |path: &str| {
        let fronts = path.match_indices('.').map(|(at, _)| &path[..at]);
        fronts.chain([path]).all(|it| set.contains_key(it))
    };
    wanted.iter().any(|(key, value)| match alternatives(key, value) {
        Some(mut any) => any.all(|it| excludes(set, it)),
        None => decides(key) && !holds(&said, key, value),
    })
}

/// How many values are compared with.
pub(crate) fn count(wanted: &Metadata) -> usize {
    operands(wanted).len()
}

/// Every value that is compared with, under which key and how. An `in` of nothing is one.
pub fn operands(wanted: &Metadata) -> Vec<(&str, &str, &Value)> {
    let mut out = Vec::new();
    for (key, value) in wanted {
        if let Some(any) = alternatives(key, value) {
            any.for_each(|it| out.extend(operands(it)));
            continue;
        }
        let Some(all) = comparisons(value) else {
            out.push((key.as_str(), "==", value));
            continue;
        };
        for (operator, bound) in all {
            match bound {
                Value::List(list) if operator == "in" && !list.is_empty() => {
                    out.extend(list.iter().map(|it| (key.as_str(), operator, it)));
                }
                bound => out.push((key.as_str(), operator, bound)),
            }
        }
    }
    out
}

/// Refuses what nobody can have meant.
pub(crate) fn check(wanted: &Metadata) -> Result<(), ConditionRefusal> {
    for (key, value) in wanted {
        value.check().map_err(|why| ConditionRefusal::Value { key: key.clone(), why })?;
        let with_conditions = matches!(value, Value::List(list) if !list.is_empty()
            && list.iter().all(|it| matches!(it, Value::Map(_))));
        if joins(key, with_conditions) {
            return Err(ConditionRefusal::NoJoin { key: key.clone() });
        }
        match (value, comparisons(value)) {
            (Value::List(_), _) if key == ANY => {
                if !with_conditions {
                    return Err(ConditionRefusal::NoAlternatives);
                }
                for one in alternatives(key, value).into_iter().flatten() {
                    if one.is_empty() {
                        return Err(ConditionRefusal::NoAlternatives);
                    }
                    check(one)?;
                }
            }
            (Value::Map(map), _) if map.is_empty() => {
                return Err(ConditionRefusal::Nothing { key: key.clone() });
            }
            (_, Some(mut all)) => {
                all.try_for_each(|(operator, bound)| bounds(key, operator, bound))?
            }
            (_, None) => {}
        }
    }
    Ok(())
}

fn bounds(key: &str, operator: &str, bound: &Value) -> Result<(), ConditionRefusal> {
    let (key, said) = (|| key.to_owned(), || operator.to_owned());
    match (operator, bound) {
        (other, _) if !COMPARISONS.contains(&other) => {
            let nearest = nearest(other);
            Err(ConditionRefusal::Unknown { key: key(), operator: said(), nearest })
        }
        ("==" | "!=" | "contains", _) | ("in", Value::List(_)) => Ok(()),
        ("in", other) => Err(ConditionRefusal::NoList { key: key(), found: kind(other) }),
        (_, Value::Int(_) | Value::Float(_)) => Ok(()),
        (_, Value::Text(text)) if text.len() <= RANGE_BYTES_MAX => Ok(()),
        (_, Value::Text(text)) => {
            Err(ConditionRefusal::Long { key: key(), operator: said(), bytes: text.len() })
        }
        (_, other) => {
            Err(ConditionRefusal::Unordered { key: key(), operator: said(), found: kind(other) })
        }
    }
}

/// What sort of value it is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, Value)]) -> Value {
        Value::Map(pairs.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect())
    }

    fn checked(value: Value) -> Result<(), ConditionRefusal> {
        check(&[("n".to_owned(), value)].into())
    }

    #[test]
    fn numbers_and_texts_compare_and_nothing_else() {
        let within = map(&[(">=", Value::Int(3)), ("<", Value::Float(7.5))]);
        let fitting = [Value::Int(3), Value::Float(7.25)];
        let others = [Value::Int(2), Value::Float(7.5), "5".into(), Value::Bool(true), Value::Null];
        assert!(fitting.iter().all(|it| fits(it, &within)));
        assert!(!others.iter().any(|it| fits(it, &within)));
        let texts = map(&[(">", "b".into()), ("<=", "é".into())]);
        assert!(["c", "ba", "é"].iter().all(|it| fits(&Value::from(*it), &texts)));
        assert!(!["b", "B", "éa"].iter().any(|it| fits(&Value::from(*it), &texts)));
    }

    #[test]
    fn sets_and_maps_as_they_are() {
        let either = map(&[("in", Value::List(vec!["a".into(), Value::Float(1.0)]))]);
        assert!(fits(&"a".into(), &either) && fits(&Value::Int(1), &either));
        assert!(!fits(&"b".into(), &either));
        let other = map(&[("!=", Value::Int(1))]);
        assert!(fits(&"1".into(), &other) && !fits(&Value::Float(1.0), &other));
        let really = map(&[(">=", Value::Int(3))]);
        assert!(fits(&really, &map(&[("==", really.clone())])) && !fits(&really, &really));
        let empty = map(&[]);
        assert!(fits(&empty, &map(&[("==", empty.clone())])));
    }

    #[test]
    fn lists_paths_and_alternatives() {
        let of = |pairs: &[(&str, Value)]| -> Metadata {
            pairs.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect()
        };
        let tags = Value::List(vec!["x".into(), Value::Int(1)]);
        let inner = map(&[("k", Value::Int(1)), ("a.b", "deep".into())]);
        let atom = of(&[("tags", tags), ("o", inner.clone()), ("o.k", Value::Int(2))]);
        let asks = |pairs: &[(&str, Value)]| says(&atom, &of(pairs));
        let contains = |it: Value| map(&[("contains", it)]);
        assert!(asks(&[("tags", contains("x".into()))]));
        assert!(asks(&[("tags", contains(Value::Float(1.0)))]));
        assert!(!asks(&[("tags", contains("y".into()))]) && !asks(&[("o", contains("k".into()))]));
        // The key that has the dot itself goes before the path.
        assert!(asks(&[("o.k", Value::Int(2))]) && !asks(&[("o.k", Value::Int(1))]));
        assert!(asks(&[("o.a.b", "deep".into())]) && !asks(&[("o.a", "deep".into())]));
        assert_eq!(paths(&atom).len(), 4);
        let any = |all: &[Metadata]| Value::List(all.iter().cloned().map(Value::Map).collect());
        let (no, yes) = (of(&[("n", Value::Int(1))]), of(&[("o.k", Value::Int(2))]));
        assert!(asks(&[("any", any(&[no.clone(), yes.clone()]))]));
        assert!(!asks(&[("any", any(std::slice::from_ref(&no)))]));
        let nested = of(&[("any", any(&[no, of(&[("any", any(&[yes]))])]))]);
        assert!(says(&atom, &nested) && count(&nested) == 2);
        assert_eq!(check(&nested), Ok(()));
    }

    #[test]
    fn what_is_set_can_leave_nothing_wanted() {
        let of = |pairs: &[(&str, Value)]| -> Metadata {
            pairs.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect()
        };
        let open = of(&[("status", "open".into()), ("n", map(&[(">=", Value::Int(3))]))]);
        let either = Value::List(vec![
            Value::Map(of(&[("status", "open".into())])),
            Value::Map(of(&[("status", "late".into())])),
        ]);
        let either = of(&[("any", either)]);
        let path = of(&[("o.k", Value::Int(1))]);
        for (set, excluded) in [
            (of(&[("status", "failed".into())]), [true, true, false]),
            (of(&[("status", Value::Null)]), [true, true, false]),
            (of(&[("status", "late".into())]), [true, false, false]),
            (of(&[("status", "open".into()), ("n", Value::Int(2))]), [true, false, false]),
            (of(&[("n", Value::Int(3)), ("o", Value::Null)]), [false; 3]),
            (of(&[("o", Value::Null), ("o.k", Value::Int(2))]), [false, false, true]),
            (Metadata::new(), [false; 3]),
        ] {
            let found = [&open, &either, &path].map(|wanted| excludes(&set, wanted));
            assert_eq!(found, excluded, "{set:?}");
        }
        assert!(!excludes(&of(&[("status", "failed".into())]), &Metadata::new()));
    }

    #[test]
    fn what_other_languages_say_is_refused_with_what_there_is() {
        let said = |key: &str, value: Value| {
            check(&[(key.to_owned(), value)].into()).map_err(|it| it.to_string())
        };
        let one = Value::List(vec![map(&[("n", Value::Int(3))])]);
        for (operator, nearest) in [
            ("$gt", "\">\" is"),
            ("gt", "\">\" is"),
            ("=>", "\">=\" is"),
            ("$in", "\"in\" is"),
            ("IN", "\"in\" is"),
            ("has", "\"contains\" is"),
            ("~=", "there are <"),
            ("of", "\"n.of\" for a value in it"),
        ] {
            let text = said("n", map(&[(operator, Value::Int(3))])).expect_err(operator);
            assert!(text.contains(nearest), "{operator}: {text}");
        }
        for key in ["$or", "or", "$and", "and", "anyOf"] {
            let text = said(key, one.clone()).expect_err(key);
            assert!(text.contains("\"any\" with a list"), "{text}");
        }
        assert_eq!(said("or", "x".into()), Ok(()));
        for value in [Value::List(vec![]), Value::List(vec!["x".into()]), map(&[])] {
            assert!(said("any", value.clone()).is_err(), "{value}");
        }
        assert!(said("any", Value::List(vec![map(&[])])).is_err());
        assert_eq!(said("any", map(&[("==", Value::List(vec!["x".into()]))])), Ok(()));
    }

    #[test]
    fn what_nobody_can_have_meant_is_refused() {
        let list = Value::List(vec![]);
        for fine in [
            map(&[(">=", Value::Int(3)), ("in", list.clone()), ("==", Value::Null)]),
            map(&[("contains", Value::Null)]),
            list.clone(),
        ] {
            assert_eq!(checked(fine.clone()), Ok(()), "{fine}");
        }
        for wrong in [
            map(&[]),
            map(&[("a->b", Value::Int(1)), ("in", list.clone())]),
            map(&[(">>", Value::Int(3))]),
            map(&[(">=", Value::Int(3)), ("=>", Value::Int(3))]),
            map(&[(">= ", Value::Int(3))]),
            map(&[(">=", Value::Int(3)), ("x", Value::Int(3))]),
            map(&[(">=", list.clone())]),
            map(&[("<", Value::Float(f64::NAN))]),
            map(&[("<", Value::Bool(true))]),
            map(&[("in", "a".into())]),
            map(&[("<", "x".repeat(RANGE_BYTES_MAX + 1).into())]),
        ] {
            assert!(checked(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
