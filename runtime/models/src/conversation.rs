//! From what a model is told to a request, and from its reply to a thought: pure.

use crate::config::ModelEntry;
use crate::fault::{Fault, FaultKind};
use crate::reply::{Call, ModelReply, Stop};
use crate::request::{CallResult, MessagePart, ModelMessage, ModelRequest, Said, ToolSpec};
use serde_json::{Value as Json, json};
use stoa_actors::session::{
    Billing, GeneratedCall, Generation, ModelError, PassingKind, Thought, TokenUsage, is_open,
    thought,
};
use stoa_actors::window::{CodeStyle, PYTHON_TOOL, Window, WindowMessage};

/// Bytes of a reply's blocks that are kept: where they are more, its words are told again instead.
const BLOCKS_BYTES_MAX: usize = 128 << 10;

/// Bytes of a reply's words and arguments that are read: no thought has more.
const SAID_BYTES_MAX: usize = 1 << 20;

/// Bytes that are kept of a reply that cannot be used.
const UNUSABLE_BYTES: usize = 4 << 10;

/// Letters that are told of what a model says that refuses.
const SAID_CHARS: usize = 300;

/// Bytes of the names that a server has for a reply and for who made it.
const ID_BYTES_MAX: usize = 256;

/// Letters of a name that a model has made up.
const NAME_CHARS: usize = 64;

/// The request that a window is. What the model has said itself goes back to it as it came.
pub fn request_of(window: Window, entry: &ModelEntry) -> ModelRequest {
    let name = entry.full_name();
    let mut messages: Vec<ModelMessage> = Vec::new();
    // The calls whose results are to come.
    let mut open: Vec<GeneratedCall> = Vec::new();
    for message in window.messages {
        match message {
            WindowMessage::Told(text) => {
                // A call that nothing came of was cut off; none is left without a result.
                if !open.is_empty() {
                    messages.push(results(std::mem::take(&mut open), CUT_OFF, true));
                }
                told(&mut messages, text);
            }
            WindowMessage::Said(thought) => {
                let (said, calls) = said(thought, &name);
                open = calls;
                if said != Said::default() {
                    messages.push(ModelMessage::Assistant(said));
                }
            }
            WindowMessage::Observed(observation) => {
                let failed = observation.failed.is_some();
                let text = match observation.text.trim_end() {
                    "" => "(it printed nothing)",
                    text => text,
                };
                match open.is_empty() {
                    true => told(&mut messages, format!("Observation:\n{text}")),
                    false => messages.push(results(std::mem::take(&mut open), text, failed)),
                }
            }
        }
    }
    let tools = match entry.code {
        CodeStyle::Fence => Vec::new(),
        CodeStyle::Tool => vec![python_tool()],
    };
    ModelRequest {
        model: entry.name.clone(),
        system: window.system,
        tools,
        messages,
        output_max: entry.output_max,
        window: Some(entry.window),
        sampling: entry.sampling,
        effort: entry.effort.clone(),
    }
}

/// The result of a call that was cut off.
const CUT_OFF: &str = "(it was cut off; what it had done by then stands)";

/// Bytes of a token, where nothing was measured: more than most have, so that it is full too early
/// rather than too late.
const TOKEN_BYTES: usize = 3;

/// Tokens that a summary may take.
const SUMMARY_TOKENS: u64 = 2_048;

/// Tokens that a model is told of at most, so that there is room for what it says.
pub fn room(entry: &ModelEntry) -> u64 {
    entry.window.saturating_sub(entry.output_max).max(entry.window / 4)
}

/// Bytes of a window.
pub fn window_bytes(entry: &ModelEntry) -> usize {
    usize::try_from(room(entry)).unwrap_or(usize::MAX).saturating_mul(TOKEN_BYTES)
}

/// About how many tokens a window is: what its provider counted when it answered last, and what has come
/// since by its bytes.
pub fn tokens_of(window: &Window, entry: &ModelEntry) -> u64 {
    let name = entry.full_name();
    let measured = window.measured.and_then(|at| match &window.messages[at] {
        WindowMessage::Said(thought) => {
            let made = thought.generation.as_deref().filter(|it| it.model == name)?;
            let tokens = made.usage.input.saturating_add(made.usage.output);
            (made.usage.input > 0).then_some((at + 1, tokens))
        }
        _ => None,
    });
    let system: usize = window.system.iter().map(String::len).sum();
    let (from, counted, system) = match measured {
        Some((from, tokens)) => (from, tokens, 0),
        None => (0, 0, system),
    };
    let bytes: usize = window.messages[from..].iter().map(bytes_of).sum();
    counted.saturating_add(((system + bytes) / TOKEN_BYTES) as u64)
}

fn bytes_of(message: &WindowMessage) -> usize {
    match message {
        WindowMessage::Told(text) => text.len(),
        WindowMessage::Observed(observation) => observation.text.len(),
        WindowMessage::Said(thought) => {
            let blocks = thought.generation.as_deref().map_or(0, |it| it.blocks.len());
            blocks.max(thought.text.len() + thought.code.as_ref().map_or(0, String::len))
        }
    }
}

