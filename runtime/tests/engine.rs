//! Which engine keeps the store is known in the store's room and nowhere else.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

#[path = "harness/sources.rs"]
mod sources;

use sources::{packages, sources as files};

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
    let in_room = name == "log/store.rs" || name.starts_with("log/store/");
    let names = |line: &str| TYPES.iter().any(|it| line.contains(*it));
    if in_room {
        return signatures(text).into_iter().find(|it| names(it));
    }
    let mut code = text.lines().filter(|it| !it.trim_start().starts_with("//"));
    code.find(|line| line.contains("fjall")).map(str::to_owned)
}

#[test]
fn the_engine_is_named_in_the_room_of_the_store_only() {
    let mut looked_at = 0;
    for (package, folder) in packages() {
        let src = folder.join("src");
        for file in files(&src) {
            let name = file.strip_prefix(&src).unwrap().to_str().unwrap();
            let name = format!("{package}/{name}");
            let found = shown(&name, &std::fs::read_to_string(&file).unwrap());
            assert_eq!(found, None, "{name} shows the engine of the store");
            looked_at += 1;
        }
    }
    assert!(looked_at > 100, "only {looked_at} files");
}

#[test]
fn the_search_knows_the_engine_when_it_sees_it() {
    let open = "    pub(crate) fn batch(\n        &self,\n    ) -> OwnedWriteBatch {\n";
    assert!(shown("log/store/batch.rs", open).is_some());
    assert!(
        shown("log/store/batch.rs", "    pub(super) fn all(&self) -> [&Keyspace; 8] {\n").is_none()
    );
    assert!(shown("log/log/writer.rs", "    let db: fjall::Database = open();\n").is_some());
    assert!(shown("log/log/writer.rs", "//! What fjall does is not our business.\n").is_none());
}
