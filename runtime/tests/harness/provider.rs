//! A provider of models on this machine that answers as it is told, and keeps what it was asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers the request of a number, from 0, with bytes of HTTP.
type Answers = Box<dyn Fn(usize, &str, &mut Client) + Send + Sync>;

/// Whoever is answered.
pub(crate) struct Client(TcpStream);

impl Client {
    /// Tells it more, at once. It may have gone.
    pub(crate) fn tell(&mut self, bytes: &str) {
        drop(self.0.write_all(bytes.as_bytes()));
    }

    /// Waits until it has gone.
    pub(crate) fn until_it_goes(&mut self) {
        let gone = self.0.read(&mut [0; 1]);
        assert!(matches!(gone, Ok(0) | Err(_)), "it says more");
    }
}

pub(crate) struct FakeProvider {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeProvider {
    pub(crate) fn new(answers: impl Fn(usize, &str) -> String + Send + Sync + 'static) -> Self {
        FakeProvider::streams(move |n, request, client| client.tell(&answers(n, request)))
    }

    /// Says what it says piece by piece.
    pub(crate) fn streams(
        answers: impl Fn(usize, &str, &mut Client) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (to, answers) = (asked.clone(), Arc::new(Box::new(answers) as Answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (to, answers) = (to.clone(), answers.clone());
                std::thread::spawn(move || answer(stream, &to, &answers));
            }
        });
        FakeProvider { url, asked }
    }

    /// Answers each request in turn; the last answer again and again.
    pub(crate) fn says(all: Vec<String>) -> FakeProvider {
        FakeProvider::new(move |n, _| all[n.min(all.len() - 1)].clone())
    }

    /// Every request that came, head and body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>, answers: &Answers) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (mut held, mut piece) = (Vec::new(), [0; 4096]);
    while !is_whole(&held) {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(bytes) => held.extend_from_slice(&piece[..bytes]),
        }
    }
    let request = String::from_utf8_lossy(&held).into_owned();
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(request.clone());
        asked.len() - 1
    };
    answers(number, &request, &mut Client(stream));
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|it| {
        let (name, value) = it.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}

/// A status, headers and a body.
pub(crate) fn answers(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("HTTP/1.1 {status} Some\r\nconnection: close\r\n");
    headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
    text + "\r\n" + body
}

/// A reply in chat completions, with why it ends.
pub(crate) fn chat(text: &str, finish: &str) -> String {
    chat_to(900, text, finish)
}

/// The beginning of a reply in chat completions.
pub(crate) fn chat_begins() -> String {
    answers(200, &[("content-type", "text/event-stream")], "")
}

/// A piece of it.
pub(crate) fn chat_piece(text: &str) -> String {
    let delta = serde_json::json!({"id": "r1", "model": "m-1", "choices": [
        {"index": 0, "delta": {"content": text}, "finish_reason": null},
    ]});
    format!("data: {delta}\n\n")
}

/// Its end.
pub(crate) fn chat_ends() -> String {
    let end = serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let usage = serde_json::json!({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 30}});
    format!("data: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n")
}

/// The same, to so many tokens.
pub(crate) fn chat_to(tokens: usize, text: &str, finish: &str) -> String {
    let delta = serde_json::json!({"id": "r1", "model": "m-1", "choices": [
        {"index": 0, "delta": {"content": text}, "finish_reason": null},
    ]});
    let end = serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]});
    let usage = serde_json::json!({"choices": [], "usage": {"prompt_tokens": tokens, "completion_tokens": 30}});
    let body = format!("data: {delta}\n\ndata: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
    answers(200, &[("content-type", "text/event-stream")], &body)
}

/// The same in Ollama's own protocol.
pub(crate) fn ollama(text: &str) -> String {
    let line = serde_json::json!({
        "model": "m-1", "message": {"role": "assistant", "content": text}, "done": true,
        "done_reason": "stop", "prompt_eval_count": 900, "eval_count": 30,
    });
    answers(200, &[("content-type", "application/x-ndjson")], &format!("{line}\n"))
}

/// The same in Anthropic's.
pub(crate) fn messages(text: &str) -> String {
    let start = serde_json::json!({"type": "message_start", "message": {
        "id": "r1", "type": "message", "role": "assistant", "model": "m-1", "content": [],
        "usage": {"input_tokens": 900, "output_tokens": 1},
    }});
    let begin = serde_json::json!({"type": "content_block_start", "index": 0,
        "content_block": {"type": "text", "text": ""}});
    let delta = serde_json::json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "text_delta", "text": text}});
    let stop = serde_json::json!({"type": "content_block_stop", "index": 0});
    let end = serde_json::json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 30}});
    let last = serde_json::json!({"type": "message_stop"});
    let mut body = String::new();
    for event in [start, begin, delta, stop, end, last] {
        body += &format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    }
    answers(200, &[("content-type", "text/event-stream")], &body)
}

/// The same in OpenAI's Responses.
pub(crate) fn responses(text: &str) -> String {
    let item = serde_json::json!({"type": "message", "id": "i1", "role": "assistant",
        "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]});
    let delta = serde_json::json!({"type": "response.output_text.delta", "output_index": 0,
        "content_index": 0, "item_id": "i1", "delta": text});
    let done =
        serde_json::json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let end = serde_json::json!({"type": "response.completed", "response": {
        "id": "r1", "model": "m-1", "status": "completed", "output": [item],
        "usage": {"input_tokens": 900, "output_tokens": 30},
    }});
    let mut body = String::new();
    for event in [delta, done, end] {
        body += &format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    }
    answers(200, &[("content-type", "text/event-stream")], &body)
}
