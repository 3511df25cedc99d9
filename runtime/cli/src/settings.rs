//! The settings of a data directory: `config.toml` in it, written by hand; there need be none.
//!
//! ```toml
//! [embedder]                          # whose vectors searches go by, instead of the built-in one's
//! url = "http://127.0.0.1:11434/v1"   # up to /embeddings, as OpenAI and those after it speak
//! model = "all-minilm"
//! dims = 384                          # an answer with others is refused
//! key_env = "EMBEDDER_KEY"            # the environment variable with the key, if it wants one
//! ```
//!
//! `[models.NAME]` and `[providers.NAME]` say which models agents can have: see [`stoa_models::config`].
//! They can be in the user's own `config.toml` as well, beside the records of trust.
//!
//! The file may have come with the directory from somebody else. Each of its sections counts only
//! as it read when the owner typed `stoa trust` on this machine; without that the command runs as
//! if the section were not there, and says so.

mod models;

pub(super) use models::{environment, models_config};

use super::screen::{self, note};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use stoa_actors::log::Hash;
use stoa_actors::trust::Verdict;
use stoa_kernel::embedder::{Key, Remote, RemoteConfig};
use stoa_kernel::limits::Config;
use stoa_kernel::problem::{Problem, ProblemKind};
use stoa_kernel::trust::{TrustError, TrustStore, open_plain};
use stoa_models::cassette::Cassette;
use stoa_models::config::ModelsConfig;

/// More is no settings.
const SETTINGS_BYTES_MAX: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Embedder {
    url: String,
    model: String,
    dims: usize,
    key_env: Option<String>,
}

/// The file as it is, before anybody asks whether it is trusted.
#[derive(Default)]
pub(super) struct Settings {
    path: PathBuf,
    /// Each section, in the order of their names.
    pub(super) sections: BTreeMap<String, Json>,
    /// Why none of it can be trusted, and what mends that.
    unfit: Option<(String, String)>,
}

impl Settings {
    /// Reads the file; nothing where there is none.
    pub(super) fn read(data: &Path) -> Result<Settings, Problem> {
        Settings::read_file(data.join("config.toml"))
    }

    fn read_file(path: PathBuf) -> Result<Settings, Problem> {
        let mut settings = Settings { path: path.clone(), ..Settings::default() };
        let file = match open_plain(&path) {
            Ok(file) => file,
            // Where there is no directory to look into, whoever opens it says what is wrong with it.
            Err(_) if path.symlink_metadata().is_err() => return Ok(settings),
            Err(error) if error.kind() == io::ErrorKind::Other => {
                let hint = format!("rm {} && $EDITOR {0}", quoted(&path));
                settings.unfit = Some((error.to_string(), hint));
                return Ok(settings);
            }
            Err(error) => return Err(settings.invalid(&error.to_string())),
        };
        let found = file.metadata().map_err(|error| settings.invalid(&error.to_string()))?;
        settings.unfit = unfit(&path, found.uid(), found.mode());
        let mut text = String::new();
        let read = file.take(SETTINGS_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| settings.invalid(&error.to_string()))?;
        if text.len() as u64 == SETTINGS_BYTES_MAX {
            return Err(settings.invalid(&format!("more than {SETTINGS_BYTES_MAX} bytes")));
        }
        let sections: BTreeMap<String, Json> =
            toml::from_str(&text).map_err(|error| settings.invalid(&error.to_string()))?;
        settings.sections = sections;
        Ok(settings)
    }

    /// Where the file is, and files that it names are looked for.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// What each section says, in one form however it is laid out.
    pub(super) fn hashes(&self) -> BTreeMap<String, Hash> {
        let hash = |(name, section): (&String, &Json)| {
            (name.clone(), Hash::of(sorted(section).to_string().as_bytes()))
        };
        self.sections.iter().map(hash).collect()
    }

    /// The whole file must be well formed, also what is not trusted.
    pub(super) fn checked(&self, config: &Config) -> Result<(), Problem> {
        self.has_only(&["embedder", "models", "providers"])?;
        self.models()?;
        self.embedder(config).map(drop)
    }

