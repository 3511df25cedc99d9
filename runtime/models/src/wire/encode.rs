//! What is sent: the body of a request, for each protocol.

use super::Dialect;
use crate::request::{MessagePart, ModelMessage, ModelRequest, Said, ToolSpec};
use serde_json::{Map, Value as Json, json};

impl Dialect {
    /// Where a request goes, behind the address of the provider, whose own path is `base`. People write
    /// addresses with and without the version in them, as the documentation of their server does.
    pub fn path(self, base: &str) -> String {
        let path = match self {
            Dialect::Anthropic => "/messages",
            Dialect::Responses => "/responses",
            Dialect::Chat => "/chat/completions",
            Dialect::Ollama => "/chat",
        };
        self.front(base).to_owned() + path
    }

    /// Where its models are listed.
    pub fn models_path(self, base: &str) -> String {
        let path = if self == Dialect::Ollama { "/tags" } else { "/models" };
        self.front(base).to_owned() + path
    }

    fn front(self, base: &str) -> &'static str {
        let base = base.trim_end_matches('/');
        match self {
            Dialect::Ollama if base.ends_with("/api") => "",
            Dialect::Ollama => "/api",
            Dialect::Anthropic if base.ends_with("/v1") => "",
            Dialect::Anthropic => "/v1",
            // Where there is a path it is all of it, whatever the version is called.
            Dialect::Responses | Dialect::Chat if base.is_empty() => "/v1",
            Dialect::Responses | Dialect::Chat => "",
        }
    }

    /// The body of a request. The same request is the same bytes, and what is added to its messages
    /// changes nothing of what stands before them.
    pub fn body(self, of: &ModelRequest) -> Json {
        let body = match self {
            Dialect::Anthropic => anthropic(of),
            Dialect::Responses => responses(of),
            Dialect::Chat => chat(of),
            Dialect::Ollama => ollama(of),
        };
        Json::Object(body)
    }
}

