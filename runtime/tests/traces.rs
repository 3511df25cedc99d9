//! What agents did, as traces: shown, as JSON, and sent to a collector.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "harness/collector.rs"]
mod collector;
#[path = "traces/collectors.rs"]
mod collectors;
#[expect(dead_code, reason = "each test uses a part of it")]
mod harness;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "harness/provider.rs"]
mod provider;

use collector::{FakeCollector, attribute};
use harness::Place;
use opentelemetry_proto::tonic::trace::v1::Span;
use provider::{FakeProvider, answers, chat};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Every name that a span may have of its own: those of the conventions, and stoa's.
const NAMES: [&str; 36] = [
    "error.type",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.conversation.id",
    "gen_ai.data_source.id",
    "gen_ai.input.messages",
    "gen_ai.operation.name",
    "gen_ai.output.messages",
    "gen_ai.provider.name",
    "gen_ai.request.max_tokens",
    "gen_ai.request.model",
    "gen_ai.request.stream",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.id",
    "gen_ai.tool.call.result",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "server.address",
    "server.port",
    "stoa.attempt",
    "stoa.compaction",
    "stoa.found",
    "stoa.requests",
    "stoa.step",
    "stoa.turn",
    "stoa.wrote",
];

/// Of each operation, what its spans have.
const REQUIRED: [(&str, &[&str]); 5] = [
    (
        "invoke_agent",
        &["gen_ai.provider.name", "gen_ai.agent.id", "gen_ai.agent.name", "gen_ai.conversation.id"],
    ),
    ("chat", &["gen_ai.provider.name", "gen_ai.request.model", "gen_ai.conversation.id"]),
    ("execute_tool", &["gen_ai.tool.name", "gen_ai.tool.type"]),
    ("retrieval", &["gen_ai.data_source.id"]),
    ("search_memory", &["gen_ai.data_source.id"]),
];

const LIMIT: Duration = Duration::from_secs(120);

const KEY: &str = "sk-open-sesame-0123456789";

/// Writes an atom, and looks for it.
const ACTS: &str = "I look.\n```python\nspace.put('a fern')\nprint(len(list(space.search())))\n```";

fn place(provider: &FakeProvider) -> Place {
    let mut place = Place::new();
    place.variables.push(("LAB_KEY".into(), KEY.into()));
    std::fs::create_dir_all(place.path("configuration/stoa")).unwrap();
    let text = format!(
        "[models.fast]\nmodel = \"lab/any\"\n\n[providers.lab]\nurl = \"{}\"\ndialect = \"chat\"\n\
         key_env = \"LAB_KEY\"\n",
        provider.url
    );
    place.file("configuration/stoa/config.toml", text);
    place.json(&["space", "create", "garden"]);
    place
}

fn spawn(place: &Place, name: &str, spaces: &str) -> i32 {
    let args = ["spawn", "Plant it", "--name", name, "--spaces", spaces, "--model", "fast"];
    place.stoa(&args).code
}

/// The spans among the lines.
fn spans(lines: Vec<Value>) -> Vec<Value> {
    lines.into_iter().filter(|it| it["span"].is_string()).collect()
}

