//! From the sections of a file, as JSON values, to what they say. Every key is known, or it is refused
//! with the one that was probably meant.

use super::{CodeStyle, ConfigError, KeySource, ModelEntry, ModelsConfig, Price, ProviderEntry};
use crate::wire::Dialect;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::path::Path;
use stoa_actors::nearest::nearest;

/// The keys of `[models.NAME]`.
const MODEL_KEYS: [&str; 8] =
    ["model", "output_max", "window", "code", "effort", "temperature", "top_p", "seed"];

/// The keys of `[providers.NAME]`.
const PROVIDER_KEYS: [&str; 16] = [
    "url",
    "dialect",
    "key_env",
    "key_file",
    "key_command",
    "accept_unfinished",
    "anthropic_version",
    "concurrency",
    "requests_per_minute",
    "tokens_per_minute",
    "connect_s",
    "first_s",
    "gap_s",
    "total_s",
    "queue_s",
    "prices",
];

/// The keys of a price.
const PRICE_KEYS: [&str; 4] = ["input", "output", "cache_read", "cache_write"];

/// Seconds that can be waited for: a day.
const WAIT_SECONDS_MAX: f64 = 86_400.0;

/// What is configured, of the sections `models` and `providers`, each if it is there. A file that is
/// named within is looked for below `folder`.
///
/// Errors: the key that is wrong, with the section that it is in.
pub fn parse(
    models: Option<&Json>,
    providers: Option<&Json>,
    folder: &Path,
) -> Result<ModelsConfig, ConfigError> {
    let mut config = ModelsConfig { models: BTreeMap::new(), providers: BTreeMap::new() };
    for (name, value) in entries("providers", providers)? {
        let section = Section::new(format!("[providers.{name}]"), value, &PROVIDER_KEYS)?;
        named(&section.title, name)?;
        config.providers.insert(name.clone(), provider(name, &section, folder)?);
    }
    for (name, value) in entries("models", models)? {
        let section = Section::new(format!("[models.{name}]"), value, &MODEL_KEYS)?;
        named(&section.title, name)?;
        config.models.insert(name.clone(), model(&section)?);
    }
    Ok(config)
}

fn entries<'a>(
    name: &str,
    section: Option<&'a Json>,
) -> Result<impl Iterator<Item = (&'a String, &'a Json)>, ConfigError> {
    let map = match section {
        None => None,
        Some(Json::Object(map)) => Some(map),
        Some(_) => {
            return Err(ConfigError::new(format!(
                "[{name}] is no section of its own; say [{name}.NAME]"
            )));
        }
    };
    Ok(map.into_iter().flatten())
}

/// A name can be typed, and is told from `PROVIDER/NAME`.
fn named(title: &str, name: &str) -> Result<(), ConfigError> {
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | ':');
    match !name.is_empty() && name.chars().all(plain) {
        true => Ok(()),
        false => {
            Err(ConfigError::new(format!("{title}: a name is of letters, digits, - _ . and :")))
        }
    }
}

/// One section, whose keys are all known.
struct Section<'a> {
    title: String,
    map: &'a Map<String, Json>,
}

