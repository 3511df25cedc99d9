//! Every recorded stream, cut and chunked in every way, and the traps that servers lay: one reply, or
//! one typed fault, and the same one however the bytes came.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use serde_json::json;
use stoa_models::fault::{Fault, FaultKind};
use stoa_models::reply::{Call, Delta, ModelReply, Stop, Usage};
use stoa_models::wire::{Decoder, Dialect, EVENT_BYTES_MAX, LINE_BYTES_MAX, REPLY_BYTES_MAX};

/// What each dialect says in a stream of its own.
const STREAMS: [(Dialect, &str); 4] = [
    (Dialect::Anthropic, include_str!("streams/anthropic_code.sse")),
    (Dialect::Chat, include_str!("streams/chat_calls.sse")),
    (Dialect::Responses, include_str!("streams/responses_text.sse")),
    (Dialect::Ollama, include_str!("streams/ollama_text.ndjson")),
];

type Read = Result<(ModelReply, Vec<Delta>), Fault>;

/// Reads pieces to the end.
fn read<'a>(dialect: Dialect, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut decoder = Decoder::new(dialect, false);
    let mut deltas = Vec::new();
    for piece in pieces {
        deltas.extend(decoder.feed(piece)?);
    }
    let (reply, last) = decoder.end()?;
    deltas.extend(last);
    Ok((reply, deltas))
}

fn whole(dialect: Dialect, text: &str) -> Read {
    read(dialect, [text.as_bytes()])
}

fn reply(dialect: Dialect, text: &str) -> ModelReply {
    whole(dialect, text).unwrap().0
}

fn fault(dialect: Dialect, text: &str) -> FaultKind {
    whole(dialect, text).unwrap_err().kind
}

/// A text as its lines are ended elsewhere.
fn line_ends(text: &str) -> [Vec<u8>; 3] {
    ["\n", "\r\n", "\r"].map(|end| text.replace('\n', end).into_bytes())
}

fn call(id: &str, name: &str, arguments: &str) -> Call {
    Call { id: id.into(), name: name.into(), arguments: arguments.into() }
}

