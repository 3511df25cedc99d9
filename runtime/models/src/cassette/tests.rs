use super::names::{NamedRequest, Renames, difference};
use super::*;
use crate::fault::{Fault, FaultKind};
use crate::reply::ModelReply;
use crate::request::Place;
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use std::path::Path;
use stoa_endpoint::Key;

const ID: &str = "01JDV8Z0Q3K7M2N4P5R6S7T8V9";
const OTHER: &str = "01JDV8Z0Q3K7M2N4P5R6S7T8W0";

fn named(text: &str) -> String {
    NamedRequest::of(&Json::from(text)).json.as_str().unwrap().to_owned()
}

#[test]
fn ids_and_times_are_found_by_their_form() {
    for (text, is) in [
        ("nothing here", "nothing here"),
        (ID, "⟨1⟩"),
        (&format!("see {ID}, {OTHER} and {ID}."), "see ⟨1⟩, ⟨2⟩ and ⟨1⟩."),
        (&format!("{ID} ends in S7T8V9, shown as R6S7T8V9"), "⟨1⟩ ends in S7T8V9, shown as ⟨2⟩"),
        ("R6S7T8V9 alone is a word", "R6S7T8V9 alone is a word"),
        (&format!("x{ID}"), &format!("x{ID}")),
        (&ID.to_lowercase(), &ID.to_lowercase()),
        ("at 2026-11-29T03:11:54Z or 2026-11-29 03:11:54.123+01:00!", "at ⟨1⟩ or ⟨2⟩!"),
        ("2026-11-29 is a day", "2026-11-29 is a day"),
        ("2026-11-29T03:11:54", "⟨1⟩"),
        ("1764385914123 ms, 1764385914.25 s", "⟨1⟩ ms, ⟨2⟩ s"),
        ("1764385914 apples, 9764385914123 pears", "1764385914 apples, 9764385914123 pears"),
        ("1764385914.", "1764385914."),
        ("line 12, version 3", "line 12, version 3"),
        ("position=77, position=78; position=77", "position=⟨1⟩, position=⟨2⟩; position=⟨1⟩"),
        ("{\"position\": 77, 'position':5}", "{\"position\": ⟨1⟩, 'position':⟨2⟩}"),
        ("{\\\"position\\\": 77}", "{\\\"position\\\": ⟨1⟩}"),
        ("position 7, positions=7, position=x7", "position 7, positions=7, position=x7"),
        ("ä⟨1⟩", "ä⟨1⟩"),
        ("ABCDEFGHJKMNPQRSTVWXYZABCD", "ABCDEFGHJKMNPQRSTVWXYZABCD"),
    ] {
        assert_eq!(named(text), is, "{text}");
    }
}

#[test]
fn the_first_difference_is_named_by_its_pointer() {
    let was = json!({"messages": [{"role": "user", "content": "water the plants"}], "n": 1});
    for (is, pointer, shown) in [
        (
            json!({"n": 1, "messages": [{"content": "water the roses", "role": "user"}]}),
            "/messages/0/content",
            "roses",
        ),
        (json!({"messages": [{"role": "user"}], "n": 1}), "/messages/0/content", "nothing"),
        (json!({"messages": [], "n": 1}), "/messages/0", "nothing"),
        (json!({"messages": [{"role": "user", "content": "water the plants"}], "n": 2}), "/n", "2"),
        (json!({"a/b~": 0, "messages": [], "n": 1}), "/a~1b~0", "0"),
        (json!([1]), "", "[1]"),
    ] {
        let found = difference(&was, &is).unwrap();
        assert_eq!(found.pointer, pointer, "{found:?}");
        assert!(found.is.contains(shown), "{found:?}");
    }
    assert_eq!(difference(&was, &was), None);
    let long = |end: &str| json!(format!("{}{end}", "ä".repeat(5_000)));
    let found = difference(&long("x"), &long("y")).unwrap();
    assert!(found.was.len() < 200 && found.was.ends_with("x\""), "{found:?}");
}

fn id() -> impl Strategy<Value = String> {
    prop::array::uniform16(any::<u8>())
        .prop_map(|bytes| stoa_actors::id::SessionId(bytes).to_string())
        .prop_filter("a word without a digit is no id", |it| {
            it.bytes().any(|it| it.is_ascii_digit())
        })
}

