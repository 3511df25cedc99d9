//! Which models are configured: in the directory, and in the user's own configuration.

use super::{Settings, own_configuration};
use std::path::Path;
use std::sync::Arc;
use stoa_actors::trust::Verdict;
use stoa_kernel::limits::Config;
use stoa_kernel::model::Models;
use stoa_kernel::problem::Problem;
use stoa_models::cassette::Cassette;
use stoa_models::config::{ConfigError, ModelsConfig, parse};
use stoa_models::model::ConfiguredModels;

/// What the sections of one file say of models.
pub(super) fn of(settings: &Settings) -> Result<ModelsConfig, ConfigError> {
    let section = |name: &str| settings.sections.get(name);
    parse(section("models"), section("providers"), settings.folder())
}

/// What is configured: by this user, and over that by the directory as far as it is trusted. Keys are
/// those of the environment of this process.
pub(super) fn configured(directory: ModelsConfig) -> Result<ModelsConfig, Problem> {
    let own = own_settings()?;
    let mut config = ModelsConfig::of_environment(environment);
    if let Some(own) = own {
        config = config.with(of(&own).map_err(|error| own.invalid(&error.text))?);
    }
    Ok(config.with(directory).looked_up(environment))
}

/// The models that agents of this process can have.
pub(super) fn source(config: ModelsConfig, cassette: Option<Cassette>) -> Models {
    let models = ConfiguredModels::new(config).with_cassette(cassette);
    Models::default().or_from(Arc::new(models))
}

/// A key is in the environment, a file or a command: no command line and no message has it.
#[expect(clippy::disallowed_methods, reason = "the one setting that must not be in a file")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// What is configured of models here: by this user, and by the directory as far as it is trusted.
pub(crate) fn models_config(data: &Path) -> Result<ModelsConfig, Problem> {
    let settings = Settings::read(data)?;
    settings.checked(&Config::at(data))?;
    let verdict = settings.verdict(data)?;
    let config = configured(settings.trusted_models(&verdict)?)?;
    settings.tell(&verdict, data);
    Ok(config)
}

/// The user's own settings, if there are any.
pub(super) fn own_settings() -> Result<Option<Settings>, Problem> {
    let Some(folder) = own_configuration() else { return Ok(None) };
    let settings = Settings::read_file(folder.join("config.toml"))?;
    settings.fit()?;
    settings.has_only(&["models", "providers"])?;
    Ok(Some(settings))
}

impl Settings {
    /// Of the sections on models those that are trusted.
    pub(super) fn trusted_models(&self, verdict: &Verdict) -> Result<ModelsConfig, Problem> {
        let trusted = |name: &str| self.unfit.is_none() && verdict.section(name).is_ok();
        let mut config = self.models()?;
        if !trusted("models") {
            config.models.clear();
        }
        if !trusted("providers") {
            config.providers.clear();
        }
        Ok(config)
    }
}
