//! The table of limits is whole: nothing is bounded by a constant that it does not name.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn sources(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The name and the value of a constant that bounds something: told by its unit, or by its type.
fn bound(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.trim_start().split_once("const ")?;
    let (name, rest) = rest.split_once(": ")?;
    let (kind, value) = rest.split_once(" = ")?;
    let units = ["_MAX", "_MS", "_BYTES", "_ENTRIES", "_FACTOR", "TRIES"];
    let bounds = kind == "Duration" || units.iter().any(|unit| name.ends_with(unit));
    let screams =
        name.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_');
    (bounds && screams).then(|| (name.to_owned(), value.trim_end_matches(';').to_owned()))
}

#[test]
fn every_constant_that_bounds_something_is_in_the_table() {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&runtime.join("src"), &mut files);
    sources(&runtime.join("../actors/src"), &mut files);
    let mut bounds = BTreeMap::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        bounds.extend(text.lines().filter_map(bound));
    }
    let config = std::fs::read_to_string(runtime.join("src/config.rs")).unwrap();
    let table: BTreeMap<String, String> = config
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"))
        .map(|row| {
            let mut cells = row.split(" | ");
            let mut cell = || cells.next().unwrap().trim_matches('`').to_owned();
            (cell(), cell())
        })
        .collect();
    assert!(bounds.len() > 20, "the search for constants finds none: {bounds:?}");
    assert_eq!(bounds, table, "left: the sources; right: the table of runtime/src/config.rs");
}

#[test]
fn the_search_knows_a_bound_when_it_sees_one() {
    let found = bound("    pub(super) const WAIT: Duration = Duration::from_millis(5);");
    assert_eq!(found, Some(("WAIT".into(), "Duration::from_millis(5)".into())));
    assert!(bound("const A_ROWS_MAX: usize = 1 << 3;").is_some());
    assert!(bound("const FORM: u8 = 1;").is_none());
}
