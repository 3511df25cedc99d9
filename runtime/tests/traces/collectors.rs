//! How collectors fail and are away, and what they are told besides.

use super::collector::FakeCollector;
use super::provider::{FakeProvider, answers, chat};
use super::{conform, place, spawn};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};

/// An answer of a type.
fn says(status: u16, kind: &str, body: &str) -> String {
    answers(status, &[("content-type", kind)], body)
}

#[test]
fn a_collector_that_fails_is_asked_again_and_one_that_refuses_is_told() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let place = place(&provider);
    assert_eq!(spawn(&place, "gardener", "garden=write"), 0);
    let collector = FakeCollector::new();
    let busy = [answers(503, &[("retry-after", "0")], ""), answers(429, &[], "")];
    let part = r#"{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}}"#;
    let odd = answers(400, &[], "\u{1b}[31mno");
    for (said, code, words) in [
        (busy.to_vec(), 0, "takes them again"),
        (vec![answers(202, &[], "")], 0, "sent 2 spans"),
        (vec![answers(204, &[], "")], 0, "sent 2 spans"),
        (vec![says(200, "application/json", "{}")], 0, "sent 2 spans"),
        (vec![says(200, "application/json", part)], 0, "does not keep 1: too old"),
        // One of two is refused for good: the other is sent.
        (vec![odd.clone(), odd.clone()], 0, "does not keep 1"),
        (vec![odd.clone(), odd.clone(), odd], 2, "answers 400 Bad Request: [31mno"),
        (vec![answers(401, &[], "who are you?")], 4, "OTEL_EXPORTER_OTLP_HEADERS"),
        (vec![answers(404, &[], "")], 3, "answers 404"),
        (vec![answers(307, &[("location", "http://127.0.0.1:1/")], "")], 2, "answers 307"),
        (vec![says(200, "text/html", "<p>hi")], 2, "not as a collector does"),
        (vec![says(200, "text/plain", "hi")], 2, "not as a collector does"),
        (vec![says(200, "application/x-protobuf", "hi!")], 2, "not as a collector does"),
    ] {
        collector.answers(&said);
        let ended = place.stoa(&["trace", "--to", &collector.url]);
        assert_eq!(ended.code, code, "{said:?}: {ended:?}");
        assert!(format!("{}{}", ended.out, ended.err).contains(words), "{words}: {ended:?}");
        assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);
    }
    // Nobody is there: it says so, and what to type. An interrupt is no success.
    let ended = place.stoa(&["trace", "--to", "http://127.0.0.1:1"]);
    assert!(ended.code == 6 && ended.err.contains("cannot be reached"), "{ended:?}");
    assert!(ended.err.contains("trace --to http://127.0.0.1:1"), "{ended:?}");
    let sender = place.start(&["trace", "--to", "http://127.0.0.1:1", "--json"], b"");
    sender.wait_for("that it waits", |out| out.contains("asked again"));
    sender.signal(Signal::INT);
    let ended = sender.end();
    assert!(ended.code == 6 && ended.err.contains("interrupted; 0 spans are sent"), "{ended:?}");
}

/// A key goes to this machine or by https, and is shown nowhere.
#[test]
fn what_a_collector_is_told_besides_is_a_secret() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let mut place = place(&provider);
    assert_eq!(spawn(&place, "gardener", "garden=write"), 0);
    let collector = FakeCollector::new();
    let value = "x-key=open-sesame,authorization=Bearer%20open-sesame".to_owned();
    place.variables.push(("OTEL_EXPORTER_OTLP_HEADERS".into(), value));
    for status in [401, 400, 503] {
        let said = answers(status, &[("retry-after", "0")], "token open-sesame is not known");
        collector.answers(&vec![said; 9]);
        let ended = place.stoa(&["trace", "--to", &collector.url]);
        assert!(ended.code > 0 && !ended.err.contains("sesame"), "{ended:?}");
    }
    collector.answers(&[]);
    assert_eq!(place.stoa(&["trace", "--to", &collector.url]).code, 0);
    let head = collector.received().last().unwrap().head.clone();
    assert!(head.contains("x-key: open-sesame\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer open-sesame"), "{head}");
    for (to, words) in [
        ("http://collector.example.org:4318", "https"),
        ("no url", "--to"),
        ("ftp://a", "neither http nor https"),
        ("https://a:sesame@b", "a key in"),
    ] {
        let ended = place.stoa(&["trace", "--to", to]);
        assert!(ended.code == 2 && ended.err.contains(words), "{to}: {ended:?}");
        assert!(!ended.err.contains("sesame"), "{ended:?}");
    }
    place.variables.pop();
    place.variables.push(("OTEL_EXPORTER_OTLP_TRACES_HEADERS".into(), "open-sesame".into()));
    let ended = place.stoa(&["trace", "--to", &collector.url]);
    assert!(ended.code == 2 && ended.err.contains("TRACES_HEADERS is no list"), "{ended:?}");
    assert!(!ended.err.contains("sesame"), "{ended:?}");
}

/// A collector that is away misses nothing, and neither does one whose sender is killed.
#[test]
fn whoever_follows_sends_everything() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let place = place(&provider);
    let served = place.serve();
    let collector = FakeCollector::new();
    let busy = answers(503, &[("retry-after", "0")], "");
    collector.answers(&[busy.clone(), busy.clone(), busy]);
    let sends = |more: &[&str]| {
        let follow =
            ["--json", "trace", "--follow", "--to", &collector.url, "--cursor-file", "upto"];
        place.start(&[&follow, more].concat(), b"")
    };
    let sent = |turns: usize| {
        let spans = collector.spans();
        let all: BTreeSet<&str> = spans.iter().map(|it| &*it.name).collect();
        all.iter().filter(|it| it.starts_with("invoke_agent")).count() == turns
    };
    let first = sends(&["--cursor", "0"]);
    assert_eq!(spawn(&place, "one", "garden=write"), 0);
    first.wait_for("the first turn", |_| sent(1) && place.path("upto").exists());
    first.signal(Signal::KILL);
    let said = first.end();
    assert!(said.out.contains("takes them again"), "{said:?}");
    // Nobody sends meanwhile.
    assert_eq!(spawn(&place, "two", "garden=write"), 0);
    let second = sends(&[]);
    second.wait_for("the second turn", |_| sent(2));
    // Whoever serves goes, and somebody else begins.
    served.signal(Signal::KILL);
    served.end();
    let served = place.serve();
    assert_eq!(spawn(&place, "three", "garden=write"), 0);
    second.wait_for("the third turn", |_| sent(3));
    second.signal(Signal::INT);
    second.end();
    conform(
        &collector
            .spans()
            .into_iter()
            .map(|it| (it.span_id.clone(), it))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect::<Vec<_>>(),
    );
    served.signal(Signal::TERM);
    served.end();
    let twice = ["trace", "--to", &collector.url, "--cursor-file", "upto", "--within", "1h"];
    let ended = place.stoa(&twice);
    assert!(ended.code == 2 && ended.err.contains("says already"), "{ended:?}");
    place.file("upto", "sesame\n");
    let ended = place.stoa(&["trace", "--to", &collector.url, "--cursor-file", "upto"]);
    assert!(ended.code == 2 && ended.err.contains("is no cursor"), "{ended:?}");
}
