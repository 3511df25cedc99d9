//! What spaces store.

use crate::{FORM, holds, reads};
use std::sync::Arc;
use stoa_actors::atom::{Atom, Content, Deprecation, Embedding, Reference};
use stoa_actors::behaviour::Behaviour;
use stoa_actors::id::{AtomId, EventId, Millis, Position, SessionId, SpaceId, SubscriptionId};
use stoa_actors::log::{Cause, Hash};
use stoa_actors::redaction::Redacted;
use stoa_actors::space::{
    self, Declarations, Filter, Lease, Origin, Reply, Subscription, Terms, Was,
};
use stoa_actors::value::Value;

fn atom(version: u64) -> Arc<Atom> {
    let nested = Value::Map([("deep".to_owned(), Value::List(vec![Value::Null]))].into());
    let metadata = [
        ("fraction".to_owned(), Value::Float(-0.5)),
        ("nested".to_owned(), nested),
        ("status".to_owned(), Value::from("pending")),
        ("true".to_owned(), Value::Bool(true)),
        ("whole".to_owned(), Value::Int(-70_000)),
    ];
    Arc::new(Atom {
        id: AtomId([1; 16]),
        space: SpaceId([2; 16]),
        version,
        born: 300,
        author: SessionId([3; 16]),
        at: Millis(1_700_000_000_000),
        content: match version {
            1 => Content::Text("grüße".into()),
            2 => Content::Json(Value::Int(1)),
            _ => Content::Bytes { media_type: "image/png".into(), bytes: vec![0, 255, 7] },
        },
        annotation: "about it".into(),
        metadata: metadata.into(),
        references: vec![Reference { relation: "blocked_by".into(), target: AtomId([4; 16]) }],
        embedding: Some(Embedding { fingerprint: 9, scale: 0.25, dims: vec![0, 127, 128] }),
        deprecated: (version == 3).then_some(Deprecation { superseded_by: Some(AtomId([5; 16])) }),
        attempts: 0,
    })
}

/// One that was claimed.
fn tried(version: u64) -> Arc<Atom> {
    Arc::new(Atom { attempts: 300, ..(*atom(version)).clone() })
}

#[test]
fn space_events_of_form_1_read() {
    let reference = Reference { relation: "supports".into(), target: AtomId([6; 16]) };
    let mut events = vec![
        space::Event::Described("a convention".into()),
        space::Event::AtomPut(atom(1)),
        space::Event::AtomUpdated {
            atom: atom(2),
            added: vec![reference.clone()],
            dropped: vec![reference],
        },
        space::Event::AtomDeprecated(atom(3)),
        space::Event::Unsubscribed(SubscriptionId([7; 16])),
        space::Event::Advanced { id: SubscriptionId([7; 16]), cursor: Position(300) },
    ];
    reads("space-events-1.bin", FORM, &events);
    events.push(space::Event::AtomPut(tried(1)));
    holds("space-events-1-attempts.bin", FORM, &events);
}

fn lease() -> Lease {
    let status = |it: &str| [("status".to_owned(), Value::from(it))].into();
    let claimed = space::Claimed {
        set: status("doing"),
        before: [("status".to_owned(), Value::Null)].into(),
        exhausted: None,
    };
    Lease {
        space: SpaceId([2; 16]),
        resource: space::Resource::Atom(AtomId([1; 16])),
        holder: SessionId([3; 16]),
        token: 7,
        since: Millis(1_700_000_000_000),
        until: Millis(1_700_000_060_000),
        intent: "to be done".into(),
        claimed: Some(claimed),
    }
}

#[test]
fn lease_events_of_form_1_read() {
    let lease = lease();
    let Lease { space, holder, token, until, .. } = lease;
    let name = space::Resource::Name("deploy/production".into());
    let named = Lease { resource: name.clone(), claimed: None, ..lease.clone() };
    let (resource, was) = (name, Millis(1_700_000_000_000));
    let ended = |how| {
        let resource = resource.clone();
        space::Event::LeaseEnded { space, resource, holder, token, until, how }
    };
    let claimed = lease.claimed.clone().unwrap();
    let failed = [("status".to_owned(), Value::from("failed"))].into();
    let claimed = Some(space::Claimed { exhausted: Some(failed), ..claimed });
    let last = Lease { claimed, ..lease.clone() };
    let mut events = vec![
        space::Event::Leased(lease),
        space::Event::Leased(named),
        space::Event::LeaseRenewed { space, resource: resource.clone(), token, was, until },
        ended(space::End::Released),
        ended(space::End::Expired),
        ended(space::End::Broken),
    ];
    reads("lease-events-1.bin", FORM, &events);
    events.push(space::Event::Leased(last));
    holds("lease-events-1-exhausted.bin", FORM, &events);
}

