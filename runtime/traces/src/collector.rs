//! A collector: takes spans, or says why not.

use crate::fault::{CollectorError, SendFault};
use crate::headers::headers;
use crate::limits::{
    ANSWER_BYTES, ANSWER_MS_MAX, BYTES_MAX, COMPLAINT_CHARS, FIRST_WAIT_MS, WAIT_MS_MAX,
};
use crate::otlp::{ServiceResource, request};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use serde_json::Value as Json;
use std::time::{Duration, SystemTime};
use stoa_api::answer::SpanAnswer;
use stoa_endpoint::{Address, AddressError};

/// Where spans are sent.
pub struct Collector {
    client: Client,
    url: Url,
    host: String,
    headers: HeaderMap,
    has_key: bool,
    resource: ServiceResource,
}

/// What became of spans that were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Spans that the collector does not keep.
    pub rejected: u64,
    /// What it says of that, or of what it has kept.
    pub said: String,
    /// Spans that went without what was said in them, for they were too large.
    pub cut: u64,
}

/// Where spans go below the address of a collector.
const PATH: &str = "/v1/traces";

const PROTOBUF: &str = "application/x-protobuf";

impl Collector {
    /// At an address, with or without `/v1/traces`. `with` is what is sent in front of each request, as
    /// `name=value,name=value`, and the variable of the environment that says so.
    ///
    /// Errors: [`CollectorError`].
    pub fn new(
        base: &str,
        (variable, with): (&str, &str),
        resource: ServiceResource,
    ) -> Result<Collector, CollectorError> {
        let headers = headers(variable, with)?;
        let has_key = !headers.is_empty();
        let base = base.trim_end_matches('/');
        let base = base.strip_suffix(PATH).unwrap_or(base);
        let address = Address::new(base, has_key)?;
        let client = address.client().timeout(Duration::from_millis(ANSWER_MS_MAX)).build();
        let client = client.map_err(|error| AddressError::Client(error.to_string()))?;
        let (url, host) = (address.with(PATH), address.host());
        Ok(Collector { client, url, host, headers, has_key, resource })
    }

    /// Who is asked.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Sends spans: what becomes of each is known when it returns, or it is said why not and all are to be
    /// sent again. What was taken may be sent once more then; its ids are the same.
    ///
    /// Errors: [`SendFault`].
    pub async fn send(&self, spans: &[SpanAnswer]) -> Result<Taken, SendFault> {
        let (mut taken, mut refused) = (Taken::default(), 0);
        let mut pieces = vec![spans.to_vec()];
        while let Some(mut piece) = pieces.pop() {
            let body = request(&self.resource, &piece).encode_to_vec();
            let large = body.len() > BYTES_MAX;
            let answer = if large { Err(too_large()) } else { self.post(body).await };
            let fault = match answer {
                Ok(answer) => {
                    taken.rejected += answer.rejected;
                    taken.said = if answer.said.is_empty() { taken.said } else { answer.said };
                    continue;
                }
                Err(fault) => fault,
            };
            let of_these =
                fault.again_ms.is_none() && matches!(fault.status, Some(400 | 413 | 422));
            match of_these {
                true if piece.len() > 1 => halve(piece, &mut pieces),
                true if fault.status == Some(TOO_LARGE) && leave_out(&mut piece) => {
                    taken.cut += 1;
                    pieces.push(piece);
                }
                // One that it never takes does not keep back all others; if it takes none, it is no
                // fault of theirs.
                true if refused + 1 < spans.len() => {
                    refused += 1;
                    taken.rejected += 1;
                    taken.said = fault.text;
                }
                _ => return Err(fault),
            }
        }
        Ok(taken)
    }

