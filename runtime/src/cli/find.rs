//! What is typed after `search`, as a query.

use super::input::{metadata, pair};
use std::collections::BTreeMap;
use stoa_actors::search::{Condition, Which};
use stoa_runtime::problem::{Kind, Problem};

/// `relation:key=value`, with `any:` or `none:` in front; those of one relation are one condition.
pub(crate) fn conditions(texts: &[String]) -> Result<BTreeMap<String, Condition>, Problem> {
    let mut out: BTreeMap<String, Condition> = BTreeMap::new();
    for text in texts {
        let (which, rest) = match text.split_once(':') {
            Some(("any", rest)) => (Which::Any, rest),
            Some(("none", rest)) => (Which::None, rest),
            Some(("all", rest)) => (Which::All, rest),
            Some((first, rest)) if rest.split('=').next().is_some_and(|it| it.contains(':')) => {
                let text = format!(
                    "--ref {text:?} begins with {first:?}, which is none of any, none and all; a \
                     relation of that name is all:{text}"
                );
                let hint = "--ref any:blocked_by:status=completed";
                return Err(Problem::new(Kind::Invalid, text).hint(hint));
            }
            _ => (Which::All, text.as_str()),
        };
        let (relation, values) = rest.split_once(':').unwrap_or((rest, ""));
        let bare = relation.strip_prefix("<-").unwrap_or(relation);
        if bare.is_empty() || bare.contains('=') {
            let text = format!("--ref {text:?} is not RELATION:KEY=VALUE");
            return Err(Problem::new(Kind::Invalid, text).hint("--ref blocked_by:status=completed"));
        }
        let condition = out
            .entry(relation.to_owned())
            .or_insert_with(|| Condition { which, ..Condition::default() });
        if condition.which != which {
            let text = format!("two conditions on {relation:?}; a search takes one a relation");
            return Err(Problem::new(Kind::Invalid, text).hint("stoa search --help"));
        }
        if !values.is_empty() {
            pair(values, "--ref", "RELATION:KEY=VALUE")?;
            condition.metadata.extend(metadata(&[values.to_owned()])?);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stoa_actors::value::Value;

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
    fn what_is_amiss_is_refused() {
        for text in ["", "any:", "x=1", ":x=1", "<-:x=1", "a:x", "some:a:x=1"] {
            assert!(typed(&[text]).is_err(), "{text:?}");
        }
    }
}
