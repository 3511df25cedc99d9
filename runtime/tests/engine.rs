//! Which engine keeps the store is known in the store's room and nowhere else.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use std::path::{Path, PathBuf};

/// What the store's files import of the engine, and the engine itself.
const TYPES: [&str; 9] = [
    "fjall",
    "OwnedWriteBatch",
    "PersistMode",
    "Keyspace",
    "Database",
    "UserValue",
    "UserKey",
    "Guard",
    "Snapshot<",
];

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

/// Lines without comments, and what is open to other rooms in one piece up to its body.
fn signatures(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|it| !it.trim_start().starts_with("//")).collect();
    let opens = |line: &str| {
        let line = line.trim_start();
        let open = line.starts_with("pub(crate) ") || line.starts_with("pub ");
        let private = line.contains(" struct ") && !line.contains("(pub");
        open && !private && !line.contains(" use ") && !line.contains(" mod ")
    };
    let begins = code.iter().enumerate().filter(|(_, line)| opens(line));
    begins
        .map(|(at, _)| {
            let mut whole = String::new();
            for line in &code[at..] {
                whole.push_str(line.trim());
                whole.push(' ');
                // Where a body begins, or a field or a declaration ends.
                let field = line.ends_with(',') && !whole.contains(" fn ");
                if line.ends_with('{') || line.ends_with(';') || field {
                    break;
                }
            }
            whole
        })
        .collect()
}

/// The first name of the engine that this shows to another room.
fn shown(name: &str, text: &str) -> Option<String> {
    let in_room = name == "store.rs" || name.starts_with("store/");
    let names = |line: &str| TYPES.iter().any(|it| line.contains(*it));
    if in_room {
        return signatures(text).into_iter().find(|it| names(it));
    }
    let mut code = text.lines().filter(|it| !it.trim_start().starts_with("//"));
    code.find(|line| line.contains("fjall")).map(str::to_owned)
}

#[test]
fn the_engine_is_named_in_the_room_of_the_store_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 100, "{files:?}");
    for file in files {
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        let found = shown(&name, &std::fs::read_to_string(&file).unwrap());
        assert_eq!(found, None, "{name} shows the engine of the store");
    }
}

#[test]
fn the_search_knows_the_engine_when_it_sees_it() {
    let open = "    pub(crate) fn batch(\n        &self,\n    ) -> OwnedWriteBatch {\n";
    assert!(shown("store/batch.rs", open).is_some());
    assert!(
        shown("store/batch.rs", "    pub(super) fn all(&self) -> [&Keyspace; 8] {\n").is_none()
    );
    assert!(shown("log/writer.rs", "    let db: fjall::Database = open();\n").is_some());
    assert!(shown("log/writer.rs", "//! What fjall does is not our business.\n").is_none());
}
