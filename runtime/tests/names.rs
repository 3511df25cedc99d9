//! Names: no public type is called as another one is, and no doc is a word that repeats its name.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "harness/sources.rs"]
mod sources;

use sources::{packages, sources as files};
use std::collections::BTreeMap;

/// What every kind of actor calls its own: they are always said with the actor in front.
const OF_EACH_ACTOR: [&str; 5] = ["Effect", "Event", "Message", "Refusal", "Reply"];

/// What is there twice, by a feature: one stands in for the other.
const BY_FEATURE: [&str; 3] = ["Faults", "Provider", "Remote"];

/// The public type that a line declares.
fn declared(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let words = ["struct ", "enum ", "trait ", "type ", "union "];
    let name = words.iter().find_map(|it| rest.strip_prefix(it))?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    Some(&name[..end]).filter(|it| !it.is_empty())
}

/// The words of docs that are one line of at most two of them.
fn of_few_words(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let doc =
        |at: Option<usize>| at.and_then(|at| lines.get(at)).and_then(|it| it.strip_prefix("///"));
    let few = |at: &usize| {
        doc(Some(*at)).is_some_and(|it| it.split_whitespace().count() <= 2)
            && doc(at.checked_sub(1)).is_none()
            && doc(Some(at + 1)).is_none()
    };
    (0..lines.len()).filter(few).map(|at| lines[at]).collect()
}

#[test]
fn no_two_public_types_have_one_name() {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (package, folder) in packages() {
        for file in files(&folder.join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let place = file.strip_prefix(&folder).unwrap().display().to_string();
            for name in text.lines().filter_map(declared) {
                all.entry(name.to_owned()).or_default().push(format!("{package}/{place}"));
            }
        }
    }
    assert!(all.len() > 300, "types are found: {}", all.len());
    all.retain(|name, places| {
        places.len() > 1
            && !OF_EACH_ACTOR.contains(&name.as_str())
            && !BY_FEATURE.contains(&name.as_str())
    });
    assert!(all.is_empty(), "one name for several things: {all:#?}");
}

#[test]
fn no_doc_is_a_word_or_two() {
    for (package, folder) in packages() {
        for file in files(&folder.join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let found = of_few_words(&text);
            assert!(found.is_empty(), "{package} {}: {found:?}", file.display());
        }
    }
}

#[test]
fn what_is_looked_for_is_found() {
    assert_eq!(declared("    pub struct Place(u64);"), Some("Place"));
    assert_eq!(declared("pub enum Kind<T> {"), Some("Kind"));
    assert_eq!(declared("pub(crate) struct Hidden;"), None);
    assert_eq!(declared("pub fn type_of() {"), None);
    let text =
        "/// Which.\nid: u8,\n/// Which one it is.\nat: u8,\n/// It goes on\n/// here too.\n";
    assert_eq!(of_few_words(text), ["/// Which."]);
}
