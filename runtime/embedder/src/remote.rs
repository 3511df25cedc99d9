//! An embedder that is asked over HTTP, as OpenAI and those after it speak:
//! `POST {url}/embeddings {model, input: […]}` answers `{data: [{index, embedding: […]}]}`.
//!
//! What it answers is believed nothing of: as many vectors as texts, each of the dimensions that are
//! configured, every number finite, or none of the answer is taken.

use crate::settings::{EmbedError, RemoteConfig};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Deserialize;
use std::time::Duration;
use stoa_actors::atom::Embedding;
use stoa_actors::log::Hash;
use stoa_endpoint::{Address, AddressError, Key};

/// Bytes that one number of an answer may take, as it is written.
const NUMBER_BYTES_MAX: usize = 32;

/// Bytes of an answer besides its numbers.
const AROUND_BYTES: usize = 64 << 10;

/// Bytes of an endpoint's complaint that are read.
const COMPLAINT_BYTES: usize = 4 << 10;

/// Characters of it that are told on.
const COMPLAINT_CHARS_MAX: usize = 300;

#[derive(Deserialize)]
struct Answer {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    index: Option<usize>,
    embedding: Vec<f64>,
}

/// One endpoint and its model.
pub struct Remote {
    client: reqwest::Client,
    address: Address,
    model: String,
    dims: usize,
    authorization: Option<HeaderValue>,
    key: Option<Key>,
    fingerprint: u32,
}

impl Remote {
    /// Ready to ask; asks nothing yet.
    ///
    /// Errors: [`EmbedError::NoKey`], and [`EmbedError::Settings`] for a URL that is none or has a
    /// query, a key over plain HTTP to another machine, no model, or dimensions of none or of more
    /// than `dims_max`.
    pub fn new(config: &RemoteConfig, dims_max: usize) -> Result<Remote, EmbedError> {
        let invalid = |what, why: &str| EmbedError::Settings { what, why: why.to_owned() };
        let base = config.url.trim_end_matches('/');
        let address = Address::new(base, config.key.is_some())
            .map_err(|error| invalid("url", &error.to_string()))?;
        if config.model.is_empty() {
            return Err(invalid("model", "it is empty"));
        }
        if config.dims == 0 || config.dims > dims_max {
            let why = format!("{} dimensions; there are 1 to {dims_max}", config.dims);
            return Err(invalid("dims", &why));
        }
        let bearer = |key: &Key| {
            key.header("Bearer ").map_err(|error| match error {
                AddressError::KeyLacking(variable) => EmbedError::NoKey { variable },
                error => invalid("key", &error.to_string()),
            })
        };
        let client = address.client().build();
        let client = client.map_err(|error| invalid("client", &error.to_string()))?;
        let name = format!("{base} {} {}", config.model, config.dims);
        let [a, b, c, d, ..] = Hash::of(name.as_bytes()).0;
        Ok(Remote {
            client,
            address,
            model: config.model.clone(),
            dims: config.dims,
            authorization: config.key.as_ref().map(bearer).transpose()?,
            key: config.key.clone(),
            fingerprint: u32::from_be_bytes([a, b, c, d]),
        })
    }

    /// Names the model: another endpoint, model or size makes other rows.
    pub fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    /// The dimensions of its vectors.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// In words: `all-minilm at 127.0.0.1:11434`.
    pub fn name(&self) -> String {
        format!("{} at {}", self.model, self.address.host())
    }

    /// The vectors of some texts, in their order; all of them or none.
    pub async fn embed(
        &self,
        texts: &[&str],
        within: Duration,
    ) -> Result<Vec<Embedding>, EmbedError> {
        let asked = tokio::time::timeout(within, self.ask(texts)).await;
        let body = asked.map_err(|_| EmbedError::Unreachable {
            host: self.address.host(),
            why: format!("did not answer within {} ms", within.as_millis()),
        })??;
        self.read(&body, texts.len())
    }

    async fn ask(&self, texts: &[&str]) -> Result<Vec<u8>, EmbedError> {
        let body = serde_json::json!({"model": self.model, "input": texts}).to_string();
        let mut request = self
            .client
            .post(self.address.with("/embeddings"))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let unreachable = |error: reqwest::Error| {
            let error = error.without_url();
            let root = std::error::Error::source(&error).map(ToString::to_string);
            let why = format!("cannot be asked: {}", root.unwrap_or_else(|| error.to_string()));
            EmbedError::Unreachable { host: self.address.host(), why }
        };
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let after = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
        let after = after.and_then(|it| it.parse().ok()).map(Duration::from_secs);
        let most = match status {
            StatusCode::OK => texts.len() * self.dims * NUMBER_BYTES_MAX + AROUND_BYTES,
            _ => COMPLAINT_BYTES,
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > most {
                break;
            }
        }
        if status != StatusCode::OK {
            bytes.truncate(COMPLAINT_BYTES);
            let complaint = self.masked(&String::from_utf8_lossy(&bytes));
            let complaint = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
            let complaint = complaint.chars().take(COMPLAINT_CHARS_MAX).collect();
            let (host, status) = (self.address.host(), status.as_u16());
            return Err(EmbedError::Status { host, status, complaint, after });
        }
        if bytes.len() > most {
            return Err(self.invalid(format!("more than {most} bytes")));
        }
        Ok(bytes)
    }

