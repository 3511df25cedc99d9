//! What is typed as a condition.

use super::value;
use std::collections::BTreeMap;
use stoa_actors::atom::Metadata;
use stoa_actors::search::{Condition, Which};
use stoa_actors::value::Value;
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// What a comparison is made of.
const MARKS: [char; 4] = ['<', '>', '=', '!'];

/// `key=value` or `key>=value`; those of one key are one condition.
pub(super) fn wanted(texts: &[String], flag: &str) -> Result<Metadata, Problem> {
    let mut out = Metadata::new();
    for text in texts {
        let (key, operator, value) = comparison(text, flag, "KEY=VALUE")?;
        add(&mut out, key, operator, value)?;
    }
    Ok(out)
}

/// The key, the comparison and the value; of a value that begins with a mark the JSON is to be
/// typed, `key=">"`.
fn comparison<'a>(
    text: &'a str,
    flag: &str,
    shape: &str,
) -> Result<(&'a str, &'a str, Value), Problem> {
    let at = text.find(MARKS).unwrap_or(text.len());
    let (key, rest) = text.split_at(at);
    let value = rest.trim_start_matches(MARKS);
    let operator = &rest[..rest.len() - value.len()];
    let (key, typed) = value::typed(key);
    if key.is_empty() || operator.is_empty() {
        let problem = Problem::new(ProblemKind::Invalid, format!("{flag} {text:?} is not {shape}"));
        let meant = if flag == "--ref" { quoted(shape) } else { value::with_both(text) };
        return Err(problem.hint(format!("{flag} {meant}")));
    }
    if !["=", "==", "!=", "<", "<=", ">", ">="].contains(&operator) {
        let text = format!(
            "{operator} in {flag} {text:?} is not a comparison; use =, !=, <, <=, > or >=, and \
             quotes around a value that begins with such a sign"
        );
        return Err(Problem::new(ProblemKind::Invalid, text)
            .hint(format!("{flag} {}", quoted(&format!("{key}>=3")))));
    }
    value::check_key(flag, text, key)?;
    Ok((key, operator, value::value(flag, key, value, typed)?))
}

/// Several comparisons of one key are one range; the last `=` of a key holds alone.
fn add(to: &mut Metadata, key: &str, operator: &str, value: Value) -> Result<(), Problem> {
    if operator == "=" && !matches!(to.get(key), Some(Value::Map(_))) {
        to.insert(key.to_owned(), value);
        return Ok(());
    }
    let operator = if operator == "=" { "==" } else { operator };
    let range = match to.remove(key) {
        None => [(operator.to_owned(), value)].into(),
        Some(Value::Map(mut range)) => {
            if range.insert(operator.to_owned(), value).is_some() {
                let text = format!("{operator} on {key:?} twice");
                return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
            }
            range
        }
        Some(same) => [("==".to_owned(), same), (operator.to_owned(), value)].into(),
    };
    to.insert(key.to_owned(), Value::Map(range));
    Ok(())
}

/// `relation:key=value`, with `any:` or `none:` in front; those of one relation are one condition.
pub(crate) fn conditions(texts: &[String]) -> Result<BTreeMap<String, Condition>, Problem> {
    let mut out: BTreeMap<String, Condition> = BTreeMap::new();
    for text in texts {
        let (which, rest) = match text.split_once(':') {
            Some(("any", rest)) => (Which::Any, rest),
            Some(("none", rest)) => (Which::None, rest),
            Some(("all", rest)) => (Which::All, rest),
            Some((first, rest)) if is_key_with_colon(rest) => {
                let text = format!(
                    "--ref {text:?} begins with {first:?}, which is none of any, none and all; a \
                     relation of that name is all:{text}"
                );
                let hint = format!("--ref {}", quoted(&format!("any:{rest}")));
                return Err(Problem::new(ProblemKind::Invalid, text).hint(hint));
            }
            _ => (Which::All, text.as_str()),
        };
        let (relation, values) = rest.split_once(':').unwrap_or((rest, ""));
        let bare = relation.strip_prefix("<-").unwrap_or(relation);
        if bare.is_empty() || bare.contains(MARKS) {
            let text = format!("--ref {text:?} is not RELATION:KEY=VALUE");
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--ref RELATION:KEY=VALUE"));
        }
        let condition = out
            .entry(relation.to_owned())
            .or_insert_with(|| Condition { which, ..Condition::default() });
        if condition.which != which {
            let text = format!("two conditions on {relation:?}; a search takes one a relation");
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
        }
        if !values.is_empty() {
            let (key, operator, value) = comparison(values, "--ref", "RELATION:KEY=VALUE")?;
            add(&mut condition.metadata, key, operator, value)?;
        }
    }
    Ok(out)
}