    async fn post(&self, body: Vec<u8>) -> Result<Taken, SendFault> {
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let request = request.header(CONTENT_TYPE, PROTOBUF).header(ACCEPT, PROTOBUF).body(body);
        let answer = request.send().await.map_err(|error| self.unreached(&error))?;
        let status = answer.status();
        let header = |name| answer.headers().get(name).and_then(|it| it.to_str().ok());
        let wait = header(RETRY_AFTER).and_then(|it| wait_ms(it, SystemTime::now()));
        let kind = header(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let body = body_of(answer).await.map_err(|error| self.unreached(&error))?;
        if status.is_success() {
            let Some((rejected, said)) = part_of(&kind, &body) else {
                let text = format!("{} answers {status}, but not as a collector does", self.host);
                return Err(SendFault { text, status: Some(status.as_u16()), again_ms: None });
            };
            return Ok(Taken { rejected, said: self.told(&said), cut: 0 });
        }
        let said = String::from_utf8_lossy(&body);
        let said = if kind.contains("html") { String::new() } else { self.told(&said) };
        let said = if said.is_empty() { said } else { format!(": {said}") };
        let passes = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        Err(SendFault {
            text: format!("{} answers {status}{said}", self.host),
            status: Some(status.as_u16()),
            again_ms: passes.then(|| wait.unwrap_or(FIRST_WAIT_MS).clamp(1, WAIT_MS_MAX)),
        })
    }

    fn unreached(&self, error: &reqwest::Error) -> SendFault {
        // The cause says what happened; the error itself where it was, with the whole address.
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let why =
            if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() };
        let text = format!("{} cannot be reached: {why}", self.host);
        SendFault { text, status: None, again_ms: Some(FIRST_WAIT_MS) }
    }

    /// What somebody else says, in one line. Who was told a key is not repeated: a part of it may be in
    /// what it says.
    fn told(&self, said: &str) -> String {
        if self.has_key {
            return String::new();
        }
        let words: Vec<&str> = said.split_whitespace().collect();
        words.join(" ").chars().filter(|it| !it.is_control()).take(COMPLAINT_CHARS).collect()
    }
}

/// How many spans a collector does not keep of those that it has answered so, and why; nothing where no
/// collector answers so. Some answer in JSON whatever they are asked for, or with nothing.
fn part_of(kind: &str, body: &[u8]) -> Option<(u64, String)> {
    if body.is_empty() {
        return Some((0, String::new()));
    }
    if kind.starts_with("application/json") {
        let json: Json = serde_json::from_slice(body).ok()?;
        let part = &json["partialSuccess"];
        let count = &part["rejectedSpans"];
        let rejected = count.as_u64().or_else(|| count.as_str()?.parse().ok());
        let said = part["errorMessage"].as_str().unwrap_or_default();
        return Some((rejected.unwrap_or(0), said.to_owned()));
    }
    if !(kind.is_empty() || kind.starts_with(PROTOBUF)) {
        return None;
    }
    let part = ExportTraceServiceResponse::decode(body).ok()?.partial_success.unwrap_or_default();
    Some((u64::try_from(part.rejected_spans).unwrap_or(0), part.error_message))
}

const TOO_LARGE: u16 = 413;

fn too_large() -> SendFault {
    let text = "a span is too large to be sent".to_owned();
    SendFault { text, status: Some(TOO_LARGE), again_ms: None }
}

/// The later half waits.
fn halve(mut piece: Vec<SpanAnswer>, pieces: &mut Vec<Vec<SpanAnswer>>) {
    let later = piece.split_off(piece.len() / 2);
    pieces.extend([later, piece]);
}

/// Leaves out what was said in a span; nothing where nothing was.
fn leave_out(piece: &mut [SpanAnswer]) -> bool {
    let said = |name: &str| {
        let ends = [".messages", ".arguments", ".result", "system_instructions"];
        ends.iter().any(|it| name.ends_with(it))
    };
    let Some(span) = piece.first_mut() else { return false };
    let before = span.attributes.len();
    span.attributes.retain(|name, _| !said(name));
    let error = span.error.as_mut().filter(|it| !it.text.is_empty());
    let text = error.map(|it| it.text.clear()).is_some();
    text || span.attributes.len() < before
}

async fn body_of(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_BYTES {
            body.truncate(ANSWER_BYTES);
            break;
        }
    }
    Ok(body)
}

/// How long a server asks to wait: seconds, or a date.
fn wait_ms(text: &str, now: SystemTime) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let until = httpdate::parse_http_date(text.trim()).ok()?;
    let wait = until.duration_since(now).unwrap_or_default();
    u64::try_from(wait.as_millis()).ok()
}