fn names(spans: &[Value]) -> Vec<&str> {
    spans.iter().map(|it| it["name"].as_str().unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// What OpenTelemetry asks of spans: names, what is required, and what they stand below.
fn conform(spans: &[Span]) {
    let known: BTreeMap<&[u8], &Span> = spans.iter().map(|it| (&*it.span_id, it)).collect();
    assert_eq!(known.len(), spans.len(), "two spans have one id");
    for span in spans {
        assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{span:?}");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
        for it in &span.attributes {
            assert!(NAMES.contains(&&*it.key), "{} in {span:?}", it.key);
        }
        let operation = attribute(span, "gen_ai.operation.name").unwrap();
        assert!(span.name.starts_with(&format!("{operation} ")), "{span:?}");
        let (_, required) = REQUIRED.iter().find(|it| it.0 == operation).unwrap();
        for name in *required {
            assert!(attribute(span, name).is_some_and(|it| !it.is_empty()), "{name} of {span:?}");
        }
        assert_eq!(span.kind, if operation == "chat" { 3 } else { 1 }, "{span:?}");
        let failed = span.status.as_ref().is_some_and(|it| it.code == 2);
        assert_eq!(failed, attribute(span, "error.type").is_some(), "{span:?}");
        if let Some(above) = known.get(&*span.parent_span_id) {
            assert_eq!(above.trace_id, span.trace_id, "{span:?}");
        } else {
            assert!(span.parent_span_id.is_empty(), "it stands below nothing: {span:?}");
        }
    }
}

#[test]
fn a_turn_is_a_span_with_all_that_was_done_in_it() {
    let provider = FakeProvider::says(vec![chat(ACTS, "stop"), chat("It is planted.", "stop")]);
    let place = place(&provider);
    assert_eq!(spawn(&place, "gardener", "garden=write"), 0);
    let told = place.json(&["trace"]);
    let upto = told.last().unwrap()["upto"].as_u64().unwrap();
    let told = spans(told);
    let all = [
        "chat any",
        "execute_tool garden.put",
        "retrieval garden",
        "execute_tool python",
        "chat any",
        "invoke_agent gardener",
    ];
    assert_eq!(names(&told), all);
    let turn = &told[5];
    let parents: Vec<&Value> = told.iter().map(|it| &it["parent"]).collect();
    let (action, turn_id) = (&told[3]["span"], &turn["span"]);
    assert_eq!(parents[..5], [turn_id, action, action, turn_id, turn_id]);
    assert_eq!(turn["attributes"]["gen_ai.usage.input_tokens"], 1_800);
    assert_eq!(turn["attributes"]["gen_ai.provider.name"], "lab");
    assert_eq!(turn["attributes"]["gen_ai.response.model"], Value::Null);
    assert_eq!(told[0]["attributes"]["gen_ai.request.model"], "any");
    assert_eq!(
        told[0]["attributes"]["gen_ai.response.finish_reasons"],
        serde_json::json!(["stop"])
    );
    // The same are sent, and nothing that anybody has written is in them.
    let collector = FakeCollector::new();
    let sent = place.json(&["trace", "--to", &collector.url]);
    assert_eq!((&sent[0]["sent"], &sent[0]["upto"]), (&6.into(), &upto.into()));
    let received = collector.spans();
    conform(&received);
    let ids: Vec<String> = received.iter().map(|it| hex(&it.span_id)).collect();
    let wanted: Vec<&str> = told.iter().map(|it| it["span"].as_str().unwrap()).collect();
    assert_eq!(ids, wanted);
    for word in ["fern", "planted", "Plant it", "I look", KEY, "print"] {
        assert!(!format!("{received:?}").contains(word), "{word} is told unasked");
    }
    let request = &collector.received()[0];
    assert!(request.head.starts_with("POST /v1/traces HTTP/1.1"), "{}", request.head);
    assert!(request.head.contains("content-type: application/x-protobuf"), "{}", request.head);
    // The next time the same bytes: they are of the log alone.
    place.json(&["trace", "--to", &format!("{}/v1/traces/", collector.url)]);
    assert_eq!(collector.received()[1].bytes, request.bytes);
}

#[test]
fn what_was_said_is_told_where_it_is_asked_for() {
    let provider = FakeProvider::says(vec![chat(ACTS, "stop"), chat("It is planted.", "stop")]);
    let place = place(&provider);
    assert_eq!(spawn(&place, "gardener", "garden=write"), 0);
    let told = spans(place.json(&["trace", "--content"]));
    let of = |at: usize, name: &str| told[at]["attributes"][name].clone();
    let output = of(4, "gen_ai.output.messages");
    assert_eq!(output[0]["parts"][0]["content"], "It is planted.");
    assert_eq!(output[0]["role"], "assistant");
    let input = of(4, "gen_ai.input.messages");
    let roles: Vec<&str> =
        input.as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool"]);
    assert!(input.to_string().contains("a fern"), "{input:#}");
    assert!(of(0, "gen_ai.system_instructions").to_string().contains("space.put("));
    assert!(of(3, "gen_ai.tool.call.arguments")["code"].as_str().unwrap().contains("a fern"));
    assert_eq!(of(3, "gen_ai.tool.call.result"), "1\n");
    let collector = FakeCollector::new();
    place.json(&["trace", "--content", "--to", &collector.url]);
    let received = collector.spans();
    conform(&received);
    let sent = attribute(&received[4], "gen_ai.input.messages").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), input);
}

