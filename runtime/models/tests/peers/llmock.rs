//! llmock fails as it is told to, and judges by what it has seen whether its client was any good.

use super::server::{Server, llmock, report};
use super::*;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use stoa_models::fault::FaultKind;
use stoa_models::request::{CallResult, Said};
use tokio::time::sleep;

/// The protocols that it speaks.
const SPOKEN: [Dialect; 3] = [Dialect::Anthropic, Dialect::Responses, Dialect::Chat];

/// Tries of one request.
const TRIES_MAX: u32 = 8;

fn provider(dialect: Dialect, server: &Server) -> Provider {
    provider_that_waits(dialect, server, WAITS)
}

fn provider_that_waits(dialect: Dialect, server: &Server, waits: ProviderWaits) -> Provider {
    let at = if dialect == Dialect::Anthropic { "/anthropic" } else { "" };
    let url = format!("{}{at}", server.url);
    Provider::new(ProviderConfig { waits, ..config(dialect, &url) }).unwrap()
}

/// Longer than the pieces after which a stream breaks.
fn long(number: usize) -> String {
    format!("number {number} of the many requests that are sent here one after the other")
}

/// A reply is complete where all that was asked is said again: so this server replies.
fn is_complete(reply: &ModelReply, number: usize) -> bool {
    reply.text.contains(&long(number)) && reply.stop == Stop::End && reply.usage.output > 0
}

/// What the server thinks of its client, and whether it is content.
fn verdict(server: &Server) -> (Json, bool) {
    let said = report(server);
    let verdict = serde_json::from_slice(&said.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&said.stderr));
    });
    (verdict, said.status.success())
}

/// Asks until there is a reply, and counts the faults on the way.
async fn insists(
    provider: &Provider,
    request: &ModelRequest,
    faults: &mut BTreeMap<FaultKind, usize>,
) -> ModelReply {
    for tried in 0..TRIES_MAX {
        let fault = match asked(provider, request).await.0 {
            Ok(reply) => return reply,
            Err(fault) => fault,
        };
        assert!(fault.may_retry(), "{fault}");
        *faults.entry(fault.kind).or_default() += 1;
        sleep(fault.wait.unwrap_or(Duration::from_millis(60 << tried))).await;
    }
    panic!("no reply after {TRIES_MAX} tries: {faults:?}");
}

#[tokio::test]
async fn who_retries_what_may_be_retried_gets_every_reply_and_a_good_verdict() {
    let options = ["--stream-fault", "truncate=0.1", "--error-rate", "429=0.05"];
    let options = [&options[..], &["--error-rate", "500=0.1", "--response-style", "echo"]].concat();
    let Some(server) = llmock(&options) else { return };
    let provider = provider(Dialect::Chat, &server);
    let mut faults = BTreeMap::new();
    for number in 0..100 {
        let reply = insists(&provider, &request(&long(number)), &mut faults).await;
        assert!(is_complete(&reply, number), "{reply:?}");
    }
    for kind in [FaultKind::Cut, FaultKind::RateLimited, FaultKind::Server] {
        assert!(faults.get(&kind).is_some_and(|it| *it > 2), "{kind:?} of {faults:?}");
    }
    let (verdict, content) = verdict(&server);
    let faults: usize = faults.values().sum();
    assert_eq!(verdict["findings"], json!([]), "{verdict}");
    assert_eq!(verdict["calls"], 100, "{verdict}");
    assert_eq!(verdict["attempts"], 100 + faults, "{verdict}");
    assert_eq!(verdict["faults_injected"], faults, "{verdict}");
    assert!(content, "{verdict}");
}

/// What the next request meets.
async fn meets(server: &Server, behavior: &Json) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = client.post(format!("{}/_llmock/scenario", server.url));
    let answer = post.body(json!({"behaviors": [behavior]}).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{behavior}");
}

/// The verdict is worth something: it sees a client that does what ours must not.
#[tokio::test]
async fn who_does_not_wait_gets_a_bad_verdict() {
    let Some(server) = llmock(&[]) else { return };
    meets(&server, &json!({"type": "fail", "status": 429, "retry_after": 30})).await;
    let fault = fault(&provider(Dialect::Chat, &server), "say it").await;
    assert_eq!((fault.kind, fault.wait), (FaultKind::RateLimited, Some(Duration::from_secs(30))));
    // One that knows nothing of the first.
    let again = asked(&provider(Dialect::Chat, &server), &request("say it")).await.0;
    assert!(again.is_ok(), "{again:?}");
    let (verdict, content) = verdict(&server);
    assert_eq!(verdict["findings"][0]["code"], "retry_after_ignored", "{verdict}");
    assert!(!content, "{verdict}");
}

