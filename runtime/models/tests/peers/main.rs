//! Providers that nobody here wrote: two model servers that others test their clients with. `.ci/peers`
//! installs them into `target/peers`, or where `STOA_PEERS` says. Where they are not installed every test
//! here says that it is skipped, and fails if `STOA_PEERS_REQUIRED=1` is set.
//!
//! What they cannot show: aimock tells no usage and no ids of calls in Ollama's protocol, gives the
//! arguments of a call there in one piece, as Ollama does, and errors as chat completions have them. It
//! has no usage of a cache. llmock does not speak that protocol.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod aimock;
mod faults;
mod llmock;
mod server;

use serde_json::json;
use server::Server;
use stoa_models::config::ProviderConfig;
use stoa_models::fault::Fault;
use stoa_models::limits::ProviderWaits;
use stoa_models::provider::Provider;
use stoa_models::reply::{Call, Delta, ModelReply, Stop, Usage};
use stoa_models::request::{MessagePart, ModelMessage, ModelRequest, ToolSpec};
use stoa_models::wire::Dialect;

/// Nothing here takes longer that goes well.
const WAITS: ProviderWaits = ProviderWaits {
    connect_ms: 1_000,
    first_ms: 1_500,
    gap_ms: 1_500,
    total_ms: 5_000,
    queue_ms: 10_000,
};

fn config(dialect: Dialect, url: &str) -> ProviderConfig {
    ProviderConfig { waits: WAITS, ..ProviderConfig::new("peer", dialect, url) }
}

fn provider(dialect: Dialect, server: &Server) -> Provider {
    Provider::new(config(dialect, &server.url)).unwrap()
}

fn user(text: &str) -> ModelMessage {
    ModelMessage::User(vec![MessagePart::Text(text.to_owned())])
}

fn request(text: &str) -> ModelRequest {
    ModelRequest {
        model: "m".into(),
        messages: vec![user(text)],
        output_max: 100,
        ..ModelRequest::default()
    }
}

/// The same, of a model that may have the weather and the time of day told.
fn with_tools(text: &str) -> ModelRequest {
    let tool = |name: &str, description: &str, needs: &str| ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {needs: {"type": "string"}},
            "required": [needs],
        }),
    };
    let tools = vec![
        tool("weather", "The weather of a city", "city"),
        tool("clock", "The time of day of a zone", "zone"),
    ];
    ModelRequest { tools, ..request(text) }
}

/// One reply, and what was told while it came.
async fn asked(
    provider: &Provider,
    request: &ModelRequest,
) -> (Result<ModelReply, Fault>, Vec<Delta>) {
    let mut heard = Vec::new();
    let asked = provider.ask(request, &mut |it| heard.push(it)).await;
    (asked, heard)
}

async fn fault(provider: &Provider, text: &str) -> Fault {
    let (asked, _) = asked(provider, &request(text)).await;
    asked.map_err(Some).map_or_else(|it| it, |reply| panic!("{text}: {reply:?}")).unwrap()
}

/// What aimock has for `say it`.
const TEXT: &str = "Hello there, Zoë:\na naïve “quote”, a crab 🦀🦀, 植物 and a \\ at the end.";

/// Of a reply that aimock gives, what its fixtures say. The blocks have ids in them that differ each
/// time, and so does what it took.
fn told(reply: ModelReply) -> ModelReply {
    ModelReply { blocks: Vec::new(), took_ms: 0, first_ms: 0, server: String::new(), ..reply }
}

fn usage(dialect: Dialect, input: u64, output: u64) -> Usage {
    match dialect {
        Dialect::Ollama => Usage::default(),
        _ => Usage { input, output, ..Usage::default() },
    }
}

fn id(dialect: Dialect, id: &str) -> String {
    if dialect == Dialect::Ollama { String::new() } else { id.to_owned() }
}

/// The reply to `say it`.
fn text_reply(dialect: Dialect) -> ModelReply {
    ModelReply {
        id: id(dialect, "reply-1"),
        model: "m".into(),
        text: TEXT.into(),
        stop: Stop::End,
        usage: usage(dialect, 17, 9),
        ..ModelReply::default()
    }
}

/// The reply to `look it up`.
fn call_reply(dialect: Dialect) -> ModelReply {
    let call = |name: &str, at: &str, arguments: &str| Call {
        id: id(dialect, at),
        name: name.into(),
        arguments: arguments.into(),
    };
    let calls = vec![
        call("weather", "call_1", r#"{"city":"Zürich","days":[1,2,3],"note":"say \"🌳\""}"#),
        call("clock", "call_2", r#"{"zone":"Europe/Zurich"}"#),
    ];
    ModelReply {
        id: id(dialect, "reply-2"),
        text: "I look it up.".into(),
        calls,
        stop: Stop::Call,
        usage: usage(dialect, 40, 21),
        ..text_reply(dialect)
    }
}
