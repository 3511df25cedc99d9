//! The table of limits is whole: nothing is bounded by a constant that it does not name.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "harness/sources.rs"]
mod sources;

use sources::{packages, sources as files};
use std::collections::BTreeMap;

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
fn every_constant_that_bounds_something_is_in_the_table_of_its_package() {
    let mut all = 0;
    for (name, folder) in packages() {
        let mut bounds = BTreeMap::new();
        for file in files(&folder.join("src")) {
            let text = std::fs::read_to_string(file).unwrap();
            bounds.extend(text.lines().filter_map(bound));
        }
        all += bounds.len();
        let limits = std::fs::read_to_string(folder.join("src/limits.rs")).unwrap_or_default();
        let table: BTreeMap<String, String> = limits
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .map(|row| {
                let mut cells = row.split(" | ");
                let mut cell = || cells.next().unwrap().trim_matches('`').to_owned();
                (cell(), cell())
            })
            .collect();
        assert_eq!(bounds, table, "left: the sources of {name}; right: the table of its limits.rs");
    }
    assert!(all > 20, "the search for constants finds {all}");
}

#[test]
fn the_search_knows_a_bound_when_it_sees_one() {
    let found = bound("    pub(super) const WAIT: Duration = Duration::from_millis(5);");
    assert_eq!(found, Some(("WAIT".into(), "Duration::from_millis(5)".into())));
    assert!(bound("const A_ROWS_MAX: usize = 1 << 3;").is_some());
    assert!(bound("const FORM: u8 = 1;").is_none());
}
