//! OpenAI's Responses.

use super::look::{list, number, some, tell, text};
use super::{Wire, status};
use crate::fault::{Fault, FaultKind};
use crate::reply::{Call, Delta, ModelReply, Stop, Usage};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Responses {
    reply: ModelReply,
    /// Items that are complete, by their place.
    items: BTreeMap<u64, Json>,
    stop: Option<Stop>,
}

impl Responses {
    fn named(&mut self, response: &Json) {
        let ModelReply { id, model, .. } = &mut self.reply;
        for (to, key) in [(id, "id"), (model, "model")] {
            if let Some(said) = text(response, key) {
                *to = said.to_owned();
            }
        }
    }

    /// The reply as it is said last.
    fn ends(&mut self, response: &Json) -> Result<(), Fault> {
        self.named(response);
        let failed = |error: &Json| Err(status::in_stream(&serde_json::json!({"error": error})));
        match text(response, "status").unwrap_or_default() {
            "failed" => return failed(some(response, "error").unwrap_or(response)),
            "cancelled" => {
                return Err(Fault::new(FaultKind::Server, "the provider has cancelled it"));
            }
            _ => {}
        }
        if let Some(usage) = some(response, "usage") {
            let Usage { input, cache_read, cache_write, output, reasoning } = &mut self.reply.usage;
            tell(input, usage, "input_tokens");
            tell(output, usage, "output_tokens");
            if let Some(details) = some(usage, "input_tokens_details") {
                tell(cache_read, details, "cached_tokens");
                tell(cache_write, details, "cache_write_tokens");
            }
            if let Some(details) = some(usage, "output_tokens_details") {
                tell(reasoning, details, "reasoning_tokens");
            }
        }
        let items: BTreeMap<u64, Json> = (0..).zip(list(response, "output").cloned()).collect();
        if !items.is_empty() {
            self.items = items;
        }
        let why = some(response, "incomplete_details").and_then(|it| text(it, "reason"));
        self.stop = Some(match (text(response, "status"), why) {
            (Some("incomplete"), Some("max_output_tokens")) => Stop::Length,
            (Some("incomplete"), Some("content_filter")) => Stop::Refused,
            (Some("incomplete"), why) => Stop::Other(why.unwrap_or("incomplete").to_owned()),
            _ => Stop::End,
        });
        Ok(())
    }

    fn take(&mut self, item: Json) {
        let reply = &mut self.reply;
        match text(&item, "type").unwrap_or_default() {
            "message" => {
                for part in list(&item, "content") {
                    let said = text(part, "text").or_else(|| text(part, "refusal"));
                    reply.text.push_str(said.unwrap_or_default());
                    if text(part, "type") == Some("refusal") && self.stop == Some(Stop::End) {
                        self.stop = Some(Stop::Refused);
                    }
                }
            }
            "reasoning" => {
                for part in list(&item, "summary").chain(list(&item, "content")) {
                    reply.reasoning.push_str(text(part, "text").unwrap_or_default());
                }
            }
            "function_call" => {
                let of = |key: &str| text(&item, key).unwrap_or_default().to_owned();
                let arguments = text(&item, "arguments").unwrap_or("{}").to_owned();
                let id = text(&item, "call_id").map_or_else(|| of("id"), str::to_owned);
                reply.calls.push(Call { id, name: of("name"), arguments });
            }
            _ => {}
        }
        reply.blocks.push(item);
    }
}

impl Wire for Responses {
    fn event(&mut self, name: &str, data: &Json, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let kind = text(data, "type").unwrap_or(name);
        let more = || text(data, "delta").map(str::to_owned);
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                if let Some(response) = some(data, "response") {
                    self.named(response);
                }
            }
            "response.output_text.delta" | "response.refusal.delta" => {
                out.extend(more().map(Delta::Text));
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                out.extend(more().map(Delta::Reasoning));
            }
            "response.function_call_arguments.delta" => out.extend(more().map(Delta::Arguments)),
            "response.output_item.added" => {
                let item =
                    some(data, "item").filter(|it| text(it, "type") == Some("function_call"));
                let name = item.and_then(|it| text(it, "name"));
                out.extend(name.map(|it| Delta::CallBegun(it.to_owned())));
            }
            "response.output_item.done" => {
                if let Some(item) = some(data, "item") {
                    let next = self.items.len() as u64;
                    let place = number(data, "output_index").unwrap_or(next);
                    self.items.insert(place, item.clone());
                }
            }
            "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled" => self.ends(some(data, "response").unwrap_or(data))?,
            "error" => return Err(status::in_stream(data)),
            _ if kind.is_empty() && some(data, "error").is_some() => {
                return Err(status::in_stream(data));
            }
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, reply: &Json, _: &mut Vec<Delta>) -> Result<(), Fault> {
        if some(reply, "error").is_some() && some(reply, "output").is_none() {
            return Err(status::in_stream(reply));
        }
        match text(reply, "status") {
            Some("in_progress" | "queued") | None => self.named(reply),
            _ => self.ends(reply)?,
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.stop.is_some()
    }

    fn says_something(&self) -> bool {
        !self.items.is_empty()
    }

    fn reply(mut self: Box<Self>) -> ModelReply {
        for item in std::mem::take(&mut self.items).into_values() {
            self.take(item);
        }
        let mut reply = self.reply;
        reply.stop = self.stop.unwrap_or(Stop::Unsaid);
        if reply.stop == Stop::End && !reply.calls.is_empty() {
            reply.stop = Stop::Call;
        }
        reply
    }
}
