//! What is said of a span, by the names of OpenTelemetry's conventions.

use crate::mutant::planted;
use crate::session::{Generation, TokenUsage};

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A name or a word.
    Text(String),
    /// Several of these.
    Texts(Vec<String>),
    /// A number of things.
    Number(u64),
    /// How long, in seconds.
    Seconds(f64),
    /// Yes or no.
    Flag(bool),
}

pub(super) type Attributes = Vec<(&'static str, Attribute)>;

pub(super) const OPERATION: &str = "gen_ai.operation.name";
pub(super) const PROVIDER: &str = "gen_ai.provider.name";
pub(super) const AGENT_ID: &str = "gen_ai.agent.id";
pub(super) const AGENT_NAME: &str = "gen_ai.agent.name";
pub(super) const CONVERSATION: &str = "gen_ai.conversation.id";
pub(super) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(super) const TOOL_NAME: &str = "gen_ai.tool.name";
pub(super) const TOOL_TYPE: &str = "gen_ai.tool.type";
pub(super) const TOOL_CALL: &str = "gen_ai.tool.call.id";
pub(super) const DATA_SOURCE: &str = "gen_ai.data_source.id";
pub(super) const TURN: &str = "stoa.turn";
pub(super) const STEP: &str = "stoa.step";
pub(super) const ATTEMPT: &str = "stoa.attempt";
pub(super) const REQUESTS: &str = "stoa.requests";
pub(super) const FOUND: &str = "stoa.found";
pub(super) const WROTE: &str = "stoa.wrote";
pub(super) const COMPACTION: &str = "stoa.compaction";

/// With a text, where there is one.
pub(super) fn text(
    name: &'static str,
    text: impl Into<String>,
) -> Option<(&'static str, Attribute)> {
    let text = text.into();
    (!text.is_empty()).then_some((name, Attribute::Text(text)))
}

/// With a number.
pub(super) fn number(name: &'static str, number: u64) -> (&'static str, Attribute) {
    (name, Attribute::Number(number))
}

/// Who is asked and for which model: of `anthropic/claude-sonnet-5` its two parts. A model that is
/// configured by a name of its own says nothing of its provider.
pub(super) fn provider_and_model(model: &str) -> (&str, &str) {
    model.split_once('/').unwrap_or((OWN, model))
}

/// Whose models those are that no provider is known of: the recipes, and what was put off before it
/// ever answered.
const OWN: &str = "stoa";

/// What a reply took, or several; nothing where nobody was asked.
pub(super) fn usage(to: &mut Attributes, usage: TokenUsage) {
    if usage == TokenUsage::default() {
        return;
    }
    let TokenUsage { input, cache_read, cache_write, output, reasoning } = usage;
    to.extend([
        number("gen_ai.usage.input_tokens", input),
        number("gen_ai.usage.output_tokens", output),
    ]);
    let some = [
        ("gen_ai.usage.cache_read.input_tokens", cache_read),
        ("gen_ai.usage.cache_creation.input_tokens", cache_write),
        ("gen_ai.usage.reasoning.output_tokens", reasoning),
    ];
    to.extend(some.into_iter().filter(|it| it.1 > 0).map(|(name, it)| number(name, it)));
}

/// What the provider says of its reply.
pub(super) fn generation(to: &mut Attributes, made: &Generation) {
    to.extend(text("gen_ai.response.model", &made.answered_by));
    to.extend(text("gen_ai.response.id", &made.reply));
    if !made.stop.is_empty() {
        let stop = match made.stop.as_str() {
            "end" => "stop",
            "call" => "tool_call",
            other => other,
        };
        to.push(("gen_ai.response.finish_reasons", Attribute::Texts(vec![stop.to_owned()])));
    }
    to.push(("gen_ai.request.stream", Attribute::Flag(true)));
    if made.first_ms > 0 {
        let first = Attribute::Seconds(made.first_ms as f64 / 1_000.0);
        to.push(("gen_ai.response.time_to_first_chunk", first));
    }
    to.extend((made.output_max > 0).then(|| number("gen_ai.request.max_tokens", made.output_max)));
    // Of an address in brackets the last colon is in it.
    let (host, port) = match made.server.rsplit_once(':').filter(|it| !it.1.ends_with(']')) {
        Some((host, port)) => (host, port.parse().ok()),
        None => (&*made.server, None),
    };
    to.extend(text("server.address", host.trim_matches(['[', ']'])));
    to.extend(port.map(|it| number("server.port", it)));
}

/// The exceptions that Python has by itself, and those that agents know besides. Any other has a name
/// that somebody may have written.
const EXCEPTIONS: [&str; 47] = [
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BlockingIOError",
    "BrokenPipeError",
    "BaseException",
    "BufferError",
    "Conflict",
    "ConnectionError",
    "EOFError",
    "Exception",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "ImportError",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SystemError",
    "SystemExit",
    "TimeoutError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnusableReply",
    "ValueError",
    "ZeroDivisionError",
];

/// What is none of the words that are known.
pub(super) const OTHER: &str = "_OTHER";

/// An exception by its class.
pub(super) fn exception(class: &str) -> String {
    let known = EXCEPTIONS.contains(&class) || planted("trace.tells_what_was_written");
    if known { class.to_owned() } else { OTHER.to_owned() }
}