proptest! {
    /// Two runs that differ in their ids alone are told the same, and what the one answers is
    /// understood by the other.
    #[test]
    fn two_runs_that_differ_in_their_ids_are_the_same(
        pairs in prop::collection::vec((id(), id()), 1..8),
        words in prop::collection::vec((0..8_usize, "[a-z ]{0,6}"), 1..20),
    ) {
        let text = |second: bool| {
            let word = |(at, said): &(usize, String)| {
                let (a, b) = &pairs[at % pairs.len()];
                format!("{said} {} ", if second { b } else { a })
            };
            words.iter().map(word).collect::<String>()
        };
        let distinct = |which: fn(&(String, String)) -> &String| {
            pairs.iter().map(which).collect::<std::collections::BTreeSet<_>>().len() == pairs.len()
        };
        prop_assume!(distinct(|it| &it.0) && distinct(|it| &it.1));
        let (was, is) = (NamedRequest::of(&json!({"said": text(false)})), NamedRequest::of(&json!({"said": text(true)})));
        prop_assert_eq!(&was.json, &is.json);
        prop_assert_eq!(Renames::between(&was, &is).text(&text(false)), text(true));
        prop_assert_eq!(Renames::between(&is, &was).text(&text(true)), text(false));
        prop_assert!(Renames::between(&was, &was).is_empty());
    }
}

fn place(turn: u64) -> Place {
    Place { agent: "editor/critic".to_owned(), turn, step: 1 }
}

/// Records an exchange: what is asked and the pieces of what is answered.
fn record(recorder: &Arc<Recorder>, turn: u64, request: &Json, pieces: &[&[u8]]) {
    let mut tape = recorder.asks(&place(turn), "lab", "chat", request);
    let headers =
        [("content-type", "text/event-stream"), ("set-cookie", "a=secret"), ("retry-after", "3")];
    tape.answered(200, headers.into_iter());
    pieces.iter().for_each(|it| tape.piece(it));
    tape.ended(None).unwrap();
}

async fn all_of(played: &mut Played) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = played.piece().await.unwrap() {
        all.extend(piece);
    }
    all
}

fn open(path: &Path) -> Arc<Recorder> {
    Arc::new(Recorder::open(path, 7, 1_764_385_914_000).unwrap())
}

#[tokio::test]
async fn what_was_recorded_is_answered_byte_for_byte_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let request = json!({"model": "m", "messages": [format!("see {ID}")]});
    let pieces: [&[u8]; 3] = ["data: ä".as_bytes().split_last().unwrap().1, b"\xa4\r\n", b"\xff"];
    record(&open(&path), 1, &request, &pieces);
    let replay = Replay::open(&path).unwrap();
    assert_eq!((replay.header().seed, replay.header().began_ms), (7, 1_764_385_914_000));
    let again = json!({"messages": [format!("see {OTHER}")], "model": "m"});
    let mut played = replay.answer(&place(1), "lab", &again).unwrap();
    assert_eq!(played.status, Some(200));
    let kept = [("content-type", "text/event-stream"), ("retry-after", "3")];
    assert_eq!(played.headers, kept.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(all_of(&mut played).await, pieces.concat());
    let reply = ModelReply { text: format!("get({ID:?}), {}", &ID[18..]), ..ModelReply::default() };
    assert_eq!(played.renamed(reply).text, format!("get({OTHER:?}), {}", &OTHER[18..]));
    let (used, left) = (replay.answer(&place(1), "lab", &again).unwrap_err(), replay.left());
    assert_eq!((used.kind, left), (FaultKind::Cassette, 0));
    assert!(used.text.contains("is used up"), "{used}");
}

#[test]
fn what_was_not_recorded_is_told_with_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    record(&open(&path), 2, &json!({"messages": ["plant 7"]}), &[b"ok"]);
    let told = |place: &Place, provider: &str, said: &str| {
        let replay = Replay::open(&path).unwrap();
        let fault = replay.answer(place, provider, &json!({"messages": [said]})).unwrap_err();
        assert!(!fault.may_retry() && !fault.paid, "{fault:?}");
        let again = replay.answer(place, "lab", &json!({"messages": ["plant 7"]})).unwrap_err();
        assert_eq!(again, fault, "what it has strayed by is told from then on");
        fault.text
    };
    assert_eq!(
        told(&place(2), "lab", "plant 8"),
        "editor/critic, turn 2, step 1: the request differs at /messages/0: recorded \"plant 7\", now \"plant 8\""
    );
    let later = told(&place(3), "lab", "plant 7");
    assert!(later.contains("the last request of it is editor/critic, turn 2, step 1"), "{later}");
    let foreign = told(&Place { agent: "poet".to_owned(), ..place(2) }, "lab", "plant 7");
    assert!(foreign.contains("it has requests of editor/critic"), "{foreign}");
    let moved = told(&place(2), "elsewhere", "plant 7");
    assert!(moved.contains("on the cassette it has asked lab"), "{moved}");
}

