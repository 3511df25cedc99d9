//! What a provider says that is no reply: an HTTP status, headers, or an error in the midst of a
//! stream.

use super::SHOWN_BYTES;
use super::look::{some, text};
use crate::fault::{Fault, FaultKind};
use serde_json::Value as Json;
use std::time::{Duration, SystemTime};

/// Looks a header up by its name in small letters.
pub type Headers<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The longest that is waited because a header says so: what is longer is told to a person.
const WAIT_S_MAX: f64 = 24.0 * 3_600.0;

/// Words by which providers tell what is wrong, the more telling ones first.
const WORDS: [(&str, FaultKind); 34] = [
    ("enforced_spend_limit_reached", FaultKind::SpendLimit),
    ("insufficient_quota", FaultKind::SpendLimit),
    ("billing_hard_limit_reached", FaultKind::SpendLimit),
    ("billing_not_active", FaultKind::SpendLimit),
    ("billing_error", FaultKind::SpendLimit),
    ("insufficient_balance", FaultKind::SpendLimit),
    ("402", FaultKind::SpendLimit),
    ("context_length_exceeded", FaultKind::TooBig),
    ("string_above_max_length", FaultKind::TooBig),
    ("request_too_large", FaultKind::TooBig),
    ("413", FaultKind::TooBig),
    ("invalid_api_key", FaultKind::Key),
    ("authentication_error", FaultKind::Key),
    ("401", FaultKind::Key),
    ("model_not_found", FaultKind::Unknown),
    ("not_found_error", FaultKind::Unknown),
    ("404", FaultKind::Unknown),
    ("permission_error", FaultKind::Forbidden),
    ("403", FaultKind::Forbidden),
    ("rate_limit_exceeded", FaultKind::RateLimited),
    ("rate_limit_error", FaultKind::RateLimited),
    ("throttling_error", FaultKind::RateLimited),
    ("429", FaultKind::RateLimited),
    ("overloaded_error", FaultKind::Overloaded),
    ("server_is_overloaded", FaultKind::Overloaded),
    ("529", FaultKind::Overloaded),
    ("timeout_error", FaultKind::Server),
    ("server_error", FaultKind::Server),
    ("api_error", FaultKind::Server),
    ("500", FaultKind::Server),
    ("502", FaultKind::Server),
    ("503", FaultKind::Overloaded),
    ("invalid_request_error", FaultKind::Invalid),
    ("400", FaultKind::Invalid),
];

/// How servers say in words alone that a request is too long for the model.
const TOO_LONG: [&str; 4] =
    ["prompt is too long", "maximum context length", "context window", "exceeds the context"];

/// A request that is refused with a status.
pub fn refused(status: u16, headers: Headers<'_>, body: &[u8], now: SystemTime) -> Fault {
    let parsed: Option<Json> = serde_json::from_slice(body).ok();
    let (words, said) = parsed.as_ref().map_or_else(Default::default, told);
    let said = match said {
        Some(said) => said,
        // A page of a server in between is no message.
        None => String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]).into_owned(),
    };
    let by_status = match status {
        400 | 405 | 406 | 415 | 422 => FaultKind::Invalid,
        401 => FaultKind::Key,
        402 => FaultKind::SpendLimit,
        403 => FaultKind::Forbidden,
        404 | 410 => FaultKind::Unknown,
        413 => FaultKind::TooBig,
        429 => FaultKind::RateLimited,
        // Of a server that has too much to do, that is loading, or that is being renewed.
        503 | 529 => FaultKind::Overloaded,
        408 | 409 | 425 | 500.. => FaultKind::Server,
        // A redirect is not followed: the key would go along.
        _ => FaultKind::Invalid,
    };
    let by_words = kind_of(&words);
    let kind = match (by_status, by_words) {
        // What time does not help is told by words alone.
        (_, Some(kind @ (FaultKind::SpendLimit | FaultKind::TooBig))) => kind,
        (FaultKind::Invalid, _) if is_too_long(&said) => FaultKind::TooBig,
        (FaultKind::Server, Some(kind @ FaultKind::Overloaded)) => kind,
        (by_status, _) => by_status,
    };
    let retry = headers("x-should-retry").and_then(|it| it.trim().parse().ok());
    Fault { status: Some(status), wait: wait_of(headers, now), retry, ..Fault::new(kind, said) }
}

/// An error that comes within a stream whose status was 200, or in the place of a reply.
pub(super) fn in_stream(event: &Json) -> Fault {
    let (words, said) = told(event);
    let said = said.unwrap_or_else(|| event.to_string());
    let kind = match kind_of(&words) {
        Some(FaultKind::Invalid) | None if is_too_long(&said) => FaultKind::TooBig,
        Some(kind) => kind,
        None => FaultKind::Server,
    };
    Fault::new(kind, said)
}

fn is_too_long(said: &str) -> bool {
    let said = said.to_lowercase();
    TOO_LONG.iter().any(|it| said.contains(it))
}