impl<'a> Section<'a> {
    fn new(title: String, value: &'a Json, keys: &[&str]) -> Result<Section<'a>, ConfigError> {
        let Json::Object(map) = value else {
            return Err(ConfigError::new(format!("{title} is no section")));
        };
        if let Some(key) = map.keys().find(|it| !keys.contains(&it.as_str())) {
            let meant = match nearest(key, keys.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("there are: {}", keys.join(", ")),
            };
            return Err(ConfigError::new(format!("{title}: there is no key {key}; {meant}")));
        }
        Ok(Section { title, map })
    }

    fn wrong(&self, key: &str, why: &str) -> ConfigError {
        ConfigError::new(format!("{}: {key} {why}", self.title))
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, ConfigError> {
        match self.map.get(key) {
            None => Ok(None),
            Some(Json::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "is not a text that says anything")),
        }
    }

    fn must(&self, key: &str) -> Result<&'a str, ConfigError> {
        self.text(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// A whole number from 1.
    fn count(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        match self.map.get(key) {
            None => Ok(None),
            Some(value) => match value.as_u64().filter(|it| *it > 0) {
                Some(count) => Ok(Some(count)),
                None => Err(self.wrong(key, "is not a whole number from 1")),
            },
        }
    }

    fn number(&self, key: &str, most: f64) -> Result<Option<f64>, ConfigError> {
        match self.map.get(key) {
            None => Ok(None),
            Some(value) => match value.as_f64().filter(|it| (0.0..=most).contains(it)) {
                Some(number) => Ok(Some(number)),
                None if most == f64::MAX => Err(self.wrong(key, "is not a number from 0")),
                None => Err(self.wrong(key, &format!("is not a number from 0 to {most}"))),
            },
        }
    }

    fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.map.get(key) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(key, "is neither true nor false")),
        }
    }

    fn wait(&self, key: &str, ms: &mut u64) -> Result<(), ConfigError> {
        if let Some(seconds) = self.number(key, WAIT_SECONDS_MAX)? {
            *ms = (seconds * 1_000.0).round().max(1.0) as u64;
        }
        Ok(())
    }

    /// One of some words.
    fn one_of<T: Copy>(&self, key: &str, of: &[(&str, T)]) -> Result<Option<T>, ConfigError> {
        let Some(word) = self.text(key)? else { return Ok(None) };
        if let Some((_, it)) = of.iter().find(|it| it.0 == word) {
            return Ok(Some(*it));
        }
        let words: Vec<&str> = of.iter().map(|it| it.0).collect();
        Err(self.wrong(key, &format!("is one of {}, and not {word:?}", words.join(", "))))
    }
}

fn model(section: &Section<'_>) -> Result<ModelEntry, ConfigError> {
    let name = section.must("model")?;
    let Some((provider, model)) = name.split_once('/').filter(|it| !it.1.is_empty()) else {
        return Err(section.wrong("model", "is not PROVIDER/NAME"));
    };
    let mut entry = ModelEntry::new(provider, model);
    entry.output_max = section.count("output_max")?.unwrap_or(entry.output_max);
    entry.window = section.count("window")?.unwrap_or(entry.window);
    if entry.output_max >= entry.window {
        let (most, window) = (entry.output_max, entry.window);
        let why = format!("is {most}, and leaves nothing of the window of {window} to read");
        return Err(section.wrong("output_max", &why));
    }
    let styles = [("fence", CodeStyle::Fence), ("tool", CodeStyle::Tool)];
    entry.code = section.one_of("code", &styles)?.unwrap_or_default();
    entry.effort = section.text("effort")?.map(str::to_owned);
    entry.sampling.temperature = section.number("temperature", 2.0)?;
    entry.sampling.top_p = section.number("top_p", 1.0)?;
    entry.sampling.seed = section.count("seed")?;
    Ok(entry)
}