    fn has_only(&self, known: &[&str]) -> Result<(), Problem> {
        let Some(name) = self.sections.keys().find(|name| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let there: Vec<String> = known.iter().map(|it| format!("[{it}]")).collect();
        let text = format!("[{name}] is no section here; there are: {}", there.join(", "));
        Err(self.invalid(&text))
    }

    fn models(&self) -> Result<ModelsConfig, Problem> {
        models::of(self).map_err(|error| self.invalid(&error.text))
    }

    /// Nobody else can have written the file.
    pub(super) fn fit(&self) -> Result<(), Problem> {
        let Some((why, hint)) = &self.unfit else { return Ok(()) };
        Err(Problem::new(ProblemKind::Invalid, format!("{}: {why}", self.path.display()))
            .hint(hint))
    }

    fn embedder(&self, config: &Config) -> Result<Option<RemoteConfig>, Problem> {
        let Some(section) = self.sections.get("embedder") else { return Ok(None) };
        let Embedder { url, model, dims, key_env } = serde_json::from_value(section.clone())
            .map_err(|error| self.invalid(&format!("[embedder]: {error}")))?;
        let given = key_env.as_deref().map(secret);
        let key = given.clone().map(|key| key.unwrap_or_else(|| Key::new("a key")));
        let remote = RemoteConfig { url, model, dims, key };
        // What cannot be asked is told before the directory is opened.
        Remote::new(&remote, config.embedding.dims_max)
            .map_err(|error| self.invalid(&error.to_string()))?;
        // A key is needed by whoever opens the directory alone.
        let lacking = || Key::lacking(key_env.unwrap_or_default());
        let key = given.map(|key| key.unwrap_or_else(lacking));
        Ok(Some(RemoteConfig { key, ..remote }))
    }

    pub(super) fn invalid(&self, text: &str) -> Problem {
        let text = format!("{}: {}", self.path.display(), text.trim_end());
        Problem::new(ProblemKind::Invalid, text).hint(format!("$EDITOR {}", quoted(&self.path)))
    }
}

/// Who else can have written the file, and what mends that.
fn unfit(path: &Path, owner: u32, mode: u32) -> Option<(String, String)> {
    let own = rustix::process::geteuid().as_raw();
    let path = quoted(path);
    if owner != own {
        let why = format!("it belongs to user {owner}, not to you (user {own})");
        return Some((why, format!("sudo chown {own} {path}")));
    }
    let why = || format!("others can write it: its mode is {:o}", mode & 0o7777);
    (mode & 0o022 != 0).then(|| (why(), format!("chmod go-w {path}")))
}

/// Keys in order, so that the same section has the same hash.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let keys: BTreeMap<&String, Json> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            Json::Object(keys.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        value => value.clone(),
    }
}

/// The configuration of a directory, as its trusted settings say. What is not trusted is told.
/// Models are recorded, or answer from what was recorded, where there is a cassette.
pub(super) fn config(data: &Path, cassette: Option<Cassette>) -> Result<Config, Problem> {
    let mut config = Config::at(data);
    config.origin = cassette.as_ref().map(Cassette::origin);
    let settings = Settings::read(data)?;
    settings.checked(&config)?;
    let verdict = settings.verdict(data)?;
    config.host_grants = verdict.grants();
    if settings.unfit.is_none() && verdict.section("embedder").is_ok() {
        config.embedding.remote = settings.embedder(&config)?;
    }
    config.models =
        models::source(models::configured(settings.trusted_models(&verdict)?)?, cassette);
    settings.tell(&verdict, data);
    Ok(config)
}

impl Settings {
    /// What of the directory is trusted now.
    fn verdict(&self, data: &Path) -> Result<Verdict, Problem> {
        let Some(store) = trust_store() else { return Ok(Verdict::default()) };
        store.verdict(data, &self.hashes()).map_err(|it| untrusted(it, data))
    }

    /// Says on stderr what of the file does not count.
    fn tell(&self, verdict: &Verdict, data: &Path) {
        let path = self.path.display();
        let (text, hint) = if let Some((why, hint)) = &self.unfit {
            (format!("{path} is not used: {why}"), hint.clone())
        } else if let Some((_, why)) = verdict.refused().next() {
            let names: Vec<String> = verdict.refused().map(|(it, _)| format!("[{it}]")).collect();
            let text = format!("{} of {path} is not used: {why}", names.join(" "));
            (text, format!("stoa trust --data {}", quoted(data)))
        } else {
            return;
        };
        note(format!("note: {text}"));
        screen::hint(&hint);
    }
}

/// A record that cannot be relied on stops the command: to go on would be to guess.
pub(super) fn untrusted(error: TrustError, data: &Path) -> Problem {
    let hint = match &error {
        TrustError::Broken { path, .. } if path.is_dir() => format!("chmod 700 {}", quoted(path)),
        TrustError::Foreign { path, .. } => {
            let own = rustix::process::geteuid().as_raw();
            format!("sudo chown -R {own} {}", quoted(path))
        }
        TrustError::Broken { .. } => format!("stoa trust --data {}", quoted(data)),
        _ => "export XDG_CONFIG_HOME=WRITABLE_DIR".to_owned(),
    };
    Problem::new(ProblemKind::Store, error).hint(hint)
}

/// Where this user's records are; nothing where the user has no configuration of their own.
pub(super) fn trust_store() -> Option<TrustStore> {
    own_configuration().map(TrustStore::at)
}

/// Where this user's own configuration of stoa is.
#[expect(clippy::disallowed_methods, reason = "the library is told where; this is who tells it")]
fn own_configuration() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let configuration =
        absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(configuration.join("stoa"))
}

/// A path as a shell reads it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |it: char| it.is_ascii_alphanumeric() || "/._-+,:@".contains(it);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn secret(name: &str) -> Option<Key> {
    environment(name).map(Key::new)
}

/// Nothing is there: whoever has named the directory has yet to begin, and anybody else may be in a
/// wrong place.
pub(super) fn no_data(data: &Path, named: bool) -> Problem {
    let text = format!("there is no stoa data in {}", data.display());
    let unknown = |text: String| Problem::new(ProblemKind::Unknown, text);
    match named {
        true => unknown(text).hint("stoa space create NAME"),
        false => unknown(format!(
            "{text}; name the directory with --data, or begin here with `space create`"
        ))
        .hint("stoa --data DIR status"),
    }
}