/// The same request, for a summary: nothing before its end is another, and it says less.
pub fn summed_up(request: ModelRequest) -> ModelRequest {
    let output_max = match request.effort {
        // It is not known how much of it is reasoning.
        Some(_) => request.output_max,
        None => request.output_max.min(SUMMARY_TOKENS),
    };
    ModelRequest { output_max, ..request }
}

/// Whoever is told two things in a row is told them in one message: some refuse two of one role.
fn told(messages: &mut Vec<ModelMessage>, text: String) {
    match messages.last_mut() {
        Some(ModelMessage::User(parts)) => parts.push(MessagePart::Text(text)),
        _ => messages.push(ModelMessage::User(vec![MessagePart::Text(text)])),
    }
}

fn said(thought: Thought, name: &str) -> (Said, Vec<GeneratedCall>) {
    let Thought { text, code, generation, .. } = thought;
    let generation = generation.unwrap_or_default();
    // Reasoning alone is taken back by nobody, and words that are none are refused.
    if code.is_none() && generation.calls.is_empty() && text.trim().is_empty() {
        return (Said::default(), Vec::new());
    }
    let own = generation.model == name;
    let blocks = match serde_json::from_str(&generation.blocks) {
        Ok(Json::Array(blocks)) if own => blocks,
        _ => Vec::new(),
    };
    if generation.calls.is_empty() {
        // Its code stood in a fence, and is told again in one.
        let text = match code {
            Some(code) => fenced(&text, &code),
            None => text,
        };
        return (Said { text, calls: Vec::new(), blocks }, Vec::new());
    }
    let call = |it: &GeneratedCall| Call {
        id: it.id.clone(),
        name: it.name.clone(),
        arguments: it.arguments.clone(),
    };
    let calls = generation.calls.iter().map(call).collect();
    (Said { text, calls, blocks }, generation.calls)
}

/// Code behind words, in a fence that is longer than any in it.
fn fenced(text: &str, code: &str) -> String {
    let longest = code
        .lines()
        .map(|it| it.trim_start())
        .map(|it| it.chars().take_while(|letter| *letter == '`').count());
    let ticks = "`".repeat(longest.max().unwrap_or(0).max(2) + 1);
    let gap = if text.is_empty() { "" } else { "\n" };
    let end = if code.ends_with('\n') { "" } else { "\n" };
    format!("{text}{gap}{ticks}python\n{code}{end}{ticks}")
}

/// The result of code is that of the last call; those before it ran with it.
fn results(calls: Vec<GeneratedCall>, text: &str, failed: bool) -> ModelMessage {
    let last = calls.len() - 1;
    let result = |(at, call): (usize, GeneratedCall)| CallResult {
        id: call.id,
        name: call.name,
        text: if at == last { text.to_owned() } else { "(ran together with the last call)".into() },
        failed: failed && at == last,
    };
    ModelMessage::Results(calls.into_iter().enumerate().map(result).collect())
}

fn python_tool() -> ToolSpec {
    ToolSpec {
        name: PYTHON_TOOL.to_owned(),
        description: "Runs Python. What it prints and the value of its last expression come back."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"code": {"type": "string", "description": "The code to run."}},
            "required": ["code"],
        }),
    }
}

/// The thought that a reply is.
///
/// Errors: the model, or a filter, refuses to answer.
pub fn thought_of(mut reply: ModelReply, entry: &ModelEntry) -> Result<Thought, ModelError> {
    let took_ms = reply.took_ms;
    let usage = reply.usage;
    let name = entry.full_name();
    if reply.stop == Stop::Refused {
        let said: String = reply.text.trim().chars().take(SAID_CHARS).collect();
        return Err(ModelError::new(format!("{name}: it refuses to answer: {said}"))
            .billed(Billing::Unknown));
    }
    let made = match unusable(&reply, entry) {
        Some(why) => Err(why),
        None => code_of(&reply),
    };
    let thought = match made {
        Ok(thought) => thought,
        Err(why) => {
            // Half of it, or what nobody can read, is not told again: many a provider refuses it.
            (reply.calls, reply.blocks) = (Vec::new(), Vec::new());
            let most = reply.text.floor_char_boundary(UNUSABLE_BYTES);
            let text = reply.text[..most].trim().to_owned();
            Thought { text, unusable: Some(why), ..Thought::default() }
        }
    };
    let blocks = match reply.blocks.is_empty() {
        true => String::new(),
        false => Json::Array(reply.blocks).to_string(),
    };
    let call = |it: Call| GeneratedCall { id: it.id, name: it.name, arguments: it.arguments };
    let generation = Generation {
        model: name,
        answered_by: short(reply.model),
        reply: short(reply.id),
        stop: short(reply.stop.name().to_owned()),
        usage: TokenUsage {
            input: usage.input,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            output: usage.output,
            reasoning: usage.reasoning,
        },
        calls: reply.calls.into_iter().map(call).collect(),
        blocks: if blocks.len() > BLOCKS_BYTES_MAX { String::new() } else { blocks },
        took_ms,
        first_ms: reply.first_ms,
        output_max: entry.output_max,
        server: reply.server,
    };
    let tokens = usage.input.saturating_add(usage.output);
    Ok(Thought { tokens, generation: Some(Box::new(generation)), ..thought })
}

