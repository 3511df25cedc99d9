//! Ollama's own: a value a line.

use super::look::{list, some, tell, text};
use super::{Wire, status};
use crate::fault::Fault;
use crate::reply::{Call, Delta, ModelReply, Stop};
use serde_json::Value as Json;

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Ollama {
    reply: ModelReply,
    stop: Option<Stop>,
}

impl Wire for Ollama {
    fn event(&mut self, _: &str, data: &Json, out: &mut Vec<Delta>) -> Result<(), Fault> {
        if some(data, "error").is_some() {
            return Err(status::in_stream(data));
        }
        let reply = &mut self.reply;
        if let Some(model) = text(data, "model") {
            reply.model = model.to_owned();
        }
        if let Some(message) = some(data, "message") {
            if let Some(said) = text(message, "content") {
                reply.text.push_str(said);
                out.push(Delta::Text(said.to_owned()));
            }
            if let Some(thought) = text(message, "thinking") {
                reply.reasoning.push_str(thought);
                out.push(Delta::Reasoning(thought.to_owned()));
            }
            for call in list(message, "tool_calls") {
                let function = some(call, "function").unwrap_or(&Json::Null);
                let name = text(function, "name").unwrap_or_default().to_owned();
                let arguments = match function.get("arguments") {
                    Some(Json::String(text)) if !text.is_empty() => text.clone(),
                    Some(value @ Json::Object(_)) => value.to_string(),
                    _ => "{}".to_owned(),
                };
                out.push(Delta::CallBegun(name.clone()));
                out.push(Delta::Arguments(arguments.clone()));
                let id = text(call, "id").unwrap_or_default().to_owned();
                reply.calls.push(Call { id, name, arguments });
            }
        }
        if data.get("done").and_then(Json::as_bool) == Some(true) {
            tell(&mut reply.usage.input, data, "prompt_eval_count");
            tell(&mut reply.usage.output, data, "eval_count");
            self.stop = Some(match text(data, "done_reason").unwrap_or("stop") {
                "stop" if !reply.calls.is_empty() => Stop::Call,
                "stop" => Stop::End,
                "length" => Stop::Length,
                other => Stop::Other(other.to_owned()),
            });
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
        !self.reply.text.is_empty() || !self.reply.calls.is_empty()
    }

    fn reply(self: Box<Self>) -> ModelReply {
        let Ollama { mut reply, stop } = *self;
        reply.stop = stop.unwrap_or(Stop::Unsaid);
        reply
    }
}