#[tokio::test]
async fn a_provider_that_is_told_to_wait_waits_though_its_caller_does_not() {
    // Twenty at once, and then one in three seconds.
    let Some(server) = llmock(&["--rpm", "20", "--response-style", "echo"]) else { return };
    let provider = provider(Dialect::Anthropic, &server);
    let (mut waits, began) = (Vec::new(), Instant::now());
    for number in 0..21 {
        let reply = loop {
            match asked(&provider, &request(&long(number))).await.0 {
                Ok(reply) => break reply,
                Err(fault) => {
                    assert_eq!(fault.kind, FaultKind::RateLimited, "{fault}");
                    waits.push(fault.wait.unwrap());
                }
            }
        };
        assert!(is_complete(&reply, number), "{reply:?}");
    }
    // What is rounded may be short by less than a thousandth, and is asked for once more.
    assert!((1..=6).contains(&waits.len()), "{waits:?}");
    assert!(waits.iter().all(|it| *it <= Duration::from_secs(3)), "{waits:?}");
    assert!(began.elapsed() >= waits.iter().sum(), "{waits:?} were waited for");
    let (verdict, content) = verdict(&server);
    assert_eq!(verdict["attempts"], 21 + waits.len(), "{verdict}");
    assert!(content, "{verdict}");
}

#[tokio::test]
async fn what_is_longer_than_the_window_is_told_and_not_tried_again() {
    let Some(server) = llmock(&["--context-window", "200"]) else { return };
    for dialect in SPOKEN {
        let provider = provider(dialect, &server);
        let fault = fault(&provider, &"word ".repeat(300)).await;
        assert_eq!((fault.kind, fault.status), (FaultKind::TooBig, Some(400)), "{dialect:?}");
        assert!(!fault.may_retry(), "{dialect:?}");
        assert!(asked(&provider, &request("word")).await.0.is_ok(), "{dialect:?}");
    }
}

#[tokio::test]
async fn wherever_a_stream_breaks_it_is_all_of_the_reply_or_one_fault() {
    let Some(server) = llmock(&["--response-style", "echo"]) else { return };
    for dialect in SPOKEN {
        let provider = provider(dialect, &server);
        let request = request("these are the words of a reply");
        let all = asked(&provider, &request).await.0.unwrap();
        for (kind, expected) in [
            ("disconnect", FaultKind::Cut),
            ("truncate", FaultKind::Cut),
            ("malformed", FaultKind::Garbled),
        ] {
            let (mut whole, mut broken) = (0, 0);
            for after in 0..24 {
                let fault = json!({"type": "stream_fault", "kind": kind, "after_chunks": after});
                meets(&server, &fault).await;
                let what = format!("{dialect:?} {kind} after {after}");
                match asked(&provider, &request).await.0 {
                    Ok(reply) => {
                        // In chat completions the usage comes after all is said.
                        let usage = match dialect == Dialect::Chat && reply.usage.input == 0 {
                            true => Usage::default(),
                            false => all.usage,
                        };
                        let said = (&reply.text, &reply.stop, reply.usage);
                        assert_eq!(said, (&all.text, &all.stop, usage), "{what}");
                        whole += 1;
                    }
                    Err(fault) => {
                        assert_eq!(fault.kind, expected, "{what}: {fault}");
                        assert_eq!(whole, 0, "{what}: it was whole before");
                        broken += 1;
                    }
                }
            }
            assert!(broken >= 5 && whole >= 3, "{dialect:?} {kind}: {broken} {whole}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_says_no_more_is_silent() {
    let Some(server) = llmock(&["--response-style", "echo"]) else { return };
    for dialect in SPOKEN {
        let provider =
            provider_that_waits(dialect, &server, ProviderWaits { gap_ms: 400, ..WAITS });
        for after in [1, 7] {
            let stall = json!({
                "type": "stream_fault", "kind": "stall", "after_chunks": after, "stall_seconds": 60,
            });
            meets(&server, &stall).await;
            let fault = fault(&provider, "these are the words of a reply").await;
            assert_eq!(fault.kind, FaultKind::Silent, "{dialect:?} after {after}: {fault}");
        }
    }
}

#[tokio::test]
async fn a_turn_with_tools_comes_to_its_end() {
    let Some(server) = llmock(&["--response-style", "echo"]) else { return };
    for dialect in SPOKEN {
        let provider = provider(dialect, &server);
        let mut request = with_tools("What is the weather in this city?");
        let reply = asked(&provider, &request).await.0.unwrap();
        assert_eq!(reply.stop, Stop::Call, "{dialect:?}");
        let [call] = &reply.calls[..] else { panic!("{dialect:?} {reply:?}") };
        assert_eq!(call.name, "weather", "{dialect:?}");
        let arguments: Json = serde_json::from_str(&call.arguments).unwrap();
        assert!(arguments["city"].is_string(), "{dialect:?} {arguments}");
        let (id, name) = (call.id.clone(), call.name.clone());
        let result = CallResult { id, name, text: "sunny".into(), failed: false };
        let (text, calls, blocks) = (reply.text, reply.calls.clone(), reply.blocks);
        request.messages.extend([
            ModelMessage::Assistant(Said { text, calls, blocks }),
            ModelMessage::Results(vec![result]),
        ]);
        let reply = asked(&provider, &request).await.0.unwrap();
        assert_eq!((reply.calls.len(), &reply.stop), (0, &Stop::End), "{dialect:?}");
        assert!(!reply.text.is_empty(), "{dialect:?}");
    }
}

#[tokio::test]
async fn the_models_that_it_has_are_told() {
    let Some(server) = llmock(&[]) else { return };
    for dialect in SPOKEN {
        let models = provider(dialect, &server).models().await.unwrap();
        assert!(!models.is_empty(), "{dialect:?}");
    }
}
