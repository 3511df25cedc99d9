//! What an atom says, as one text, and a text as tokens.

use crate::atom::{Content, Metadata};
use crate::value::Value;

/// How much of an atom is searched and embedded. What is said behind it is found by nobody: say
/// what a long text is about in its annotation.
pub const WORDS_BYTES_MAX: usize = 32 << 10;

/// A token longer than this is no word.
const TOKEN_BYTES_MAX: usize = 64;

/// The text that an atom is found by: annotation, then the texts in its metadata, then those of
/// its content; cut at [`WORDS_BYTES_MAX`]. Bytes say nothing.
pub fn words(annotation: &str, metadata: &Metadata, content: &Content) -> String {
    let mut out = String::new();
    say(&mut out, annotation);
    metadata.values().for_each(|value| leaves(&mut out, value));
    match content {
        Content::Text(text) => say(&mut out, text),
        Content::Json(value) => leaves(&mut out, value),
        Content::Bytes { .. } | Content::Erased | Content::Redacted => {}
    }
    out
}

fn leaves(out: &mut String, value: &Value) {
    match value {
        Value::Text(text) => say(out, text),
        Value::List(list) => list.iter().for_each(|it| leaves(out, it)),
        Value::Map(map) => map.values().for_each(|it| leaves(out, it)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
}

fn say(out: &mut String, text: &str) {
    let room = WORDS_BYTES_MAX.saturating_sub(out.len() + 1);
    if text.is_empty() || room == 0 {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&text[..text.floor_char_boundary(room)]);
}

/// Gives the tokens of a text to `each`: runs of letters and digits in lower case, cut to a light
/// stem, without stop words; a Chinese or Japanese character is a token of its own.
pub fn tokens(text: &str, mut each: impl FnMut(&str)) {
    let mut token = String::new();
    let mut end = |token: &mut String| {
        if !token.is_empty() && token.len() <= TOKEN_BYTES_MAX && !stops(token) {
            stem(token);
            each(token);
        }
        token.clear();
    };
    for c in text.chars() {
        if stands_alone(c) {
            end(&mut token);
            token.push(c);
            end(&mut token);
        } else if c.is_alphanumeric() {
            token.extend(c.to_lowercase());
        } else {
            end(&mut token);
        }
    }
    end(&mut token);
}

fn stands_alone(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF)
}

/// Words that say nothing of what a text is about, in order.
const STOPS: [&str; 56] = [
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "did", "do", "does",
    "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me",
    "my", "no", "not", "of", "on", "or", "our", "s", "so", "t", "that", "the", "their", "then",
    "there", "these", "they", "this", "to", "was", "we", "were", "what", "which", "will", "with",
    "you", "your",
];

fn stops(token: &str) -> bool {
    STOPS.binary_search(&token).is_ok()
}

/// Takes English endings off, so that `tasks`, `releasing` and `released` meet `task` and
/// `release`. Light on purpose: what it makes need not be a word, only the same for both.
fn stem(token: &mut String) {
    if token.len() < 4 || !token.bytes().all(|it| it.is_ascii_lowercase()) {
        return;
    }
    plural(token);
    for ending in ["ing", "ied", "ed"] {
        let rest = token.len().saturating_sub(ending.len());
        if rest >= 3 && token.ends_with(ending) && vowel(&token[..rest]) {
            token.truncate(rest);
            match ending {
                "ied" => token.push('y'),
                _ => undouble(token),
            }
            break;
        }
    }
    if token.len() >= 4 && token.ends_with('e') {
        token.pop();
    }
}

fn plural(token: &mut String) {
    let kept = token.len();
    if token.ends_with("ies") && kept > 4 {
        token.truncate(kept - 3);
        token.push('y');
    } else if ["sses", "shes", "ches", "xes"].iter().any(|it| token.ends_with(it)) {
        token.truncate(kept - 2);
    } else if token.ends_with('s') && !["ss", "us", "is"].iter().any(|it| token.ends_with(it)) {
        token.truncate(kept - 1);
    }
}

fn vowel(part: &str) -> bool {
    part.bytes().any(|it| b"aeiouy".contains(&it))
}

/// `running` is `run`, but `falling` is `fall`.
fn undouble(token: &mut String) {
    if let [.., before, last] = token.as_bytes()
        && before == last
        && !b"aeioulsz".contains(last)
    {
        token.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        tokens(text, |it| out.push(it.to_owned()));
        out
    }

    #[test]
    fn inflected_words_meet() {
        assert!(STOPS.is_sorted());
        for same in [
            "task tasks",
            "release releases released releasing",
            "run runs running",
            "carry carries carried",
            "fix fixes fixed fixing",
            "fall falls falling",
            "class classes",
        ] {
            let mut stems = all(same);
            stems.dedup();
            assert_eq!(stems.len(), 1, "{same}: {stems:?}");
        }
    }

    #[test]
    fn a_token_is_letters_and_digits() {
        assert_eq!(
            all("The fn `read_v2`, of STRASSE: 日本"),
            ["fn", "read", "v2", "strass", "日", "本"]
        );
        assert_eq!(all(&"x".repeat(65)), [""; 0]);
    }

    #[test]
    fn what_is_said_has_a_limit_and_an_order() {
        let metadata = Metadata::from([
            ("n".into(), Value::Int(7)),
            ("tags".into(), Value::List(vec!["b".into(), "c".into()])),
        ]);
        let json = Content::Json(Value::Map([("key".into(), "d".into())].into()));
        assert_eq!(words("a", &metadata, &json), "a\nb\nc\nd");
        let long = "é".repeat(WORDS_BYTES_MAX);
        let said = words("a", &metadata, &Content::Text(long));
        assert!(said.len() <= WORDS_BYTES_MAX && said.len() > WORDS_BYTES_MAX - 4);
    }
}