fn provider(
    name: &str,
    section: &Section<'_>,
    folder: &Path,
) -> Result<ProviderEntry, ConfigError> {
    let built_in = super::BUILT_IN.iter().find(|it| it.0 == name);
    let dialects = Dialect::ALL.map(|it| (it.name(), it));
    let dialect = match (section.one_of("dialect", &dialects)?, built_in) {
        (Some(dialect), _) => dialect,
        (None, Some(it)) => it.1,
        (None, None) => return Err(section.wrong("dialect", "is missing")),
    };
    let url = match (section.text("url")?, built_in) {
        (Some(url), _) => url,
        (None, Some(it)) => it.2,
        (None, None) => return Err(section.wrong("url", "is missing")),
    };
    let key = key(section, folder)?;
    // At its own address a provider that needs no configuration has its own key.
    let plain = |url: &str| url.trim_end_matches('/').trim_end_matches("/v1").to_owned();
    let own = built_in.filter(|it| plain(it.2) == plain(url)).and_then(|it| it.3);
    let inherits = !section.map.contains_key("url");
    let key = match (key, own) {
        (KeySource::None, Some(variable)) if !inherits => KeySource::Variable(variable.to_owned()),
        (key, _) => key,
    };
    let mut entry = ProviderEntry::new(dialect, url, key);
    entry.inherits = inherits;
    entry.accept_unfinished = section.flag("accept_unfinished")?;
    entry.anthropic_version = section.text("anthropic_version")?.map(str::to_owned);
    if entry.anthropic_version.is_some() && dialect != Dialect::Anthropic {
        return Err(section.wrong("anthropic_version", "is of the dialect anthropic alone"));
    }
    if let Some(concurrency) = section.count("concurrency")? {
        entry.pace.concurrency = concurrency.min(u64::from(u32::MAX)) as usize;
    }
    let requests = section.count("requests_per_minute")?;
    entry.pace.requests_per_minute = requests.map(|it| it.min(u64::from(u32::MAX)) as u32);
    entry.pace.tokens_per_minute = section.count("tokens_per_minute")?;
    section.wait("connect_s", &mut entry.waits.connect_ms)?;
    section.wait("first_s", &mut entry.waits.first_ms)?;
    section.wait("gap_s", &mut entry.waits.gap_ms)?;
    section.wait("total_s", &mut entry.waits.total_ms)?;
    section.wait("queue_s", &mut entry.waits.queue_ms)?;
    let none = Map::new();
    let prices = match section.map.get("prices") {
        None => &none,
        Some(Json::Object(prices)) => prices,
        Some(_) => {
            return Err(section.wrong("prices", "is no section: [providers.NAME.prices.MODEL]"));
        }
    };
    for (model, value) in prices {
        let title = format!("[providers.{name}.prices.{model:?}]");
        let price = Section::new(title, value, &PRICE_KEYS)?;
        let of = |key| price.number(key, f64::MAX);
        let must = |key| of(key)?.ok_or_else(|| price.wrong(key, "is missing"));
        let price = Price {
            input: must("input")?,
            output: must("output")?,
            cache_read: of("cache_read")?,
            cache_write: of("cache_write")?,
        };
        entry.prices.insert(model.clone(), price);
    }
    Ok(entry)
}

