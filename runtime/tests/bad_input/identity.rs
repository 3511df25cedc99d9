//! Nobody has rights by default: a request says who asks, and a session never makes the owner's
//! process read or write files.

use crate::harness::Place;
use stoa::config::{Config, DoorLimits};
use stoa::door::{DoorRequest, Identity, Peer, Reached, perform, reach};
use stoa::operation::{OutItem, answers};
use stoa::operations::SpaceList;
use stoa::problem::{Problem, ProblemKind};
use stoa::runtime::kinds;

/// A directory with one session that may only read one space.
fn restricted() -> Place {
    let place = Place::new();
    for space in ["tasks", "secret"] {
        place.json(&["space", "create", space]);
    }
    place.json(&["grant", "tasks", "bob", "read"]);
    place.file("private.txt", "The password of the owner is swordfish. Nobody else may know it.");
    place
}

#[test]
fn a_session_does_not_make_the_owners_process_read_or_write_files() {
    let place = restricted();
    let rows: [(&[&str], &str); 3] = [
        (&["research", "What is the password?", "--files", "private.txt"], "research reads files"),
        (&["backup", "copy"], "a backup contains every space"),
        (&["audit"], "an audit reads every space"),
    ];
    let head = || place.json(&["status"])[0]["head"].clone();
    let before = head();
    let hold = || {
        for (args, says) in rows {
            let ended = place.stoa(&[&["--as", "bob"], args].concat());
            assert_eq!((ended.code, &*ended.out), (4, ""), "{}", ended.err);
            assert!(ended.err.contains(says) && ended.err.contains("hint: stoa "), "{}", ended.err);
            assert!(!ended.err.contains("swordfish"));
        }
        assert_eq!(head(), before, "nothing is written");
        assert!(!place.path("copy").exists());
    };
    hold();
    let serve = place.serve();
    hold();
    drop(serve);
}

#[test]
fn a_session_is_told_of_its_own_spaces_and_agents_only() {
    let place = restricted();
    place.json(&["put", "secret", "x"]);
    let serve = place.serve();
    place.json(&["search", "secret", "x"]);
    let all = place.json(&["status"]).remove(0);
    assert_eq!((&all["spaces"], &all["sessions"]), (&2.into(), &2.into()));
    assert_eq!(all["indexes"].as_array().unwrap().len(), 1);
    let own = place.json(&["--as", "bob", "status"]).remove(0);
    assert_eq!((&own["spaces"], &own["sessions"]), (&1.into(), &1.into()));
    assert_eq!(own["indexes"].as_array().unwrap().len(), 0, "{own}");
    drop(serve);
}

/// What is answered to a request, and whether it was done.
async fn said(
    runtime: &stoa::runtime::Runtime,
    peer: Peer,
    identity: Identity,
) -> (Vec<OutItem>, Result<(), Problem>) {
    let (tell, mut told) = answers(&DoorLimits::default());
    let request = DoorRequest::of(identity, &SpaceList::default()).unwrap();
    let done = perform(runtime, peer, request, tell).await;
    let mut answers = Vec::new();
    while let Some(answer) = told.next().await {
        answers.push(answer);
    }
    (answers, done)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_identity_and_a_stranger_have_no_rights() {
    let place = restricted();
    let config = Config::at(place.path("data"));
    let Ok(Reached::Owner(runtime, mut door)) =
        reach(config.clone(), kinds(), DoorLimits::default()).await
    else {
        panic!("nobody else has it")
    };
    let bob = Identity::Session("bob".into());
    for (peer, identity, spaces) in [
        (Peer::Owner, Identity::default(), None),
        (Peer::Owner, Identity::Owner, Some(2)),
        (Peer::Owner, bob.clone(), Some(1)),
        (Peer::default(), Identity::default(), None),
        (Peer::default(), Identity::Owner, None),
        (Peer::default(), bob, None),
    ] {
        let (answers, done) = said(&runtime, peer, identity.clone()).await;
        let kind = done.err().map(|problem| problem.kind);
        let refused = spaces.is_none().then_some(ProblemKind::Forbidden);
        assert_eq!((answers.len(), kind), (spaces.unwrap_or(0), refused), "{peer:?} {identity:?}");
    }
    // The same over the socket.
    let Ok(Reached::Client(mut client)) = reach(config, kinds(), DoorLimits::default()).await
    else {
        panic!("it is served here")
    };
    let request = DoorRequest::of(Identity::Nobody, &SpaceList::default()).unwrap();
    let refused = client.ask(&request, |_| panic!("nothing is told")).await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::Forbidden);
    drop(client);
    door.close().await;
    runtime.stop().await.unwrap();
}
