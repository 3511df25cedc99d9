//! A value as it is typed: text, a number, or JSON.

use serde_json::Value as Json;
use stoa_actors::atom::Metadata;
use stoa_actors::value::Value;
use stoa_kernel::envelope::{fits, value as of_json};
use stoa_kernel::problem::{Problem, ProblemKind, quoted};

/// How a value is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// `:=`, as JSON.
    Json,
    /// `=`, as it looks.
    AsItLooks,
}

/// Refuses a key that is one by mistake only: with blanks around it, or with the mark of a
/// comparison that there is not.
pub(super) fn check_key(flag: &str, text: &str, key: &str) -> Result<(), Problem> {
    let bare = key.trim();
    if bare != key {
        let rest = text[key.len()..].replacen(' ', "", 2);
        let said = format!("{flag} {text:?} has a blank beside its key");
        return Err(Problem::new(ProblemKind::Invalid, said)
            .hint(format!("{flag} {}", quoted(&format!("{bare}{rest}")))));
    }
    let Some(mark) = key.chars().next_back().filter(|it| "~^*<>!".contains(*it)) else {
        return Ok(());
    };
    let said = format!(
        "{mark}= in {flag} {text:?} is not an operator here; = sets a value; =, !=, <, <=, > and \
         >= compare in a search"
    );
    let bare = key.trim_end_matches(mark);
    Err(Problem::new(ProblemKind::Invalid, said)
        .hint(format!("{flag} {}", quoted(&format!("{bare}=VALUE")))))
}

/// The key without the colon that says how the value is typed.
pub(super) fn typed(key: &str) -> (&str, Typed) {
    key.strip_suffix(':').map_or((key, Typed::AsItLooks), |key| (key, Typed::Json))
}

/// What is typed as a value. As it looks it is text, but for true, false and null, for a number that
/// is told as it is typed, and for what stands in quotes, brackets or braces: that is JSON.
pub(super) fn value(flag: &str, key: &str, text: &str, typed: Typed) -> Result<Value, Problem> {
    if typed == Typed::Json || text.starts_with(['{', '[', '"']) {
        return parse(text).map_err(|problem| {
            let text = format!("{flag} {key}: {problem}");
            Problem::new(problem.kind, text)
                .hint(format!("{flag} {}", quoted(&format!("{key}:=\"TEXT\""))))
        });
    }
    Ok(match text {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => number(text).unwrap_or_else(|| Value::from(text)),
    })
}

/// A number, if that is all that the text says: `1.10`, `007`, `6063e25` and what does not fit are
/// told in other words than they were typed in, so they are no numbers.
fn number(text: &str) -> Option<Value> {
    if !text.chars().all(|it| it.is_ascii_digit() || matches!(it, '-' | '.')) {
        return None;
    }
    let whole = text.parse().ok().map(Value::Int);
    let number = whole.or_else(|| text.parse().ok().map(Value::Float))?;
    (number.to_string() == text).then_some(number)
}

/// `key=value`, or `key:=json`.
pub(super) fn pairs(pairs: &[String], flag: &str) -> Result<Metadata, Problem> {
    let mut out = Metadata::new();
    for text in pairs {
        let split = text.split_once('=').filter(|(key, _)| !key.is_empty());
        let (key, said) = split.ok_or_else(|| {
            Problem::new(ProblemKind::Invalid, format!("{flag} {text:?} is not KEY=VALUE"))
                .hint(format!("{flag} {}", with_both(text)))
        })?;
        let (key, typed) = typed(key);
        if key.is_empty() {
            let problem =
                Problem::new(ProblemKind::Invalid, format!("{flag} {text:?} names no key"));
            return Err(problem.hint(format!("{flag} {}", with_both(text))));
        }
        check_key(flag, text, key)?;
        out.insert(key.to_owned(), value(flag, key, said, typed)?);
    }
    Ok(out)
}

