//! What stands between two lines `---` at the beginning of a description, as far as it declares
//! something. Of YAML that is a list in either of its two forms, and nothing else.

use super::declaration::Misdeclared;
use super::declare::Declarations;

const FENCE: &str = "---";
const WORD: &str = "declares:";

/// What is declared there; nothing where there is no front matter, or none that declares.
pub(super) fn declares(description: &str) -> Result<Option<Declarations>, Misdeclared> {
    let Some(lines) = lines(description) else { return Ok(None) };
    let mut lines = lines.into_iter().skip_while(|it| !it.starts_with(WORD));
    let Some(first) = lines.next() else { return Ok(None) };
    let rest = first[WORD.len()..].trim();
    let said: Vec<&str> = match rest.strip_prefix('[') {
        Some(list) => {
            let malformed = || Misdeclared::Malformed { said: rest.to_owned() };
            let list = list.strip_suffix(']').ok_or_else(malformed)?;
            list.split(',').map(str::trim).filter(|it| !it.is_empty()).collect()
        }
        None if rest.is_empty() => {
            lines.map(str::trim).map_while(|it| it.strip_prefix("- ")).map(str::trim).collect()
        }
        None => vec![rest],
    };
    let mut all = Declarations::default();
    for one in said {
        all.add(one.parse()?)?;
    }
    Ok(Some(all))
}

/// The lines of the front matter; nothing where it does not begin, or has no end.
fn lines(description: &str) -> Option<Vec<&str>> {
    let mut all = description.lines();
    (all.next()?.trim_end() == FENCE).then_some(())?;
    let mut lines = Vec::new();
    loop {
        match all.next()?.trim_end() {
            FENCE => return Some(lines),
            line => lines.push(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let all = declares(text).expect("it can be read").unwrap_or_default();
        all.iter().map(|it| it.to_string()).collect()
    }

    #[test]
    fn a_list_in_either_form_declares() {
        let both = ["priority:number", "blocked_by:relation:acyclic"];
        let flow =
            "---\ntitle: x\ndeclares: [priority:number, blocked_by:relation:acyclic]\n---\n#";
        let block = "---\r\ndeclares:\r\n  - priority:number\r\n  - blocked_by:relation:acyclic\r\n\
                     title: x\r\n---\r\n";
        assert_eq!((said(flow), said(block)), (both.map(String::from).into(), said(flow)));
        assert_eq!(said("---\ndeclares: n:number\n---"), ["n:number"]);
        assert_eq!(declares("---\ndeclares: []\n---"), Ok(Some(Declarations::default())));
    }

    #[test]
    fn what_is_no_front_matter_declares_nothing() {
        for text in [
            "",
            "# Title\n---\ndeclares: [n:number]\n---",
            "---\ndeclares: [n:number]\nand no end",
            "---\ntitle: x\n---\ndeclares: [n:number]",
            "----\ndeclares: [n:number]\n---",
        ] {
            assert_eq!(declares(text), Ok(None), "{text:?}");
        }
        for text in ["[n:number", "[n]", "n:numbers", "[n:number, n:text]"] {
            let text = format!("---\ndeclares: {text}\n---\n");
            assert!(declares(&text).is_err(), "{text:?}");
        }
    }
}