#[test]
fn what_fails_is_told_by_its_kind_and_in_words_where_they_are_asked_for() {
    let busy = answers(429, &[("retry-after-ms", "20")], r#"{"error":{"message":"sesame"}}"#);
    let raises = "```python\nraise ValueError('sesame')\n```";
    let odd = "```python\nclass Sesame(Exception): pass\nspace.sesame()\n```";
    let refused = answers(400, &[], r#"{"error":{"message":"sesame"}}"#);
    let all = vec![busy, chat(raises, "stop"), chat(odd, "stop"), refused];
    let provider = FakeProvider::says(all);
    let place = place(&provider);
    assert_ne!(spawn(&place, "gardener", "garden=write"), 0);
    let told = spans(place.json(&["trace"]));
    let kinds: BTreeSet<(&str, &str)> = told
        .iter()
        .filter(|it| it["error"].is_object())
        .map(|it| (it["name"].as_str().unwrap(), it["error"]["kind"].as_str().unwrap()))
        .collect();
    assert!(kinds.contains(&("chat any", "rate_limited")), "{kinds:?}");
    assert!(kinds.contains(&("execute_tool python", "ValueError")), "{kinds:?}");
    assert!(kinds.contains(&("chat any", "failed")), "{kinds:?}");
    assert!(kinds.contains(&("invoke_agent gardener", "failed")), "{kinds:?}");
    assert!(!format!("{told:?}").to_lowercase().contains("sesame"), "{told:#?}");
    let told = spans(place.json(&["trace", "--reasons"]));
    assert!(format!("{told:?}").contains("sesame"));
    let collector = FakeCollector::new();
    place.json(&["trace", "--to", &collector.url]);
    conform(&collector.spans());
    assert!(!format!("{:?}", collector.spans()).to_lowercase().contains("sesame"));
}

/// What one thing from outside has set off is one trace, whoever did it.
#[test]
fn a_trace_goes_through_all_agents() {
    let provider = FakeProvider::new(|_, request| {
        let child = request.contains("Water them");
        let first = !request.contains("Observation");
        match (child, first) {
            (false, true) => chat(
                "```python\ncoordinator.spawn('Water them', name='helper', model='fast', \
                 spaces={'garden': 'write'})\n```",
                "stop",
            ),
            (true, true) => chat("```python\nspace.put('wet')\n```", "stop"),
            _ => chat("Done.", "stop"),
        }
    });
    let place = place(&provider);
    place.stoa(&[
        "spawn",
        "Plant it",
        "--name",
        "gardener",
        "--spaces",
        "garden=write:write",
        "--model",
        "fast",
    ]);
    let told = spans(place.json(&["trace"]));
    let of = |name: &str| {
        told.iter()
            .find(|it| it["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {:?}", names(&told)))
    };
    let (gardener, helper) = (of("invoke_agent gardener"), of("invoke_agent gardener/helper"));
    assert_eq!(helper["trace"], gardener["trace"]);
    let above = told.iter().find(|it| it["span"] == helper["parent"]).unwrap();
    assert_eq!(
        (&above["name"], &above["agent"]),
        (&"execute_tool python".into(), &gardener["agent"])
    );
    // Whoever is under another sees itself alone.
    let own = spans(place.json(&["--as", "gardener/helper", "trace"]));
    assert!(own.iter().all(|it| it["agent"] == helper["agent"]), "{own:?}");
    assert!(!own.is_empty());
    let one = spans(place.json(&["trace", "gardener/helper"]));
    assert_eq!(one.len(), own.len());
    // As people see it: one below the other.
    let shown = place.stoa(&["trace", "--tail", "50"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let collector = FakeCollector::new();
    place.json(&["trace", "--to", &collector.url]);
    conform(&collector.spans());
}

#[test]
fn a_turn_that_a_crash_has_cut_in_two_is_one_span() {
    let (tell, told) = std::sync::mpsc::channel();
    let provider = FakeProvider::streams(move |n, _, client| match n {
        0 => client.tell(&chat(ACTS, "stop")),
        1 => {
            tell.send(()).unwrap();
            client.until_it_goes();
        }
        _ => client.tell(&chat("It is planted.", "stop")),
    });
    let place = place(&provider);
    let args =
        ["spawn", "Plant it", "--name", "gardener", "--spaces", "garden=write", "--model", "fast"];
    let started = place.start(&args, b"");
    told.recv_timeout(LIMIT).unwrap();
    started.signal(Signal::KILL);
    started.end();
    let before = spans(place.json(&["trace"]));
    assert!(!names(&before).contains(&"invoke_agent gardener"), "{before:?}");
    let cursor = before.last().unwrap()["cursor"].to_string();
    let ended = place.stoa(&["agent", "say", "gardener", "go on"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let after = spans(place.json(&["trace"]));
    let first =
        |it: &&Value| it["name"] == "invoke_agent gardener" && it["attributes"]["stoa.turn"] == 1;
    assert_eq!(after.iter().filter(first).count(), 1, "{:?}", names(&after));
    assert_eq!(after[..before.len()], before[..]);
    // Whoever has read so far is told the rest, whole.
    assert_eq!(spans(place.json(&["trace", "--cursor", &cursor])), after[before.len()..]);
}

#[test]
fn what_cannot_be_is_refused() {
    let provider = FakeProvider::says(vec![chat("Done.", "stop")]);
    let place = place(&provider);
    for (args, code, words) in [
        (&["trace", "nobody"][..], 3, "nobody"),
        (&["trace", "--cursor", "99999"], 2, "ahead of the log"),
        (&["trace", "--tail", "10001"], 2, "--tail 10000"),
        (&["trace", "--tail", "101", "--content"], 2, "--tail 100"),
        (&["trace", "--within", "soon"], 2, "soon"),
        (&["trace", "--cursor-file", "x"], 2, "--to"),
    ] {
        let ended = place.stoa(args);
        assert_eq!(ended.code, code, "{args:?}: {ended:?}");
        assert!(ended.err.contains(words), "{args:?}: {}", ended.err);
    }
    let none = place.stoa(&["trace", "--tail", "5"]);
    assert_eq!(none.code, 0, "{none:?}");
}