/// A key or a value alone, with the other one, as it is typed.
pub(super) fn with_both(text: &str) -> String {
    let value = text.trim_start_matches(['=', ':']);
    quoted(&match (text.is_empty() || value.len() < text.len(), value) {
        (true, "") => "KEY=VALUE".to_owned(),
        (true, value) => format!("KEY={value}"),
        (false, key) => format!("{key}=VALUE"),
    })
}

/// JSON as it was typed; what does not fit is named, and nothing is rounded to make it fit.
pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    let parsed: Json = serde_json::from_str(text).map_err(|error| {
        Problem::new(ProblemKind::Invalid, format!("this JSON cannot be stored: {error}"))
            .hint("stoa put SPACE --json-content '{\"key\": 1}'")
    })?;
    let value = fits(text).and_then(|()| of_json(parsed)).map_err(|error| {
        let hint = format!("stoa put SPACE --json-content '\"{}\"'", error.0);
        Problem::new(ProblemKind::Invalid, error).hint(hint)
    })?;
    value.check().map_err(|error| Problem::new(ProblemKind::Invalid, error).hint("--help"))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(text: &str) -> Value {
        value("--meta", "k", text, Typed::AsItLooks).unwrap()
    }

    #[test]
    fn a_number_is_what_is_told_as_it_was_typed() {
        for text in ["0", "42", "-7", "1.5", "0.1", "-0.25", "9223372036854775807"] {
            assert!(matches!(looks(text), Value::Int(_) | Value::Float(_)), "{text}");
            assert_eq!(looks(text).to_string(), text);
        }
        for text in [
            "6063e25",
            "83e2010",
            "1.10",
            "007",
            "+1",
            "1_000",
            "-0",
            "1e5",
            "1e16",
            "1e20",
            ".5",
            "5.",
            "9223372036854775808",
            "99999999999999999999",
            "0x10",
            "NaN",
            "inf",
            "-inf",
            "1.2.3",
            "2026-11-26",
            "-",
            ".",
            "",
            "True",
            "None",
            "TRUE",
            "1,5",
            "١",
            "0.30000000000000000001",
        ] {
            assert_eq!(looks(text), Value::from(text));
        }
        assert_eq!((looks("true"), looks("null")), (Value::Bool(true), Value::Null));
        assert_eq!(looks("\"42\""), Value::from("42"));
    }

    #[test]
    fn json_is_typed_with_a_colon() {
        let typed = |all: &[&str]| {
            let all: Vec<String> = all.iter().map(|it| (*it).to_owned()).collect();
            pairs(&all, "--set").map(|it| Value::Map(it).to_string()).map_err(|it| it.text)
        };
        let is = |all: &[&str], json: &str| assert_eq!(typed(all).as_deref(), Ok(json));
        is(&["n:=42", "s:=\"42\"", "l:=[1, 2]"], r#"{"l":[1,2],"n":42,"s":"42"}"#);
        is(
            &["f:=1e3", "dc:title=x", "o:={\"a\": 1}"],
            r#"{"dc:title":"x","f":1000.0,"o":{"a":1}}"#,
        );
        for wrong in [":=1", "=1", "n:=abc", "n:=", "n:=99999999999999999999", "l=[WIP] x"] {
            let said = typed(&[wrong]).expect_err(wrong);
            assert!(said.starts_with("--set"), "{said}");
        }
    }

    #[test]
    fn whole_numbers_are_kept_or_refused_never_rounded() {
        for kept in ["9223372036854775807", "-9223372036854775808", "-0", "1e20", "0.5", "[true]"] {
            assert!(parse(kept).is_ok(), "{kept}");
        }
        let quoted = r#"{"99999999999999999999": "\\", "b": "\"99999999999999999999"}"#;
        assert!(parse(quoted).is_ok());
        for refused in [
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
            r#"["\"", {"a": [-99999999999999999999]}]"#,
        ] {
            let problem = parse(refused).expect_err(refused);
            assert!(problem.text.contains("does not fit a signed 64-bit"), "{problem}");
        }
    }
}
