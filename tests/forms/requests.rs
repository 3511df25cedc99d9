//! A request that says nothing new has the digest that it had before its type grew: repeated under its
//! key after an upgrade it is answered again.

use serde::Serialize;
use stoa_actors::digest::{DIGEST_FORM, digest};
use stoa_actors::id::{AtomId, LinkId, SpaceId};
use stoa_actors::rights;
use stoa_actors::search::{Condition, Which};
use stoa_actors::space::{ClaimPredicate, ClaimRequest, Declarations, Expect, Message, Patch};
use stoa_actors::value::Value;

fn hex(request: &impl Serialize) -> String {
    let digest = digest(DIGEST_FORM, request).unwrap();
    digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Taken before claims had an order and counted, patches set counts, and spaces declared.
#[test]
fn requests_from_before_spaces_declared_are_known_again() {
    let status = |it: &str| [("status".to_owned(), Value::from(it))].into();
    let done = Condition { which: Which::All, metadata: status("done") };
    let claim = ClaimRequest {
        text: Some("dig".into()),
        wanted: ClaimPredicate {
            metadata: status("open"),
            references: [("blocked_by".to_owned(), done)].into(),
        },
        ranked: Some(Vec::new()),
        set: status("doing"),
        ttl_ms: 60_000,
        intent: "to do it".into(),
        ..ClaimRequest::default()
    };
    assert_eq!(
        hex(&Message::Claim(Box::new(claim))),
        "04a5da05faa4aca090c5c54a3ed9a4fb8ab5b02bd2464cd8b27fbe0d553ef143"
    );
    let patch =
        Patch { metadata: status("done"), annotation: Some("x".into()), ..Patch::default() };
    assert_eq!(
        hex(&Message::update(AtomId([1; 16]), Expect::Version(3), patch)),
        "f0bfe09d13b3850fcd438e97cb1dcf71b625741fb5ce4a40b28249ebed5376af"
    );
    assert_eq!(
        hex(&Message::Describe("a convention".into())),
        "7eaf9f0274ebeb81bb52a32431808aa41e10021fe5ac56e63de858a9358b93da"
    );
    let create = rights::Message::CreateSpace {
        space: SpaceId([2; 16]),
        link: LinkId([3; 16]),
        alias: Some("board".into()),
        reason: "because".into(),
        description: "a convention".into(),
        declares: Declarations::default(),
    };
    assert_eq!(hex(&create), "77149199fdc5c3cc72a88d6e270968dd077e9435a4adfb94b1bd41a79031d56e");
}
