//! The settings of a data directory: `config.toml` in it, written by hand; there need be none.
//!
//! ```toml
//! [embedder]                          # whose vectors searches go by, instead of the built-in one's
//! url = "http://127.0.0.1:11434/v1"   # up to /embeddings, as OpenAI and those after it speak
//! model = "all-minilm"
//! dims = 384                          # an answer with others is refused
//! key_env = "EMBEDDER_KEY"            # the environment variable with the key, if it wants one
//! ```

use serde::Deserialize;
use std::io::Read;
use std::path::Path;
use stoa_runtime::config::Config;
use stoa_runtime::embedder::{Key, Remote, RemoteConfig};
use stoa_runtime::problem::{Kind, Problem};

/// More is no settings.
const SETTINGS_BYTES_MAX: u64 = 64 << 10;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    embedder: Option<Embedder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Embedder {
    url: String,
    model: String,
    dims: usize,
    key_env: Option<String>,
}

/// The configuration of a directory, as its settings say.
pub(super) fn config(data: &Path) -> Result<Config, Problem> {
    let mut config = Config::at(data);
    let path = data.join("config.toml");
    let amiss = |text: String| {
        let text = format!("{}: {}", path.display(), text.trim_end());
        Problem::new(Kind::Invalid, text).hint(format!("$EDITOR {}", path.display()))
    };
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        // Where there is no directory to look into, whoever opens it says what is wrong with it.
        Err(_) if !path.exists() => return Ok(config),
        Err(error) => return Err(amiss(error.to_string())),
    };
    let mut text = String::new();
    file.take(SETTINGS_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| amiss(error.to_string()))?;
    if text.len() as u64 == SETTINGS_BYTES_MAX {
        return Err(amiss(format!("more than {SETTINGS_BYTES_MAX} bytes")));
    }
    let settings: Settings = toml::from_str(&text).map_err(|error| amiss(error.to_string()))?;
    let Some(Embedder { url, model, dims, key_env }) = settings.embedder else {
        return Ok(config);
    };
    let given = key_env.as_deref().map(secret);
    let key = given.clone().map(|key| key.unwrap_or_else(|| Key::new("a key")));
    let remote = RemoteConfig { url, model, dims, key };
    // What cannot be asked is told before the directory is opened.
    Remote::new(&remote, config.embedding.dims_max).map_err(|error| amiss(error.to_string()))?;
    // A key is needed by whoever opens the directory alone.
    let lacking = || Key::lacking(key_env.unwrap_or_default());
    let key = given.map(|key| key.unwrap_or_else(lacking));
    config.embedding.remote = Some(RemoteConfig { key, ..remote });
    Ok(config)
}

/// A secret is in the environment alone: no file and no command line has it.
#[expect(clippy::disallowed_methods, reason = "the one setting that must not be in a file")]
fn secret(name: &str) -> Option<Key> {
    std::env::var(name).ok().filter(|it| !it.is_empty()).map(Key::new)
}