/// Whether what stands before the comparison has a colon that is not the one of `:=`.
fn is_key_with_colon(text: &str) -> bool {
    let key = text.split(MARKS).next().unwrap_or_default();
    value::typed(key).0.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(texts: &[&str]) -> Result<BTreeMap<String, Condition>, String> {
        let texts: Vec<String> = texts.iter().map(|it| (*it).to_owned()).collect();
        conditions(&texts).map_err(|problem| problem.text)
    }

    #[test]
    fn one_condition_a_relation() {
        let found = typed(&["blocked_by:status=completed", "blocked_by:n=1", "any:<-part_of:"]);
        let found = found.unwrap();
        assert_eq!(found["blocked_by"].which, Which::All);
        assert_eq!(found["blocked_by"].metadata["n"], Value::Int(1));
        assert_eq!(found["<-part_of"], Condition { which: Which::Any, ..Condition::default() });
        assert!(typed(&["a:x=1", "none:a:x=1"]).is_err());
        assert_eq!(typed(&["a:x:=\"1\""]).unwrap()["a"].metadata["x"], Value::from("1"));
    }

    #[test]
    fn a_key_with_a_colon_is_told_from_a_misspelt_which() {
        let found = typed(&["all:some:dc:title=x", "a:url=http://x"]).unwrap();
        assert_eq!(found["some"].metadata["dc:title"], Value::from("x"));
        assert_eq!(found["a"].metadata["url"], Value::from("http://x"));
        let said = typed(&["some:blocked_by:status=completed"]).unwrap_err();
        assert!(said.contains("none of any, none and all"), "{said}");
    }

    #[test]
    fn what_is_invalid_is_refused() {
        for text in ["", "any:", "x=1", ":x=1", "<-:x=1", "a:x", "some:a:x=1", "a:x=>1"] {
            assert!(typed(&[text]).is_err(), "{text:?}");
        }
    }

    fn asked(texts: &[&str]) -> Result<String, String> {
        let texts: Vec<String> = texts.iter().map(|it| (*it).to_owned()).collect();
        wanted(&texts, "--meta")
            .map(|it| Value::Map(it).to_string())
            .map_err(|problem| problem.text)
    }

    #[test]
    fn a_comparison_is_typed_as_one_writes_it() {
        let is = |texts: &[&str], json: &str| assert_eq!(asked(texts).as_deref(), Ok(json));
        is(&["n>=3", "n<7", "s=open"], r#"{"n":{"<":7,">=":3},"s":"open"}"#);
        is(&["n=1", "n=2"], r#"{"n":2}"#);
        is(&["n=1", "n!=2.5"], r#"{"n":{"!=":2.5,"==":1}}"#);
        is(&["n!=2", "n=1"], r#"{"n":{"!=":2,"==":1}}"#);
        is(&["s>b c", r#"s<="<""#], r#"{"s":{"<=":"<",">":"b c"}}"#);
        is(&[r#"s={"in":["a","b"]}"#], r#"{"s":{"in":["a","b"]}}"#);
        is(&["n:=42", r#"s!:="42""#.replace("!:", ":!").as_str()], r#"{"n":42,"s":{"!=":"42"}}"#);
        is(&["v=1.10", "v!=1e5"], r#"{"v":{"!=":"1e5","==":"1.10"}}"#);
        for wrong in ["n", "=1", ":=1", ">1", "n=>1", "n<>1", "n!1"] {
            assert!(asked(&[wrong]).is_err(), "{wrong}");
        }
        assert!(asked(&["n>1", "n>2"]).is_err());
        let found = typed(&["blocked_by:n>=3", "blocked_by:n<7", "any:<-part_of:s!=x"]).unwrap();
        assert_eq!(
            Value::Map(found["blocked_by"].metadata.clone()).to_string(),
            r#"{"n":{"<":7,">=":3}}"#
        );
        assert_eq!(found["<-part_of"].which, Which::Any);
    }
}
