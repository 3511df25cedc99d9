//! An embedder over HTTP that serves, hangs, refuses and lies: what is found is never less than by
//! words, and nothing that it says wrong is kept.

#![expect(clippy::unwrap_used, reason = "a test says what it takes for given")]

use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stoa::VectorStatus;
use stoa::caller::{Caller, WriteOptions};
use stoa::config::Config;
use stoa::embedder::{Key, RemoteConfig};
use stoa::failure::StoreError;
use stoa::problem::ProblemKind;
use stoa::runtime::Runtime;
use stoa_actors::atom::{Content, Embedding};
use stoa_actors::id::{AtomId, ROOT, SpaceId};
use stoa_actors::search::Query;
use stoa_actors::space::{Draft, Expect, Patch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the endpoint behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Answers,
    Hangs,
    HangsUp,
    Fails,
    Throttles,
    Refuses,
    Lies,
    AnswersNothing,
    TalksWithoutEnd,
}

/// The texts of each request, and its authorization.
type Asked = Arc<Mutex<Vec<(Vec<String>, Option<String>)>>>;

/// An endpoint whose model knows three things: each is a direction, whatever it is called.
struct Endpoint {
    url: String,
    manner: Arc<Mutex<Manner>>,
    /// What it was asked, with which authorization.
    asked: Asked,
}

const KINDS: [&[&str]; 3] = [&["boat", "ship", "vessel"], &["bread", "loaf"], &["law", "statute"]];

fn vector(text: &str) -> Vec<f32> {
    let text = text.to_lowercase();
    let of = |kind: &[&str]| kind.iter().filter(|it| text.contains(**it)).count() as f32;
    let mut vector: Vec<f32> = KINDS.iter().map(|kind| of(kind)).collect();
    vector.push(0.125);
    vector
}

impl Endpoint {
    async fn start() -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (manner, asked) = (Arc::new(Mutex::new(Manner::Answers)), Arc::default());
        let endpoint = Endpoint { url, manner, asked };
        let (manner, asked) = (endpoint.manner.clone(), endpoint.asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manner.clone(), asked.clone()));
            }
        });
        endpoint
    }

    fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    fn config(&self, directory: &Path) -> Config {
        let mut config = Config::at(directory);
        config.embedding.remote = Some(RemoteConfig {
            url: self.url.clone(),
            model: "three".into(),
            dims: 4,
            key: Some(Key::new("sesame")),
        });
        (config.embedding.retry_ms, config.embedding.retry_ms_max) = (1, 20);
        (config.embedding.request_ms_max, config.embedding.query_ms_max) = (2_000, 300);
        config.embedding.batch_texts = 4;
        config
    }
}