fn key(section: &Section<'_>, folder: &Path) -> Result<KeySource, ConfigError> {
    let variable = section.text("key_env")?.map(|it| KeySource::Variable(it.to_owned()));
    let file = section.text("key_file")?.map(|it| KeySource::File(folder.join(it)));
    let command = match section.map.get("key_command") {
        None => None,
        Some(Json::Array(words)) if !words.is_empty() => {
            let words = words.iter().map(|it| it.as_str().map(str::to_owned));
            let words: Option<Vec<String>> = words.collect();
            let words = words.filter(|it| !it[0].is_empty());
            let wrong =
                || section.wrong("key_command", "is not a list of words, the program first");
            Some(KeySource::Command(words.ok_or_else(wrong)?))
        }
        Some(_) => {
            return Err(section.wrong("key_command", "is not a list of words, the program first"));
        }
    };
    let mut all = [variable, file, command].into_iter().flatten();
    let first = all.next().unwrap_or(KeySource::None);
    match all.next() {
        None => Ok(first),
        Some(_) => {
            Err(section.wrong("key_env", "is one of three: a variable, a file or a command"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Usage;

    fn parsed(models: Json, providers: Json) -> Result<ModelsConfig, String> {
        parse(Some(&models), Some(&providers), Path::new("/home")).map_err(|it| it.text)
    }

    #[test]
    fn what_is_configured_is_read() {
        let models = serde_json::json!({"fast": {
            "model": "lab/qwen/3", "output_max": 100, "window": 4_096, "code": "tool",
            "effort": "low", "temperature": 0, "seed": 7,
        }});
        let providers = serde_json::json!({"lab": {
            "url": "http://127.0.0.1:8000/v1", "dialect": "chat", "key_file": "keys/lab",
            "accept_unfinished": true, "concurrency": 2, "tokens_per_minute": 9, "gap_s": 0.5,
            "prices": {"qwen/3": {"input": 3, "output": 15.0, "cache_read": 0.3}},
        }});
        let config = ModelsConfig::default().with(parsed(models, providers).unwrap());
        let (model, provider) = config.find("fast").unwrap();
        assert_eq!((model.provider.as_str(), model.name.as_str()), ("lab", "qwen/3"));
        assert_eq!((model.output_max, model.window, model.code), (100, 4_096, CodeStyle::Tool));
        assert_eq!(model.sampling.temperature, Some(0.0));
        assert_eq!((provider.dialect, provider.pace.concurrency), (Dialect::Chat, 2));
        assert_eq!(provider.key, KeySource::File("/home/keys/lab".into()));
        assert_eq!((provider.waits.gap_ms, provider.waits.first_ms), (500, 120_000));
        let usage =
            Usage { input: 1_000_000, cache_read: 500_000, output: 100_000, ..Usage::default() };
        assert_eq!(provider.prices["qwen/3"].of(&usage), 1.5 + 0.15 + 1.5);
        let (model, _) = config.find("lab/other").unwrap();
        assert_eq!((model.name.as_str(), model.output_max), ("other", super::super::OUTPUT_MAX));
    }

    #[test]
    fn some_providers_need_no_configuration() {
        let config = ModelsConfig::default();
        let (model, provider) = config.find("anthropic/any").unwrap();
        assert_eq!((model.name.as_str(), provider.dialect), ("any", Dialect::Anthropic));
        assert_eq!(provider.key, KeySource::Variable("ANTHROPIC_API_KEY".into()));
        assert_eq!(config.find("ollama/any").unwrap().1.key, KeySource::None);
        // Its limits can be set, and its key is its own where it is asked at its own address.
        let own = serde_json::json!({"openai": {"concurrency": 2}});
        let over = parse(None, Some(&own), Path::new("/")).unwrap();
        let config = ModelsConfig::default().with(over.clone());
        let openai = &config.providers["openai"];
        assert_eq!(openai.key, KeySource::Variable("OPENAI_API_KEY".into()));
        assert_eq!((openai.pace.concurrency, openai.inherits), (2, false));
        // Where the environment says that it is elsewhere, it stays there.
        let gateway = |it: &str| (it == "OPENAI_BASE_URL").then(|| "http://gateway".to_owned());
        let config = ModelsConfig::of_environment(gateway).with(over);
        assert_eq!(config.providers["openai"].url, "http://gateway");
        for same in ["https://api.openai.com/v1/", "https://api.openai.com"] {
            let own = serde_json::json!({"openai": {"url": same}});
            let config = parse(None, Some(&own), Path::new("/")).unwrap();
            let key = &config.providers["openai"].key;
            assert_eq!(*key, KeySource::Variable("OPENAI_API_KEY".into()), "{same}");
        }
        let other = serde_json::json!({"openai": {"url": "https://example.org"}});
        let config = parse(None, Some(&other), Path::new("/")).unwrap();
        assert_eq!(config.providers["openai"].key, KeySource::None, "no key goes elsewhere");
    }

    #[test]
    fn the_environment_says_where_a_provider_is() {
        let at = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            ModelsConfig::of_environment(move |it| (it == name).then(|| value.clone()))
        };
        let url = |config: &ModelsConfig, name: &str| config.providers[name].url.clone();
        let config = at("ANTHROPIC_BASE_URL", "http://127.0.0.1:9");
        assert_eq!(url(&config, "anthropic"), "http://127.0.0.1:9");
        assert_eq!(url(&config, "openai"), "https://api.openai.com/v1");
        for (said, is) in [
            ("127.0.0.1:9", "http://127.0.0.1:9"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("https://gpu.lab/", "https://gpu.lab:443"),
            ("http://lab:9/ollama", "http://lab:9/ollama"),
            ("http://lab", "http://lab:80"),
            (":9", "http://127.0.0.1:9"),
            ("[::]:9", "http://127.0.0.1:9"),
        ] {
            assert_eq!(url(&at("OLLAMA_HOST", said), "ollama"), is, "{said}");
        }
    }

    #[test]
    fn what_does_not_exist_is_told_with_what_was_meant() {
        let config = ModelsConfig::default();
        let error = |name: &str| config.find(name).unwrap_err().text;
        assert!(error("antropic/x").contains("did you mean anthropic?"), "{}", error("antropic/x"));
        assert!(error("recip").contains("did you mean recipe?"), "{}", error("recip"));
        assert!(error("anthropic/").contains("is not configured"), "{}", error("anthropic/"));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_place() {
        let lab = |key: &str, value: Json| {
            let mut it = serde_json::json!({"url": "http://127.0.0.1", "dialect": "chat"});
            it[key] = value;
            serde_json::json!({"lab": it})
        };
        let price = |it: Json| lab("prices", serde_json::json!({"m": it}));
        for (providers, said) in [
            (lab("ur", "x".into()), "[providers.lab]: there is no key ur; did you mean url?"),
            (lab("dialect", "chta".into()), "dialect is one of anthropic, responses, chat, ollama"),
            (lab("concurrency", 0.into()), "concurrency is not a whole number from 1"),
            (lab("gap_s", (-1).into()), "gap_s is not a number from 0"),
            (lab("key_command", "pass lab".into()), "key_command is not a list of words"),
            (lab("key_command", serde_json::json!([""])), "key_command is not a list of words"),
            (lab("accept_unfinished", 1.into()), "accept_unfinished is neither true nor false"),
            (lab("anthropic_version", "x".into()), "is of the dialect anthropic alone"),
            (serde_json::json!({"lab": {"dialect": "chat"}}), "[providers.lab]: url is missing"),
            (
                serde_json::json!({"lab": {"url": "http://x"}}),
                "[providers.lab]: dialect is missing",
            ),
            (serde_json::json!({"lab": 7}), "[providers.lab] is no section"),
            (serde_json::json!({"a b": {}}), "[providers.a b]: a name is of letters"),
            (serde_json::json!(7), "[providers] is no section of its own"),
            (price(serde_json::json!({"input": -1, "output": 1})), "input is not a number from 0"),
            (price(serde_json::json!({"input": 1})), "output is missing"),
            (price(serde_json::json!({"inputs": 1})), "did you mean input?"),
        ] {
            let error = parsed(serde_json::json!({}), providers.clone()).unwrap_err();
            assert!(error.contains(said), "{providers}: {error}");
        }
        let both = serde_json::json!({"lab": {
            "url": "http://x", "dialect": "chat", "key_env": "A", "key_file": "b",
        }});
        assert!(parsed(serde_json::json!({}), both).unwrap_err().contains("one of three"));
        for (model, said) in [
            (serde_json::json!({"model": "x"}), "[models.m]: model is not PROVIDER/NAME"),
            (serde_json::json!({}), "model is missing"),
            (serde_json::json!({"model": "a/b", "temperature": 3}), "from 0 to 2"),
            (serde_json::json!({"model": "a/b", "window": 10}), "leaves nothing of the window"),
            (serde_json::json!({"model": "a/b", "code": "no"}), "code is one of fence, tool"),
        ] {
            let error = parsed(serde_json::json!({"m": model}), serde_json::json!({})).unwrap_err();
            assert!(error.contains(said), "{model}: {error}");
        }
    }
}