#[test]
fn no_secret_gets_onto_it_whoever_says_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let recorder = open(&path);
    let secret = "sk-canary\"1234567890";
    recorder.hide(&Key::new(secret));
    recorder.hide(&Key::lacking("KEY".to_owned()));
    let request = json!({"messages": [format!("my key is {secret}")]});
    let quoted = br#"{"error": "sk-canary\"1234567890 is wrong"}"#;
    record(&recorder, 1, &request, &[b"sk-can", b"ary\"1234567890 is", b" wrong"]);
    record(&recorder, 2, &request, &[&quoted[..15], &quoted[15..]]);
    // Cut off in the midst of it.
    record(&recorder, 3, &request, &[b"sk-canary\"123456"]);
    let written = fs::read_to_string(&path).unwrap();
    assert!(!written.contains("canary") && !written.contains("a=secret"), "{written}");
    assert!(written.contains("is wrong"), "{written}");
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
}

/// Every byte of it: what was changed is refused, and what is behind the change is never told.
#[test]
fn a_cassette_that_was_edited_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let recorder = open(&path);
    for turn in 1..=3 {
        record(&recorder, turn, &json!({"messages": ["plant"], "turn": turn}), &[b"ok"]);
    }
    drop(recorder);
    let written = fs::read(&path).unwrap();
    let mut refused = 0;
    for at in 0..written.len() {
        let mut edited = written.clone();
        edited[at] = if edited[at] == b'7' { b'8' } else { b'7' };
        fs::write(&path, &edited).unwrap();
        match Replay::open(&path) {
            Err(CassetteError::Changed { .. } | CassetteError::Garbled { .. }) => refused += 1,
            Ok(it) if at == written.len() - 1 => assert_eq!(it.left(), 2, "its last line is half"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
    assert_eq!(refused, written.len() - 1);
    // Lines that are put in another order, or left out, are no other cassette.
    let lines: Vec<&[u8]> = written.split_inclusive(|it| *it == b'\n').collect();
    for order in [[0, 2, 1, 3], [0, 1, 3, 2], [0, 1, 1, 2], [1, 0, 2, 3]] {
        fs::write(&path, order.map(|at| lines[at]).concat()).unwrap();
        Replay::open(&path).unwrap_err();
    }
    fs::write(&path, "").unwrap();
    Replay::open(&path).unwrap_err();
    fs::write(&path, "{\"cassette\": 1}\n").unwrap();
    Replay::open(&path).unwrap_err();
    Replay::open(dir.path()).unwrap_err();
}

/// Cut at every byte, as a killed process leaves it: what was whole is there, and it goes on.
#[test]
fn a_recording_that_was_killed_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let recorder = open(&path);
    record(&recorder, 1, &json!({"n": 1}), &[b"one"]);
    record(&recorder, 2, &json!({"n": 2}), &[b"two"]);
    assert!(matches!(Recorder::open(&path, 8, 0), Err(CassetteError::Busy { .. })));
    drop(recorder);
    let written = fs::read(&path).unwrap();
    for length in 0..=written.len() {
        fs::write(&path, &written[..length]).unwrap();
        let recorder = Arc::new(Recorder::open(&path, 8, 9).unwrap());
        let whole = written[..length].iter().filter(|it| **it == b'\n').count();
        assert_eq!(recorder.header().seed, if whole > 0 { 7 } else { 8 });
        record(&recorder, 3, &json!({"n": 3}), &[b"three"]);
        drop(recorder);
        let replay = Replay::open(&path).unwrap();
        assert_eq!(replay.left(), whole.saturating_sub(1) + 1, "cut at {length}");
    }
    fs::write(&path, "# My notes\n").unwrap();
    assert!(matches!(Recorder::open(&path, 8, 9), Err(CassetteError::Garbled { line: 1, .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "# My notes\n", "no other file is written over");
}

#[tokio::test]
async fn how_it_ended_is_played_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let recorder = open(&path);
    let request = json!({"n": 1});
    let broken = Fault { paid: true, ..Fault::new(FaultKind::Silent, "for 60000 ms") };
    recorder.asks(&place(1), "lab", "chat", &request).ended(Some(&broken)).unwrap();
    let mut dropped = recorder.asks(&place(2), "lab", "chat", &request);
    dropped.answered(200, std::iter::empty());
    dropped.piece(b"half");
    drop(dropped);
    let replay = Replay::open(&path).unwrap();
    let mut failed = replay.answer(&place(1), "lab", &request).unwrap();
    assert_eq!(failed.piece().await.unwrap_err(), broken);
    let mut cancelled = replay.answer(&place(2), "lab", &request).unwrap();
    assert_eq!(cancelled.piece().await.unwrap().unwrap(), b"half");
    let nothing = tokio::time::timeout(std::time::Duration::from_millis(20), cancelled.piece());
    nothing.await.unwrap_err();
}
