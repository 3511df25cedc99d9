//! Spans sent to a collector that nobody here wrote: what the OpenTelemetry project publishes for Python
//! reads them. `.ci/peers` installs it into `target/peers`, or where `STOA_PEERS` says. Where it is not
//! installed the test says that it is skipped, and fails if `STOA_PEERS_REQUIRED=1` is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use stoa_api::answer::SpanAnswer;
use stoa_traces::{Collector, ServiceResource};

const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers");

struct Peer {
    child: Child,
    lines: BufReader<ChildStdout>,
    url: String,
}

impl Peer {
    /// Starts it; nothing where it is not installed.
    #[expect(clippy::disallowed_methods, reason = "who runs the tests says where it is")]
    fn start() -> Option<Peer> {
        let peers = std::env::var_os("STOA_PEERS").map_or_else(|| TARGET.into(), PathBuf::from);
        let python = peers.join("venv/bin/python");
        if !python.exists() {
            let required = std::env::var_os("STOA_PEERS_REQUIRED").is_some_and(|it| it == "1");
            assert!(!required, "no collector in {}; run .ci/peers", peers.display());
            let skipped = format!("SKIPPED: no collector in {}; run .ci/peers\n", peers.display());
            std::io::stderr().write_all(skipped.as_bytes()).unwrap();
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/collector.py");
        let mut command = Command::new(python);
        let mut child = command.arg(script).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut peer = Peer { child, lines, url: String::new() };
        peer.url = format!("http://127.0.0.1:{}", peer.line()["port"]);
        Some(peer)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn span(name: &str, more: &Value) -> SpanAnswer {
    let mut of = json!({
        "trace": "019ab0c1d2e3f405162738495a6b7c8d",
        "span": "0102030405060708",
        "name": name,
        "kind": "client",
        "agent": "0Z",
        "began": "2026-11-29T10:00:00.250Z",
        "ended": "2026-11-29T10:00:01Z",
        "took_ms": 750,
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "any",
            "gen_ai.request.max_tokens": 4096,
            "gen_ai.request.stream": true,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.usage.input_tokens": 9_007_199_254_740_993_u64,
            "gen_ai.output.messages": [{"role": "assistant", "parts": []}],
            "server.address": "api.example.org",
            "stoa.turn": 7,
        },
        "cursor": 9,
    });
    of.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(of).unwrap()
}

#[tokio::test]
async fn what_is_sent_is_read_by_the_messages_of_another_language() {
    let Some(mut peer) = Peer::start() else { return };
    let resource = ServiceResource::new(Some("lab"), "deployment.environment.name=here");
    let collector = Collector::new(&peer.url, ("H", "x-key=sesame"), resource).unwrap();
    let failed = json!({
        "span": "1112131415161718",
        "parent": "0102030405060708",
        "kind": "internal",
        "link": {"trace": "ff9ab0c1d2e3f405162738495a6b7c8d", "span": "2122232425262728"},
        "error": {"kind": "failed", "text": "grün"},
    });
    let spans = [span("chat any", &json!({})), span("execute_tool python", &failed)];
    let taken = collector.send(&spans).await.unwrap();
    assert_eq!((taken.rejected, taken.said.as_str(), taken.cut), (0, "", 0));
    let told = peer.line();
    assert_eq!(told["path"], "/v1/traces");
    assert_eq!(told["type"], "application/x-protobuf");
    assert_eq!((&told["key"], &told["scope"]), (&"sesame".into(), &"stoa".into()));
    assert_eq!(told["resource"]["service.name"], "lab");
    assert_eq!(told["resource"]["deployment.environment.name"], "here");
    assert_eq!(told["whole"], true);
    // It knows every name that is not stoa's own.
    let own = ["deployment.environment.name", "stoa.turn"];
    assert_eq!(told["unknown"], json!(own));
    let [one, two] = &told["spans"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!(one["trace"], "019ab0c1d2e3f405162738495a6b7c8d");
    assert_eq!((&one["span"], &one["parent"]), (&"0102030405060708".into(), &"".into()));
    assert_eq!((&one["name"], &one["kind"]), (&"chat any".into(), &3.into()));
    assert_eq!(one["began"], 1_795_946_400_250_000_000_u64);
    assert_eq!(one["ended"], 1_795_946_401_000_000_000_u64);
    let attributes = &one["attributes"];
    assert_eq!(attributes["gen_ai.usage.input_tokens"], 9_007_199_254_740_993_u64);
    assert_eq!(attributes["gen_ai.request.stream"], true);
    assert_eq!(attributes["gen_ai.response.finish_reasons"], json!(["stop"]));
    assert_eq!(attributes["gen_ai.response.time_to_first_chunk"], 0.25);
    assert_eq!(attributes["gen_ai.output.messages"], r#"[{"role":"assistant","parts":[]}]"#);
    assert_eq!((&two["parent"], &two["kind"]), (&"0102030405060708".into(), &1.into()));
    assert_eq!(two["status"], json!([2, "grün"]));
    let links = json!([["ff9ab0c1d2e3f405162738495a6b7c8d", "2122232425262728"]]);
    assert_eq!(two["links"], links);
    // What it does not keep, it says; who was told a key is not repeated.
    let taken = collector.send(&[span("chat refused", &json!({}))]).await.unwrap();
    assert_eq!((taken.rejected, taken.said.as_str()), (1, ""));
    let collector = Collector::new(&peer.url, ("H", ""), ServiceResource::new(None, "")).unwrap();
    let taken = collector.send(&[span("chat refused", &json!({}))]).await.unwrap();
    assert_eq!((taken.rejected, taken.said.as_str()), (1, "one is refused"));
}
