//! Spans as OTLP has them.

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;
use stoa_api::answer::SpanAnswer;

/// Whose spans they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceResource {
    attributes: Vec<(String, String)>,
}

impl ServiceResource {
    /// By the name of the service, `stoa` where none is said, and by `name=value,name=value` besides.
    pub fn new(service: Option<&str>, more: &str) -> ServiceResource {
        let decoded = |it: &str| percent_decode_str(it.trim()).decode_utf8_lossy().into_owned();
        let more = more.split(',').filter_map(|it| it.split_once('='));
        let mut attributes: Vec<(String, String)> =
            more.map(|(name, value)| (decoded(name), decoded(value))).collect();
        let mut set = |name: &str, value: Option<&str>, otherwise: &str| {
            let known = attributes.iter().position(|it| it.0 == name);
            match (value, known) {
                (Some(value), Some(at)) => value.clone_into(&mut attributes[at].1),
                (None, Some(_)) => {}
                (value, None) => {
                    let value = value.unwrap_or(otherwise);
                    attributes.push((name.to_owned(), value.to_owned()));
                }
            }
        };
        set("service.name", service.filter(|it| !it.is_empty()), SCOPE);
        set("service.version", None, VERSION);
        attributes.retain(|it| !it.0.is_empty());
        ServiceResource { attributes }
    }
}

const SCOPE: &str = "stoa";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One request with these spans.
pub fn request(resource: &ServiceResource, spans: &[SpanAnswer]) -> ExportTraceServiceRequest {
    let of = |(name, value): &(String, String)| pair(name, Value::StringValue(value.clone()));
    let scope = InstrumentationScope {
        name: SCOPE.to_owned(),
        version: VERSION.to_owned(),
        ..InstrumentationScope::default()
    };
    let scoped = ScopeSpans {
        scope: Some(scope),
        spans: spans.iter().map(span).collect(),
        schema_url: String::new(),
    };
    let resource = Resource {
        attributes: resource.attributes.iter().map(of).collect(),
        ..Resource::default()
    };
    let spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scoped],
        schema_url: String::new(),
    };
    ExportTraceServiceRequest { resource_spans: vec![spans] }
}

fn span(of: &SpanAnswer) -> Span {
    let status = of
        .error
        .as_ref()
        .map(|it| Status { message: it.text.clone(), code: StatusCode::Error.into() });
    let link = of.link.as_ref().map(|it| Link {
        trace_id: bytes(&it.trace),
        span_id: bytes(&it.span),
        ..Link::default()
    });
    let kind = if of.kind == "client" { SpanKind::Client } else { SpanKind::Internal };
    Span {
        trace_id: bytes(&of.trace),
        span_id: bytes(&of.span),
        parent_span_id: of.parent.as_deref().map(bytes).unwrap_or_default(),
        name: of.name.clone(),
        kind: kind.into(),
        start_time_unix_nano: nanos(&of.began),
        end_time_unix_nano: nanos(&of.ended),
        attributes: of.attributes.iter().map(|(name, it)| pair(name, value(it))).collect(),
        links: link.into_iter().collect(),
        status,
        ..Span::default()
    }
}

fn pair(name: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: name.to_owned(), value, ..KeyValue::default() }
}

/// What is no word, number or list of these goes as the JSON that it is.
fn value(json: &Json) -> Value {
    match json {
        Json::String(it) => Value::StringValue(it.clone()),
        Json::Bool(it) => Value::BoolValue(*it),
        Json::Number(it) => match it.as_i64() {
            Some(it) => Value::IntValue(it),
            None => Value::DoubleValue(it.as_f64().unwrap_or_default()),
        },
        Json::Array(all) if all.iter().all(|it| it.is_string()) => {
            let values = all.iter().map(|it| AnyValue { value: Some(value(it)) }).collect();
            Value::ArrayValue(ArrayValue { values })
        }
        other => Value::StringValue(other.to_string()),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map_while(digit).collect()
}

fn nanos(time: &str) -> u64 {
    let at = time.parse::<Timestamp>().map_or(0, |it| it.as_nanosecond());
    u64::try_from(at).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;
    use serde_json::json;

    fn answer() -> SpanAnswer {
        serde_json::from_value(json!({
            "trace": "000102030405060708090a0b0c0d0eff",
            "span": "0102030405060708",
            "parent": "1112131415161718",
            "link": {"trace": "ff0102030405060708090a0b0c0d0eff", "span": "2122232425262728"},
            "name": "chat any",
            "kind": "client",
            "agent": "a",
            "began": "2026-11-29T10:00:00.001Z",
            "ended": "2026-11-29T10:00:01.501Z",
            "took_ms": 1_500,
            "error": {"kind": "failed", "text": "why"},
            "attributes": {
                "text": "one", "number": 7, "flag": true, "texts": ["a", "b"], "any": {"a": [1]},
                "float": 0.5, "mixed": ["a", 1],
            },
            "cursor": 9,
        }))
        .unwrap()
    }

    /// What the bytes say to whoever reads them back.
    #[test]
    fn a_span_is_what_its_bytes_say() {
        let resource = ServiceResource::new(None, "");
        let sent = request(&resource, &[answer()]).encode_to_vec();
        let read = ExportTraceServiceRequest::decode(&*sent).unwrap();
        let [all] = &read.resource_spans[..] else { panic!("{read:?}") };
        let [scope] = &all.scope_spans[..] else { panic!("{read:?}") };
        let [span] = &scope.spans[..] else { panic!("{read:?}") };
        assert_eq!(span.trace_id, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(span.span_id, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(span.parent_span_id, [17, 18, 19, 20, 21, 22, 23, 24]);
        assert_eq!((span.links[0].trace_id[0], span.links[0].span_id[0]), (255, 33));
        assert_eq!((span.name.as_str(), span.kind), ("chat any", 3));
        assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 1_500_000_000);
        assert_eq!(span.start_time_unix_nano, 1_795_946_400_001_000_000);
        let status = span.status.as_ref().unwrap();
        assert_eq!((status.code, status.message.as_str()), (2, "why"));
        let value = |name: &str| {
            let found = span.attributes.iter().find(|it| it.key == name).unwrap();
            found.value.clone().unwrap().value.unwrap()
        };
        assert_eq!(value("text"), Value::StringValue("one".into()));
        assert_eq!(value("number"), Value::IntValue(7));
        assert_eq!(value("flag"), Value::BoolValue(true));
        assert_eq!(value("float"), Value::DoubleValue(0.5));
        assert_eq!(value("any"), Value::StringValue(r#"{"a":[1]}"#.into()));
        assert_eq!(value("mixed"), Value::StringValue(r#"["a",1]"#.into()));
        assert!(matches!(value("texts"), Value::ArrayValue(it) if it.values.len() == 2));
    }

    #[test]
    fn a_resource_is_named_by_its_environment() {
        let of = |service, more: &str| ServiceResource::new(service, more).attributes;
        let is = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect()
        };
        let version = ("service.version", VERSION);
        assert_eq!(of(None, ""), is(&[("service.name", "stoa"), version]));
        assert_eq!(
            of(Some("me"), "a=b%20c, ,x"),
            is(&[("a", "b c"), ("service.name", "me"), version])
        );
        assert_eq!(of(Some("me"), "service.name=it"), is(&[("service.name", "me"), version]));
        assert_eq!(of(Some(""), "service.name=it"), is(&[("service.name", "it"), version]));
    }
}