/// Why nothing of a complete reply is acted upon.
fn unusable(reply: &ModelReply, entry: &ModelEntry) -> Option<String> {
    Some(match &reply.stop {
        Stop::Length => format!(
            "your reply was cut off at its limit of {} tokens, and nothing of it was run; say less at \
             once, in several steps",
            entry.output_max
        ),
        Stop::Window => {
            "your reply was cut off, for your window is full; nothing of it was run".into()
        }
        Stop::End | Stop::Call | Stop::Sequence => return too_long(reply),
        // Whether it is whole nobody has said: half of a block or of a call shows that it is not.
        Stop::Unsaid if reply.calls.is_empty() && !is_open(&reply.text) => return too_long(reply),
        Stop::Unsaid if !reply.calls.is_empty() && reply.calls.iter().all(is_whole) => {
            return too_long(reply);
        }
        stop => format!(
            "your reply ended before it was complete ({:.64}), and nothing of it was run; say it again",
            stop.name()
        ),
    })
}

fn too_long(reply: &ModelReply) -> Option<String> {
    let arguments: usize = reply.calls.iter().map(|it| it.arguments.len()).sum();
    let bytes = reply.text.len() + arguments;
    (bytes > SAID_BYTES_MAX).then(|| {
        format!("your reply has {bytes} bytes, and no more than {SAID_BYTES_MAX} are read")
    })
}

fn is_whole(call: &Call) -> bool {
    serde_json::from_str::<Json>(&call.arguments).is_ok()
}

/// Cut to what is kept of what a server says of itself.
fn short(text: String) -> String {
    match text.len() > ID_BYTES_MAX {
        true => text[..text.floor_char_boundary(ID_BYTES_MAX)].to_owned(),
        false => text,
    }
}

/// The code that a reply wants run: of its calls where there are any, else of its fences.
///
/// Errors: why none of it is, in words for the model.
fn code_of(reply: &ModelReply) -> Result<Thought, String> {
    if reply.calls.is_empty() {
        return Ok(thought(&reply.text));
    }
    let mut code = String::new();
    for call in &reply.calls {
        if call.name != PYTHON_TOOL {
            let name: String = call.name.chars().take(NAME_CHARS).collect();
            return Err(format!("there is no tool {name:?}; call {PYTHON_TOOL:?} with \"code\""));
        }
        code.push_str(&python_of(&call.arguments)?);
        code.push('\n');
    }
    let text = reply.text.trim().to_owned();
    match code.trim().is_empty() {
        true => Err(format!("the call of {PYTHON_TOOL:?} has no code in it")),
        false => Ok(Thought { text, code: Some(code), ..Thought::default() }),
    }
}

/// The `code` of a call's arguments. A model that sends the code itself is understood.
fn python_of(arguments: &str) -> Result<String, String> {
    let wrong =
        |why: &str| format!("the arguments of {PYTHON_TOOL:?} are not {{\"code\": TEXT}}: {why}");
    match serde_json::from_str(arguments) {
        Ok(Json::Object(mut fields)) => match fields.remove("code") {
            Some(Json::String(code)) => Ok(code),
            Some(_) => Err(wrong("\"code\" is no text")),
            None => Err(wrong("there is no \"code\"")),
        },
        Ok(Json::String(code)) => Ok(code),
        Ok(_) => Err(wrong("it is no object")),
        Err(error) => Err(wrong(&error.to_string())),
    }
}

/// What a fault is to the agent. A reply that is too long, or that nobody can read, is the model's own:
/// it is told.
pub fn error_of(fault: Fault, name: &str) -> Result<Thought, ModelError> {
    if fault.kind == FaultKind::TooLong {
        let unusable = Some(format!("your reply was not taken: {fault}"));
        return Ok(Thought { unusable, ..Thought::default() });
    }
    let text = format!("{name}: {fault}");
    let billing = if fault.paid { Billing::Unknown } else { Billing::Refused };
    if matches!(fault.kind, FaultKind::TooBig | FaultKind::Truncated) {
        return Err(ModelError::full(text).billed(billing));
    }
    let wait_ms = fault.wait.map(|it| it.as_millis() as u64);
    let error = if fault.kind.is_wait() {
        ModelError::passing(PassingKind::Limited, wait_ms, text)
    } else if fault.may_retry() {
        ModelError::passing(PassingKind::Failed, wait_ms, text)
    } else {
        ModelError::new(text)
    };
    Err(error.billed(billing))
}

#[cfg(test)]
mod tests;