/// The words by which it says what it is, and its message.
fn told(body: &Json) -> (Vec<String>, Option<String>) {
    let error = match some(body, "error") {
        Some(Json::String(said)) => return (Vec::new(), Some(said.clone())),
        Some(error) => error,
        None => body,
    };
    let mut words = Vec::new();
    for of in [some(error, "details"), some(error, "metadata"), Some(error)].into_iter().flatten() {
        for key in ["error_code", "code", "type", "error_type"] {
            match of.get(key) {
                Some(Json::String(word)) => words.push(word.to_lowercase()),
                Some(Json::Number(number)) => words.push(number.to_string()),
                _ => {}
            }
        }
    }
    let said = text(error, "message").or_else(|| text(body, "message"));
    (words, said.map(str::to_owned))
}

fn kind_of(words: &[String]) -> Option<FaultKind> {
    WORDS.iter().find(|(word, _)| words.iter().any(|it| it == word)).map(|it| it.1)
}

/// How long to wait, as the headers say it: milliseconds, seconds, or a date.
pub fn wait_of(headers: Headers<'_>, now: SystemTime) -> Option<Duration> {
    let of = |seconds: f64| {
        let sensible = seconds.is_finite() && (0.0..=WAIT_S_MAX).contains(&seconds);
        sensible.then(|| Duration::from_secs_f64(seconds))
    };
    if let Some(ms) = headers("retry-after-ms").and_then(|it| it.trim().parse::<f64>().ok()) {
        return of(ms / 1e3);
    }
    let said = headers("retry-after")?;
    if let Ok(seconds) = said.trim().parse::<f64>() {
        return of(seconds);
    }
    let date = httpdate::parse_http_date(said.trim()).ok()?;
    // A date that has passed says that it can be now.
    of(date.duration_since(now).unwrap_or_default().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn waits(headers: &[(&str, &str)], now: SystemTime) -> Option<f64> {
        let of = |name: &str| headers.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        wait_of(&of, now).map(|it| it.as_secs_f64())
    }

    #[test]
    fn a_wait_is_said_in_many_ways() {
        assert_eq!(waits(&[("retry-after", "7")], at(0)), Some(7.0));
        assert_eq!(waits(&[("retry-after", "0.25")], at(0)), Some(0.25));
        assert_eq!(waits(&[("retry-after-ms", "1500"), ("retry-after", "9")], at(0)), Some(1.5));
        let date = ("retry-after", "Thu, 01 Jan 1970 00:01:40 GMT");
        assert_eq!(waits(&[date], at(40) + Duration::from_millis(300)), Some(59.7));
        assert_eq!(waits(&[date], at(500)), Some(0.0), "it has passed");
        for wrong in ["soon", "-3", "NaN", "inf", "1e300", ""] {
            assert_eq!(waits(&[("retry-after", wrong)], at(0)), None, "{wrong}");
        }
        assert_eq!(waits(&[], at(0)), None);
    }

    fn of(status: u16, body: &str) -> (FaultKind, bool) {
        let fault = refused(status, &|_| None, body.as_bytes(), at(0));
        (fault.kind, fault.may_retry())
    }

    #[test]
    fn a_refusal_is_told_by_status_and_by_words() {
        use FaultKind::*;
        let error =
            |kind: &str| format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"m"}}}}"#);
        let code =
            |code: &str| format!(r#"{{"error":{{"message":"m","type":"x","code":{code}}}}}"#);
        for (status, body, kind, retry) in [
            (400, error("invalid_request_error"), Invalid, false),
            (400, r#"{"error":{"message":"prompt is too long: 9 > 8"}}"#.to_owned(), TooBig, false),
            (400, code("\"context_length_exceeded\""), TooBig, false),
            (401, error("authentication_error"), Key, false),
            (402, error("billing_error"), SpendLimit, false),
            (403, error("permission_error"), Forbidden, false),
            (404, error("not_found_error"), Unknown, false),
            (409, error("conflict_error"), Server, true),
            (413, error("request_too_large"), TooBig, false),
            (429, error("rate_limit_error"), RateLimited, true),
            (429, code("\"insufficient_quota\""), SpendLimit, false),
            (429, code("\"429\""), RateLimited, true),
            (429, code("429"), RateLimited, true),
            (
                429,
                r#"{"error":{"type":"rate_limit_error","details":{"error_code":"enforced_spend_limit_reached"}}}"#
                    .to_owned(),
                SpendLimit,
                false,
            ),
            (500, error("api_error"), Server, true),
            (502, "<html>Bad gateway</html>".to_owned(), Server, true),
            (503, error("overloaded_error"), Overloaded, true),
            (504, error("timeout_error"), Server, true),
            (529, error("overloaded_error"), Overloaded, true),
            (529, String::new(), Overloaded, true),
            (302, String::new(), Invalid, false),
        ] {
            assert_eq!(of(status, &body), (kind, retry), "{status} {body}");
        }
    }

    #[test]
    fn the_provider_has_the_last_word_on_another_try() {
        let says = |word: &'static str| {
            move |name: &str| (name == "x-should-retry").then(|| word.to_owned())
        };
        let of = |status, word| refused(status, &says(word), b"", at(0)).may_retry();
        assert!(!of(500, "false") && of(400, "true") && of(500, "maybe"));
        assert!(!of(402, "true") && !of(401, "true"), "time does not help there");
    }
}