#[test]
fn each_stream_says_what_it_says() {
    let [messages, chat, responses, ollama] = STREAMS.map(|(dialect, text)| reply(dialect, text));
    assert_eq!(messages.text, "I look first.\n```python\nspace.put('é')\n```");
    assert_eq!(messages.reasoning, "The plants — 植物 — need water 💧.");
    assert_eq!(messages.calls, [call("toolu_01", "get", r#"{"id": "01J8Z3"}"#)]);
    assert_eq!(messages.stop, Stop::Call);
    let usage = Usage {
        input: 10_682 + 2_000 + 100,
        cache_read: 2_000,
        cache_write: 100,
        output: 89,
        reasoning: 40,
    };
    assert_eq!((messages.usage, &*messages.model, &*messages.id), (usage, "claude-x-1", "msg_01"));
    assert_eq!(
        messages.blocks,
        [
            json!({"type": "thinking", "thinking": messages.reasoning, "signature": "EqQBCkYIAxgCKkBx+/=="}),
            json!({"type": "redacted_thinking", "data": "abc+/=="}),
            json!({"type": "text", "text": messages.text}),
            json!({"type": "tool_use", "id": "toolu_01", "name": "get", "input": {"id": "01J8Z3"}}),
        ]
    );
    assert_eq!((&*chat.text, &*chat.reasoning), ("Ich sehe nach: 日本語", "Überlegen… fertig 🙂"));
    // Two calls of one number, and a reason to stop that says nothing of them.
    let calls = [call("call_a", "get", r#"{"id": 1}"#), call("call_b", "put", r#"{"x": "ü"}"#)];
    assert_eq!((&chat.calls[..], &chat.stop), (&calls[..], &Stop::End));
    let usage =
        Usage { input: 120, cache_read: 100, output: 30, reasoning: 12, ..Usage::default() };
    assert_eq!((chat.usage, &*chat.model, &*chat.id), (usage, "gpt-x", "chatcmpl-1"));
    assert_eq!((&*responses.text, &*responses.reasoning), ("Grüße 👋🏽", "Nachdenken…"));
    assert_eq!(responses.calls, [call("call_9", "search", r#"{"query":"x"}"#)]);
    assert_eq!((responses.blocks.len(), &responses.stop), (3, &Stop::Call));
    assert_eq!(responses.blocks[0]["encrypted_content"], "gAAAA+/=");
    let usage = Usage { input: 50, cache_read: 10, output: 20, reasoning: 8, ..Usage::default() };
    assert_eq!(responses.usage, usage);
    assert_eq!((&*ollama.text, &*ollama.reasoning), ("Zwei Bäume 🌳", "Hm… "));
    assert_eq!(ollama.calls, [call("", "get", r#"{"id":"é","n":1}"#)]);
    assert_eq!((ollama.usage.input, ollama.usage.output), (33, 7));
}

#[test]
fn what_is_told_on_the_way_is_what_is_said_in_the_end() {
    for (dialect, text) in STREAMS {
        let (reply, deltas) = whole(dialect, text).unwrap();
        let (mut said, mut thought, mut begun) = (String::new(), String::new(), Vec::new());
        for delta in deltas {
            match delta {
                Delta::Text(more) => said += &more,
                Delta::Reasoning(more) => thought += &more,
                Delta::CallBegun(name) => begun.push((name, String::new())),
                Delta::Arguments(more) => begun.last_mut().unwrap().1 += &more,
            }
        }
        assert_eq!((said, thought), (reply.text, reply.reasoning), "{dialect:?}");
        let calls: Vec<(String, String)> =
            reply.calls.into_iter().map(|it| (it.name, it.arguments)).collect();
        assert_eq!(begun, calls, "{dialect:?}");
    }
}

/// Where the bytes are cut makes no difference; where they end is a reply that is whole, or a cut.
#[test]
fn every_cut_every_line_end_and_every_chunking_is_one_reply_or_one_fault() {
    let mut cases = 0;
    for (dialect, text) in STREAMS {
        let expected = whole(dialect, text).unwrap();
        for bytes in line_ends(text) {
            for size in [1, 2, 3, 7, bytes.len()] {
                assert_eq!(read(dialect, bytes.chunks(size)).unwrap(), expected, "{dialect:?}");
                cases += 1;
            }
            for cut in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(cut);
                // The same bytes in two pieces.
                assert_eq!(read(dialect, [head, tail]).unwrap(), expected, "{dialect:?} at {cut}");
                // And only the first, in pieces of several sizes.
                let ended = read(dialect, [head]);
                for size in [1, 7] {
                    assert_eq!(read(dialect, head.chunks(size)), ended, "{dialect:?} at {cut}");
                }
                match ended {
                    // All but the tokens, which some servers tell when all is said.
                    Ok((reply, _)) => assert_eq!(
                        ModelReply { usage: expected.0.usage, ..reply },
                        expected.0,
                        "{dialect:?} at {cut}"
                    ),
                    Err(fault) => {
                        assert_eq!(fault.kind, FaultKind::Cut, "{dialect:?} at {cut}: {fault}")
                    }
                }
                cases += 4;
            }
        }
    }
    assert!(cases >= 50_000, "{cases}");
}

#[test]
fn a_reply_is_complete_where_the_provider_says_so_and_nowhere_else() {
    let hello = r#"data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}"#;
    let done = "data: [DONE]";
    assert_eq!(fault(Dialect::Chat, &format!("{hello}\n\n{done}\n\n")), FaultKind::Cut);
    assert_eq!(fault(Dialect::Chat, &format!("{hello}\n\n")), FaultKind::Cut);
    assert_eq!(fault(Dialect::Chat, ""), FaultKind::Cut);
    let mut decoder = Decoder::new(Dialect::Chat, true);
    decoder.feed(format!("{hello}\n\n{done}\n\n").as_bytes()).unwrap();
    assert!(decoder.is_done());
    let (reply, _) = decoder.end().unwrap();
    assert_eq!((&*reply.text, reply.stop), ("hello", Stop::Unsaid), "where that is configured");
    let nothing = Decoder::new(Dialect::Chat, true).end().unwrap_err();
    assert_eq!(nothing.kind, FaultKind::Cut, "not even then");
    // The last event without the blank line behind it.
    let stop = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
    let cut_off = self::reply(Dialect::Chat, &format!("{hello}\n\n{stop}"));
    assert!(cut_off.stop.is_cut_off(), "{cut_off:?}");
}

#[test]
fn errors_in_a_stream_are_faults_of_their_kind() {
    let begun = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n";
    let error = |kind: &str| {
        format!(
            "event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":\"m\"}}}}\n\n"
        )
    };
    for (word, kind) in [
        ("overloaded_error", FaultKind::Overloaded),
        ("rate_limit_error", FaultKind::RateLimited),
        ("api_error", FaultKind::Server),
        ("invalid_request_error", FaultKind::Invalid),
        ("something_new", FaultKind::Server),
    ] {
        assert_eq!(fault(Dialect::Anthropic, &format!("{begun}{}", error(word))), kind);
    }
    for (body, kind) in [
        (r#"{"error":{"message":"m","code":"rate_limit_exceeded"}}"#, FaultKind::RateLimited),
        (r#"{"error":{"message":"m","code":"502"}}"#, FaultKind::Server),
        (r#"{"error":{"message":"m","code":429}}"#, FaultKind::RateLimited),
        (r#"{"error":"out of memory","choices":[]}"#, FaultKind::Server),
        (r#"{"error":{"message":"maximum context length is 8192 tokens"}}"#, FaultKind::TooBig),
    ] {
        assert_eq!(fault(Dialect::Chat, &format!("data: {body}\n\n")), kind, "{body}");
        assert_eq!(fault(Dialect::Chat, body), kind, "as one value: {body}");
    }
    let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"m"}}}"#;
    assert_eq!(fault(Dialect::Responses, &format!("data: {failed}\n\n")), FaultKind::Server);
    let error = r#"{"type":"error","code":"insufficient_quota","message":"m","param":null}"#;
    assert_eq!(fault(Dialect::Responses, &format!("data: {error}\n\n")), FaultKind::SpendLimit);
    assert_eq!(fault(Dialect::Ollama, "{\"error\":\"model not loaded\"}\n"), FaultKind::Server);
}

#[test]
fn a_reply_that_is_cut_off_by_its_limit_is_no_success() {
    let event = |status: &str, reason: &str| {
        let response = json!({
            "status": status, "incomplete_details": {"reason": reason},
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "half"}]}],
        });
        format!("data: {}\n\n", json!({"type": format!("response.{status}"), "response": response}))
    };
    let length = reply(Dialect::Responses, &event("incomplete", "max_output_tokens"));
    assert!(length.stop.is_cut_off() && length.text == "half", "{length:?}");
    let filtered = reply(Dialect::Responses, &event("incomplete", "content_filter"));
    assert_eq!(filtered.stop, Stop::Refused);
}

#[test]
fn calls_are_told_apart_however_they_are_numbered() {
    let chunks = |calls: &[&str]| {
        let mut text = String::new();
        for call in calls {
            text +=
                &format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{call}]}}}}]}}\n\n");
        }
        text += "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n";
        reply(Dialect::Chat, &text).calls
    };
    let two = [call("a", "get", "{\"x\":1}"), call("b", "put", "{\"y\":2}")];
    let begins = |id: &str, name: &str, more: &str| {
        format!(r#"{{{more}"id":"{id}","function":{{"name":"{name}","arguments":""}}}}"#)
    };
    let adds =
        |text: &str, more: &str| format!(r#"{{{more}"function":{{"arguments":{}}}}}"#, json!(text));
    let index = |n: u8| format!("\"index\":{n},");
    for (one, other) in [("", ""), ("0", "0"), ("0", "1"), ("0", ""), ("", "5")] {
        let of = |it: &str| it.parse().map_or(String::new(), index);
        let (one, other) = (of(one), of(other));
        let calls = [
            begins("a", "get", &one),
            adds("{\"x\":", &one),
            adds("1}", &one),
            begins("b", "put", &other),
            adds("{\"y\":2}", &other),
        ];
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        assert_eq!(chunks(&calls), two, "{one:?} {other:?}");
    }
    // Every piece says all of its id and its name.
    let each = [
        r#"{"index":0,"id":"a","function":{"name":"get","arguments":"{\"x\":"}}"#,
        r#"{"index":0,"id":"a","function":{"name":"get","arguments":"1}"}}"#,
    ];
    assert_eq!(chunks(&each), two[..1]);
    let whole = [r#"{"id":"a","function":{"name":"get","arguments":{"x":1}}}"#];
    assert_eq!(chunks(&whole), two[..1]);
    let none = [r#"{"index":0,"id":"c","function":{"name":"now"}}"#];
    assert_eq!(chunks(&none), [call("c", "now", "{}")]);
}

#[test]
fn what_servers_in_between_do_is_understood() {
    let stop = r#"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
    for usage in [
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
        r#"{"choices":null,"usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
        r#"{"usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
        r#"{"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":3.0,"completion_tokens":4}}"#,
    ] {
        let reply = reply(Dialect::Chat, &format!("{stop}\n\ndata: {usage}\n\ndata: [DONE]\n\n"));
        assert_eq!((&*reply.text, reply.usage.input, reply.usage.output), ("x", 3, 4), "{usage}");
    }
    assert_eq!(reply(Dialect::Chat, &format!("\u{feff}{stop}\n\n")).text, "x", "a mark in front");
    assert_eq!(reply(Dialect::Chat, &format!(":\n\n\n:x\n{stop}\nid: 7\nretry: 9\n\n")).text, "x");
    // One JSON value where a stream was asked for.
    let json = r#" {"id":"c","choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}"#;
    assert_eq!(reply(Dialect::Chat, json).text, "whole");
    let json =
        r#"{"type":"message","content":[{"type":"text","text":"whole"}],"stop_reason":"end_turn"}"#;
    assert_eq!(reply(Dialect::Anthropic, json).text, "whole");
    let json = json!({"status": "completed", "output": [{"type": "message", "content": [{"text": "whole"}]}]});
    assert_eq!(reply(Dialect::Responses, &json.to_string()).text, "whole");
}

/// A text as a server writes it that cuts it by units of UTF-16: half a character is escaped.
fn cut_by_units(text: &str, units: usize) -> Vec<String> {
    let all: Vec<u16> = text.encode_utf16().collect();
    let written = |unit: Result<char, std::char::DecodeUtf16Error>| match unit {
        Ok(char) => json!(char.to_string()).as_str().unwrap().to_owned(),
        Err(half) => format!("\\u{:04x}", half.unpaired_surrogate()),
    };
    let piece = |units: &[u16]| char::decode_utf16(units.iter().copied()).map(written).collect();
    all.chunks(units).map(piece).collect()
}

/// A stream of these pieces of text, which are written as they are.
fn stream_of(dialect: Dialect, pieces: &[String]) -> String {
    let (before, event, after) = match dialect {
        Dialect::Anthropic => (
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@"}}"#,
            "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\ndata: {\"type\":\"message_stop\"}",
        ),
        Dialect::Responses => (
            r#"{"type":"response.created","response":{}}"#,
            r#"{"type":"response.output_text.delta","output_index":0,"delta":"@"}"#,
            r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#,
        ),
        Dialect::Chat => (
            r#"{"choices":[]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"@"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        ),
        Dialect::Ollama => ("", r#"{"message":{"content":"@"},"done":false}"#, r#"{"done":true}"#),
    };
    let events = pieces.iter().map(|it| event.replace('@', it));
    let events = [before.to_owned()].into_iter().chain(events).chain([after.to_owned()]);
    events.filter(|it| !it.is_empty()).map(|it| format!("data: {it}\n\n")).collect()
}

// Found with aimock, which cuts its text so: every reply with an emoji was garbled.
#[test]
fn a_character_whose_halves_come_in_two_events_is_one() {
    let text = "a🦀🦀 é👋🏽植 🌳";
    for dialect in Dialect::ALL {
        for units in 1..=9 {
            let stream = stream_of(dialect, &cut_by_units(text, units));
            let (reply, deltas) = whole(dialect, &stream).unwrap();
            let told = deltas.into_iter().map(|it| match it {
                Delta::Text(more) => more,
                other => panic!("{other:?}"),
            });
            assert_eq!(told.collect::<String>(), text, "{dialect:?} by {units}");
            // Of this protocol the last event has the text.
            let said = if dialect == Dialect::Responses { "" } else { text };
            assert!([said, text].contains(&&*reply.text), "{dialect:?} by {units}: {reply:?}");
        }
    }
}

#[test]
fn half_a_character_without_its_other_half_is_a_fault() {
    let halves = [
        &[r"\ud83e"][..],
        &[r"a\ud83e", "b", r"\udd80"],
        &[r"a\ud83e", r"c\ud83e", r"\udd80"],
        &[r"\udd80"],
        &[r"a\ud83e", r"b\udd80"],
        &[r#"a\ud83e"#, r#"\"\udd80"#],
        &[r"a\ud83eb"],
        &[r"\ud83e\ud83e\udd80"],
    ];
    for pieces in halves {
        let pieces: Vec<String> = pieces.iter().map(|it| (*it).to_owned()).collect();
        for dialect in Dialect::ALL {
            let kind = fault(dialect, &stream_of(dialect, &pieces));
            assert_eq!(kind, FaultKind::Garbled, "{dialect:?} {pieces:?}");
        }
    }
}

#[test]
fn what_is_no_reply_is_a_fault() {
    assert_eq!(fault(Dialect::Chat, "data: {\"choices\": [\n\n"), FaultKind::Garbled);
    assert_eq!(fault(Dialect::Chat, "data: hello\n\n"), FaultKind::Garbled);
    assert_eq!(fault(Dialect::Ollama, "{\"a\": }\n"), FaultKind::Garbled);
    assert_eq!(fault(Dialect::Chat, "<html>a page</html>"), FaultKind::Cut);
    assert_eq!(fault(Dialect::Chat, "{\"choices\": 7"), FaultKind::Cut);
    let not_utf8 = b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n";
    let said = read(Dialect::Chat, [&not_utf8[..]]).unwrap_err();
    assert_eq!(said.kind, FaultKind::Garbled, "{said}");
    for odd in ["[]", "null", "7", "{\"choices\":{\"0\":1}}", "{\"choices\":[null,7,[]]}"] {
        assert_eq!(fault(Dialect::Chat, &format!("data: {odd}\n\n")), FaultKind::Cut, "{odd}");
    }
}

#[test]
fn what_is_too_long_is_a_fault_and_takes_no_more_memory() {
    let piece = vec![b'x'; 64 << 10];
    let mut endless = Decoder::new(Dialect::Chat, false);
    endless.feed(b"data: ").unwrap();
    let pieces = (LINE_BYTES_MAX / piece.len()) + 2;
    let fault = (0..pieces).find_map(|_| endless.feed(&piece).err()).unwrap();
    assert_eq!(fault.kind, FaultKind::TooLong, "{fault}");
    let mut lines = Decoder::new(Dialect::Chat, false);
    let line = [&b"data: "[..], &piece, b"\n"].concat();
    let pieces = (EVENT_BYTES_MAX / line.len()) + 2;
    let fault = (0..pieces).find_map(|_| lines.feed(&line).err()).unwrap();
    assert_eq!(fault.kind, FaultKind::TooLong, "{fault}");
    let mut events = Decoder::new(Dialect::Chat, false);
    let event = format!("data: {{\"choices\":[],\"x\":\"{}\"}}\n\n", "y".repeat(32 << 10));
    let pieces = (REPLY_BYTES_MAX / event.len()) + 2;
    let fault = (0..pieces).find_map(|_| events.feed(event.as_bytes()).err()).unwrap();
    assert_eq!(fault.kind, FaultKind::TooLong, "{fault}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, in whatever pieces: the same end, and no panic.
    #[test]
    fn bytes_of_any_kind_come_to_the_same_end_however_they_are_cut(
        text in "(data: |event: [a-z]{1,5}|[{}\\[\\]\":,0-9a-zé]{0,20}|\r|\n|\r\n|: )*",
        sizes in proptest::collection::vec(1_usize..9, 1..20),
        dialect in proptest::sample::select(Dialect::ALL.to_vec()),
    ) {
        let bytes = text.as_bytes();
        let (mut pieces, mut rest, mut sizes) = (Vec::new(), bytes, sizes.into_iter().cycle());
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(sizes.next().unwrap().min(rest.len()));
            pieces.push(piece);
            rest = others;
        }
        prop_assert_eq!(read(dialect, pieces), read(dialect, [bytes]));
    }
}