#[test]
fn imported_versions_of_form_1_read() {
    let reference = Reference { relation: "supports".into(), target: AtomId([6; 16]) };
    let origin = Origin {
        event: EventId([8; 16]),
        position: Position(300),
        at: Millis(1_600_000_000_000),
        by: SessionId([9; 16]),
        kind: "atom.updated".into(),
        comment: "why".into(),
        key: Some("once".into()),
        cause: Cause { root: Some(EventId([7; 16])), hop: 3 },
        space: SpaceId([10; 16]),
        atom: AtomId([11; 16]),
        references: Some(vec![reference.clone()]),
        superseded_by: Some(AtomId([12; 16])),
    };
    let imported = |atom, origin| space::Event::AtomImported {
        atom,
        added: vec![reference.clone()],
        dropped: vec![],
        origin: Box::new(origin),
    };
    let bare = Origin { key: None, references: None, superseded_by: None, ..origin.clone() };
    let mut events = vec![imported(atom(1), bare), imported(atom(3), origin.clone())];
    reads("space-imported-1.bin", FORM, &events);
    events.push(imported(tried(3), origin));
    holds("space-imported-1-attempts.bin", FORM, &events);
    let reply = Reply::Imported { new: 300, known: 1 };
    holds("space-reply-imported-1.bin", FORM, &reply);
    let lost = vec![AtomId([6; 16])];
    let reply = Reply::Merged { new: 300, known: 1, attic: 2, lost };
    holds("space-reply-merged-1.bin", FORM, &reply);
}

#[test]
fn what_an_erase_leaves_reads() {
    let reference = Reference { relation: "supports".into(), target: AtomId([6; 16]) };
    let redacted_version = |content, version| {
        let embedding = None;
        let (annotation, metadata) = (String::new(), Default::default());
        Arc::new(Atom { content, annotation, metadata, embedding, ..(*atom(version)).clone() })
    };
    let atom = redacted_version(Content::Erased, 3);
    let events = vec![
        space::Event::AtomPut(redacted_version(Content::Redacted, 1)),
        space::Event::AtomErased { atom, dropped: vec![reference], origin: None },
    ];
    reads("space-erased-1.bin", FORM, &events);
    holds("space-erased-1-attempts.bin", FORM, &events);
    let bodies = vec![(Position(300), Hash([7; 32])), (Position(70_000), Hash([8; 32]))];
    let redacted = Redacted { atom: AtomId([1; 16]), bodies, whole: true };
    holds("redacted-1.bin", FORM, &vec![redacted]);
}

/// What a space answers, as it is kept with the request that it answered.
#[test]
fn replies_of_form_1_read() {
    let (one, other) = (AtomId([1; 16]), AtomId([2; 16]));
    let told = Lease { claimed: None, ..lease() };
    let replies = vec![
        Reply::Done,
        Reply::Version { id: one, version: 300 },
        Reply::Subscribed(SubscriptionId([7; 16])),
        Reply::Versions(vec![(one, 1), (other, 300)]),
        Reply::Lease(lease()),
        Reply::Claimed(Some((one, 3, Box::new(told)))),
        Reply::Claimed(None),
    ];
    reads("space-replies-1.bin", FORM, &replies);
    holds("space-replies-1-exhausted.bin", FORM, &replies);
}

/// A space that is described, followed and worked in.
#[test]
fn a_snapshot_of_a_space_of_form_4_reads() {
    let form = <space::Space as Behaviour>::SNAPSHOT_FORM;
    assert_eq!(form, 4);
    let subscription = Subscription {
        id: SubscriptionId([7; 16]),
        subscriber: SessionId([3; 16]),
        filter: Filter { types: vec!["atom.put".into()], ..Filter::default() },
        cursor: Position(300),
        terms: Terms { debounce_ms: 30_000, until: Some(Millis(1_700_000_000_000)) },
    };
    let events = [
        space::Event::Described("a convention".into()),
        space::Event::SubscriptionSet { space: SpaceId([2; 16]), subscription, was: Was::New },
        space::Event::Leased(lease()),
    ];
    let mut state = space::Space::unborn(SpaceId([2; 16]).stream());
    events.iter().for_each(|event| state.apply(event));
    reads("space-snapshot-4.bin", form, &state);
    let mut state = space::Space::unborn(SpaceId([2; 16]).stream());
    state.apply(&space::Event::Declared(declarations()));
    holds("space-snapshot-4-declares.bin", form, &state);
}

/// Keys and relations of every sort.
fn declarations() -> Declarations {
    let all = [
        "priority:number",
        "n:number:unordered",
        "title:text:ordered",
        "done:bool",
        "tags:list",
        "o:map",
        "x:any",
        "see:relation",
        "blocked_by:relation:acyclic",
    ];
    let mut declares = Declarations::default();
    all.iter().for_each(|it| declares.add(it.parse().unwrap()).unwrap());
    declares
}

#[test]
fn what_a_space_declares_reads() {
    let events = vec![
        space::Event::Declared(Declarations::default()),
        space::Event::Declared(declarations()),
    ];
    holds("space-declared-1.bin", FORM, &events);
}
