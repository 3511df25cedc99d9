//! Models of providers, for agents: found by their names, and asked.

use crate::config::{ConfigError, ModelEntry, ModelsConfig, ProviderConfig};
use crate::conversation::{
    error_of, request_of, room, summed_up, thought_of, tokens_of, window_bytes,
};
use crate::provider::Provider;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use stoa_actors::session::{ModelError, Thought};
use stoa_actors::window::{CodeStyle, Context, window};
use stoa_kernel::host::Boxed;
use stoa_kernel::model::{Model, ModelSource};

/// How long a thought may take besides the waits of its provider: until a command has said its key.
const BESIDES_MS: u64 = 30_000;

/// The models that a configuration names. A provider is one however many models of it are asked, and so
/// are the limits on how fast that may be.
#[derive(Debug)]
pub struct ConfiguredModels {
    config: ModelsConfig,
    providers: Mutex<BTreeMap<String, Arc<Provider>>>,
}

impl ConfiguredModels {
    /// Those of a configuration; nobody is asked yet.
    pub fn new(config: ModelsConfig) -> ConfiguredModels {
        ConfiguredModels { config, providers: Mutex::default() }
    }

    /// What is configured.
    pub fn config(&self) -> &ModelsConfig {
        &self.config
    }

    /// The model of a name.
    ///
    /// Errors: there is none, or its provider cannot be asked as it is configured.
    pub fn model(&self, name: &str) -> Result<ProviderModel, ConfigError> {
        let (entry, _) = self.config.find(name)?;
        let provider = self.provider(&entry.provider)?;
        Ok(ProviderModel { name: name.to_owned(), entry, provider })
    }

    /// The provider of a name.
    ///
    /// Errors: as of [`ConfiguredModels::model`].
    pub fn provider(&self, name: &str) -> Result<Arc<Provider>, ConfigError> {
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = providers.get(name) {
            return Ok(known.clone());
        }
        let entry = self.config.provider(name)?;
        let config = ProviderConfig::of(name, entry);
        // What is wrong with an address may be a key in it: it is not shown.
        let made = Provider::new(config)
            .map_err(|error| ConfigError { text: format!("provider {name}: url: {error}") })?;
        let made = Arc::new(made);
        providers.insert(name.to_owned(), made.clone());
        Ok(made)
    }
}

impl ModelSource for ConfiguredModels {
    fn find(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        match self.model(name) {
            Ok(model) => Ok(Arc::new(model)),
            Err(error) => Err(error.text),
        }
    }
}

/// A model of a provider.
#[derive(Debug)]
pub struct ProviderModel {
    name: String,
    entry: ModelEntry,
    provider: Arc<Provider>,
}

impl ProviderModel {
    /// How it is configured.
    pub fn entry(&self) -> &ModelEntry {
        &self.entry
    }

    /// Who has it.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }
}

impl Model for ProviderModel {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async move {
            let window = window(&context);
            let (tokens, room) = (tokens_of(&window, &self.entry), room(&self.entry));
            // A summary is asked for however full it is: it is what helps.
            if tokens > room && context.sums_up.is_none() {
                let name = self.entry.full_name();
                let text = format!("{name}: {tokens} tokens are to be told, and it reads {room}");
                return Err(ModelError::full(text));
            }
            let mut request = request_of(window, &self.entry);
            if context.sums_up.is_some() {
                request = summed_up(request);
            }
            let began = Instant::now();
            let asked = self.provider.ask(&request, &mut |_| {}).await;
            match asked {
                Ok(reply) => {
                    let took_ms = began.elapsed().as_millis() as u64;
                    thought_of(reply, &self.entry, took_ms)
                }
                Err(fault) => error_of(fault, &self.name),
            }
        })
    }

    fn ms_max(&self) -> Option<u64> {
        let waits = self.provider.waits();
        Some(waits.queue_ms.saturating_add(waits.total_ms).saturating_add(BESIDES_MS))
    }

    fn window_bytes(&self) -> Option<usize> {
        Some(window_bytes(&self.entry))
    }

    fn style(&self) -> CodeStyle {
        self.entry.code
    }

    fn lacks(&self) -> Option<String> {
        self.provider.lacks().map(str::to_owned)
    }
}