async fn serve(mut stream: TcpStream, manner: Arc<Mutex<Manner>>, asked: Asked) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let header = |name: &str| {
            let line = head.lines().find(|it| it.to_lowercase().starts_with(name))?;
            Some(line.split_once(": ")?.1.to_owned())
        };
        assert!(head.starts_with("POST /v1/embeddings "), "{head}");
        let mut body = vec![0; header("content-length")?.parse().ok()?];
        stream.read_exact(&mut body).await.ok()?;
        let body: Json = serde_json::from_slice(&body).ok()?;
        assert_eq!(body["model"], "three");
        let texts: Vec<String> = serde_json::from_value(body["input"].clone()).ok()?;
        asked.lock().unwrap().push((texts.clone(), header("authorization")));
        let manner = *manner.lock().unwrap();
        let (status, headers, answer) = match manner {
            Manner::Hangs => return std::future::pending().await,
            Manner::HangsUp => return None,
            Manner::Fails => ("500 Oh", "", "it is broken".to_owned()),
            Manner::Throttles => ("429 Slow", "retry-after: 1\r\n", "too fast".to_owned()),
            Manner::Refuses if texts.iter().any(|it| it.contains("poison")) => {
                ("400 No", "", "will not".to_owned())
            }
            Manner::AnswersNothing => ("200 OK", "", String::new()),
            Manner::TalksWithoutEnd => ("200 OK", "", "x".repeat(4 << 20)),
            Manner::Answers | Manner::Refuses | Manner::Lies => {
                let short = usize::from(manner == Manner::Lies);
                // Backwards: what counts is the index.
                let row = |(n, text): (usize, &String)| {
                    let vector = vector(text);
                    json!({"index": n, "embedding": vector[short..], "object": "embedding"})
                };
                let rows: Vec<Json> = texts.iter().enumerate().map(row).rev().collect();
                ("200 OK", "", json!({"data": rows, "model": "three"}).to_string())
            }
        };
        let length = answer.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn open(config: Config) -> Runtime {
    loop {
        match stoa::open(config.clone()).await {
            // The tasks of the runtime before are about to end.
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

async fn put(caller: &Caller, space: SpaceId, text: &str) -> AtomId {
    let draft = Draft { content: Content::from(text), ..Draft::default() };
    caller.put(space, draft, WriteOptions::default()).await.unwrap().id
}

/// Waits until the status is so.
async fn until(runtime: &Runtime, so: impl Fn(&VectorStatus) -> bool) -> VectorStatus {
    let wait = async {
        loop {
            let status = runtime.vector_status().unwrap();
            if so(&status) {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    waited.unwrap_or_else(|_| panic!("it stays at {:?}", runtime.vector_status()))
}

async fn first(caller: &Caller, space: SpaceId, text: &str) -> Option<AtomId> {
    let found = caller.search(space, Query { limit: 1, ..Query::text(text) }).await.unwrap();
    found.first().map(|it| it.read.atom.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn its_vectors_are_made_in_the_background_and_served_once_they_have_caught_up() {
    let (directory, endpoint) = (tempfile::tempdir().unwrap(), Endpoint::start().await);
    // First without it: there are atoms when it comes.
    let runtime = open(Config::at(directory.path())).await;
    let space = runtime.caller(ROOT).create_space("s", "").await.unwrap();
    let texts = ["the loaf is warm", "a vessel in the bay", "statute of 1707", "nothing of it"];
    let mut ids = Vec::new();
    for text in texts {
        ids.push(put(&runtime.caller(ROOT), space, text).await);
    }
    assert_eq!(runtime.vector_status(), None, "there is only the one that is built in");
    runtime.stop().await.unwrap();
    drop(runtime);

    let runtime = open(endpoint.config(directory.path())).await;
    let caller = runtime.caller(ROOT);
    until(&runtime, |it| it.serves && it.behind == 0).await;
    // No word in common: only its vectors know.
    for (asked, found) in [("ship", ids[1]), ("bread", ids[0]), ("law", ids[2])] {
        assert_eq!(first(&caller, space, asked).await, Some(found), "{asked}");
    }
    // What is written now is found by words at once, and by meaning once it is embedded.
    let late = put(&caller, space, "a second vessel, larger: vessel, vessel").await;
    let found = caller.search(space, Query::text("larger")).await.unwrap();
    assert!(found.iter().any(|it| it.read.atom.id == late), "{found:?}");
    until(&runtime, |it| it.behind == 0).await;
    let patch = Patch { content: Some("all bread and loaf".into()), ..Patch::default() };
    caller.update(ids[3], Expect::Version(1), patch, WriteOptions::default()).await.unwrap();
    until(&runtime, |it| it.behind == 0).await;
    let found = caller.search(space, Query { limit: 2, ..Query::text("bread") }).await.unwrap();
    let mut found: Vec<AtomId> = found.iter().map(|it| it.read.atom.id).collect();
    found.sort();
    assert_eq!(found, {
        let mut all = vec![ids[0], ids[3]];
        all.sort();
        all
    });
    {
        let asked = endpoint.asked.lock().unwrap();
        assert!(asked.iter().all(|(_, key)| key.as_deref() == Some("Bearer sesame")), "{asked:?}");
        assert!(asked.iter().all(|(texts, _)| texts.len() <= 4), "in batches");
        let queries = asked.iter().filter(|(it, _)| it[..] == ["ship"]).count();
        assert_eq!(queries, 1);
    }
    runtime.stop().await.unwrap();
    drop((runtime, caller));

    // It serves from the start then, and asks for nothing again.
    let before = endpoint.asked.lock().unwrap().len();
    let runtime = open(endpoint.config(directory.path())).await;
    until(&runtime, |it| it.serves && it.behind == 0).await;
    assert_eq!(endpoint.asked.lock().unwrap().len(), before);
    assert_eq!(first(&runtime.caller(ROOT), space, "law").await, Some(ids[2]));
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_it_does_atoms_are_found_by_words_and_status_says_why_vectors_lag() {
    let (directory, endpoint) = (tempfile::tempdir().unwrap(), Endpoint::start().await);
    let runtime = open(endpoint.config(directory.path())).await;
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.unwrap();
    put(&caller, space, "a vessel").await;
    until(&runtime, |it| it.serves && it.behind == 0).await;
    for (n, (manner, said)) in [
        (Manner::Fails, "answers 500: it is broken"),
        (Manner::Throttles, "answers 429: too fast"),
        (Manner::HangsUp, "cannot be asked"),
        (Manner::Lies, "3 dimensions, and 4 are configured"),
        (Manner::AnswersNothing, "answered with something invalid"),
        (Manner::TalksWithoutEnd, "more than"),
        (Manner::Hangs, "did not answer within"),
    ]
    .into_iter()
    .enumerate()
    {
        endpoint.behave(manner);
        let word = format!("word{n}");
        let id = put(&caller, space, &format!("{word} on a vessel")).await;
        let found = tokio::time::timeout(Duration::from_secs(20), first(&caller, space, &word));
        assert_eq!(found.await.unwrap(), Some(id), "{manner:?}");
        let status =
            until(&runtime, |it| it.why.as_ref().is_some_and(|it| it.contains(said))).await;
        assert!(status.behind > 0 && status.serves, "{manner:?}: {status:?}");
        assert!(!format!("{status:?}").contains("sesame"), "a key is never told");
        endpoint.behave(Manner::Answers);
        until(&runtime, |it| it.behind == 0 && it.why.is_none()).await;
        let all = Query { limit: 100, ..Query::text("ship") };
        let found = caller.search(space, all).await.unwrap();
        let score = found.iter().find(|it| it.read.atom.id == id).map(|it| it.score);
        assert!(score.is_some_and(|it| it > 0.5), "{manner:?}: it has its vector now: {score:?}");
    }
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_it_refuses_keeps_no_other_from_its_vector() {
    let (directory, endpoint) = (tempfile::tempdir().unwrap(), Endpoint::start().await);
    endpoint.behave(Manner::Refuses);
    let runtime = open(endpoint.config(directory.path())).await;
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.unwrap();
    let mut ids = Vec::new();
    let long = format!("a vessel {} poison", "and so on ".repeat(300));
    for text in ["a vessel", "poison in a vessel", &long, "a loaf"] {
        ids.push(put(&caller, space, text).await);
    }
    let status = until(&runtime, |it| it.behind == 0 && it.serves).await;
    assert_eq!((status.refused, status.why), (1, None));
    assert_eq!(first(&caller, space, "poison").await, Some(ids[1]), "by its words");
    assert_eq!(first(&caller, space, "bread").await, Some(ids[3]));
    let ships = caller.search(space, Query::text("ship")).await.unwrap();
    let score = |id| ships.iter().find(|it| it.read.atom.id == id).map(|it| it.score);
    assert!(score(ids[2]).is_some_and(|it| it > 0.5), "by its beginning: {ships:?}");
    assert_eq!(score(ids[1]), None, "it has no vector, and no word of this");
    runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_embeds_anew_while_what_is_there_serves() {
    let (directory, endpoint) = (tempfile::tempdir().unwrap(), Endpoint::start().await);
    let runtime = open(endpoint.config(directory.path())).await;
    let space = runtime.caller(ROOT).create_space("s", "").await.unwrap();
    let id = put(&runtime.caller(ROOT), space, "a vessel in the bay").await;
    until(&runtime, |it| it.serves && it.behind == 0).await;
    runtime.stop().await.unwrap();
    drop(runtime);

    endpoint.behave(Manner::Hangs);
    let mut config = endpoint.config(directory.path());
    if let Some(remote) = &mut config.embedding.remote {
        remote.url = remote.url.replace("127.0.0.1", "localhost");
    }
    let runtime = open(config).await;
    let caller = runtime.caller(ROOT);
    let status = runtime.vector_status().unwrap();
    assert!(!status.serves && status.behind > 0, "its rows are others: {status:?}");
    assert_eq!(first(&caller, space, "boat on the bay").await, Some(id), "by the built-in one");
    endpoint.behave(Manner::Answers);
    until(&runtime, |it| it.serves && it.behind == 0).await;
    assert_eq!(first(&caller, space, "ship").await, Some(id));
    runtime.stop().await.unwrap();
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_before_anything_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::at(directory.path());
    let (url, model, dims) = ("gopher://x".to_owned(), "m".to_owned(), 4);
    config.embedding.remote = Some(RemoteConfig { url, model, dims, key: None });
    let refused = stoa::open(config).await.err().map(|it| it.to_string());
    assert!(
        refused.as_ref().is_some_and(|it| it.contains("neither http nor https")),
        "{refused:?}"
    );
}

/// A library may bring its own vectors: what is none is refused, and nothing changes.
#[tokio::test]
async fn what_is_no_vector_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = stoa::open(Config::at(dir.path())).await.unwrap();
    let caller = runtime.caller(ROOT);
    let space = caller.create_space("s", "").await.unwrap();
    let with = |scale, dims| {
        let embedding = Some(Embedding { fingerprint: 7, scale, dims });
        Draft { content: Content::from("a note"), embedding, ..Draft::default() }
    };
    let before = runtime.durable();
    for (draft, said) in [
        (with(1.0, vec![]), "this has none"),
        (with(1.0, vec![1; 4_097]), "the embedding's dimensions takes 4097; the limit is 4096"),
        (with(f32::NAN, vec![1; 256]), "a finite number from 0 on"),
        (with(f32::INFINITY, vec![1; 256]), "a finite number from 0 on"),
        (with(-1.0, vec![1; 256]), "a finite number from 0 on"),
    ] {
        let refused = caller.put(space, draft, WriteOptions::default()).await.unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Invalid, "{refused}");
        assert!(refused.text.contains(said) && refused.hint.is_some(), "{refused}");
    }
    assert_eq!(runtime.durable(), before, "nothing was written");
    // Of another width, or another embedder: stored, found by its words, compared with nothing.
    let id = caller.put(space, with(0.5, vec![9; 12]), WriteOptions::default()).await.unwrap().id;
    assert_eq!(first(&caller, space, "note").await, Some(id));
    runtime.stop().await.unwrap();
}