    fn read(&self, body: &[u8], count: usize) -> Result<Vec<Embedding>, EmbedError> {
        let answer: Answer =
            serde_json::from_slice(body).map_err(|error| self.invalid(error.to_string()))?;
        if answer.data.len() != count {
            let why = format!("{} vectors for {count} texts", answer.data.len());
            return Err(self.invalid(why));
        }
        let mut found: Vec<Option<Embedding>> = vec![None; count];
        for (place, row) in answer.data.into_iter().enumerate() {
            let at = row.index.unwrap_or(place);
            if row.embedding.len() != self.dims {
                let (has, dims) = (row.embedding.len(), self.dims);
                let why = format!("{has} dimensions, and {dims} are configured");
                return Err(self.invalid(why));
            }
            let vector: Vec<f32> = row.embedding.iter().map(|it| *it as f32).collect();
            let made = Embedding::of(self.fingerprint, &vector);
            let made = made.map_err(|error| self.invalid(format!("vector {at}: {error}")))?;
            match found.get_mut(at) {
                Some(free @ None) => *free = Some(made),
                _ => return Err(self.invalid(format!("index {at} twice, or of no text"))),
            }
        }
        // As many as texts, and no index twice.
        Ok(found.into_iter().flatten().collect())
    }

    fn invalid(&self, why: String) -> EmbedError {
        EmbedError::Invalid { host: self.address.host(), why: self.masked(&why) }
    }

    /// What it says may hold what it was told.
    fn masked(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.mask(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> RemoteConfig {
        RemoteConfig { url: url.into(), model: "m".into(), dims: 2, key: None }
    }

    fn refused(config: &RemoteConfig) -> String {
        Remote::new(config, 4_096).err().map(|it| it.to_string()).unwrap_or_default()
    }

    #[test]
    fn settings_that_are_invalid_are_refused() {
        let key = Some(Key::new("sesame"));
        assert_eq!(refused(&config("http://127.0.0.1:1/v1")), "");
        assert_eq!(
            refused(&RemoteConfig { key: key.clone(), ..config("http://localhost/v1") }),
            ""
        );
        let away = RemoteConfig { key, ..config("http://example.org/v1") };
        assert!(refused(&away).contains("by https alone"));
        assert!(!format!("{away:?}").contains("sesame"), "a key is never shown");
        assert!(refused(&config("http://x/v1?key=sesame")).contains("behind a ?"));
        let lacking = RemoteConfig { key: Some(Key::lacking("KEY")), ..config("https://x") };
        assert!(refused(&lacking).contains("KEY is not set"));
        assert!(refused(&config("ftp://example.org")).contains("neither http nor https"));
        assert!(refused(&config("no url")).contains("embedder url"));
        assert!(refused(&config("https://me:pw@example.org")).contains("would be shown"));
        assert!(
            refused(&RemoteConfig { model: "".into(), ..config("http://x") }).contains("model")
        );
        for dims in [0, 4_097] {
            assert!(refused(&RemoteConfig { dims, ..config("http://x") }).contains("1 to 4096"));
        }
    }

    #[test]
    fn a_key_is_taken_out_of_what_is_answered() {
        let key = Some(Key::new("sesame"));
        let remote = Remote::new(&RemoteConfig { key, ..config("http://localhost") }, 9).unwrap();
        let error = remote.read(br#"{"data": "Bearer sesame"}"#, 1).unwrap_err();
        assert!(
            error.to_string().contains('…') && !error.to_string().contains("sesame"),
            "{error}"
        );
    }

    #[test]
    fn another_model_makes_other_rows() {
        let of = |config: &RemoteConfig| Remote::new(config, 4_096).unwrap().fingerprint();
        let one = config("http://x/v1");
        assert_eq!(of(&one), of(&config("http://x/v1/")));
        assert_ne!(of(&one), of(&RemoteConfig { dims: 3, ..one.clone() }));
        assert_ne!(of(&one), of(&RemoteConfig { model: "n".into(), ..one.clone() }));
    }

    #[test]
    fn an_answer_is_believed_nothing_of() {
        let remote = Remote::new(&config("http://x"), 4_096).unwrap();
        let read = |body: &str| remote.read(body.as_bytes(), 2).map_err(|it| it.to_string());
        let swapped = r#"{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}"#;
        let found = read(swapped).unwrap();
        assert_eq!((found[0].dims[0], found[1].dims[1]), (127, 127));
        for (body, said) in [
            ("<html>", "expected value"),
            (r#"{"data":[]}"#, "0 vectors for 2 texts"),
            (r#"{"data":[{"embedding":[1,0]},{"embedding":[1]}]}"#, "1 dimensions, and 2 are"),
            (r#"{"data":[{"embedding":[1,0]},{"embedding":[null,1]}]}"#, "invalid type"),
            (r#"{"data":[{"embedding":[1,0]},{"embedding":[1e999,1]}]}"#, "out of range"),
            (r#"{"data":[{"embedding":[1,0]},{"embedding":[1e300,1]}]}"#, "not a finite number"),
            (r#"{"data":[{"embedding":[1,0]},{"embedding":[0,0]}]}"#, "no length"),
            (
                r#"{"data":[{"index":0,"embedding":[1,0]},{"index":0,"embedding":[1,0]}]}"#,
                "index 0 twice",
            ),
            (r#"{"data":[{"embedding":[1,0]},{"index":7,"embedding":[1,0]}]}"#, "of no text"),
        ] {
            let refused = read(body).unwrap_err();
            assert!(refused.contains(said), "{body}: {refused}");
        }
    }
}