/// An object with its fields in this order.
fn object<const N: usize>(fields: [(&str, Json); N]) -> Map<String, Json> {
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A call's arguments as a value; what is no JSON object is told as the text that it was.
fn arguments(text: &str) -> Json {
    match serde_json::from_str(text) {
        Ok(value @ Json::Object(_)) => value,
        _ => json!({"arguments": text}),
    }
}

fn data_url(media_type: &str, base64: &str) -> String {
    format!("data:{media_type};base64,{base64}")
}

/// The last of the parts that never change, and the last of all, are marked: the provider keeps what
/// stands before a mark.
fn anthropic(of: &ModelRequest) -> Map<String, Json> {
    let text = |text: &str| json!({"type": "text", "text": text});
    let mut body = object([("model", of.model.as_str().into())]);
    let tool = |it: &ToolSpec| json!({"name": it.name, "description": it.description, "input_schema": it.parameters});
    if !of.tools.is_empty() {
        body.insert("tools".into(), of.tools.iter().map(tool).collect());
    }
    let mut system: Vec<Json> = of.system.iter().map(|it| text(it)).collect();
    mark(system.last_mut());
    if !system.is_empty() {
        body.insert("system".into(), system.into());
    }
    let part = |it: &MessagePart| match it {
        MessagePart::Text(said) => text(said),
        MessagePart::Image { media_type, base64 } => json!({
            "type": "image",
            "source": {"type": "base64", "media_type": media_type, "data": base64},
        }),
    };
    let said = |it: &Said| -> Vec<Json> {
        if !it.blocks.is_empty() {
            // A block of no words is not taken back.
            let empty = |it: &&Json| it["type"] == "text" && it["text"] == "";
            return it.blocks.iter().filter(|it| !empty(it)).cloned().collect();
        }
        let words = Some(text(&it.text)).filter(|_| !it.text.is_empty());
        let calls = it.calls.iter().map(|call| {
            let input = arguments(&call.arguments);
            json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
        });
        words.into_iter().chain(calls).collect()
    };
    let message = |it: &ModelMessage| {
        let (role, content): (_, Vec<Json>) = match it {
            ModelMessage::User(parts) => ("user", parts.iter().map(part).collect()),
            ModelMessage::Assistant(it) => ("assistant", said(it)),
            ModelMessage::Results(all) => {
                let result = |it: &crate::request::CallResult| {
                    json!({
                        "type": "tool_result",
                        "tool_use_id": it.id,
                        "content": it.text,
                        "is_error": it.failed,
                    })
                };
                ("user", all.iter().map(result).collect())
            }
        };
        json!({"role": role, "content": content})
    };
    let mut messages: Vec<Json> = of.messages.iter().map(message).collect();
    let last = messages.last_mut().and_then(|it| it["content"].as_array_mut());
    mark(last.and_then(|it| it.last_mut()));
    body.insert("messages".into(), messages.into());
    body.insert("max_tokens".into(), of.output_max.into());
    body.insert("stream".into(), true.into());
    body.extend(of.sampling.set().filter(|it| it.0 != "seed").map(|(k, v)| (k.to_owned(), v)));
    if let Some(effort) = &of.effort {
        body.insert("thinking".into(), json!({"type": "adaptive"}));
        body.insert("output_config".into(), json!({"effort": effort}));
    }
    body
}

fn mark(block: Option<&mut Json>) {
    // Reasoning cannot be marked.
    let may =
        |it: &&mut Json| !matches!(it["type"].as_str(), Some("thinking" | "redacted_thinking"));
    if let Some(Json::Object(block)) = block.filter(may) {
        block.insert("cache_control".into(), json!({"type": "ephemeral"}));
    }
}

fn responses(of: &ModelRequest) -> Map<String, Json> {
    let mut body = object([("model", of.model.as_str().into())]);
    let tool = |it: &ToolSpec| {
        json!({
            "type": "function",
            "name": it.name,
            "description": it.description,
            "parameters": it.parameters,
            "strict": false,
        })
    };
    if !of.tools.is_empty() {
        body.insert("tools".into(), of.tools.iter().map(tool).collect());
    }
    if !of.system.is_empty() {
        body.insert("instructions".into(), of.system.join("\n\n").into());
    }
    let part = |it: &MessagePart| match it {
        MessagePart::Text(said) => json!({"type": "input_text", "text": said}),
        MessagePart::Image { media_type, base64 } => {
            json!({"type": "input_image", "image_url": data_url(media_type, base64)})
        }
    };
    let mut input: Vec<Json> = Vec::new();
    for message in &of.messages {
        match message {
            ModelMessage::User(parts) => {
                let content: Vec<Json> = parts.iter().map(part).collect();
                input.push(json!({"role": "user", "content": content}));
            }
            ModelMessage::Assistant(said) if !said.blocks.is_empty() => {
                input.extend(said.blocks.iter().cloned());
            }
            ModelMessage::Assistant(said) => {
                if !said.text.is_empty() {
                    let content = json!([{"type": "output_text", "text": said.text}]);
                    input.push(json!({"role": "assistant", "content": content}));
                }
                input.extend(said.calls.iter().map(|call| {
                    json!({
                        "type": "function_call",
                        "call_id": call.id,
                        "name": call.name,
                        "arguments": call.arguments,
                    })
                }));
            }
            ModelMessage::Results(all) => input.extend(all.iter().map(
                |it| json!({"type": "function_call_output", "call_id": it.id, "output": it.text}),
            )),
        }
    }
    body.insert("input".into(), input.into());
    body.insert("max_output_tokens".into(), of.output_max.into());
    body.insert("stream".into(), true.into());
    // Nothing stays there; what it thought comes along and goes back.
    body.insert("store".into(), false.into());
    body.insert("include".into(), json!(["reasoning.encrypted_content"]));
    body.extend(of.sampling.set().filter(|it| it.0 != "seed").map(|(k, v)| (k.to_owned(), v)));
    if let Some(effort) = &of.effort {
        body.insert("reasoning".into(), json!({"effort": effort}));
    }
    body
}

fn function(it: &ToolSpec) -> Json {
    let function =
        json!({"name": it.name, "description": it.description, "parameters": it.parameters});
    json!({"type": "function", "function": function})
}

/// The first message, if there is anything to say in it.
fn system(of: &ModelRequest) -> Vec<Json> {
    let said = Some(of.system.join("\n\n")).filter(|it| !it.is_empty());
    said.iter().map(|it| json!({"role": "system", "content": it})).collect()
}

fn chat(of: &ModelRequest) -> Map<String, Json> {
    let mut body = object([("model", of.model.as_str().into())]);
    if !of.tools.is_empty() {
        body.insert("tools".into(), of.tools.iter().map(function).collect());
    }
    let mut messages = system(of);
    let part = |it: &MessagePart| match it {
        MessagePart::Text(said) => json!({"type": "text", "text": said}),
        MessagePart::Image { media_type, base64 } => {
            json!({"type": "image_url", "image_url": {"url": data_url(media_type, base64)}})
        }
    };
    for message in &of.messages {
        match message {
            ModelMessage::User(parts) => {
                let text = |it: &MessagePart| match it {
                    MessagePart::Text(text) => Some(text.clone()),
                    MessagePart::Image { .. } => None,
                };
                // Many a server takes nothing else than a text; and what is told next is added to it.
                let content = match parts.iter().map(text).collect::<Option<Vec<String>>>() {
                    Some(texts) => texts.join("\n\n").into(),
                    None => parts.iter().map(part).collect::<Json>(),
                };
                messages.push(json!({"role": "user", "content": content}));
            }
            ModelMessage::Assistant(said) => {
                let mut message = object([("role", "assistant".into())]);
                message.insert("content".into(), said.text.as_str().into());
                let call = |call: &crate::reply::Call| {
                    let function = json!({"name": call.name, "arguments": call.arguments});
                    json!({"id": call.id, "type": "function", "function": function})
                };
                if !said.calls.is_empty() {
                    message.insert("tool_calls".into(), said.calls.iter().map(call).collect());
                }
                // What is taken back besides, such as the reasoning that some demand with calls.
                for block in said.blocks.iter().filter_map(Json::as_object) {
                    message.extend(block.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                messages.push(message.into());
            }
            ModelMessage::Results(all) => messages.extend(
                all.iter()
                    .map(|it| json!({"role": "tool", "tool_call_id": it.id, "content": it.text})),
            ),
        }
    }
    body.insert("messages".into(), messages.into());
    body.insert("max_tokens".into(), of.output_max.into());
    body.insert("stream".into(), true.into());
    body.insert("stream_options".into(), json!({"include_usage": true}));
    body.extend(of.sampling.set().map(|(key, value)| (key.to_owned(), value)));
    if let Some(effort) = &of.effort {
        body.insert("reasoning_effort".into(), effort.as_str().into());
    }
    body
}

fn ollama(of: &ModelRequest) -> Map<String, Json> {
    let mut body = object([("model", of.model.as_str().into())]);
    if !of.tools.is_empty() {
        body.insert("tools".into(), of.tools.iter().map(function).collect());
    }
    let mut messages = system(of);
    for message in &of.messages {
        match message {
            ModelMessage::User(parts) => {
                let (mut texts, mut images) = (Vec::new(), Vec::new());
                for part in parts {
                    match part {
                        MessagePart::Text(said) => texts.push(said.as_str()),
                        MessagePart::Image { base64, .. } => images.push(base64.as_str()),
                    }
                }
                let mut message = object([("role", "user".into())]);
                message.insert("content".into(), texts.join("\n\n").into());
                if !images.is_empty() {
                    message.insert("images".into(), images.into());
                }
                messages.push(message.into());
            }
            ModelMessage::Assistant(said) => {
                let mut message = object([("role", "assistant".into())]);
                message.insert("content".into(), said.text.as_str().into());
                let call = |call: &crate::reply::Call| {
                    let arguments = arguments(&call.arguments);
                    json!({"function": {"name": call.name, "arguments": arguments}})
                };
                if !said.calls.is_empty() {
                    message.insert("tool_calls".into(), said.calls.iter().map(call).collect());
                }
                messages.push(message.into());
            }
            ModelMessage::Results(all) => messages.extend(
                all.iter()
                    .map(|it| json!({"role": "tool", "tool_name": it.name, "content": it.text})),
            ),
        }
    }
    body.insert("messages".into(), messages.into());
    body.insert("stream".into(), true.into());
    let mut options: Map<String, Json> =
        of.sampling.set().map(|(key, value)| (key.to_owned(), value)).collect();
    options.insert("num_predict".into(), of.output_max.into());
    // Without it most models see the first few thousand tokens, and nobody is told.
    options.extend(of.window.map(|it| ("num_ctx".to_owned(), it.into())));
    body.insert("options".into(), options.into());
    body.extend(of.effort.iter().map(|it| ("think".to_owned(), it.as_str().into())));
    body
}

#[cfg(test)]
mod tests;
