//! An answer as it comes, from the network or from a cassette; and nothing that waits for ever.

use crate::cassette::{Played, Tape};
use crate::fault::{Fault, FaultKind};
use crate::limits::ProviderWaits;
use crate::reply::{Delta, ModelReply};
use crate::wire::{Decoder, refused};
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout};

/// Bytes of what a provider says that is no reply.
const COMPLAINT_BYTES: usize = 64 << 10;

/// How long is waited for what a reply took, once all of it is said.
const USAGE_MS_MAX: u64 = 2_000;

/// An answer whose body is still to come.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    from: Source,
    /// When the first of its body came from the network.
    first: Option<Instant>,
}

enum Source {
    Network(Box<Response>, Option<Box<Tape>>),
    Cassette(Played),
}

impl Answer {
    /// To a request, which is sent.
    pub(super) async fn to(
        request: RequestBuilder,
        first_ms: u64,
        until: Instant,
        mut tape: Option<Tape>,
    ) -> Result<Answer, Fault> {
        let answer = match within(first_ms, until, request.send()).await {
            Ok(answer) => answer,
            Err(fault) => {
                tape.map_or(Ok(()), |it| it.ended(Some(&fault)))?;
                return Err(fault);
            }
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        if let Some(tape) = &mut tape {
            let text =
                |(name, value)| Some((HeaderName::as_str(name), HeaderValue::to_str(value).ok()?));
            tape.answered(status.as_u16(), headers.iter().filter_map(text));
        }
        let from = Source::Network(Box::new(answer), tape.map(Box::new));
        Ok(Answer { status, headers, from, first: None })
    }

    /// One that was recorded.
    pub(super) async fn played_from(mut played: Played) -> Result<Answer, Fault> {
        let garbled = |text: String| Fault::new(FaultKind::Cassette, text);
        let Some(status) = played.status else {
            let none = played.piece().await?;
            return Err(garbled(format!(
                "{} bytes of an answer without a status",
                none.map_or(0, |it| it.len())
            )));
        };
        let status = StatusCode::from_u16(status).map_err(|error| garbled(error.to_string()))?;
        let header = |(name, value): &(String, String)| {
            Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
        };
        let headers = played.headers.iter().filter_map(header).collect();
        Ok(Answer { status, headers, from: Source::Cassette(played), first: None })
    }

    /// The recorded answer that it is.
    pub(super) fn played(&self) -> Option<&Played> {
        match &self.from {
            Source::Network(..) => None,
            Source::Cassette(played) => Some(played),
        }
    }

    /// How long it took until now, and until the first of its body came, in milliseconds since it was
    /// asked for; of a recorded one as it was then.
    pub(super) fn took_ms(&self, began: Instant) -> (u64, u64) {
        let since = |it: Instant| it.saturating_duration_since(began).as_millis() as u64;
        match &self.from {
            Source::Cassette(played) => (played.took_ms, played.first_ms),
            Source::Network(..) => (since(Instant::now()), self.first.map_or(0, since)),
        }
    }

    /// One that is a reply by its status, or why there is none.
    pub(super) async fn checked(mut self, host: &str, until: Instant) -> Result<Answer, Fault> {
        let status = self.status;
        if status == StatusCode::OK && !self.header("content-type").is_some_and(|it| is_page(&it)) {
            return Ok(self);
        }
        let body = self.body(until, COMPLAINT_BYTES).await.unwrap_or_default();
        self.over()?;
        Err(match status {
            StatusCode::OK => {
                let said = String::from_utf8_lossy(&body);
                let text = format!("{host} answers a page: {said}");
                Fault { paid: true, ..Fault::new(FaultKind::Garbled, text) }
            }
            _ => {
                let header = |name: &str| self.header(name);
                let fault = refused(status.as_u16(), &header, &body, SystemTime::now());
                Fault { paid: is_perhaps_paid(status), ..fault }
            }
        })
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }

    /// The next bytes of the body; nothing at its end.
    async fn piece(&mut self, ms: u64, until: Instant) -> Result<Option<Bytes>, Fault> {
        match &mut self.from {
            Source::Cassette(played) => Ok(played.piece().await?.map(Bytes::from)),
            Source::Network(answer, tape) => {
                let came = within(ms, until, answer.chunk()).await;
                self.first.get_or_insert_with(Instant::now);
                match &came {
                    Ok(Some(piece)) => tape.iter_mut().for_each(|it| it.piece(piece)),
                    Ok(None) => {}
                    Err(fault) => tape.take().map_or(Ok(()), |it| it.ended(Some(fault)))?,
                }
                came
            }
        }
    }

    /// All of the body, up to so many bytes.
    pub(super) async fn body(&mut self, until: Instant, most: usize) -> Result<Vec<u8>, Fault> {
        let left = || until.saturating_duration_since(Instant::now()).as_millis() as u64;
        let mut body = Vec::new();
        while let Some(piece) = self.piece(left(), until).await? {
            body.extend_from_slice(&piece);
            if body.len() >= most {
                body.truncate(most);
                break;
            }
        }
        Ok(body)
    }

    /// The reply, told piece by piece as it comes.
    pub(super) async fn read(
        &mut self,
        mut decoder: Decoder,
        waits: &ProviderWaits,
        until: Instant,
        heard: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<ModelReply, Fault> {
        let mut ms = waits.first_ms;
        loop {
            let piece = match self.piece(ms, until).await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                // All is said, and the connection has not ended well.
                Err(_) if decoder.is_complete() => break,
                Err(fault) => return Err(fault),
            };
            let heard_now = decoder.feed(&piece)?;
            heard_now.into_iter().for_each(&mut *heard);
            if decoder.is_done() {
                break;
            }
            ms = match decoder.is_complete() {
                true => waits.gap_ms.min(USAGE_MS_MAX),
                false => waits.gap_ms,
            };
        }
        let (reply, last) = decoder.end()?;
        last.into_iter().for_each(heard);
        Ok(reply)
    }

    /// No more of it is wanted.
    ///
    /// Errors: it could not be recorded.
    pub(super) fn over(&mut self) -> Result<(), Fault> {
        match &mut self.from {
            Source::Network(_, tape) => tape.take().map_or(Ok(()), |it| it.ended(None)),
            Source::Cassette(_) => Ok(()),
        }
    }
}

/// Whether a model may have been at work on a request that was answered so: what stands before it gives
/// up, and it goes on.
fn is_perhaps_paid(status: StatusCode) -> bool {
    let busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::from_u16(529).unwrap_or_default()];
    let failed = status.is_server_error() && !busy.contains(&status);
    failed || status.is_success() || status == StatusCode::REQUEST_TIMEOUT
}

