//! Which models there are, as people configure them: `[models.NAME]` and `[providers.NAME]`.
//!
//! ```toml
//! [models.fast]                        # stoa spawn … --model fast
//! model = "anthropic/NAME"             # PROVIDER/NAME, as --model takes it too
//! output_max = 8192                    # tokens that it may say at once; always sent
//! window = 200000                      # tokens that it reads at once
//! code = "fence"                       # how it acts: Python in a fence, or by a `tool`
//! effort = "high"                      # how much it thinks, in its provider's word
//! temperature = 0.2                    # not sent unless it is set; so are top_p and seed
//!
//! [providers.lab]
//! url = "http://127.0.0.1:8000/v1"
//! dialect = "chat"                     # anthropic, responses, chat or ollama
//! key_env = "LAB_KEY"                  # or key_file = "PATH", or key_command = ["pass", "lab"]
//! accept_unfinished = false            # it ends replies without saying that they are complete
//! concurrency = 8                      # requests under way at once
//! requests_per_minute = 60
//! tokens_per_minute = 100000
//! connect_s = 5                        # until it takes the connection
//! first_s = 120                        # until the first byte
//! gap_s = 60                           # between two pieces of a reply
//! total_s = 600                        # until the reply is complete
//! queue_s = 30                         # until a request may be sent, before that is told
//!
//! [providers.lab.prices."NAME"]        # for a million tokens, in your currency
//! input = 3.0
//! output = 15.0
//! cache_read = 0.3
//! cache_write = 3.75
//! ```
//!
//! `anthropic/…`, `openai/…` and `ollama/…` need no configuration.

mod key_source;
mod parse;
mod provider;

pub use key_source::KeySource;
pub use parse::parse;
pub use provider::{ANTHROPIC_VERSION, ProviderConfig};
pub use stoa_actors::window::CodeStyle;

use crate::limits::ProviderWaits;
use crate::pace::Pace;
use crate::request::Sampling;
use crate::wire::Dialect;
use std::collections::BTreeMap;
use stoa_actors::nearest::nearest;

/// Why a configuration, or the name of a model, is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ConfigError {
    /// What is wrong, and where.
    pub text: String,
}

impl ConfigError {
    fn new(text: impl Into<String>) -> ConfigError {
        ConfigError { text: text.into() }
    }
}

/// A provider, as it is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderEntry {
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Its address, up to the path of the protocol.
    pub url: String,
    /// Where the key is that it is asked with.
    pub key: KeySource,
    /// Some servers end a stream without saying that it is complete.
    pub accept_unfinished: bool,
    /// Of Anthropic's protocol alone: the version of the interface.
    pub anthropic_version: Option<String>,
    /// How fast it is asked.
    pub pace: Pace,
    /// How long is waited for it.
    pub waits: ProviderWaits,
    /// What its models cost.
    pub prices: BTreeMap<String, Price>,
    /// Whether the address is that of what lies below this configuration, and so is the key where none
    /// is named.
    pub inherits: bool,
}

/// What a million tokens cost, in the currency that all prices are in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// Of what is sent, and is not in the provider's cache.
    pub input: f64,
    /// Of what is said.
    pub output: f64,
    /// Of what is read from the cache; as `input` where it is not said.
    pub cache_read: Option<f64>,
    /// Of what is written to it; where it is not said as `input`, and in Anthropic's protocol a quarter
    /// more.
    pub cache_write: Option<f64>,
}

impl Price {
    /// What a reply cost.
    pub fn of(&self, usage: &crate::reply::Usage) -> f64 {
        let fresh = usage.input.saturating_sub(usage.cache_read + usage.cache_write);
        let tokens = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
        tokens(fresh, self.input)
            + tokens(usage.cache_read, self.cache_read.unwrap_or(self.input))
            + tokens(usage.cache_write, self.cache_write.unwrap_or(self.input))
            + tokens(usage.output, self.output)
    }

    /// The same in millionths, and no less than it is.
    pub fn micros(&self, usage: &crate::reply::Usage) -> u64 {
        (self.of(usage) * 1e6).ceil() as u64
    }

