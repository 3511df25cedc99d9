//! What aimock says in each of the four protocols is understood, and what it is told is accepted.

use super::server::{Server, aimock, aimock_with};
use super::*;
use serde_json::Value as Json;
use std::time::{Duration, Instant};
use stoa_endpoint::Key;
use stoa_models::config::KeySource;
use stoa_models::fault::FaultKind;
use stoa_models::request::{CallResult, Said};
use tokio::sync::mpsc;

#[tokio::test]
async fn a_text_comes_in_pieces_with_its_usage_and_why_it_ends() {
    let Some(server) = aimock(&["-c", "7"]) else { return };
    for dialect in Dialect::ALL {
        let (reply, heard) = asked(&provider(dialect, &server), &request("say it")).await;
        assert_eq!(reply.map(told), Ok(text_reply(dialect)), "{dialect:?}");
        let pieces = heard.into_iter().map(|it| match it {
            Delta::Text(text) => text,
            other => panic!("{other:?}"),
        });
        let pieces: Vec<String> = pieces.collect();
        assert!(pieces.len() >= 9, "{dialect:?} {pieces:?}");
        assert_eq!(pieces.concat(), TEXT, "{dialect:?}");
    }
}

#[tokio::test]
async fn arguments_come_in_pieces_and_are_those_of_their_calls() {
    let Some(server) = aimock(&["-c", "7"]) else { return };
    for dialect in Dialect::ALL {
        let (reply, heard) = asked(&provider(dialect, &server), &with_tools("look it up")).await;
        let reply = reply.unwrap();
        let pieces = heard.iter().filter(|it| matches!(it, Delta::Arguments(_))).count();
        // Here a call is told at once, by Ollama itself as well.
        let whole = dialect == Dialect::Ollama;
        assert!(if whole { pieces == 2 } else { pieces >= 10 }, "{dialect:?} {heard:?}");
        let begun = heard.into_iter().filter_map(|it| match it {
            Delta::CallBegun(name) => Some(name),
            _ => None,
        });
        assert!(begun.eq(["weather", "clock"]), "{dialect:?}");
        assert_eq!(told(reply), call_reply(dialect), "{dialect:?}");
    }
}

// With a text of more than one plane this found that a character cut in two was garbled.
#[tokio::test]
async fn however_a_reply_is_chunked_it_is_the_same() {
    for size in ["1", "2", "7", "1000"] {
        let Some(server) = aimock(&["-c", size]) else { return };
        for dialect in Dialect::ALL {
            let provider = provider(dialect, &server);
            let (text, _) = asked(&provider, &request("say it")).await;
            assert_eq!(text.map(told), Ok(text_reply(dialect)), "{dialect:?} by {size}");
            let (calls, _) = asked(&provider, &with_tools("look it up")).await;
            assert_eq!(calls.map(told), Ok(call_reply(dialect)), "{dialect:?} by {size}");
        }
    }
}

/// What the server has seen of the last request, in the words of chat completions.
async fn seen(server: &Server) -> Json {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let journal = client.get(format!("{}/__aimock/journal", server.url)).send().await.unwrap();
    let journal: Vec<Json> = serde_json::from_str(&journal.text().await.unwrap()).unwrap();
    journal.last().unwrap()["body"].clone()
}

