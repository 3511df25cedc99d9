//! Anthropic's Messages.

use super::look::{list, number, some, tell, text};
use super::{Wire, status};
use crate::fault::Fault;
use crate::reply::{Call, Delta, ModelReply, Stop, Usage};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Messages {
    id: String,
    model: String,
    blocks: BTreeMap<u64, Block>,
    stop: Option<Stop>,
    counts: Counts,
    complete: bool,
}

/// A block as it came first, with all that came for it since.
#[derive(Default)]
struct Block {
    fields: Map<String, Json>,
    /// JSON text of the input of a call.
    input: String,
}

/// Tokens as they are told: later counts replace earlier ones.
#[derive(Default)]
struct Counts {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
}

impl Counts {
    fn tell(&mut self, usage: &Json) {
        tell(&mut self.input, usage, "input_tokens");
        tell(&mut self.cache_read, usage, "cache_read_input_tokens");
        tell(&mut self.cache_write, usage, "cache_creation_input_tokens");
        tell(&mut self.output, usage, "output_tokens");
        if let Some(details) = some(usage, "output_tokens_details") {
            tell(&mut self.reasoning, details, "thinking_tokens");
        }
    }
}

impl Block {
    fn kind(&self) -> &str {
        self.fields.get("type").and_then(Json::as_str).unwrap_or_default()
    }

    /// More of a text of it.
    fn push(&mut self, key: &str, more: &str) {
        match self.fields.get_mut(key) {
            Some(Json::String(text)) => text.push_str(more),
            _ => drop(self.fields.insert(key.to_owned(), more.into())),
        }
    }

    fn field(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Json::as_str).unwrap_or_default()
    }

    /// As it is sent back.
    fn whole(mut self) -> Json {
        if !self.input.trim().is_empty()
            && let Ok(input) = serde_json::from_str(&self.input)
        {
            self.fields.insert("input".to_owned(), input);
        }
        Json::Object(self.fields)
    }
}

impl Messages {
    fn begins(&mut self, message: &Json) {
        self.id = text(message, "id").unwrap_or_default().to_owned();
        self.model = text(message, "model").unwrap_or_default().to_owned();
        if let Some(usage) = some(message, "usage") {
            self.counts.tell(usage);
        }
    }

    fn stops(&mut self, of: &Json) {
        if let Some(reason) = text(of, "stop_reason") {
            self.stop = Some(match reason {
                "end_turn" => Stop::End,
                "tool_use" => Stop::Call,
                "max_tokens" => Stop::Length,
                "model_context_window_exceeded" => Stop::Window,
                "stop_sequence" => Stop::Sequence,
                "pause_turn" => Stop::Paused,
                "refusal" => Stop::Refused,
                other => Stop::Other(other.to_owned()),
            });
        }
    }

    fn block(&mut self, index: u64, block: &Json, out: &mut Vec<Delta>) {
        let Json::Object(fields) = block else { return };
        let block = Block { fields: fields.clone(), input: String::new() };
        match block.kind() {
            "text" if !block.field("text").is_empty() => {
                out.push(Delta::Text(block.field("text").to_owned()));
            }
            "thinking" if !block.field("thinking").is_empty() => {
                out.push(Delta::Reasoning(block.field("thinking").to_owned()));
            }
            "tool_use" => out.push(Delta::CallBegun(block.field("name").to_owned())),
            _ => {}
        }
        self.blocks.insert(index, block);
    }

    fn delta(&mut self, index: u64, delta: &Json, out: &mut Vec<Delta>) {
        // A server that leaves the beginning of a block out is understood by what it adds.
        let kind = text(delta, "type").unwrap_or_default();
        let block = self.blocks.entry(index).or_insert_with(|| {
            let kind = if kind == "thinking_delta" { "thinking" } else { "text" };
            let fields = Map::from_iter([("type".to_owned(), kind.into())]);
            Block { fields, input: String::new() }
        });
        let more = |key: &str| delta.get(key).and_then(Json::as_str).unwrap_or_default();
        match kind {
            "text_delta" => {
                block.push("text", more("text"));
                out.push(Delta::Text(more("text").to_owned()));
            }
            "thinking_delta" => {
                block.push("thinking", more("thinking"));
                out.push(Delta::Reasoning(more("thinking").to_owned()));
            }
            "signature_delta" => block.push("signature", more("signature")),
            "input_json_delta" => {
                block.input.push_str(more("partial_json"));
                out.push(Delta::Arguments(more("partial_json").to_owned()));
            }
            "citations_delta" => {
                if let Some(citation) = some(delta, "citation") {
                    let all =
                        block.fields.entry("citations").or_insert_with(|| Json::Array(vec![]));
                    match all {
                        Json::Array(all) => all.push(citation.clone()),
                        all => *all = Json::Array(vec![citation.clone()]),
                    }
                }
            }
            _ => {}
        }
    }
}

impl Wire for Messages {
    fn event(&mut self, name: &str, data: &Json, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let kind = text(data, "type").unwrap_or(name);
        let index = number(data, "index").unwrap_or_default();
        match kind {
            "message_start" => {
                if let Some(message) = some(data, "message") {
                    self.begins(message);
                }
            }
            "content_block_start" => {
                if let Some(block) = some(data, "content_block") {
                    self.block(index, block, out);
                }
            }
            "content_block_delta" => {
                if let Some(delta) = some(data, "delta") {
                    self.delta(index, delta, out);
                }
            }
            "message_delta" => {
                if let Some(delta) = some(data, "delta") {
                    self.stops(delta);
                }
                if let Some(usage) = some(data, "usage") {
                    self.counts.tell(usage);
                }
            }
            "message_stop" => self.complete = true,
            "error" => return Err(status::in_stream(data)),
            // `ping`, the end of a block, and what is yet to be invented.
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, reply: &Json, out: &mut Vec<Delta>) -> Result<(), Fault> {
        if text(reply, "type") == Some("error") || some(reply, "error").is_some() {
            return Err(status::in_stream(reply));
        }
        self.begins(reply);
        self.stops(reply);
        for (index, block) in list(reply, "content").enumerate() {
            self.block(index as u64, block, out);
        }
        self.complete = self.stop.is_some();
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn says_something(&self) -> bool {
        !self.blocks.is_empty()
    }

    fn reply(self: Box<Self>) -> ModelReply {
        let mut reply = ModelReply { id: self.id, model: self.model, ..ModelReply::default() };
        for block in self.blocks.into_values() {
            match block.kind() {
                "text" => reply.text.push_str(block.field("text")),
                "thinking" => reply.reasoning.push_str(block.field("thinking")),
                "tool_use" => {
                    let begun = block.fields.get("input").filter(|it| it.is_object());
                    let arguments = match block.input.trim() {
                        "" => begun.map_or_else(|| "{}".to_owned(), Json::to_string),
                        input => input.to_owned(),
                    };
                    let (id, name) = (block.field("id").to_owned(), block.field("name").to_owned());
                    reply.calls.push(Call { id, name, arguments });
                }
                _ => {}
            }
            reply.blocks.push(block.whole());
        }
        reply.stop = self.stop.unwrap_or(Stop::Unsaid);
        let Counts { input, cache_read, cache_write, output, reasoning } = self.counts;
        let input = input + cache_read + cache_write;
        reply.usage = Usage { input, cache_read, cache_write, output, reasoning };
        reply
    }
}
