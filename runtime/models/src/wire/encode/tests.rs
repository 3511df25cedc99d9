use super::*;
use crate::reply::Call;
use crate::request::{CallResult, Sampling};

fn conversation() -> ModelRequest {
    let get = ToolSpec {
        name: "get".into(),
        description: "Read an atom".into(),
        parameters: json!({"type": "object", "properties": {"id": {"type": "string"}}}),
    };
    let call = Call { id: "c1".into(), name: "get".into(), arguments: r#"{"id":"é"}"#.into() };
    let result =
        CallResult { id: "c1".into(), name: "get".into(), text: "gone".into(), failed: true };
    let image = MessagePart::Image { media_type: "image/png".into(), base64: "iVBO".into() };
    ModelRequest {
        model: "m".into(),
        system: vec!["You are amy.".into(), "Be short.".into()],
        tools: vec![get],
        messages: vec![
            ModelMessage::User(vec![MessagePart::Text("look".into()), image]),
            ModelMessage::Assistant(Said {
                text: "I look.".into(),
                calls: vec![call],
                blocks: Vec::new(),
            }),
            ModelMessage::Results(vec![result]),
        ],
        output_max: 1_000,
        ..ModelRequest::default()
    }
}

#[test]
fn a_conversation_is_said_in_each_protocol() {
    let of = conversation();
    let parameters = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    let ephemeral = json!({"type": "ephemeral"});
    assert_eq!(
        Dialect::Anthropic.body(&of),
        json!({
            "model": "m",
            "tools": [{"name": "get", "description": "Read an atom", "input_schema": parameters}],
            "system": [
                {"type": "text", "text": "You are amy."},
                {"type": "text", "text": "Be short.", "cache_control": ephemeral},
            ],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image", "source":
                        {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                ]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c1", "name": "get", "input": {"id": "é"}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "gone",
                     "is_error": true, "cache_control": ephemeral},
                ]},
            ],
            "max_tokens": 1000,
            "stream": true,
        })
    );
    assert_eq!(
        Dialect::Responses.body(&of),
        json!({
            "model": "m",
            "tools": [{"type": "function", "name": "get", "description": "Read an atom",
                       "parameters": parameters, "strict": false}],
            "instructions": "You are amy.\n\nBe short.",
            "input": [
                {"role": "user", "content": [
                    {"type": "input_text", "text": "look"},
                    {"type": "input_image", "image_url": "data:image/png;base64,iVBO"},
                ]},
                {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
                {"type": "function_call", "call_id": "c1", "name": "get",
                 "arguments": "{\"id\":\"é\"}"},
                {"type": "function_call_output", "call_id": "c1", "output": "gone"},
            ],
            "max_output_tokens": 1000,
            "stream": true,
            "store": false,
            "include": ["reasoning.encrypted_content"],
        })
    );
    let tools = json!([{"type": "function", "function":
        {"name": "get", "description": "Read an atom", "parameters": parameters}}]);
    assert_eq!(
        Dialect::Chat.body(&of),
        json!({
            "model": "m",
            "tools": tools,
            "messages": [
                {"role": "system", "content": "You are amy.\n\nBe short."},
                {"role": "user", "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
                ]},
                {"role": "assistant", "content": "I look.", "tool_calls": [
                    {"id": "c1", "type": "function",
                     "function": {"name": "get", "arguments": "{\"id\":\"é\"}"}},
                ]},
                {"role": "tool", "tool_call_id": "c1", "content": "gone"},
            ],
            "max_tokens": 1000,
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
    assert_eq!(
        Dialect::Ollama.body(&ModelRequest { window: Some(8_192), ..of }),
        json!({
            "model": "m",
            "tools": tools,
            "messages": [
                {"role": "system", "content": "You are amy.\n\nBe short."},
                {"role": "user", "content": "look", "images": ["iVBO"]},
                {"role": "assistant", "content": "I look.", "tool_calls": [
                    {"function": {"name": "get", "arguments": {"id": "é"}}},
                ]},
                {"role": "tool", "tool_name": "get", "content": "gone"},
            ],
            "stream": true,
            "options": {"num_predict": 1000, "num_ctx": 8192},
        })
    );
}

#[test]
fn nothing_is_sent_of_how_words_are_chosen_that_is_not_set() {
    let plain = conversation();
    let sampling = Sampling { temperature: Some(0.5), top_p: Some(0.9), seed: Some(7) };
    let set = ModelRequest { sampling, effort: Some("low".into()), ..plain.clone() };
    let words = ["temperature", "top_p", "seed", "effort", "reasoning_effort", "think", "thinking"];
    let has = |body: &Json, word: &str| body.to_string().contains(&format!("\"{word}\""));
    for dialect in Dialect::ALL {
        let body = dialect.body(&plain);
        assert!(!words.iter().any(|it| has(&body, it)), "{dialect:?}: {body}");
        let body = dialect.body(&set);
        assert!(has(&body, "temperature") && has(&body, "top_p"), "{dialect:?}: {body}");
        let seeds = matches!(dialect, Dialect::Chat | Dialect::Ollama);
        assert_eq!(has(&body, "seed"), seeds, "{dialect:?}: {body}");
    }
}

/// Where the two stop being alike.
fn alike(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

#[test]
fn what_is_added_changes_nothing_of_what_stands_before_it() {
    for dialect in Dialect::ALL {
        let mut of = conversation();
        let text = |of: &ModelRequest| {
            let body = dialect.body(of).to_string();
            body.replace(r#","cache_control":{"type":"ephemeral"}"#, "")
        };
        let before = text(&of);
        of.messages.push(ModelMessage::User(vec![MessagePart::Text("and now?".into())]));
        let after = text(&of);
        let messages = if dialect == Dialect::Responses { "\"input\":" } else { "\"messages\":" };
        let begins = before.find(messages).unwrap();
        let last = before.find("gone").unwrap();
        assert!(begins < last && alike(&before, &after) > last, "{dialect:?}: {before}");
    }
}

#[test]
fn what_a_model_said_goes_back_as_it_came() {
    let stream = include_str!("../../../tests/streams/anthropic_code.sse");
    let mut decoder = super::super::Decoder::new(Dialect::Anthropic, false);
    decoder.feed(stream.as_bytes()).unwrap();
    let (reply, _) = decoder.end().unwrap();
    let said = Said { text: reply.text, calls: reply.calls, blocks: reply.blocks.clone() };
    let messages = vec![ModelMessage::Assistant(said.clone()), ModelMessage::User(Vec::new())];
    let of = ModelRequest { messages, ..conversation() };
    let body = Dialect::Anthropic.body(&of);
    assert_eq!(body["messages"][0]["content"], Json::from(reply.blocks));
    // To another model only what it said in words.
    let other = Said { blocks: Vec::new(), ..said };
    let of = ModelRequest { messages: vec![ModelMessage::Assistant(other)], ..conversation() };
    let body = Dialect::Anthropic.body(&of).to_string();
    assert!(!body.contains("signature") && body.contains("toolu_01"), "{body}");
}

#[test]
fn reasoning_that_must_come_back_with_calls_does() {
    let stream = concat!(
        "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",",
        "\"function\":{\"name\":\"get\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n",
    );
    let mut decoder = super::super::Decoder::new(Dialect::Chat, false);
    decoder.feed(stream.as_bytes()).unwrap();
    let (reply, _) = decoder.end().unwrap();
    let said = Said { text: reply.text, calls: reply.calls, blocks: reply.blocks };
    let of = ModelRequest { messages: vec![ModelMessage::Assistant(said)], ..conversation() };
    let body = Dialect::Chat.body(&of);
    assert_eq!(body["messages"][1]["reasoning_content"], "hm", "{body}");
}

#[test]
fn arguments_that_are_no_object_go_back_as_text() {
    for text in ["[1]", "nonsense", "", "\"x\""] {
        assert_eq!(arguments(text), json!({"arguments": text}));
    }
}

#[test]
fn an_address_is_taken_with_and_without_a_version() {
    for (dialect, base, path) in [
        (Dialect::Anthropic, "/", "/v1/messages"),
        (Dialect::Anthropic, "/v1", "/messages"),
        (Dialect::Anthropic, "/proxy", "/v1/messages"),
        (Dialect::Responses, "/", "/v1/responses"),
        (Dialect::Responses, "/v1", "/responses"),
        (Dialect::Chat, "/", "/v1/chat/completions"),
        (Dialect::Chat, "/api/v1", "/chat/completions"),
        (Dialect::Chat, "/v1beta/openai/", "/chat/completions"),
        (Dialect::Ollama, "/", "/api/chat"),
        (Dialect::Ollama, "/api", "/chat"),
    ] {
        assert_eq!(dialect.path(base), path, "{dialect:?} {base}");
    }
    assert_eq!(Dialect::Chat.models_path("/v1"), "/models");
    assert_eq!(Dialect::Ollama.models_path("/"), "/api/tags");
}