#[tokio::test]
async fn what_came_of_calls_is_understood_by_the_server() {
    let Some(server) = aimock(&[]) else { return };
    for dialect in Dialect::ALL {
        let provider = provider(dialect, &server);
        let first = ModelRequest { system: vec!["Be brief.".into()], ..with_tools("look it up") };
        let said = asked(&provider, &first).await.0.unwrap();
        let result = |call: &Call, text: &str, failed| CallResult {
            id: call.id.clone(),
            name: call.name.clone(),
            text: text.to_owned(),
            failed,
        };
        let results = vec![
            result(&said.calls[0], "sunny, 18 degrees", false),
            result(&said.calls[1], "no such zone; 18 degrees", true),
        ];
        // Once as it came, and once as it is told to a model that has not said it.
        for blocks in [said.blocks.clone(), Vec::new()] {
            let calls = said.calls.clone();
            let said = Said { text: said.text.clone(), calls, blocks };
            let results = ModelMessage::Results(results.clone());
            let mut request = first.clone();
            request.messages.extend([ModelMessage::Assistant(said), results]);
            let reply = asked(&provider, &request).await.0.unwrap();
            assert_eq!(reply.text, "It is warm in Zürich.", "{dialect:?}");
            let body = seen(&server).await;
            let messages = body["messages"].as_array().unwrap();
            let of = |role: &str| -> Vec<&Json> {
                messages.iter().filter(|it| it["role"] == role).collect()
            };
            assert!(body["tools"].as_array().is_some_and(|it| it.len() == 2), "{body}");
            assert_eq!(of("system").len(), 1, "{dialect:?} {body}");
            assert_eq!(of("user").len(), 1, "{dialect:?} {body}");
            let asked = of("assistant").into_iter().flat_map(|it| it["tool_calls"].as_array());
            let asked: Vec<&Json> = asked.flatten().collect();
            assert_eq!(asked.len(), 2, "{dialect:?} {body}");
            for (asked, call) in asked.iter().zip(&call_reply(dialect).calls) {
                assert_eq!(asked["function"]["name"], *call.name, "{dialect:?}");
                let arguments = asked["function"]["arguments"].as_str().unwrap();
                assert_eq!(arguments, call.arguments, "{dialect:?}");
            }
            let told = of("tool");
            assert_eq!(told.len(), 2, "{dialect:?} {body}");
            assert!(told[0].to_string().contains("sunny, 18 degrees"), "{dialect:?} {body}");
            if dialect != Dialect::Ollama {
                for (at, told) in told.iter().enumerate() {
                    assert_eq!(told["tool_call_id"], asked[at]["id"], "{dialect:?} {body}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_models_that_there_are_are_told() {
    let Some(server) = aimock(&[]) else { return };
    for dialect in Dialect::ALL {
        let models = provider(dialect, &server).models().await.unwrap();
        for model in ["gpt-4o", "claude-3-5-sonnet-20241022"] {
            assert!(models.iter().any(|it| it == model), "{dialect:?} {models:?}");
        }
    }
}

/// The server looks into every header that any provider has for it: that it is the right one for its
/// protocol is not shown here.
#[tokio::test]
async fn the_key_is_where_the_server_looks_for_it() {
    let Some(server) = aimock_with(&[], Some("sesame-open-sesame")) else { return };
    for dialect in Dialect::ALL {
        let with = |key: Option<&str>| {
            let key = key.map(Key::new);
            Provider::new(ProviderConfig {
                key: key.map_or(KeySource::None, KeySource::Held),
                ..config(dialect, &server.url)
            })
            .unwrap()
        };
        let (reply, _) = asked(&with(Some("sesame-open-sesame")), &request("say it")).await;
        assert_eq!(reply.map(told), Ok(text_reply(dialect)), "{dialect:?}");
        for wrong in [Some("another-key-altogether"), None] {
            let fault = fault(&with(wrong), "say it").await;
            assert_eq!((fault.kind, fault.status), (FaultKind::Key, Some(401)), "{dialect:?}");
            assert!(!fault.may_retry());
        }
    }
}

#[tokio::test]
async fn who_does_not_wait_for_the_end_is_free_at_once() {
    // Whoever hears the end waits for nine pieces more.
    let Some(server) = aimock(&["-l", "200", "-c", "7"]) else { return };
    for dialect in Dialect::ALL {
        let provider = provider(dialect, &server);
        let (say, mut said) = mpsc::unbounded_channel();
        let ask = tokio::spawn(async move {
            provider.ask(&request("say it"), &mut |it| say.send(it).unwrap_or_default()).await
        });
        let first = said.recv().await.unwrap();
        let Delta::Text(first) = first else { panic!("{dialect:?} {first:?}") };
        assert!(TEXT.starts_with(&first) && first.len() < TEXT.len(), "{dialect:?} {first}");
        let began = Instant::now();
        ask.abort();
        assert!(ask.await.unwrap_err().is_cancelled(), "{dialect:?}");
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
        assert_eq!(said.recv().await, None, "{dialect:?}: nothing comes after that");
    }
}