fn is_page(content_type: &str) -> bool {
    content_type.trim_start().to_ascii_lowercase().starts_with("text/html")
}

/// Within so long from now, and not after `until`.
async fn within<T>(
    ms: u64,
    until: Instant,
    what: impl Future<Output = reqwest::Result<T>>,
) -> Result<T, Fault> {
    let wait = Duration::from_millis(ms).min(until.saturating_duration_since(Instant::now()));
    match timeout(wait, what).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(broken(error)),
        Err(_) => {
            let silent = Fault::new(FaultKind::Silent, format!("for {} ms", wait.as_millis()));
            Err(Fault { paid: true, ..silent })
        }
    }
}

/// A connection that was not made, or did not last. Of an error in the midst of a body no more is known
/// than that it was cut.
fn broken(error: reqwest::Error) -> Fault {
    let kind =
        if error.is_body() || error.is_decode() { FaultKind::Cut } else { FaultKind::Network };
    let paid = !error.is_connect() && !error.is_builder();
    let error = error.without_url();
    let mut said = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        said = error.to_string();
        source = error.source();
    }
    Fault { paid, ..Fault::new(kind, said) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_may_have_worked_on_is_perhaps_paid() {
        let paid = |status| is_perhaps_paid(StatusCode::from_u16(status).unwrap_or_default());
        for status in [202, 204, 408, 500, 502, 504, 520, 524] {
            assert!(paid(status), "{status}");
        }
        for status in [301, 400, 401, 402, 403, 404, 409, 413, 422, 429, 503, 529] {
            assert!(!paid(status), "{status}");
        }
    }
}
