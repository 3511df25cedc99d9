//! The settings of an embedder, from the command line.

use super::harness::{Place, Started};
use std::process::Command;

const SETTINGS: &str = r#"
[embedder]
url = "http://127.0.0.1:1/v1"
model = "m"
dims = 8
key_env = "STOA_TEST_EMBEDDER_KEY"
"#;

#[test]
fn only_who_opens_the_directory_needs_the_key() {
    let place = Place::new();
    place.json(&["space", "create", "notes"]);
    place.file("data/config.toml", SETTINGS);
    assert_eq!(place.stoa(&["trust"]).code, 0);
    let without = place.stoa(&["put", "notes", "a note"]);
    assert_eq!(without.code, 2, "{}", without.err);
    assert!(without.err.contains("STOA_TEST_EMBEDDER_KEY is not set"), "{}", without.err);
    assert!(without.err.contains("hint: export STOA_TEST_EMBEDDER_KEY="), "{}", without.err);
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoa"));
    command.args(["--data", "data", "serve", "--json"]).current_dir(place.path("."));
    command.env("XDG_CONFIG_HOME", place.path("configuration"));
    let serve = Started::new(command.env("STOA_TEST_EMBEDDER_KEY", "sesame"), b"");
    serve.wait_for("that it serves", |out| out.contains("serving"));
    place.json(&["put", "notes", "a note"]);
    assert_eq!(place.json(&["search", "notes", "note"]).len(), 1, "by words");
    assert!(place.json(&["status"])[0]["vectors"].is_object());
    place.file("data/config.toml", SETTINGS.replace("/v1", "/v1?key=sesame"));
    let invalid = place.stoa(&["put", "notes", "a note"]);
    assert!(invalid.code == 2 && invalid.err.contains("behind a ? or #"), "{}", invalid.err);
}
