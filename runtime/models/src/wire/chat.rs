//! OpenAI's chat completions, as most servers speak them.

use super::calls::{Calls, Piece};
use super::look::{list, number, some, tell, text};
use super::{Wire, status};
use crate::fault::Fault;
use crate::reply::{Delta, ModelReply, Stop, Usage};
use serde_json::Value as Json;

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Chat {
    reply: ModelReply,
    calls: Calls,
    stop: Option<Stop>,
    /// Under which of [`REASONING`] it thought aloud.
    reasoned: Option<&'static str>,
}

/// Where servers say what a model thought aloud.
const REASONING: [&str; 2] = ["reasoning_content", "reasoning"];

impl Chat {
    fn named(&mut self, of: &Json) {
        let ModelReply { id, model, .. } = &mut self.reply;
        for (to, key) in [(id, "id"), (model, "model")] {
            if let Some(said) = text(of, key).filter(|_| to.is_empty()) {
                *to = said.to_owned();
            }
        }
    }

    fn usage(&mut self, usage: &Json) {
        let Usage { input, cache_read, cache_write, output, reasoning } = &mut self.reply.usage;
        tell(input, usage, "prompt_tokens");
        tell(output, usage, "completion_tokens");
        // Some leave what was reasoned out of that, and bill it.
        if let Some(total) = usage["total_tokens"].as_u64() {
            *output = (*output).max(total.saturating_sub(*input));
        }
        if let Some(details) = some(usage, "prompt_tokens_details") {
            tell(cache_read, details, "cached_tokens");
            tell(cache_write, details, "cache_write_tokens");
        }
        if let Some(details) = some(usage, "completion_tokens_details") {
            tell(reasoning, details, "reasoning_tokens");
        }
        // DeepSeek's word for it.
        tell(cache_read, usage, "prompt_cache_hit_tokens");
    }

    fn stops(&mut self, reason: &str) {
        self.stop = Some(match reason {
            "stop" => Stop::End,
            "tool_calls" | "function_call" => Stop::Call,
            "length" | "max_tokens" => Stop::Length,
            "content_filter" => Stop::Refused,
            other => Stop::Other(other.to_owned()),
        });
    }

    /// What a message, or a part of one, says.
    fn says(&mut self, message: &Json, out: &mut Vec<Delta>) {
        for said in [said(message, "content"), said(message, "refusal")].into_iter().flatten() {
            self.reply.text.push_str(&said);
            out.push(Delta::Text(said));
        }
        let thought = REASONING.iter().find_map(|key| Some((*key, said(message, key)?)));
        if let Some((key, thought)) = thought {
            self.reasoned = Some(key);
            self.reply.reasoning.push_str(&thought);
            out.push(Delta::Reasoning(thought));
        }
        for call in list(message, "tool_calls") {
            let function = some(call, "function").unwrap_or(&Json::Null);
            self.call(number(call, "index"), text(call, "id"), function, out);
        }
        if let Some(function) = some(message, "function_call") {
            self.call(Some(0), None, function, out);
        }
    }

    fn call(
        &mut self,
        index: Option<u64>,
        id: Option<&str>,
        function: &Json,
        out: &mut Vec<Delta>,
    ) {
        let whole;
        let arguments = match function.get("arguments") {
            Some(Json::String(text)) => text.as_str(),
            // Some servers send the value itself.
            Some(value @ Json::Object(_)) => {
                whole = value.to_string();
                &whole
            }
            _ => "",
        };
        self.calls.take(&Piece { index, id, name: text(function, "name"), arguments }, out);
    }
}

/// A text, or the texts of its parts.
fn said(of: &Json, key: &str) -> Option<String> {
    let said = match of.get(key)? {
        Json::String(text) => text.clone(),
        Json::Array(parts) => parts.iter().filter_map(|it| text(it, "text")).collect(),
        _ => return None,
    };
    Some(said).filter(|it| !it.is_empty())
}

impl Wire for Chat {
    fn event(&mut self, name: &str, data: &Json, out: &mut Vec<Delta>) -> Result<(), Fault> {
        if name == "error" || some(data, "error").is_some() {
            return Err(status::in_stream(data));
        }
        self.named(data);
        if let Some(usage) = some(data, "usage") {
            self.usage(usage);
        }
        // Where one reply was asked for there is one; a server may leave its number out.
        let first = |it: &&Json| number(it, "index").unwrap_or_default() == 0;
        for choice in list(data, "choices").filter(first) {
            for part in ["delta", "message"] {
                if let Some(said) = some(choice, part) {
                    self.says(said, out);
                }
            }
            if let Some(reason) = text(choice, "finish_reason") {
                self.stops(reason);
            }
        }
        Ok(())
    }

    fn whole(&mut self, reply: &Json, out: &mut Vec<Delta>) -> Result<(), Fault> {
        self.event("", reply, out)
    }

    fn is_complete(&self) -> bool {
        self.stop.is_some()
    }

    fn says_something(&self) -> bool {
        !self.reply.text.is_empty() || !self.calls.is_empty()
    }

    fn reply(self: Box<Self>) -> ModelReply {
        let Chat { mut reply, calls, stop, reasoned } = *self;
        reply.calls = calls.all();
        // Some demand it back with the results of calls, and refuse it without.
        if let Some(key) = reasoned.filter(|_| !reply.calls.is_empty()) {
            reply.blocks = vec![serde_json::json!({key: reply.reasoning})];
        }
        reply.stop = stop.unwrap_or(Stop::Unsaid);
        reply
    }
}
