//! What things may be called: one line that a reader sees whole, and no two names that look alike
//! but for their form.
//!
//! Names are compared in Unicode's composed form (NFC), so that `é` typed on any keyboard is one
//! name. A name is refused when a reader could not type again what it sees: control and format
//! characters, blanks that are no plain blank, blanks around it or several in a row, letters of
//! another width, and words that mix Latin with Cyrillic or Greek letters
//! that look alike. The refusal tells the
//! right spelling where there is one.

use crate::printable::is_printable;
use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, is_nfc, is_nfkc};

/// Why a text cannot be a name, and how it would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be a name: {why}{}", told(.right))]
pub struct Misspelt {
    /// What was said.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
    /// How it is spelt right; nothing if nobody can say.
    pub right: Option<String>,
}

fn told(right: &Option<String>) -> String {
    right.as_ref().map_or_else(String::new, |right| format!("; write {right:?}"))
}

/// The form in which names are kept and compared.
pub fn composed(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// Refuses what a reader could not type again.
pub fn check(name: &str) -> Result<(), Misspelt> {
    let Some(why) = invalid(name) else { return Ok(()) };
    let right = respelt(name);
    let right = Some(right).filter(|it| !it.is_empty() && invalid(it).is_none());
    Err(Misspelt { name: name.to_owned(), why, right })
}

fn invalid(name: &str) -> Option<&'static str> {
    if !name.chars().all(is_printable) {
        return Some("it holds a character that is not seen, or a line end");
    }
    if name.chars().any(|it| is_blank(it) && it != ' ') {
        return Some("it holds a blank that is not a plain one");
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        return Some("it begins or ends with a blank");
    }
    if name.contains("  ") {
        return Some("it holds several blanks in a row");
    }
    if name.chars().any(is_disguised) {
        return Some("it holds letters of another width or style");
    }
    let mut words = name.split(|it: char| !it.is_alphabetic());
    words.any(is_mixed).then_some("a word in it mixes letters of different scripts")
}

/// As it would be without what is wrong.
fn respelt(name: &str) -> String {
    let plain = |it: char| match it {
        it if is_blank(it) || it.is_whitespace() => Some(' '),
        it if is_printable(it) => Some(it),
        _ => None,
    };
    let plain: String = name.chars().filter_map(plain).collect();
    let plain = plain.split(' ').filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ");
    let narrow = |it: char| match is_disguised(it) {
        true => it.nfkc().collect(),
        false => String::from(it),
    };
    let plain: String = plain.chars().map(narrow).collect();
    let word = |it: &str| match is_mixed(it) {
        true => it.chars().map(|it| latin(it).unwrap_or(it)).collect(),
        false => it.to_owned(),
    };
    plain.split_inclusive(|it: char| !it.is_alphabetic()).map(|it| word_of(it, &word)).collect()
}

/// Respells the letters of a word, and leaves what ends it.
fn word_of(text: &str, respell: &dyn Fn(&str) -> String) -> String {
    let letters = text.trim_end_matches(|it: char| !it.is_alphabetic());
    respell(letters) + &text[letters.len()..]
}

/// A blank that can be seen as one: braille's empty pattern is drawn like a blank.
fn is_blank(it: char) -> bool {
    it == '\u{2800}' || (it.is_whitespace() && !it.is_control())
}

/// A Latin letter, digit or mark that is drawn wide or in a mathematical style.
fn is_disguised(it: char) -> bool {
    matches!(it, '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}')
        && !is_nfkc(it.encode_utf8(&mut [0; 4]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
}

/// The script of a letter, of those whose letters look alike.
fn script(it: char) -> Option<Script> {
    match it {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
            Some(Script::Latin)
        }
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Script::Greek),
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => {
            Some(Script::Cyrillic)
        }
        _ => None,
    }
}

/// Letters of two scripts, one of which could as well be of the other: `Δt` is seen for what it is.
fn is_mixed(word: &str) -> bool {
    let has = |of: Script| word.chars().any(|it| script(it) == Some(of));
    let other = [Script::Greek, Script::Cyrillic].into_iter().filter(|of| has(*of));
    let twin = |of: Script, it: char| match script(it) {
        Some(Script::Latin) => alike(of).1.contains(it),
        Some(own) => own == of && latin(it).is_some(),
        None => false,
    };
    let both = has(Script::Greek) && has(Script::Cyrillic);
    both || (has(Script::Latin) && other.into_iter().any(|of| word.chars().any(|it| twin(of, it))))
}

/// The letters of a script that are drawn like Latin ones, and these.
fn alike(of: Script) -> (&'static str, &'static str) {
    match of {
        Script::Latin => ("", ""),
        Script::Greek => ("οανρΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oavpABEZHIKMNOPTYX"),
        Script::Cyrillic => ("аеорсухіјѕԁԛԝһАВЕКМНОРСТХІЈЅ", "aeopcyxijsdqwhABEKMHOPCTXIJS"),
    }
}

/// The Latin letter that a Greek or Cyrillic one is drawn like.
fn latin(it: char) -> Option<char> {
    let (theirs, ours) = alike(script(it)?);
    let at = theirs.chars().position(|other| other == it)?;
    ours.chars().nth(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_call_things_is_a_name() {
        for name in [
            "tasks",
            "Task list 2",
            "deploy/production",
            "é",
            "日本語",
            "кофе",
            "отчёт v2",
            "α-test",
            "Проект API",
            "naïve_Ωmega",
            "Δt",
            "10μm",
            "עברית",
            "हिन्दी",
            "👍🏽",
            "a.b:c",
            "Ångström",
            "ß",
        ] {
            let found = check(name).map_err(|it| it.to_string());
            let mixed = name == "naïve_Ωmega";
            assert_eq!(found.is_err(), mixed, "{name}: {found:?}");
        }
    }

    #[test]
    fn what_cannot_be_typed_again_is_refused_with_the_right_spelling() {
        for (name, right) in [
            ("ada\nroot", "ada root"),
            ("ada ", "ada"),
            ("\tada", "ada"),
            ("a\u{a0}b", "a b"),
            ("a\u{3000}b", "a b"),
            ("a\u{2800}b", "a b"),
            ("a  b", "a b"),
            ("a\u{200b}da", "ada"),
            ("\u{202e}ada", "ada"),
            ("evil\u{1b}[2J", "evil[2J"),
            ("а\u{64}a", "ada"),
            ("team аda 2", "team ada 2"),
            ("ａda", "ada"),
            ("𝐚da", "ada"),
            ("ada\u{e0041}", "ada"),
            ("ada\u{ad}", "ada"),
            ("ada\u{2028}", "ada"),
        ] {
            let said = check(name).expect_err(name);
            assert_eq!(said.right.as_deref(), Some(right), "{name:?}: {said}");
        }
        for name in ["\u{200b}", " ", "\n", "жda"] {
            assert_eq!(check(name).expect_err(name).right, None, "{name:?}");
        }
    }

    #[test]
    fn one_form_is_kept() {
        assert_eq!(composed("e\u{301}"), "é");
        assert!(matches!(composed("tasks"), Cow::Borrowed("tasks")));
    }
}
