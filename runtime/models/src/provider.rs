//! A provider that can be asked: when it may be, with which key, and what of its answer is told.

mod answer;

use self::answer::Answer;
use crate::cassette::Cassette;
use crate::config::{KeySource, ProviderConfig};
use crate::fault::{Fault, FaultKind};
use crate::limits::ProviderWaits;
use crate::pace::Pacer;
use crate::reply::{Delta, ModelReply};
use crate::request::{ModelRequest, Place};
use crate::wire::{Decoder, Dialect};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use stoa_endpoint::{Address, AddressError, Key, Secret};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

/// Bytes of a list of models.
const LIST_BYTES_MAX: usize = 4 << 20;

/// A provider that can be asked.
pub struct Provider {
    client: Client,
    address: Address,
    config: ProviderConfig,
    places: Semaphore,
    pacer: Mutex<Pacer>,
    /// The key, once it was needed.
    key: Mutex<Option<Key>>,
    getting: tokio::sync::Mutex<()>,
    /// The models of which it keeps no reasoning.
    unencrypted: Mutex<BTreeSet<String>>,
    cassette: Option<Cassette>,
    began: Instant,
}

impl Provider {
    /// Ready to ask; asks nothing yet. A key that is lacking is told when it is needed.
    ///
    /// Errors: [`AddressError`], of the address or of the key.
    pub fn new(config: ProviderConfig) -> Result<Provider, AddressError> {
        let address = Address::new(&config.url, config.key != KeySource::None)?;
        let connect = Duration::from_millis(config.waits.connect_ms);
        let client = address.client().connect_timeout(connect).build();
        let client = client.map_err(|error| AddressError::Client(error.to_string()))?;
        if let KeySource::Held(key) = &config.key {
            match key.header("") {
                Ok(_) | Err(AddressError::KeyLacking(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let places = Semaphore::new(config.pace.concurrency.clamp(1, Semaphore::MAX_PERMITS));
        let pacer = Mutex::new(Pacer::new(&config.pace));
        Ok(Provider {
            client,
            address,
            config,
            places,
            pacer,
            key: Mutex::new(None),
            getting: tokio::sync::Mutex::new(()),
            unencrypted: Mutex::default(),
            cassette: None,
            began: Instant::now(),
        })
    }

    /// The same with a cassette: what is asked is written to it, or answered from it.
    #[must_use]
    pub fn with_cassette(mut self, cassette: Option<Cassette>) -> Provider {
        if let (Some(Cassette::Record(recorder)), KeySource::Held(key)) =
            (&cassette, &self.config.key)
        {
            recorder.hide(key);
        }
        self.cassette = cassette;
        self
    }

    /// What it is called here.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// How it is spoken to.
    pub fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    /// Where it is asked: `example.org`, `127.0.0.1:11434`.
    pub fn host(&self) -> String {
        self.address.host()
    }

    /// One reply. `heard` is told what comes, before anything of it is sure; where there is a fault in
    /// the end nothing of that was said. Dropping the future closes the connection.
    ///
    /// It waits for its turn by its [`Pace`](crate::pace::Pace), and is told
    /// [`FaultKind::RateLimited`] where that would take longer than [`ProviderWaits::queue_ms`].
    ///
    /// Errors: one [`Fault`], which never has the key.
    pub async fn ask(
        &self,
        request: &ModelRequest,
        heard: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<ModelReply, Fault> {
        self.ask_at(&Place::default(), request, heard).await
    }

    /// The same for an agent: where there is a [`Cassette`], that is where it is found on it again.
    pub async fn ask_at(
        &self,
        place: &Place,
        request: &ModelRequest,
        heard: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<ModelReply, Fault> {
        let mut body = self.config.dialect.body(request);
        if lock(&self.unencrypted).contains(&request.model) {
            without_reasoning(&mut body);
        }
        if let Some(Cassette::Replay(_)) = &self.cassette {
            return self.asked_twice(request, place, body, None, heard).await;
        }
        // About: what it took in the end is known afterwards.
        let bound = (body.to_string().len() as u64 / 4).saturating_add(request.output_max);
        let _place = self.turn_of(bound).await?;
        let mut admitted = Admitted { pacer: &self.pacer, bound, took: 0 };
        let key = self.key().await?;
        if let (Some(Cassette::Record(recorder)), Some(key)) = (&self.cassette, &key) {
            recorder.hide(key);
        }
        match self.asked_twice(request, place, body, key.as_ref(), heard).await {
            Ok(reply) => {
                admitted.took = reply.usage.input.saturating_add(reply.usage.output);
                Ok(reply)
            }
            Err(fault) => {
                if let (true, Some(wait)) = (fault.kind.is_wait(), fault.wait) {
                    lock(&self.pacer).hold(self.began.elapsed(), wait);
                }
                Err(self.masked(fault, key.as_ref()))
            }
        }
    }

    /// Asked once; and once more where the first is refused for what a model does not have.
    async fn asked_twice(
        &self,
        request: &ModelRequest,
        place: &Place,
        mut body: Json,
        key: Option<&Key>,
        heard: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<ModelReply, Fault> {
        let asked = self.asked(request, place, &body, key, heard).await;
        // Models that do not reason have none to give back, and some servers refuse to be asked for it.
        match asked {
            Err(fault)
                if fault.kind == FaultKind::Invalid
                    && fault.text.contains(NOT_ENCRYPTED)
                    && without_reasoning(&mut body) =>
            {
                lock(&self.unencrypted).insert(request.model.clone());
                self.asked(request, place, &body, key, heard).await
            }
            asked => asked,
        }
    }

    /// Waits for a place and for the time.
    async fn turn_of(&self, tokens: u64) -> Result<tokio::sync::SemaphorePermit<'_>, Fault> {
        let until = Instant::now() + Duration::from_millis(self.config.waits.queue_ms);
        let late = |wait: Option<Duration>| {
            let text = match wait {
                Some(wait) => format!("{} may be asked again in {} s", self.name(), secs(wait)),
                None => format!(
                    "{} requests to {} are under way, and no more are let through",
                    self.config.pace.concurrency,
                    self.name()
                ),
            };
            Fault { wait, ..Fault::new(FaultKind::RateLimited, text) }
        };
        let left = until.saturating_duration_since(Instant::now());
        let Ok(place) = timeout(left, self.places.acquire()).await else { return Err(late(None)) };
        let place = place.map_err(|error| Fault::new(FaultKind::Network, error.to_string()))?;
        loop {
            let now = self.began.elapsed();
            let admitted = {
                let mut pacer = lock(&self.pacer);
                pacer.admit(now, tokens)
            };
            match admitted {
                Ok(()) => return Ok(place),
                Err(wait) if Instant::now() + wait > until => return Err(late(Some(wait))),
                Err(wait) => sleep(wait).await,
            }
        }
    }

    async fn asked(
        &self,
        request: &ModelRequest,
        place: &Place,
        body: &Json,
        key: Option<&Key>,
        heard: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<ModelReply, Fault> {
        let until = Instant::now() + Duration::from_millis(self.config.waits.total_ms);
        let began = Instant::now();
        let mut answer = self.answered(place, body, key, until).await?;
        let decoder = Decoder::new(self.config.dialect, self.config.accept_unfinished);
        let read = answer.read(decoder, &self.config.waits, until, heard).await;
        answer.over()?;
        let reply = read.map_err(|fault| Fault { paid: true, ..fault })?;
        let (took_ms, first_ms) = answer.took_ms(began);
        let reply = match answer.played() {
            Some(played) => played.renamed(reply),
            None => reply,
        };
        let reply = ModelReply { took_ms, first_ms, server: self.host(), ..reply };
        let sent_bytes = || body.to_string().len();
        match self.config.dialect == Dialect::Ollama && is_truncated(sent_bytes(), &reply) {
            true => Err(truncated(request, &reply)),
            false => Ok(reply),
        }
    }

    /// An answer to a request, as it begins to come; or why there is no reply in it.
    async fn answered(
        &self,
        place: &Place,
        body: &Json,
        key: Option<&Key>,
        until: Instant,
    ) -> Result<Answer, Fault> {
        let (name, dialect) = (self.name(), self.config.dialect);
        let answer = match &self.cassette {
            Some(Cassette::Replay(replay)) => {
                Answer::played_from(replay.answer(place, name, body)?).await?
            }
            cassette => {
                let tape = match cassette {
                    Some(Cassette::Record(recorder)) => {
                        Some(recorder.asks(place, name, dialect.name(), body))
                    }
                    _ => None,
                };
                let url = self.address.with(&dialect.path(self.address.path()));
                let post = self.client.post(url).headers(self.headers(key)?);
                Answer::to(post.body(body.to_string()), self.config.waits.first_ms, until, tape)
                    .await?
            }
        };
        answer.checked(&self.host(), until).await
    }

    /// The names of the models that it has, as far as it tells.
    pub async fn models(&self) -> Result<Vec<String>, Fault> {
        let key = self.key().await?;
        let listed = self.listed(key.as_ref()).await;
        listed.map_err(|fault| self.masked(fault, key.as_ref()))
    }

    async fn listed(&self, key: Option<&Key>) -> Result<Vec<String>, Fault> {
        let until = Instant::now() + Duration::from_millis(self.config.waits.connect_ms * 4);
        let dialect = self.config.dialect;
        let mut url = self.address.with(&dialect.models_path(self.address.path()));
        let (list, name) = match dialect {
            Dialect::Ollama => ("models", "name"),
            _ => ("data", "id"),
        };
        if dialect == Dialect::Anthropic {
            url.set_query(Some("limit=1000"));
        }
        let get = self.client.get(url).headers(self.headers(key)?);
        let answer = Answer::to(get, self.config.waits.first_ms, until, None).await?;
        let mut answer = answer.checked(&self.host(), until).await?;
        let bytes = answer.body(until, LIST_BYTES_MAX).await?;
        let all: Json = serde_json::from_slice(&bytes)
            .map_err(|error| Fault::new(FaultKind::Garbled, error.to_string()))?;
        let all = all[list].as_array().into_iter().flatten();
        Ok(all.filter_map(|it| it[name].as_str()).map(str::to_owned).collect())
    }

    /// The key, as it is kept. It is got by one at a time.
    async fn key(&self) -> Result<Option<Key>, Fault> {
        let _one = self.getting.lock().await;
        let kept = lock(&self.key).clone();
        if kept.is_some() {
            return Ok(kept);
        }
        let key = self.config.key.key().await?;
        lock(&self.key).clone_from(&key);
        Ok(key)
    }

    fn headers(&self, key: Option<&Key>) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let anthropic = self.config.dialect == Dialect::Anthropic;
        if anthropic {
            let version = HeaderValue::from_str(&self.config.anthropic_version);
            let version = version
                .map_err(|_| Fault::new(FaultKind::Invalid, "anthropic_version is no header"))?;
            headers.insert(HeaderName::from_static("anthropic-version"), version);
        }
        if let Some(key) = key {
            let (name, before) = match anthropic {
                true => (HeaderName::from_static("x-api-key"), ""),
                false => (AUTHORIZATION, "Bearer "),
            };
            let value = key.header(before);
            headers.insert(
                name,
                value.map_err(|error| Fault::new(FaultKind::Key, error.to_string()))?,
            );
        }
        Ok(headers)
    }

    /// What it says may hold what it was told: the key that it was asked with.
    fn masked(&self, fault: Fault, key: Option<&Key>) -> Fault {
        let Some(key) = key else { return fault };
        if fault.kind == FaultKind::Key && self.config.key.may_change() {
            // It may be another one by the next time.
            let mut kept = lock(&self.key);
            if kept.as_ref() == Some(key) {
                *kept = None;
            }
        }
        Fault { text: key.mask(&fault.text), ..fault }
    }

    /// How long it is waited for.
    pub fn waits(&self) -> &ProviderWaits {
        &self.config.waits
    }

    /// The variable of the environment that the key is to be in, and is not.
    pub fn lacks(&self) -> Option<&str> {
        match &self.config.key {
            _ if matches!(self.cassette, Some(Cassette::Replay(_))) => None,
            KeySource::Held(key) => match key.secret() {
                Secret::Lacking(variable) => Some(variable),
                Secret::Held(_) => None,
            },
            KeySource::Variable(variable) => Some(variable),
            _ => None,
        }
    }
}

/// How a server says that it has no reasoning of a model to give.
const NOT_ENCRYPTED: &str = "ncrypted content is not supported";

/// Asks for no reasoning to be given back; whether it was asked for.
fn without_reasoning(body: &mut Json) -> bool {
    body.as_object_mut().is_some_and(|it| it.remove("include").is_some())
}

/// What was let through; it is settled also where nobody waits for the reply any more.
struct Admitted<'a> {
    pacer: &'a Mutex<Pacer>,
    bound: u64,
    took: u64,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        lock(self.pacer).settle(self.bound, self.took);
    }
}

fn lock<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn secs(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1_000) as u64
}

/// Whether a server has seen less than half of what was sent: no tokenizer makes one token of more than
/// eight bytes on average.
fn is_truncated(sent_bytes: usize, reply: &ModelReply) -> bool {
    reply.usage.input > 0 && reply.usage.input * 16 < sent_bytes as u64
}

fn truncated(request: &ModelRequest, reply: &ModelReply) -> Fault {
    let seen = reply.usage.input;
    let window = request.window.map_or_else(|| "the server's own".to_owned(), |it| it.to_string());
    let text = format!("it has read {seen} tokens of it; the window is {window}");
    Fault { paid: true, ..Fault::new(FaultKind::Truncated, text) }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({} at {})", self.name(), self.host())
    }
}