    /// What a reply costs at most, in millionths, of so many tokens sent and said.
    pub fn most(&self, input: u64, output: u64) -> u64 {
        let dearest = [Some(self.input), self.cache_read, self.cache_write];
        let dearest = dearest.into_iter().flatten().fold(0.0, f64::max);
        // One more than that: sums of fractions end a little beside each other.
        (input as f64 * dearest + output as f64 * self.output).ceil() as u64 + 1
    }
}

/// A model, as it is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// The provider, by its name.
    pub provider: String,
    /// What the provider calls it.
    pub name: String,
    /// Tokens that it may say at once.
    pub output_max: u64,
    /// Tokens that it reads at once.
    pub window: u64,
    /// How it acts.
    pub code: CodeStyle,
    /// How it chooses its words.
    pub sampling: Sampling,
    /// How much it thinks.
    pub effort: Option<String>,
}

/// Tokens that a model may say at once, where nothing is configured.
pub const OUTPUT_MAX: u64 = 8_192;

/// Tokens that a model reads at once, where nothing is configured.
pub const WINDOW: u64 = 128_000;

/// The same of a server on this machine, that takes memory for each of them.
pub const LOCAL_WINDOW: u64 = 16_384;

impl ModelEntry {
    /// `PROVIDER/NAME`, whatever it is called here.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.provider, self.name)
    }

    fn new(provider: &str, name: &str) -> ModelEntry {
        ModelEntry {
            provider: provider.to_owned(),
            name: name.to_owned(),
            output_max: OUTPUT_MAX,
            window: if provider == OLLAMA { LOCAL_WINDOW } else { WINDOW },
            code: CodeStyle::default(),
            sampling: Sampling::default(),
            effort: None,
        }
    }
}

/// All that is configured, and what needs no configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelsConfig {
    /// By what they are called here.
    pub models: BTreeMap<String, ModelEntry>,
    /// By what they are called here.
    pub providers: BTreeMap<String, ProviderEntry>,
}

/// The provider that is on this machine.
pub const OLLAMA: &str = "ollama";

/// Providers that need no configuration: what they are called, how they are spoken to, where, and in
/// which variable their key is.
pub const BUILT_IN: [(&str, Dialect, &str, Option<&str>); 3] = [
    ("anthropic", Dialect::Anthropic, "https://api.anthropic.com", Some("ANTHROPIC_API_KEY")),
    ("openai", Dialect::Responses, "https://api.openai.com/v1", Some("OPENAI_API_KEY")),
    (OLLAMA, Dialect::Ollama, "http://127.0.0.1:11434", None),
];

impl Default for ModelsConfig {
    fn default() -> Self {
        let entry = |(name, dialect, url, key): (&str, _, &str, Option<&str>)| {
            let key = key.map_or(KeySource::None, |it| KeySource::Variable(it.to_owned()));
            (name.to_owned(), ProviderEntry::new(dialect, url, key))
        };
        ModelsConfig { models: BTreeMap::new(), providers: BUILT_IN.map(entry).into() }
    }
}

