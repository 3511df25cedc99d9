//! The sources of every package, as tests read them.

use std::path::{Path, PathBuf};

/// The packages of the runtime, by their folder, and the pure core.
pub(crate) fn packages() -> Vec<(String, PathBuf)> {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![("actors".to_owned(), runtime.join("../actors"))];
    for entry in std::fs::read_dir(runtime).unwrap() {
        let path = entry.unwrap().path();
        if path.join("Cargo.toml").is_file() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, path));
        }
    }
    found.sort();
    assert!(found.len() > 8, "the search for packages finds too few: {found:?}");
    found
}

/// Every source file under a folder.
pub(crate) fn sources(under: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}
