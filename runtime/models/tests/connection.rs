//! Connections that go wrong, against a server that does as it is told byte by byte.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use stoa_endpoint::Key;
use stoa_models::config::KeySource;
use stoa_models::config::ProviderConfig;
use stoa_models::fault::{Fault, FaultKind};
use stoa_models::limits::ProviderWaits;
use stoa_models::pace::Pace;
use stoa_models::provider::Provider;
use stoa_models::reply::{Delta, ModelReply};
use stoa_models::request::{MessagePart, ModelMessage, ModelRequest};
use stoa_models::wire::Dialect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What a server does with a connection, once it has read a request.
#[derive(Clone, Copy)]
enum Does {
    Says(&'static str),
    Waits(u64),
    /// Until the other side has gone.
    WaitsForTheEnd,
}

use Does::{Says, Waits as Pauses, WaitsForTheEnd};

struct Server {
    url: String,
    /// Each request, as it came.
    asked: mpsc::UnboundedReceiver<String>,
    gone: mpsc::UnboundedReceiver<()>,
    at_once: Arc<AtomicUsize>,
}

/// Answers every request in the same way.
async fn server(does: &'static [Does]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (ask, asked) = mpsc::unbounded_channel();
    let (go, gone) = mpsc::unbounded_channel();
    let at_once = Arc::new(AtomicUsize::new(0));
    let (open, most) = (Arc::new(AtomicUsize::new(0)), at_once.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (ask, go, open, most) = (ask.clone(), go.clone(), open.clone(), most.clone());
            tokio::spawn(async move {
                most.fetch_max(open.fetch_add(1, SeqCst) + 1, SeqCst);
                serve(stream, does, ask, go).await;
                open.fetch_sub(1, SeqCst);
            });
        }
    });
    Server { url, asked, gone, at_once }
}

