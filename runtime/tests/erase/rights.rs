//! Who may erase.

use crate::{audited, open, says};
use stoa::caller::{Caller, GrantRequest, WriteOptions};
use stoa::problem::ProblemKind;
use stoa_actors::rights::Level;
use stoa_actors::space::{Expect, Patch};

#[tokio::test(flavor = "multi_thread")]
async fn who_has_put_it_or_may_grant_may_erase_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, root, space) = open(dir.path()).await;
    let mut sessions = Vec::new();
    for (name, level) in [("ann", Level::Write), ("bob", Level::Write), ("cy", Level::Append)] {
        let grant = GrantRequest { level, delegate: None, expires_ms: None, reason: String::new() };
        let session = root.grant("notes", name, grant).await.unwrap().session;
        sessions.push(runtime.caller(session));
    }
    let [ann, bob, cy] = &sessions[..] else { panic!("three") };
    let put = |who: &Caller| {
        let who = who.clone();
        async move { who.put(space, says("mine"), WriteOptions::default()).await.unwrap().id }
    };
    let (own, second, third) = (put(ann).await, put(ann).await, put(cy).await);
    // Who has changed it last is not who has put it.
    let patch = Patch { annotation: Some("bob was here".into()), ..Patch::default() };
    bob.update(own, Expect::Any, patch, WriteOptions::default()).await.unwrap();
    for who in [bob, cy] {
        let no = who.erase(own, Expect::Any, WriteOptions::default()).await.unwrap_err();
        assert_eq!(no.kind, ProblemKind::Forbidden, "{no}");
    }
    let no = cy.erase(third, Expect::Any, WriteOptions::default()).await.unwrap_err();
    assert_eq!(no.kind, ProblemKind::Forbidden, "who may only add cannot take away: {no}");
    let no = ann.erase(own, Expect::Version(1), WriteOptions::default()).await.unwrap_err();
    assert_eq!(no.kind, ProblemKind::Conflict, "{no}");
    ann.erase(own, Expect::Version(2), WriteOptions::default()).await.unwrap();
    root.erase(second, Expect::Any, WriteOptions::default()).await.unwrap();
    root.erase(third, Expect::Any, WriteOptions::default()).await.unwrap();
    let stranger = runtime.caller(stoa_actors::id::SessionId([7; 16]));
    let no = stranger.erase(own, Expect::Any, WriteOptions::default()).await.unwrap_err();
    assert_eq!(no.kind, ProblemKind::Unknown, "{no}");
    assert_eq!(audited(&runtime).erased, 3);
    runtime.stop().await.unwrap();
}
