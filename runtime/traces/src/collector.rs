//! A collector: takes spans, or says why not.

use crate::fault::{CollectorError, SendFault};
use crate::headers::headers;
use crate::limits::{
    ANSWER_MS_MAX, BYTES_MAX, COMPLAINT_BYTES, COMPLAINT_CHARS, FIRST_WAIT_MS, WAIT_MS_MAX,
};
use crate::otlp::{ServiceResource, request};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use std::time::{Duration, SystemTime};
use stoa_api::answer::SpanAnswer;
use stoa_endpoint::{Address, AddressError, Key};

/// Where spans are sent.
pub struct Collector {
    client: Client,
    url: Url,
    host: String,
    headers: HeaderMap,
    keys: Vec<Key>,
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
        let (headers, keys) = headers(variable, with)?;
        let base = base.trim_end_matches('/');
        let base = base.strip_suffix(PATH).unwrap_or(base);
        let address = Address::new(base, !keys.is_empty())?;
        let client = address.client().timeout(Duration::from_millis(ANSWER_MS_MAX)).build();
        let client = client.map_err(|error| AddressError::Client(error.to_string()))?;
        let (url, host) = (address.with(PATH), address.host());
        Ok(Collector { client, url, host, headers, keys, resource })
    }

    /// Who is asked.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Sends spans: all of them are taken, or it is said why not and they are to be sent again. What
    /// was taken may be sent once more; its ids are the same.
    ///
    /// Errors: [`SendFault`].
    pub async fn send(&self, spans: &[SpanAnswer]) -> Result<Taken, SendFault> {
        let mut taken = Taken::default();
        let mut pieces = vec![spans.to_vec()];
        while let Some(mut piece) = pieces.pop() {
            let body = request(&self.resource, &piece).encode_to_vec();
            if body.len() > BYTES_MAX && piece.len() > 1 {
                halve(piece, &mut pieces);
                continue;
            }
            let large = body.len() > BYTES_MAX;
            let answer = if large { Err(too_large()) } else { self.post(body).await };
            match answer {
                Ok(answer) => {
                    taken.rejected += answer.rejected;
                    taken.said = if answer.said.is_empty() { taken.said } else { answer.said };
                }
                Err(fault) if fault.status == Some(TOO_LARGE) && piece.len() > 1 => {
                    halve(piece, &mut pieces);
                }
                Err(fault) if fault.status == Some(TOO_LARGE) && leave_out(&mut piece) => {
                    taken.cut += 1;
                    pieces.push(piece);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(taken)
    }

    async fn post(&self, body: Vec<u8>) -> Result<Taken, SendFault> {
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let request = request.header(CONTENT_TYPE, PROTOBUF).header(ACCEPT, PROTOBUF).body(body);
        let answer = request.send().await.map_err(|error| self.unreached(&error))?;
        let status = answer.status();
        let wait = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
        let wait = wait.and_then(|it| wait_ms(it, SystemTime::now()));
        let is_page = answer.headers().get(CONTENT_TYPE);
        let is_page = is_page.is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
        let body = body_of(answer).await.map_err(|error| self.unreached(&error))?;
        if status == StatusCode::OK && !is_page {
            // Some answer in JSON whatever they are asked for, or with nothing.
            let said = ExportTraceServiceResponse::decode(&*body).unwrap_or_default();
            let part = said.partial_success.unwrap_or_default();
            let rejected = u64::try_from(part.rejected_spans).unwrap_or(0);
            return Ok(Taken { rejected, said: self.told(&part.error_message), cut: 0 });
        }
        let what = match status {
            StatusCode::OK => "answers a page, as no collector does".to_owned(),
            _ => format!("answers {status}"),
        };
        let said = String::from_utf8_lossy(&body);
        let said = if is_page { String::new() } else { self.told(&said) };
        let said = if said.is_empty() { said } else { format!(": {said}") };
        let passes = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        Err(SendFault {
            text: format!("{} {what}{said}", self.host),
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
        let text = format!("{} cannot be reached: {}", self.host, self.told(&why));
        SendFault { text, status: None, again_ms: Some(FIRST_WAIT_MS) }
    }

    /// What somebody else says, without a key, in one line.
    fn told(&self, said: &str) -> String {
        let masked = self.keys.iter().fold(said.to_owned(), |said, key| key.mask(&said));
        let words: Vec<&str> = masked.split_whitespace().collect();
        words.join(" ").chars().filter(|it| !it.is_control()).take(COMPLAINT_CHARS).collect()
    }
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
        if body.len() > COMPLAINT_BYTES {
            body.truncate(COMPLAINT_BYTES);
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
