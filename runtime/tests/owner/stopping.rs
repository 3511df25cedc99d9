//! An owner that is told to stop: it takes nothing in from then on, tells whoever is there, and is
//! gone in time, whatever they do. One that is full says so.

use crate::harness::{Place, Started};
use rustix::process::Signal;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use stoa::caller::WriteOptions;
use stoa::config::{Config, DoorLimits};
use stoa::door::{Reached, reach};
use stoa::problem::ProblemKind;
use stoa::runtime::kinds;
use stoa_actors::atom::Content;
use stoa_actors::id::{Position, ROOT};
use stoa_actors::space::{Draft, Filter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What it has, and what a busy machine adds.
const IN_TIME: Duration = Duration::from_secs(11);

fn ends_in_time(owner: Started, signal: Signal) -> String {
    let told = Instant::now();
    owner.signal(signal);
    let ended = owner.end();
    assert!(told.elapsed() < IN_TIME, "it took {:?}: {ended:?}", told.elapsed());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.err
}

/// It went on for as long as anybody followed, and acknowledged writes all the while.
#[test]
fn a_signal_ends_an_owner_with_followers_idle_connections_and_busy_agents() {
    let place = Place::new();
    for space in ["board", "how"] {
        place.json(&["space", "create", space]);
    }
    let busy = "```python\nn = 0\nwhile True:\n    n += 1\n    space.put(str(n))\n```";
    place.json(&["put", "how", busy]);
    for signal in [Signal::TERM, Signal::INT] {
        let owner = place.serve();
        let spawn = ["spawn", "never rest", "--instructions", "how", "--spaces", "board=append"];
        place.json(&spawn);
        let watch = place.start(&["watch", "board"], b"");
        watch.wait_for("what the agent writes", |out| out.contains("atom.put"));
        let all = place.start(&["watch"], b"");
        all.wait_for("the same", |out| out.contains("atom.put"));
        let stalled = place.start(&["watch", "board", "--cursor", "0"], b"");
        stalled.wait_for("its first lines", |out| out.lines().count() > 3);
        stalled.signal(Signal::STOP);
        let idle: Vec<UnixStream> =
            (0..20).map(|_| UnixStream::connect(place.path("data/stoa.sock")).unwrap()).collect();
        ends_in_time(owner, signal);
        for follower in [watch, all] {
            let ended = follower.end();
            assert_eq!(ended.code, 6, "{}", ended.err);
            assert!(ended.err.contains("is stopping"), "{}", ended.err);
        }
        for mut idle in idle {
            let ended = idle.read_to_end(&mut Vec::new());
            // One that was not let in yet hears nothing.
            let reset = |it: &std::io::Error| it.kind() == ErrorKind::ConnectionReset;
            assert!(ended.map_or_else(|it| reset(&it), |_| true));
        }
        assert!(!place.path("data/stoa.sock").exists(), "it takes its socket along");
        let audit = place.stoa(&["audit"]);
        assert_eq!(audit.code, 0, "{audit:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_it_is_closed_nothing_is_taken_in_and_what_was_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = stoa::open(Config::at(dir.path())).await.unwrap();
    let root = runtime.caller(ROOT);
    let space = root.create_space("notes", "").await.unwrap();
    let put = async |text: &str| {
        let draft = Draft { content: Content::from(text), ..Draft::default() };
        root.put(space, draft, WriteOptions::comment("put")).await
    };
    let kept = put("before").await.unwrap();
    let mut follow = root.follow(space, Position(0), Filter::default()).unwrap();
    runtime.close();
    let late = put("after").await.unwrap_err();
    assert_eq!((late.kind, late.text.contains("stopping")), (ProblemKind::Busy, true), "{late}");
    assert_eq!(root.create_space("more", "").await.unwrap_err().kind, ProblemKind::Busy);
    assert_eq!(follow.ready(10).await.unwrap().len(), 1, "what is there can be read");
    let head = runtime.stop().await.unwrap().unwrap();
    assert_eq!(head.position, kept.position);
}

/// The next verb was told that the owner does not answer, and to kill it.
#[test]
fn an_owner_that_is_full_says_so_and_has_room_again() {
    let place = Place::new();
    place.json(&["space", "create", "board"]);
    let owner = place.serve();
    let socket = place.path("data/stoa.sock");
    let held: Vec<UnixStream> = (0..300).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    let full = place.stoa(&["put", "board", "there is no place for this"]);
    assert_eq!(full.code, 6, "{full:?}");
    assert!(full.err.contains("serves 256 connections"), "{}", full.err);
    assert!(full.err.contains("try again") && !full.err.contains("kill"), "{}", full.err);
    drop(held);
    let again = place.stoa(&["put", "board", "and now there is"]);
    assert_eq!(again.code, 0, "{again:?}");
    let found = place.json(&["search", "board"]);
    assert_eq!(found.len(), 1, "the one that was told no was not taken");
    ends_in_time(owner, Signal::TERM);
}

/// A place that nobody uses is one that others want.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_nothing_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::at(dir.path());
    let limits = DoorLimits { idle_ms_max: 100, ..DoorLimits::default() };
    let Ok(Reached::Owner(runtime, mut door)) = reach(config, kinds(), limits).await else {
        panic!("nobody else has it")
    };
    let socket = dir.path().join("stoa.sock");
    let hang = tokio::net::UnixStream::connect(socket).await.unwrap();
    let (mut from, mut to) = hang.into_split();
    // Half of a request is none.
    to.write_all(&[200, 0]).await.unwrap();
    let closed = tokio::time::timeout(IN_TIME, from.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok_and(|it| it.is_ok()), "it is closed");
    door.close().await;
    runtime.stop().await.unwrap();
}