/// `OLLAMA_HOST` is a host, with or without a scheme and a port; all addresses of a server are this
/// machine to whoever asks it.
fn ollama_url(host: &str) -> String {
    let (scheme, rest) = host.split_once("://").unwrap_or(("", host));
    let (rest, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = rest.rsplit_once(':').filter(|it| it.1.parse::<u16>().is_ok());
    let own = match scheme {
        "https" => "443",
        "http" => "80",
        _ => "11434",
    };
    let (host, port) = port.unwrap_or((rest, own));
    let host = if matches!(host, "" | "0.0.0.0" | "[::]") { "127.0.0.1" } else { host };
    let scheme = if scheme.is_empty() { "http" } else { scheme };
    let url = format!("{scheme}://{host}:{port}/{path}");
    url.trim_end_matches('/').to_owned()
}

impl ProviderEntry {
    /// One at an address, with all that is not said as it is by default.
    pub fn new(dialect: Dialect, url: &str, key: KeySource) -> ProviderEntry {
        ProviderEntry {
            dialect,
            url: url.to_owned(),
            key,
            accept_unfinished: false,
            anthropic_version: None,
            pace: Pace::default(),
            waits: ProviderWaits::default(),
            prices: BTreeMap::new(),
            inherits: false,
        }
    }
}

impl ModelsConfig {
    /// What needs no configuration, where the environment says that it is: `ANTHROPIC_BASE_URL`,
    /// `OPENAI_BASE_URL` and `OLLAMA_HOST`, as the programs of these providers read them.
    pub fn of_environment(environment: impl Fn(&str) -> Option<String>) -> ModelsConfig {
        let mut config = ModelsConfig::default();
        let mut at = |provider: &str, url: Option<String>| {
            if let (Some(url), Some(entry)) = (url, config.providers.get_mut(provider)) {
                entry.url = url;
            }
        };
        at("anthropic", environment("ANTHROPIC_BASE_URL"));
        at("openai", environment("OPENAI_BASE_URL"));
        at(OLLAMA, environment("OLLAMA_HOST").map(|it| ollama_url(&it)));
        config
    }

    /// What another configuration says over this one, entry by entry.
    #[must_use]
    pub fn with(mut self, over: ModelsConfig) -> ModelsConfig {
        self.models.extend(over.models);
        for (name, mut entry) in over.providers {
            if let (true, Some(below)) = (entry.inherits, self.providers.get(&name)) {
                entry.url.clone_from(&below.url);
                entry.inherits = below.inherits;
                if entry.key == KeySource::None {
                    entry.key = below.key.clone();
                }
            }
            self.providers.insert(name, entry);
        }
        self
    }

    /// Looks for the keys that are to be in the environment. Keys of files and commands are got when
    /// they are needed.
    #[must_use]
    pub fn looked_up(mut self, environment: impl Fn(&str) -> Option<String>) -> ModelsConfig {
        for provider in self.providers.values_mut() {
            let key = std::mem::replace(&mut provider.key, KeySource::None);
            provider.key = key.looked_up(&environment);
        }
        self
    }

    /// The model of a name: one that is configured, or `PROVIDER/NAME`.
    ///
    /// Errors: what there is, the nearest first.
    pub fn find(&self, name: &str) -> Result<(ModelEntry, &ProviderEntry), ConfigError> {
        let entry = match self.models.get(name) {
            Some(entry) => entry.clone(),
            None => match name.split_once('/') {
                Some((provider, model)) if !model.is_empty() => ModelEntry::new(provider, model),
                _ => return Err(self.no_model(name)),
            },
        };
        let provider = self.provider(&entry.provider)?;
        Ok((entry, provider))
    }

    /// The provider of a name.
    ///
    /// Errors: what there is, the nearest first.
    pub fn provider(&self, name: &str) -> Result<&ProviderEntry, ConfigError> {
        self.providers.get(name).ok_or_else(|| self.no_provider(name))
    }

    fn no_model(&self, name: &str) -> ConfigError {
        let models = self.models.keys().map(String::as_str);
        let models: Vec<&str> = models.chain([stoa_actors::trust::BUILT_IN_MODEL]).collect();
        let meant = nearest(name, models.iter().copied());
        let meant = meant.map_or(String::new(), |it| format!("did you mean {it}? "));
        ConfigError::new(format!(
            "model {name:?} is not configured; {meant}there are: {}, and PROVIDER/NAME, with PROVIDER one \
             of {}",
            models.join(", "),
            self.provider_names()
        ))
    }

    fn no_provider(&self, name: &str) -> ConfigError {
        let meant = nearest(name, self.providers.keys().map(String::as_str));
        let meant = meant.map_or(String::new(), |it| format!("did you mean {it}? "));
        ConfigError::new(format!(
            "provider {name:?} is not configured; {meant}there are: {}; [providers.{name}] makes another",
            self.provider_names()
        ))
    }

    fn provider_names(&self) -> String {
        self.providers.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}
