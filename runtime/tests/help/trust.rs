//! What comes with a directory counts only where its owner says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::harness::{Ended, Place, Started};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const KEY: &str = "sk-not-for-strangers";

/// An endpoint that keeps what it is sent and answers with nothing of use.
struct Endpoint {
    url: String,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn start() -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let to = sent.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                let (mut head, mut some) = (Vec::new(), [0; 4096]);
                while !head.windows(4).any(|it| it == b"\r\n\r\n") {
                    let Ok(bytes @ 1..) = stream.read(&mut some) else { break };
                    head.extend(&some[..bytes]);
                }
                to.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                let said = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                drop(stream.write_all(said.as_bytes()));
            }
        });
        Endpoint { url, sent }
    }

    fn settings(&self) -> String {
        let url = &self.url;
        format!("[embedder]\nurl = \"{url}\"\nmodel = \"m\"\ndims = 8\nkey_env = \"ANY_KEY\"\n")
    }

    fn sent(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

/// Runs the command in `data`, by somebody who has a key.
fn stoa(place: &Place, data: &str, args: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoa"));
    command.args(["--data", data]).args(args).current_dir(place.path("."));
    command.env("XDG_CONFIG_HOME", place.path("configuration")).env("ANY_KEY", KEY);
    Started::new(&mut command, b"").end()
}

/// Writes something and searches, in a directory whose settings are not used; why they are not.
fn works_without(place: &Place, data: &str, endpoint: &Endpoint) -> String {
    let before = endpoint.sent();
    let put = stoa(place, data, &["put", "notes", "a note"]);
    assert_eq!(put.code, 0, "{}", put.err);
    let search = stoa(place, data, &["search", "notes", "a note", "--json"]);
    assert!(search.code == 0 && search.out.contains("a note"), "{}", search.err);
    assert_eq!(endpoint.sent(), before, "{data}: nothing is sent");
    assert!(put.err.contains("note: ") && put.err.contains("is not used: "), "{}", put.err);
    put.err
}

fn is_sent_the_key(place: &Place, data: &str, endpoint: &Endpoint) {
    let before = endpoint.sent();
    let put = stoa(place, data, &["put", "notes", "a note"]);
    assert!(put.code == 0 && put.err.is_empty(), "{}", put.err);
    let search = stoa(place, data, &["search", "notes", "a note"]);
    assert_eq!(search.code, 0, "{}", search.err);
    assert!(endpoint.sent() > before, "{data}: it is asked");
    let sent = endpoint.sent.lock().unwrap();
    assert!(sent[before..].iter().any(|it| it.contains(KEY)), "{:?}", &sent[before..]);
}

fn trusts(place: &Place, data: &str) {
    let ended = stoa(place, data, &["trust"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("[embedder]: trusted"), "{}", ended.out);
}

fn carried(place: &Place, endpoint: &Endpoint) {
    place.json(&["space", "create", "notes"]);
    // It was made on another machine.
    assert_eq!(place.stoa(&["trust", "--remove"]).code, 0);
    place.file("data/config.toml", endpoint.settings());
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// Found with a carried directory whose settings named a url and `key_env = "ANTHROPIC_API_KEY"`:
/// the first `put` sent the key there.
#[test]
fn settings_that_came_with_a_directory_send_nothing_until_they_are_trusted() {
    let (place, endpoint) = (Place::new(), Endpoint::start());
    carried(&place, &endpoint);
    let says = works_without(&place, "data", &endpoint);
    assert!(says.contains("nobody has trusted this directory"), "{says}");
    assert!(says.contains("hint: stoa trust --data data"), "{says}");
    let shown = stoa(&place, "data", &["trust", "--show"]);
    assert!(shown.code == 0 && shown.out.contains(&endpoint.url), "{}", shown.out);
    works_without(&place, "data", &endpoint);
    trusts(&place, "data");
    is_sent_the_key(&place, "data", &endpoint);
    // The same, laid out otherwise.
    let turned: Vec<String> = endpoint.settings().lines().rev().map(str::to_owned).collect();
    let turned = format!("# mine\n[embedder]\n{}\n", turned[..4].join("\n"));
    place.file("data/config.toml", turned);
    is_sent_the_key(&place, "data", &endpoint);
    place.file("data/config.toml", endpoint.settings().replace("ANY_KEY", "HOME"));
    let says = works_without(&place, "data", &endpoint);
    assert!(says.contains("has changed since"), "{says}");
    place.file("data/config.toml", endpoint.settings());
    is_sent_the_key(&place, "data", &endpoint);
    let removed = stoa(&place, "data", &["trust", "--remove"]);
    assert_eq!(removed.code, 0, "{}", removed.err);
    works_without(&place, "data", &endpoint);
}

#[test]
fn a_copied_a_moved_and_an_exchanged_directory_ask_again() {
    let (place, endpoint) = (Place::new(), Endpoint::start());
    carried(&place, &endpoint);
    trusts(&place, "data");
    copy(&place.path("data"), &place.path("copy"));
    works_without(&place, "copy", &endpoint);
    std::fs::rename(place.path("data"), place.path("moved")).unwrap();
    works_without(&place, "moved", &endpoint);
    // Another directory at the path of the one that is trusted, with the very same settings.
    copy(&place.path("copy"), &place.path("data"));
    std::fs::write(place.path("data/identity"), "0".repeat(32)).unwrap();
    let says = works_without(&place, "data", &endpoint);
    assert!(says.contains("another directory was at this path"), "{says}");
    std::fs::remove_file(place.path("data/identity")).unwrap();
    works_without(&place, "data", &endpoint);
    // By another name it is still the same directory.
    trusts(&place, "data");
    symlink(place.path("data"), place.path("link")).unwrap();
    is_sent_the_key(&place, "link", &endpoint);
}

#[test]
fn settings_that_others_can_write_are_not_used_and_not_trusted() {
    let (place, endpoint) = (Place::new(), Endpoint::start());
    carried(&place, &endpoint);
    trusts(&place, "data");
    let file = place.path("data/config.toml");
    for mode in [0o620, 0o602, 0o666] {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let says = works_without(&place, "data", &endpoint);
        assert!(says.contains("hint: chmod go-w data/config.toml"), "{says}");
        let trust = stoa(&place, "data", &["trust"]);
        assert_eq!(trust.code, 2, "{}", trust.err);
        assert!(trust.err.contains("hint: chmod go-w"), "{}", trust.err);
    }
    std::fs::remove_file(&file).unwrap();
    let other = place.file("other.toml", endpoint.settings());
    symlink(&other, &file).unwrap();
    let says = works_without(&place, "data", &endpoint);
    assert!(says.contains("it is a symbolic link"), "{says}");
    assert_eq!(stoa(&place, "data", &["trust"]).code, 2);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    works_without(&place, "data", &endpoint);
}

/// The only file in the records.
fn record(place: &Place) -> std::path::PathBuf {
    let records = std::fs::read_dir(place.path("configuration/stoa/trust")).unwrap();
    let all: Vec<_> = records.map(|it| it.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[test]
fn a_record_that_is_not_usable_stops_the_command_and_says_what_to_type() {
    let (place, endpoint) = (Place::new(), Endpoint::start());
    carried(&place, &endpoint);
    trusts(&place, "data");
    let record = record(&place);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&record), mode(record.parent().unwrap())), (0o600, 0o700));
    let good = std::fs::read_to_string(&record).unwrap();
    for bad in
        ["", "{}", "[]", &good[..good.len() / 2], &good.replace("\"form\": 1", "\"form\": 9")]
    {
        std::fs::write(&record, bad).unwrap();
        let put = stoa(&place, "data", &["put", "notes", "x"]);
        assert!(put.code == 1 && put.err.contains("is not usable"), "{}", put.err);
        assert!(put.err.contains("hint: stoa trust --data data"), "{}", put.err);
        assert_eq!(endpoint.sent(), 0);
    }
    std::fs::write(&record, &good).unwrap();
    std::fs::set_permissions(&record, PermissionsExt::from_mode(0o666)).unwrap();
    let put = stoa(&place, "data", &["put", "notes", "x"]);
    assert!(put.code == 1 && put.err.contains("others can use it"), "{}", put.err);
    // What the hint says mends it.
    trusts(&place, "data");
    is_sent_the_key(&place, "data", &endpoint);
}

#[test]
fn what_an_untrusted_file_says_is_shown_without_what_a_terminal_obeys() {
    let place = Place::new();
    place.json(&["space", "create", "notes"]);
    let url = r#"url = "http://127.0.0.1:1/\u001b]0;x\u0007\u202ev1""#;
    place.file("data/config.toml", format!("[embedder]\n{url}\nmodel = \"m\"\ndims = 8\n"));
    let shown = place.stoa(&["trust", "--show"]);
    let said = format!("{}{}", shown.out, shown.err);
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
    assert_eq!(place.stoa(&["trust", "--data", "nowhere"]).code, 3);
    place.file("data/config.toml", "[hooks]\nrun = \"rm -rf /\"\n");
    let unknown = place.stoa(&["trust"]);
    assert!(unknown.code == 2 && unknown.err.contains("[hooks] is no section"), "{}", unknown.err);
}