async fn serve(
    mut stream: TcpStream,
    does: &'static [Does],
    ask: mpsc::UnboundedSender<String>,
    go: mpsc::UnboundedSender<()>,
) {
    let mut held = Vec::new();
    let mut piece = [0; 4096];
    while !is_whole(&held) {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(n) => held.extend_from_slice(&piece[..n]),
        }
    }
    drop(ask.send(String::from_utf8_lossy(&held).into_owned()));
    for it in does {
        match it {
            Says(text) => drop(stream.write_all(text.as_bytes()).await),
            Pauses(ms) => tokio::time::sleep(Duration::from_millis(*ms)).await,
            WaitsForTheEnd => {
                while !matches!(stream.read(&mut piece).await, Ok(0) | Err(_)) {}
                go.send(()).unwrap_or_default();
            }
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|it| it.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const HELLO: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n";

fn config(server: &Server) -> ProviderConfig {
    let waits = ProviderWaits {
        // Long for a server in the same process, also where others keep the machine busy.
        first_ms: 2_000,
        gap_ms: 1_500,
        total_ms: 6_000,
        queue_ms: 1_000,
        ..ProviderWaits::default()
    };
    let key = KeySource::Held(Key::new("sesame-open-sesame"));
    ProviderConfig { key, waits, ..ProviderConfig::new("any", Dialect::Chat, &server.url) }
}

fn request() -> ModelRequest {
    let said = ModelMessage::User(vec![MessagePart::Text("say hello".to_owned())]);
    ModelRequest {
        model: "m".into(),
        messages: vec![said],
        output_max: 100,
        ..ModelRequest::default()
    }
}

async fn asked(config: ProviderConfig) -> (Result<ModelReply, Fault>, Vec<Delta>) {
    let provider = Provider::new(config).unwrap();
    let mut heard = Vec::new();
    let asked = provider.ask(&request(), &mut |it| heard.push(it)).await;
    (asked, heard)
}

async fn fault(does: &'static [Does]) -> Fault {
    asked(config(&server(does).await)).await.0.unwrap_err()
}

#[tokio::test]
async fn a_reply_comes_piece_by_piece_and_is_one_in_the_end() {
    let mut server =
        server(&[Says(OK), Says(HELLO), Says(STOP), Says(USAGE), Says("data: [DONE]\n\n")]).await;
    let (reply, heard) = asked(config(&server)).await;
    let reply = reply.unwrap();
    assert_eq!((reply.text.as_str(), reply.usage.input, reply.usage.output), ("hello", 9, 2));
    assert_eq!(heard, [Delta::Text("hello".into())]);
    let request = server.asked.recv().await.unwrap();
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer sesame-open-sesame\r\n"), "{request}");
    assert!(request.contains("\"max_tokens\":100"), "{request}");
}

#[tokio::test]
async fn what_is_said_is_taken_though_the_connection_does_not_end() {
    // It ends badly, or never.
    for does in [
        &[Says(OK), Says(HELLO), Says(STOP), WaitsForTheEnd][..],
        &[Says(OK), Says(HELLO), Says(STOP)],
    ] {
        let (reply, _) = asked(config(&server(does).await)).await;
        assert_eq!(reply.map(|it| it.text), Ok("hello".to_owned()));
    }
}

#[tokio::test]
async fn half_a_reply_is_none() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for does in
        [&[Says(OK), Says(HELLO)][..], &[Says(CHUNKED), Says("5\r\ndata:\r\n")], &[Says(OK)]]
    {
        let fault = fault(does).await;
        assert_eq!(fault.kind, FaultKind::Cut, "{fault}");
        assert!(fault.may_retry());
    }
}

#[tokio::test]
async fn silence_is_bounded_wherever_it_begins() {
    for (does, within_ms) in [
        (&[WaitsForTheEnd][..], 2_000..6_000),
        (&[Says(OK), WaitsForTheEnd], 2_000..6_000),
        (&[Says(OK), Says(HELLO), WaitsForTheEnd], 1_500..6_000),
        (&[Says("HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\n"), WaitsForTheEnd], 0..12_000),
    ] {
        let began = Instant::now();
        let fault = fault(does).await;
        let took = began.elapsed().as_millis() as u64;
        assert!(matches!(fault.kind, FaultKind::Silent | FaultKind::Server), "{fault}");
        assert!(within_ms.contains(&took), "{took} ms of {within_ms:?}: {fault}");
    }
}

#[tokio::test]
async fn signs_of_life_keep_a_slow_reply_alive() {
    const ALIVE: Does = Says(": still here\n\n");
    let does: &[Does] = &[
        Says(OK),
        Pauses(700),
        ALIVE,
        Pauses(700),
        ALIVE,
        Pauses(700),
        Says(HELLO),
        Says(STOP),
        Says("data: [DONE]\n\n"),
    ];
    assert!(asked(config(&server(does).await)).await.0.is_ok());
    // But not for ever.
    let alive: &[Does] =
        Vec::leak([Says(OK)].into_iter().chain([ALIVE, Pauses(400)].repeat(40)).collect());
    let (said, _) = asked(config(&server(alive).await)).await;
    assert_eq!(said.unwrap_err().kind, FaultKind::Silent);
}

#[tokio::test]
async fn a_redirect_takes_the_key_nowhere() {
    let mut elsewhere = server(&[Says(OK)]).await;
    let to = format!(
        "HTTP/1.1 307 Go\r\nlocation: {}/v1/chat/completions\r\ncontent-length: 0\r\n\r\n",
        elsewhere.url
    );
    let to: &'static str = String::leak(to);
    let does: &[Does] = Vec::leak(vec![Says(to)]);
    assert_eq!(fault(does).await.kind, FaultKind::Invalid);
    assert!(elsewhere.asked.try_recv().is_err(), "the other one was asked");
}

#[tokio::test]
async fn a_key_is_in_no_fault() {
    const ECHO: &str = "HTTP/1.1 401 No\r\nconnection: close\r\n\r\n{\"error\":{\"message\":\"no such key: sesame-open-sesame\"}}";
    const STREAM: &str =
        "data: {\"error\":{\"message\":\"Bearer sesame-open-sesame\",\"type\":\"api_error\"}}\n\n";
    const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>sesame-open-sesame";
    for (does, kind) in [
        (&[Says(ECHO)][..], FaultKind::Key),
        (&[Says(OK), Says(STREAM)], FaultKind::Server),
        (&[Says(OK), Says("data: {sesame-open-sesame\n\n")], FaultKind::Garbled),
        (&[Says(PAGE)], FaultKind::Garbled),
        (&[Says("sesame-open-sesame\r\n\r\n")], FaultKind::Network),
    ] {
        let fault = fault(does).await;
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(!fault.to_string().contains("sesame"), "{fault}");
        assert!(!format!("{fault:?}").contains("sesame"), "{fault:?}");
    }
}

#[tokio::test]
async fn who_is_dropped_hangs_up() {
    let mut server = server(&[Says(OK), Says(HELLO), WaitsForTheEnd]).await;
    let provider = Provider::new(config(&server)).unwrap();
    let (say, mut said) = mpsc::unbounded_channel();
    let ask =
        tokio::spawn(async move { provider.ask(&request(), &mut |it| drop(say.send(it))).await });
    assert_eq!(said.recv().await, Some(Delta::Text("hello".into())));
    ask.abort();
    assert!(ask.await.unwrap_err().is_cancelled());
    let gone = tokio::time::timeout(Duration::from_secs(2), server.gone.recv()).await;
    assert_eq!(gone, Ok(Some(())), "the socket is closed");
}

#[tokio::test]
async fn no_more_are_asked_at_once_than_is_said() {
    let server = server(&[Says(OK), Says(HELLO), Pauses(50), Says(STOP)]).await;
    let pace = Pace { concurrency: 3, ..Pace::default() };
    let waits = ProviderWaits { queue_ms: 10_000, ..ProviderWaits::default() };
    let provider =
        Arc::new(Provider::new(ProviderConfig { pace, waits, ..config(&server) }).unwrap());
    let asks = (0..12).map(|_| {
        let provider = provider.clone();
        tokio::spawn(async move { provider.ask(&request(), &mut |_| {}).await })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_eq!(ask.await.unwrap().map(|it| it.text), Ok("hello".to_owned()));
    }
    assert_eq!(server.at_once.load(SeqCst), 3);
    // Whoever would have to wait for too long is told instead.
    let slow = self::server(&[Says(OK), Says(HELLO), Pauses(1_400), Says(STOP)]).await;
    let waits = ProviderWaits { queue_ms: 20, ..ProviderWaits::default() };
    let pace = Pace { concurrency: 1, ..Pace::default() };
    let provider = Provider::new(ProviderConfig { pace, waits, ..config(&slow) }).unwrap();
    let (one, other) = tokio::join!(asked_of(&provider), asked_of(&provider));
    assert!(one.is_ok());
    assert_eq!(other.unwrap_err().kind, FaultKind::RateLimited);
}

async fn asked_of(provider: &Provider) -> Result<ModelReply, Fault> {
    provider.ask(&request(), &mut |_| {}).await
}

#[tokio::test]
async fn what_one_is_told_of_waiting_holds_for_all() {
    const LATER: &str = "HTTP/1.1 429 Later\r\nretry-after: 30\r\nconnection: close\r\n\r\n{\"error\":{\"type\":\"rate_limit_error\"}}";
    let mut server = server(&[Says(LATER)]).await;
    let provider = Provider::new(config(&server)).unwrap();
    for _ in 0..3 {
        let fault = asked_of(&provider).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::RateLimited);
        let wait = fault.wait.unwrap();
        assert!(wait > Duration::from_secs(28) && wait <= Duration::from_secs(30), "{wait:?}");
    }
    assert!(server.asked.recv().await.is_some());
    assert!(server.asked.try_recv().is_err(), "it was asked once");
}

#[tokio::test]
async fn who_is_not_there_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let provider = Provider::new(ProviderConfig::new("any", Dialect::Ollama, &url)).unwrap();
    let fault = asked_of(&provider).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Network);
    assert!(fault.text.contains("refused"), "{fault}");
    let lacking = ProviderConfig {
        key: KeySource::Held(Key::lacking("ANY_KEY")),
        ..ProviderConfig::new("any", Dialect::Chat, &url)
    };
    let provider = Provider::new(lacking).unwrap();
    assert_eq!(provider.lacks(), Some("ANY_KEY"));
    let fault = asked_of(&provider).await.unwrap_err();
    assert_eq!((fault.kind, fault.text.as_str()), (FaultKind::Key, "ANY_KEY is not set"));
}

#[tokio::test]
async fn a_window_that_a_server_has_cut_is_told() {
    const SEEN: &str = "{\"message\":{\"role\":\"assistant\",\"content\":\"yes\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":4096,\"eval_count\":2}\n";
    let server = server(&[Says("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"), Says(SEEN)]).await;
    let provider = Provider::new(ProviderConfig {
        key: KeySource::None,
        ..ProviderConfig::new("ollama", Dialect::Ollama, &server.url)
    })
    .unwrap();
    let long = ModelMessage::User(vec![MessagePart::Text("word ".repeat(40_000))]);
    let long = ModelRequest { messages: vec![long], ..request() };
    let fault = provider.ask(&long, &mut |_| {}).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Truncated, "{fault}");
    assert!(provider.ask(&request(), &mut |_| {}).await.is_ok());
}
