//! The walls of the house: within a package no room imports another that imports it, over whatever
//! way; between packages the build sees to that.
//!
//! A room is a module at the top of a package, with all that is in it.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "harness/sources.rs"]
mod sources;

use sources::{packages, sources as files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Imports = BTreeMap<String, BTreeSet<String>>;

/// The first words of a list in braces: `{a::b, c::{d, e}}` has `a` and `c`.
fn heads(list: &str) -> Vec<String> {
    let (mut depth, mut word, mut found) = (0, String::new(), Vec::new());
    for c in list.chars().chain([',']) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(std::mem::take(&mut word)),
            _ if depth == 0 => word.push(c),
            _ => {}
        }
    }
    let first = |it: &String| it.trim().split("::").next().unwrap_or_default().to_owned();
    found.iter().map(first).filter(|it| !it.is_empty()).collect()
}

/// The modules that a text names by their path from the root of the package. `up` is how often
/// `super::` leads there.
fn named(text: &str, up: usize) -> Vec<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for root in ["crate::".to_owned(), "super::".repeat(up)] {
        if root.is_empty() {
            continue;
        }
        for (at, _) in code.match_indices(&root) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before == ':' || before.is_alphanumeric() || before == '_' || before == '$' {
                continue;
            }
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(list) => {
                    let (mut depth, mut end) = (1, list.len());
                    for (at, c) in list.char_indices() {
                        depth += match c {
                            '{' => 1,
                            '}' => -1,
                            _ => 0,
                        };
                        if depth == 0 {
                            end = at;
                            break;
                        }
                    }
                    found.extend(heads(&list[..end]));
                }
                None => {
                    let word = |c: &char| c.is_alphanumeric() || *c == '_';
                    found.push(rest.chars().take_while(word).collect());
                }
            }
        }
    }
    found
}

fn imports(src: &Path) -> Imports {
    let mut all = Imports::new();
    for file in files(src) {
        let parts: Vec<String> = file
            .strip_prefix(src)
            .unwrap()
            .with_extension("")
            .iter()
            .map(|it| it.to_string_lossy().into_owned())
            .collect();
        let room = parts[0].clone();
        if ["lib", "main", "prelude"].contains(&room.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        // What is built for tests alone may look anywhere.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        if parts.iter().any(|it| it == "tests") {
            continue;
        }
        all.entry(room).or_default().extend(named(text, parts.len()));
    }
    let rooms: BTreeSet<String> = all.keys().cloned().collect();
    for (room, of) in &mut all {
        of.retain(|it| rooms.contains(it) && it != room);
    }
    all
}

/// Every room from which a way leads back to it.
fn in_a_circle(imports: &Imports) -> Vec<String> {
    let reaches = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&String> = imports[from].iter().collect();
        while let Some(at) = open.pop() {
            if seen.insert(at.clone()) {
                open.extend(&imports[at]);
            }
        }
        seen
    };
    imports.keys().filter(|room| reaches(room).contains(*room)).cloned().collect()
}

#[test]
fn no_room_is_in_a_circle_of_imports() {
    for (name, folder) in packages() {
        let found = in_a_circle(&imports(&folder.join("src")));
        assert!(found.is_empty(), "{name}: rooms in a circle of imports: {found:?}");
    }
}

#[test]
fn the_search_knows_a_circle_when_it_sees_one() {
    let of = |rooms: &[(&str, &[&str])]| -> Imports {
        let room = |(name, of): &(&str, &[&str])| {
            ((*name).to_owned(), of.iter().map(|it| (*it).to_owned()).collect())
        };
        rooms.iter().map(room).collect()
    };
    let open = of(&[("a", &["b"]), ("b", &["c"]), ("c", &[])]);
    assert!(in_a_circle(&open).is_empty());
    let closed = of(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &["a"])]);
    assert_eq!(in_a_circle(&closed), ["b", "c"]);
    let text =
        "use crate::{a::b, c::{d, e}};\nuse crate::f::G; // crate::h\nlet x = super::i::j();";
    assert_eq!(named(text, 1), ["a", "c", "f", "i"]);
    assert_eq!(named("super::super::a::b()", 2), ["a"]);
}

/// The kernel knows no application of it, and no convention: what agents agree on is content.
#[test]
fn the_kernel_knows_no_application() {
    let below = ["actors", "log", "sandbox", "embedder", "graphs", "kernel"];
    for (name, folder) in packages().iter().filter(|(name, _)| below.contains(&name.as_str())) {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for above in ["conventions", "documents", "research", "api", "cli"] {
            assert!(!manifest.contains(&format!("stoa-{above}")), "{name} depends on {above}");
        }
    }
}
