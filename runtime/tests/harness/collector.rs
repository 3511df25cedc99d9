//! A collector of OpenTelemetry on this machine that answers as it is told, and keeps what it was sent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request: its head, and what was in it.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct FakeCollector {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Vec<String>>>,
}

/// What says that all was taken.
const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

impl FakeCollector {
    pub(crate) fn new() -> FakeCollector {
        FakeCollector::at("127.0.0.1:0")
    }

    /// At an address that was somebody's before.
    pub(crate) fn at(address: &str) -> FakeCollector {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (received, answers) =
            (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (to, next) = (received.clone(), answers.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &to, &next);
            }
        });
        FakeCollector { url, received, answers }
    }

    /// Answers the next requests so, and takes what comes after them.
    pub(crate) fn answers(&self, all: &[String]) {
        *self.answers.lock().unwrap() = all.to_vec();
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Every span that was sent, as it was sent.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.received().into_iter();
        let requests = requests.map(|it| ExportTraceServiceRequest::decode(&*it.bytes).unwrap());
        let resources = requests.flat_map(|it| it.resource_spans);
        resources.flat_map(|it| it.scope_spans).flat_map(|it| it.spans).collect()
    }
}

fn answer(mut stream: TcpStream, to: &Mutex<Vec<Received>>, next: &Mutex<Vec<String>>) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (mut held, mut piece) = (Vec::new(), [0; 65_536]);
    let (head, body) = loop {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(bytes) => held.extend_from_slice(&piece[..bytes]),
        }
        let Some(end) = held.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |it| it.parse().unwrap());
        if held.len() >= end + 4 + length {
            break (String::from_utf8_lossy(&held[..end]).into_owned(), held.split_off(end + 4));
        }
    };
    let answer = {
        let mut next = next.lock().unwrap();
        if next.is_empty() { TAKEN.to_owned() } else { next.remove(0) }
    };
    // What was refused was not received.
    if answer.starts_with("HTTP/1.1 2") {
        to.lock().unwrap().push(Received { head, bytes: body });
    }
    drop(stream.write_all(answer.as_bytes()));
}

/// The value of an attribute of a span, as text.
pub(crate) fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|it| it.key == name)?;
    Some(match found.value.clone()?.value? {
        Value::StringValue(it) => it,
        Value::IntValue(it) => it.to_string(),
        Value::BoolValue(it) => it.to_string(),
        other => format!("{other:?}"),
    })
}
