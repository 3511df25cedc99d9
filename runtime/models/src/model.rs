//! Models of providers, for agents: found by their names, and asked.

use crate::cassette::Cassette;
use crate::config::KeySource;
use crate::config::{ConfigError, ModelEntry, ModelsConfig, Price, ProviderConfig};
use crate::conversation::{
    error_of, request_of, room, summed_up, thought_of, tokens_of, window_bytes,
};
use crate::provider::Provider;
use crate::reply::{Delta, ModelReply, Usage};
use crate::request::{ModelRequest, Place};
use crate::wire::Dialect;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use stoa_actors::session::{ModelError, Thought};
use stoa_actors::window::{CodeStyle, Context, window};
use stoa_kernel::host::Boxed;
use stoa_kernel::model::{CallBound, LivePart, Model, ModelSource, Speaker};

/// How long a thought may take besides the waits of its provider: until a command has said its key.
const BESIDES_MS: u64 = 30_000;

/// What Anthropic takes for what is written to its cache, where what is sent costs one.
const ANTHROPIC_CACHE_WRITE: f64 = 1.25;

/// The models that a configuration names. A provider is one however many models of it are asked, and so
/// are the limits on how fast that may be.
#[derive(Debug)]
pub struct ConfiguredModels {
    config: ModelsConfig,
    cassette: Option<Cassette>,
    providers: Mutex<BTreeMap<String, Arc<Provider>>>,
}

impl ConfiguredModels {
    /// Those of a configuration; nobody is asked yet.
    pub fn new(config: ModelsConfig) -> ConfiguredModels {
        ConfiguredModels { config, cassette: None, providers: Mutex::default() }
    }

    /// The same with a cassette: what is asked is written to it, or answered from it. No key that is
    /// configured gets onto it, whoever says it.
    #[must_use]
    pub fn with_cassette(mut self, cassette: Option<Cassette>) -> ConfiguredModels {
        if let Some(Cassette::Record(recorder)) = &cassette {
            for provider in self.config.providers.values() {
                if let KeySource::Held(key) = &provider.key {
                    recorder.hide(key);
                }
            }
        }
        self.cassette = cassette;
        self
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
        let config = self.config.provider(&entry.provider)?;
        let mut price = config.prices.get(&entry.name).copied();
        if let Some(price) = &mut price
            && config.dialect == Dialect::Anthropic
        {
            price.cache_write.get_or_insert(price.input * ANTHROPIC_CACHE_WRITE);
        }
        Ok(ProviderModel { name: name.to_owned(), entry, provider, price })
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
        let made = made.with_cassette(self.cassette.clone());
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

/// What comes, as those who look on are told it.
fn live(heard: Delta) -> LivePart {
    match heard {
        Delta::Text(text) => LivePart::Text(text),
        Delta::Reasoning(text) => LivePart::Reasoning(text),
        Delta::CallBegun(name) => LivePart::Call(name),
        Delta::Arguments(text) => LivePart::Arguments(text),
    }
}

/// A model of a provider.
#[derive(Debug)]
pub struct ProviderModel {
    name: String,
    entry: ModelEntry,
    provider: Arc<Provider>,
    price: Option<Price>,
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

impl ProviderModel {
    fn request(&self, context: &Context) -> Result<ModelRequest, ModelError> {
        let window = window(context);
        let (tokens, room) = (tokens_of(&window, &self.entry), room(&self.entry));
        // A summary is asked for however full it is: it is what helps.
        if tokens > room && context.sums_up.is_none() {
            let name = self.entry.full_name();
            let text = format!("{name}: {tokens} tokens are to be told, and it reads {room}");
            return Err(ModelError::full(text));
        }
        let request = request_of(window, &self.entry);
        Ok(if context.sums_up.is_some() { summed_up(request) } else { request })
    }

    /// Bytes of a request as it is sent.
    fn bytes_of(&self, request: &ModelRequest) -> u64 {
        self.provider.dialect().body(request).to_string().len() as u64
    }

    /// The most that a request takes: no token is shorter than a byte, and what may be said is sent
    /// along.
    fn bound(&self, request: &ModelRequest) -> CallBound {
        let (input, output) = (self.bytes_of(request), request.output_max);
        let money = self.price.map(|it| it.most(input, output));
        CallBound { tokens: input.saturating_add(output), money, ms: 0 }
    }

    /// What a reply took. What its provider does not say is what it may have been at most.
    fn usage(&self, request: &ModelRequest, reply: &ModelReply) -> Usage {
        let mut usage = reply.usage;
        if usage.input == 0 {
            usage.input = self.bytes_of(request);
        }
        if usage.output == 0 {
            usage.output = request.output_max;
        }
        usage
    }
}

impl Model for ProviderModel {
    fn think(&self, context: Context) -> Boxed<'_, Result<Thought, ModelError>> {
        self.think_aloud(context, Speaker::default())
    }

    fn think_aloud(
        &self,
        context: Context,
        speaker: Speaker,
    ) -> Boxed<'_, Result<Thought, ModelError>> {
        Box::pin(async move {
            let request = self.request(&context)?;
            let place = Place { agent: context.agent, turn: context.turn, step: context.step };
            let mut heard = |heard| speaker.say(live(heard));
            let asked = self.provider.ask_at(&place, &request, &mut heard).await;
            match asked {
                Ok(reply) => {
                    let usage = self.usage(&request, &reply);
                    let thought = thought_of(reply, &self.entry)?;
                    let tokens = usage.input.saturating_add(usage.output);
                    let money = self.price.map_or(0, |it| it.micros(&usage));
                    Ok(Thought { tokens, money, ..thought })
                }
                Err(fault) => {
                    let unknown = fault.paid;
                    let thought = error_of(fault, &self.name)?;
                    let bound = if unknown { self.bound(&request) } else { CallBound::default() };
                    let (tokens, money) = (bound.tokens, bound.money.unwrap_or(0));
                    Ok(Thought { tokens, money, ..thought })
                }
            }
        })
    }

    fn most(&self, context: &Context) -> Result<CallBound, ModelError> {
        Ok(self.bound(&self.request(context)?))
    }

    fn is_priced(&self) -> bool {
        self.price.is_some()
    }

    fn ms_max(&self) -> Option<u64> {
        let waits = self.provider.waits();
        Some(waits.queue_ms.saturating_add(waits.total_ms).saturating_add(BESIDES_MS))
    }

    fn full_name(&self) -> Option<String> {
        Some(self.entry.full_name())
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
