//! A provider as whoever asks it needs it.

use super::{KeySource, ProviderEntry};
use crate::limits::ProviderWaits;
use crate::pace::Pace;
use crate::wire::Dialect;

/// The version of Anthropic's interface that is asked for where none is configured.
pub const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A provider, as it is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderConfig {
    /// What it is called here.
    pub name: String,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Its address, up to the path of the protocol.
    pub url: String,
    /// Where the key is that it is asked with.
    pub key: KeySource,
    /// Some servers end a stream without saying that it is complete; see [`Decoder::new`](crate::wire::Decoder::new).
    pub accept_unfinished: bool,
    /// Of Anthropic's protocol alone: the version of the interface.
    pub anthropic_version: String,
    /// How fast it is asked.
    pub pace: Pace,
    /// How long is waited for it.
    pub waits: ProviderWaits,
}

impl ProviderConfig {
    /// One that is asked without a key, and with nothing else set.
    pub fn new(name: &str, dialect: Dialect, url: &str) -> ProviderConfig {
        ProviderConfig {
            name: name.to_owned(),
            dialect,
            url: url.to_owned(),
            key: KeySource::None,
            accept_unfinished: false,
            anthropic_version: ANTHROPIC_VERSION.to_owned(),
            pace: Pace::default(),
            waits: ProviderWaits::default(),
        }
    }
}

impl ProviderConfig {
    /// A provider as it is configured.
    pub fn of(name: &str, entry: &ProviderEntry) -> ProviderConfig {
        let version = entry.anthropic_version.clone();
        ProviderConfig {
            key: entry.key.clone(),
            accept_unfinished: entry.accept_unfinished,
            anthropic_version: version.unwrap_or_else(|| ANTHROPIC_VERSION.to_owned()),
            pace: entry.pace,
            waits: entry.waits,
            ..ProviderConfig::new(name, entry.dialect, &entry.url)
        }
    }
}
